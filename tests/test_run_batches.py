"""Runs that buy through the batch API of an endpoint: the fake is `tests/engines/openai/batchserver.py`."""

from __future__ import annotations

import json
import re
import signal
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from isocost.executors import batchworker
from tests.batch_runs import batched, quick, study_of
from tests.engines.openai.batchbooks import Books, Ending, StoredBatch
from tests.engines.openai.batchserver import BatchServer
from tests.engines.openai.replies import Reply
from tests.openai_runs import MAX_TOKENS, Shell, balances, events, ledger, model, raw, shell, started, stored, write

__all__ = ["quick", "shell"]
DRAWS = 24  # of eight problems
OUT = "out"
QUICK = {("cut done", "metadata"), ("500 done", "name,file"), ("429", "file"), ("429 done", "metadata"), ("400 done", "file")}
CREATIONS = [
    pytest.param(fault, shows, marks=() if (fault, shows) in QUICK else pytest.mark.slow)
    for shows in ("metadata", "file", "name,file")
    for fault in ("429", "500", "503", "cut", "409 done", "429 done", "500 done", "503 done", "cut done", "400 done", "402 done")
]


def keys(rows: list[dict[str, Any]]) -> Counter[tuple[str, int]]:
    return Counter((row["problem_id"], row["sample_index"]) for row in rows)


def whole(folder: Path, draws: int = DRAWS) -> list[dict[str, Any]]:
    """The draws of a complete run: each of them once."""
    rows = stored(folder / OUT)
    assert len(rows) == draws
    assert set(keys(rows).values()) == {1}
    return rows


def test_a_study_in_batches_gives_the_table_of_the_same_study_online(quick: Shell, tmp_path: Path) -> None:
    with BatchServer() as server:
        one = batched(server)
        one["price"]["batch"] = {key: one["price"][key] for key in ("input", "output", "input_cache_read")}
        study = study_of(server, tmp_path, models={"weak": one})
        assert quick("run", study, "-o", tmp_path / "batched").code == 0
        assert server.calls["ask"] == 0
        assert quick("run", study, "-o", tmp_path / "online", "--set", "models.weak.batch=false").code == 0
    left, right = (pl.read_parquet(tmp_path / out / "samples.parquet") for out in ("batched", "online"))
    assert left.height == DRAWS
    assert left.equals(right)


def test_a_round_is_one_batch_at_the_price_of_batches_and_its_files_are_deleted(quick: Shell, tmp_path: Path) -> None:
    with BatchServer() as server:
        left = quick("run", study_of(server, tmp_path), "-o", tmp_path / OUT)
        assert left.code == 0, left.err
        assert (server.calls["upload"], server.calls["create"]) == (1, 1)
        assert server.books.files == {}
        assert server.bill()["lines"] == DRAWS
        tokens = server.books.tokens
    rows = whole(tmp_path)
    assert sum(row["cost_usd"] for row in rows) == pytest.approx((0.5 * tokens["prompt"] + 5 * tokens["generated"]) / 1e6)
    assert events(tmp_path / OUT) == {"reserve": DRAWS, "done": DRAWS}
    assert not list((tmp_path / OUT / "batches").iterdir())


@pytest.mark.parametrize(
    ("fault", "again", "charged"),
    [
        ("missing", True, True),
        ("batch_expired", True, False),
        pytest.param("500", True, True, marks=pytest.mark.slow),
        pytest.param("429", True, False, marks=pytest.mark.slow),
        pytest.param("rubbish", True, True, marks=pytest.mark.slow),
    ],
)
def test_a_line_without_an_answer_is_bought_again_and_charged_if_it_may_have_run(
    quick: Shell, tmp_path: Path, fault: str, again: bool, charged: bool
) -> None:
    with BatchServer(lines={fault: 7}) as server:
        left = quick("run", study_of(server, tmp_path), "-o", tmp_path / OUT)
        assert left.code == 0, left.err
        assert server.calls["create"] > 1
    rows = whole(tmp_path)
    assert all(row["finish_reason"] != "error" for row in rows)
    found = events(tmp_path / OUT)
    assert found["lost" if charged else "retry"] >= 3
    assert found["retry" if charged else "lost"] == 0
    lost = [line for line in ledger(tmp_path / OUT) if line["event"] == "lost"]
    assert all(line["usd"] > MAX_TOKENS * 5 / 1e6 for line in lost)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("400", "something is wrong"),
        pytest.param("filtered", "flagged", marks=pytest.mark.slow),
        pytest.param("context", "too long", marks=pytest.mark.slow),
    ],
)
def test_a_prompt_that_is_refused_fails_alone(quick: Shell, tmp_path: Path, fault: str, words: str) -> None:
    with BatchServer(lines={fault: 12}) as server:
        left = quick("run", study_of(server, tmp_path), "-o", tmp_path / OUT)
        assert left.code == 0, left.err
        assert server.calls["create"] == 1
    failed = [row for row in whole(tmp_path) if row["finish_reason"] == "error"]
    assert len(failed) == 2
    assert words in left.err


@pytest.mark.slow
def test_a_line_that_fails_in_three_batches_has_failed_if_the_model_answers_others(quick: Shell, tmp_path: Path) -> None:
    with BatchServer() as server:
        assert quick("run", study_of(server, tmp_path), "-o", tmp_path / OUT).code == 0
        server.books.lines = {"500": 1}
        left = quick("run", study_of(server, tmp_path, n_problems=9), "-o", tmp_path / OUT)
        assert left.code == 0, left.err
        assert server.calls["create"] == 4
    assert [row["problem_id"] for row in whole(tmp_path, DRAWS + 3) if row["finish_reason"] == "error"] == ["p08"] * 3


@pytest.mark.parametrize("fault", ["huge usage", pytest.param("no usage", marks=pytest.mark.slow)])
def test_usage_that_cannot_be_right_stops_the_run_and_every_other_line_is_kept(quick: Shell, tmp_path: Path, fault: str) -> None:
    with BatchServer(lines={fault: 20}) as server:
        study = study_of(server, tmp_path)
        left = quick("run", study, "-o", tmp_path / OUT)
        assert left.code == 1
        assert "completion tokens" in left.err or "usage" in left.err
        assert len(stored(tmp_path / OUT)) == DRAWS - 1
        assert events(tmp_path / OUT) == {"reserve": DRAWS, "done": DRAWS - 1}
        again = quick("run", study, "-o", tmp_path / OUT)
        assert (again.code, again.errors) == (1, left.errors)
        assert (server.calls["create"], server.calls["delete"]) == (1, 0)
        kept = tmp_path / OUT / "batches" / re.findall(r"(\w+\.output\.jsonl)", left.err)[0]
        cancelled = quick("run", study, "-o", tmp_path / OUT, "--cancel-batches")
        unread = kept.with_suffix(".unread.jsonl")  # no later start deletes it
        assert str(unread) in cancelled.err
        assert (unread.exists(), kept.exists()) == (True, False)
        assert next(iter(server.books.batches.values())).output_file in server.books.files
    assert events(tmp_path / OUT)["lost"] == 1


@pytest.mark.parametrize("state", ["expired", pytest.param("cancelled", marks=pytest.mark.slow)])
def test_a_batch_that_ends_early_is_collected_and_the_rest_is_submitted_again(quick: Shell, tmp_path: Path, state: str) -> None:
    with BatchServer(endings=[Ending(state=state, share=0.5)]) as server:
        assert quick("run", study_of(server, tmp_path), "-o", tmp_path / OUT).code == 0
        assert (server.calls["create"], server.bill()["lines"], server.bill()["twice"]) == (2, DRAWS, 0)
    whole(tmp_path)
    assert events(tmp_path / OUT)["lost"] == 0


@pytest.mark.slow
def test_an_endpoint_whose_queue_is_full_gets_smaller_batches_later(quick: Shell, tmp_path: Path) -> None:
    with BatchServer(most_enqueued=10) as server:
        left = quick("run", study_of(server, tmp_path), "-o", tmp_path / OUT)
        assert left.code == 0, left.err
        assert server.bill()["twice"] == 0
    assert "queue is full" in left.err
    whole(tmp_path)
    assert events(tmp_path / OUT)["lost"] == 0


def test_a_batch_that_is_not_accepted_stops_the_run_and_costs_nothing(quick: Shell, tmp_path: Path) -> None:
    with BatchServer(endings=[Ending(state="failed", code="model_not_found")]) as server:
        study = study_of(server, tmp_path)
        left = quick("run", study, "-o", tmp_path / OUT)
        assert left.code == 1
        assert "was not accepted: it is so" in left.err
        assert events(tmp_path / OUT) == {"reserve": DRAWS, "retry": DRAWS}
        assert quick("run", study, "-o", tmp_path / OUT).code == 0
    whole(tmp_path)


@pytest.mark.parametrize(("fault", "shows"), CREATIONS)
def test_a_creation_that_fails_is_found_or_repeated_and_nothing_is_bought_twice(
    quick: Shell, tmp_path: Path, fault: str, shows: str
) -> None:
    with BatchServer(faults={"create": [fault]}, shows=shows.split(",")) as server:
        left = quick("run", study_of(server, tmp_path), "-o", tmp_path / OUT)
        assert left.code == 0, left.err
        assert (server.bill()["lines"], server.bill()["twice"]) == (DRAWS, 0)
        assert len(server.books.batches) == 1
    whole(tmp_path)


@pytest.mark.slow
def test_a_listing_that_is_late_and_in_pages_is_read_again(quick: Shell, tmp_path: Path) -> None:
    with BatchServer(faults={"create": ["cut done"]}, listing_delay=0.05, page=1) as server:
        assert quick("run", study_of(server, tmp_path), "-o", tmp_path / OUT).code == 0
        assert server.bill()["twice"] == 0
        assert server.calls["list"] == 2
    whole(tmp_path)


def test_a_batch_that_may_exist_and_is_not_shown_is_charged_and_named(quick: Shell, tmp_path: Path) -> None:
    with BatchServer(faults={"create": ["cut done"]}, shows=()) as server:
        study = study_of(server, tmp_path)
        left = quick("run", study, "-o", tmp_path / OUT)
        assert left.code == 1
        assert "may have become a batch" in left.err
        assert "file-000001" in left.err
        assert events(tmp_path / OUT)["lost"] == DRAWS
        assert server.calls["create"] == 1
        assert quick("run", study, "-o", tmp_path / OUT).code == 0
    whole(tmp_path)


@pytest.mark.parametrize("listing", [{"oldest_first": True, "page": 2}, pytest.param({"last": None, "page": 2}, marks=pytest.mark.slow)])
def test_a_creation_is_found_in_a_list_of_any_order_and_whatever_the_clock_says(
    quick: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listing: dict[str, Any]
) -> None:
    with BatchServer(faults={"create": ["500 done"]}, **listing) as server:
        create = server.books.create

        def created(asked: dict[str, Any]) -> StoredBatch:
            for number in range(6):  # batches of somebody else, half of them old
                other = StoredBatch(
                    id=server.books._new("batch"), input_file="x", endpoint="", metadata={"a": "b"}, created=1.0, ending=Ending()
                )
                server.books.batches[other.id] = replace(other, created=other.created if number < 3 else time.time(), state="completed")
            batch = create(asked)
            batch.created -= 7200  # the clock here is ahead by two hours
            return batch

        monkeypatch.setattr(Books, "create", lambda self, asked: created(asked))
        left = quick("run", study_of(server, tmp_path), "-o", tmp_path / OUT)
        assert left.code == 0, left.err
        assert (server.calls["create"], server.bill()["twice"]) == (1, 0)
    whole(tmp_path)


def test_a_list_that_may_have_more_than_it_shows_does_not_deny_a_batch(quick: Shell, tmp_path: Path) -> None:
    with BatchServer(faults={"create": ["500"]}, knows_after=False, last=True) as server:
        server.books.batches["batch-0"] = StoredBatch(
            id="batch-0", input_file="x", endpoint="", metadata={"a": "b"}, created=1.0, ending=Ending(), state="completed"
        )
        left = quick("run", study_of(server, tmp_path), "-o", tmp_path / OUT)
        assert left.code == 1
        assert "may have become a batch, and the endpoint has a list whose end it does not show" in left.err
        assert (server.calls["create"], events(tmp_path / OUT)["lost"]) == (1, DRAWS)


@pytest.mark.parametrize("cancel", [False, True])
def test_a_batch_of_another_key_is_not_withdrawn(quick: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cancel: bool) -> None:
    def kill(*arguments: Any) -> None:
        create(*arguments)
        raise RuntimeError("killed")

    create = batchworker.create
    with BatchServer() as server:
        study = study_of(server, tmp_path)
        with monkeypatch.context() as killed:
            killed.setattr(batchworker, "create", kill)
            assert quick("run", study, "-o", tmp_path / OUT).code == 1
        changed = quick("run", study, "-o", tmp_path / OUT, "--set", "sampling.max_tokens=30")
        assert re.search("are under way: submission [0-9a-f]+ of weak", changed.err)
        assert "24 requests, submitted " in quick("status", tmp_path / OUT).out
        files, batches = server.books.files, server.books.batches
        server.books.files, server.books.batches = {}, {}  # what the other key sees
        left = quick("run", study, "-o", tmp_path / OUT, *(["--cancel-batches"] if cancel else []))
        if cancel:
            assert "shows neither a batch of submission" in left.err
            assert events(tmp_path / OUT) == {"reserve": DRAWS, "lost": DRAWS}
            return
        assert left.code == 1
        assert "shows no batch of submission" in left.err
        assert "api_key_env" in left.err
        assert events(tmp_path / OUT) == {"reserve": DRAWS}
        server.books.files, server.books.batches = files, batches
        assert quick("run", study, "-o", tmp_path / OUT).code == 0
        assert (len(batches), server.bill()["twice"]) == (1, 0)
    whole(tmp_path)


def test_a_batch_that_may_exist_where_there_is_no_list_is_charged_and_named(quick: Shell, tmp_path: Path) -> None:
    with BatchServer(faults={"create": ["cut done"], "list": ["404", "405"]}) as server:
        study = study_of(server, tmp_path)
        left = quick("run", study, "-o", tmp_path / OUT)
        assert left.code == 1
        assert "may have become a batch, and the endpoint has no list of its batches" in left.err
        assert events(tmp_path / OUT)["lost"] == DRAWS
        assert quick("run", study, "-o", tmp_path / OUT).code == 0
    whole(tmp_path)


@pytest.mark.slow
def test_an_endpoint_that_fails_between_looks_and_downloads_is_asked_again(quick: Shell, tmp_path: Path) -> None:
    faults = {"upload": ["500", "cut"], "poll": ["500", "cut", "429"], "content": ["503", "cut"], "delete": ["500"]}
    with BatchServer(faults=faults) as server:
        left = quick("run", study_of(server, tmp_path), "-o", tmp_path / OUT)
        assert left.code == 0, left.err
        assert server.bill()["twice"] == 0
    whole(tmp_path)


def test_a_result_file_that_is_not_there_for_a_moment_is_asked_for_again(quick: Shell, tmp_path: Path) -> None:
    with BatchServer(faults={"content": ["404", "404"]}) as server:
        left = quick("run", study_of(server, tmp_path), "-o", tmp_path / OUT)
        assert left.code == 0, left.err
        assert (server.bill()["lines"], server.calls["create"]) == (DRAWS, 1)
    whole(tmp_path)


def test_paid_answers_that_the_endpoint_does_not_give_are_not_bought_again(quick: Shell, tmp_path: Path) -> None:
    with BatchServer(faults={"content": ["404"] * 3}) as server:
        study = study_of(server, tmp_path)
        left = quick("run", study, "-o", tmp_path / OUT)
        assert left.code == 1
        assert "does not have the output file" in left.err
        assert "the same command looks again" in left.err
        assert (server.bill()["lines"], server.calls["create"], server.calls["delete"]) == (DRAWS, 1, 0)
        assert events(tmp_path / OUT)["lost"] == 0
        again = quick("run", study, "-o", tmp_path / OUT)
        assert again.code == 0, again.err
        assert (server.bill()["twice"], server.calls["create"]) == (0, 1)
        assert server.books.files == {}
    whole(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"id": "r1", "custom_id": "of-somebody-else", "response": {"status_code": 200, "body": {}}}\n',
        pytest.param(None, marks=pytest.mark.slow, id="the input file"),
    ],
)
def test_a_result_file_without_any_of_the_answers_stops_the_run(quick: Shell, tmp_path: Path, content: bytes | None) -> None:
    with BatchServer(delay=0.2) as server:
        given = server._of_file

        def of_file(operation: str, id: str) -> Reply:
            if operation != "content":
                return given(operation, id)
            batch = next(iter(server.books.batches.values()))
            return Reply(body=content) if content is not None else given(operation, batch.input_file)

        server._of_file = of_file  # type: ignore[method-assign]
        study = study_of(server, tmp_path)
        left = quick("run", study, "-o", tmp_path / OUT)
        assert left.code == 1
        assert f"has {DRAWS} answers, and its files have none" in left.err
        assert (server.bill()["lines"], server.calls["create"], server.calls["delete"]) == (DRAWS, 1, 0)
        server._of_file = given  # type: ignore[method-assign]
        again = quick("run", study, "-o", tmp_path / OUT)
        assert again.code == 0, again.err
        assert (server.bill()["twice"], server.calls["create"]) == (0, 1)
    whole(tmp_path)


def test_answers_that_are_gone_for_good_are_charged_at_their_worst_case_when_asked_to(quick: Shell, tmp_path: Path) -> None:
    with BatchServer(faults={"content": ["404"] * 9}) as server:
        study = study_of(server, tmp_path)
        assert quick("run", study, "-o", tmp_path / OUT).code == 1
        left = quick("run", study, "-o", tmp_path / OUT, "--cancel-batches")
        assert "requests without an answer are charged at their worst case" in left.err
        assert events(tmp_path / OUT)["lost"] == DRAWS
        assert server.calls["create"] == 1
        kept = next(iter(server.books.batches.values())).output_file
        assert kept in server.books.files
        server.faults["content"] = []
        assert quick("run", study, "-o", tmp_path / OUT).code == 0
        assert server.bill()["lines"] == 2 * DRAWS
    whole(tmp_path)


@pytest.mark.parametrize(
    "states",
    [{"in_progress": "dreaming", "validating": "dreaming"}, pytest.param({"completed": "COMPLETED"}, marks=pytest.mark.slow)],
)
def test_states_in_capitals_are_read_and_unknown_ones_are_looked_at_again(quick: Shell, tmp_path: Path, states: dict[str, str]) -> None:
    with BatchServer(states=states, delay=0.1) as server:
        left = quick("run", study_of(server, tmp_path), "-o", tmp_path / OUT)
    assert left.code == 0, left.err
    assert ("state 'dreaming' is not known" in left.err) == ("in_progress" in states)


def test_a_limit_is_kept_by_batches_that_cover_no_more_than_is_left_of_it(quick: Shell, tmp_path: Path) -> None:
    with BatchServer() as server:
        # A request costs 0.00019 at most and 0.00005 in fact: about five fit at first, all of them in the end.
        study = study_of(server, tmp_path, limit={"unit": "usd", "amount": 0.0013})
        left = quick("run", study, "-o", tmp_path / OUT)
        assert left.code in (0, 1), left.err
        assert server.calls["create"] > 1
        rows = stored(tmp_path / OUT)
        assert server.bill()["lines"] == len(rows)
    assert all(spent + reserved <= 0.0013 * (1 + 1e-9) for spent, reserved in balances(tmp_path / OUT))


def test_no_wait_leaves_batches_that_status_shows_and_the_same_command_collects(quick: Shell, tmp_path: Path) -> None:
    with BatchServer(delay=3600.0) as server:
        study = study_of(server, tmp_path)
        left = quick("run", study, "-o", tmp_path / OUT, "--no-wait")
        assert left.code == 0
        assert "error" not in left.err
        assert "batch-000001 of weak (24 requests)" in left.err
        assert f"resume with: isocost run {study} -o {tmp_path / OUT}\n" in left.err
        again = quick("run", study, "-o", tmp_path / OUT, "--no-wait")
        assert (again.code, server.calls["create"]) == (0, 1)
        told = json.loads(quick("status", tmp_path / OUT, "--json").out)
        assert [(each["batch"], each["requests"], each["status"]) for each in told["batches"]] == [("batch-000001", DRAWS, "in_progress")]
        assert "batch batch-000001 of weak: 0 of 24 requests, in_progress" in quick("status", tmp_path / OUT).out
        server.books.delay = 0.0
        assert quick("run", study, "-o", tmp_path / OUT).code == 0  # a look may come before the end: --no-wait could leave again
        assert (server.bill()["twice"], server.calls["create"]) == (0, 1)
    whole(tmp_path)
    assert json.loads(quick("status", tmp_path / OUT, "--json").out)["batches"] == []


def test_a_changed_study_is_refused_while_a_batch_is_open_and_goes_on_after_it_is_cancelled(quick: Shell, tmp_path: Path) -> None:
    with BatchServer(delay=3600.0) as server:
        study = study_of(server, tmp_path)
        assert quick("run", study, "-o", tmp_path / OUT, "--no-wait").code == 0
        changed = ("run", study, "-o", tmp_path / OUT, "--set", "sampling.max_tokens=30")
        refused = quick(*changed)
        assert refused.code == 2
        assert "batch-000001" in refused.err
        assert f"isocost sample {tmp_path / OUT} --cancel-batches" in refused.err
        cancelled = quick("sample", tmp_path / OUT, "--cancel-batches")
        assert (cancelled.code, server.calls["cancel"]) == (0, 1)
        assert "cancelled and collected: 1 batch, 12 answers" in cancelled.err
        assert len(stored(tmp_path / OUT)) == DRAWS // 2
        assert events(tmp_path / OUT) == {"reserve": DRAWS, "done": DRAWS // 2, "retry": DRAWS // 2}
        server.books.delay = 0.0
        assert quick(*changed).code == 0
    assert quick("sample", tmp_path / OUT, "--cancel-batches").err.count("no batch is under way") == 1


def test_a_batch_that_the_endpoint_forgot_is_named_without_waiting_too(quick: Shell, tmp_path: Path) -> None:
    with BatchServer(delay=3600.0) as server:
        study = study_of(server, tmp_path)
        assert quick("run", study, "-o", tmp_path / OUT, "--no-wait").code == 0
        server.books.batches.clear()
        left = quick("run", study, "-o", tmp_path / OUT, "--no-wait")
        assert left.code == 1
        assert "does not know batch batch-000001" in left.err
        cancelled = quick("run", study, "-o", tmp_path / OUT, "--cancel-batches")
        assert "cancelled: 1 batch, no new answer" in cancelled.err
        assert "collected" not in cancelled.err


def test_a_record_of_batches_that_is_gone_says_what_to_do(quick: Shell, tmp_path: Path) -> None:
    with BatchServer(delay=3600.0) as server:
        study = study_of(server, tmp_path)
        assert quick("run", study, "-o", tmp_path / OUT, "--no-wait").code == 0
        (tmp_path / OUT / "batches.jsonl").write_bytes(b"")
        left = quick("run", study, "-o", tmp_path / OUT)
        assert "batches.jsonl: was cut, changed or removed since there were under way: batch batch-000001 of weak" in left.err
        assert "put the file back as it was" in left.err
        (tmp_path / OUT / "progress.json").unlink()
        left = quick("run", study, "-o", tmp_path / OUT)
    assert "batches.jsonl lacks submission" in left.err
    assert "put the file back as it was" in left.err


@pytest.mark.slow
def test_a_question_that_changes_while_a_batch_is_open_is_refused(quick: Shell, tmp_path: Path) -> None:
    with BatchServer(delay=3600.0) as server:
        study = study_of(server, tmp_path)
        assert quick("run", study, "-o", tmp_path / OUT, "--no-wait").code == 0
        problems = tmp_path / "problems.jsonl"
        before = problems.read_text()
        rows = [json.loads(line) for line in before.splitlines()]
        rows[0]["question"] += " Think."
        problems.write_text("".join(json.dumps(row) + "\n" for row in rows))
        refused = quick("run", study, "-o", tmp_path / OUT)
        assert refused.code == 2
        assert "problems were changed while batches are under way" in refused.err
        problems.write_text(before)
        server.books.delay = 0.0
        assert quick("run", study, "-o", tmp_path / OUT).code == 0
    whole(tmp_path)


@pytest.mark.slow
def test_ctrl_c_leaves_the_batch_running_and_says_how_to_go_on(tmp_path: Path) -> None:
    with BatchServer(delay=3600.0) as server:
        study = study_of(server, tmp_path)
        with started("run", study, "-o", tmp_path / OUT) as process:
            while server.calls["poll"] < 1:
                assert process.poll() is None
            process.send_signal(signal.SIGINT)
            _, told = process.communicate(timeout=60)
        assert process.returncode == 130
        assert "batch batch-000001 of weak" in told
        assert f"resume with: isocost run {study} -o {tmp_path / OUT}" in told
        assert server.calls["cancel"] == 0
        server.books.delay = 0.0
        with started("run", study, "-o", tmp_path / OUT) as process:
            process.communicate(timeout=60)
        assert (process.returncode, server.calls["create"], server.bill()["twice"]) == (0, 1, 0)
    whole(tmp_path)


@pytest.mark.slow
def test_a_model_in_batches_and_one_online_are_bought_side_by_side(quick: Shell, tmp_path: Path) -> None:
    with BatchServer(delay=0.2) as server:
        models = {"weak": batched(server), "strong": model(server.url, "strong", extra_body={"x": 1})}
        arms = {name: {"models": [name], "samples_per_problem": 2} for name in models}
        left = quick("run", study_of(server, tmp_path, models=models, arms=arms), "-o", tmp_path / OUT)
        assert left.code == 0, left.err
        assert (server.calls["ask"], server.bill()["lines"]) == (16, 16)
    assert len(stored(tmp_path / OUT, "weak")) == len(stored(tmp_path / OUT, "strong")) == 16


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"price": {"input": 1, "output": 2}}, "price.batch is missing, and batch is true"),
        ({"engine": "replay", "table": "x"}, "batch: true is for engine openai"),
        ({"batch_api": True}, "leave batch_api out"),
    ],
)
def test_a_model_that_cannot_be_bought_in_batches_is_refused(quick: Shell, tmp_path: Path, change: dict[str, Any], words: str) -> None:
    one = {**model("http://127.0.0.1:1/v1"), "batch": True, **change}
    left = quick("run", write(tmp_path, raw("", models={"weak": one})), "-o", tmp_path / OUT)
    assert left.code == 2
    assert words in left.err


def test_a_judge_is_not_bought_in_batches(quick: Shell, tmp_path: Path) -> None:
    with BatchServer() as server:
        study = study_of(server, tmp_path, grader={"name": "judge", "model": "weak"})
        left = quick("run", study, "-o", tmp_path / OUT)
    assert left.code == 2
    assert "grader.model: model weak is bought in batches, and a judge is asked singly" in left.err


def test_an_endpoint_without_a_batch_api_is_named_and_nothing_is_charged(quick: Shell, tmp_path: Path) -> None:
    with BatchServer(faults={"upload": ["404"]}) as server:
        left = quick("run", study_of(server, tmp_path), "-o", tmp_path / OUT)
    assert left.code == 1
    assert "has no batch API" in left.err
    assert events(tmp_path / OUT) == {"reserve": DRAWS, "unsent": DRAWS}


@pytest.mark.slow
def test_several_solutions_of_a_line_are_kept_and_short_replies_are_asked_again(quick: Shell, tmp_path: Path) -> None:
    with BatchServer() as server:
        one = batched(server, n=2)
        left = quick("run", study_of(server, tmp_path, models={"weak": one}), "-o", tmp_path / OUT)
        assert left.code == 0, left.err
        assert server.bill()["lines"] == 16
    whole(tmp_path)
