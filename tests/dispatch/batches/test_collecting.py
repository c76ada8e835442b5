"""Batches whose files, counts or states do not agree: nothing that may be paid is bought again without a word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from isocost.dispatch.batches.collecting import Collector
from isocost.engines.batches import BatchState
from isocost.executors import batchworker
from tests.batch_runs import SOON, Row, patient, quick, show, study_of
from tests.engines.openai.batchbooks import Ending, StoredBatch
from tests.engines.openai.batchserver import BatchServer
from tests.engines.openai.replies import Reply
from tests.openai_runs import MAX_TOKENS, Shell, balances, events, ledger, shell, stored

__all__ = ["patient", "quick", "shell"]
DRAWS = 24  # of eight problems
OUT = "out"


def change_content(server: BatchServer, change: Callable[[bytes], bytes]) -> None:
    """Change what the endpoint gives of its files."""

    def of_file(operation: str, id: str) -> Reply:
        reply = BatchServer._of_file(server, operation, id)
        return Reply(body=change(reply.body)) if operation == "content" and reply.status == 200 else reply

    server._of_file = of_file  # type: ignore[method-assign]


def without_output(row: Row, batch: StoredBatch) -> None:
    if batch.id == "batch-000001":
        row["output_file_id"] = None


def without_output_and_counts(row: Row, batch: StoredBatch) -> None:
    del row["request_counts"]
    without_output(row, batch)


def failed_after_running(row: Row, batch: StoredBatch) -> None:
    if batch.id == "batch-000001" and batch.state == "completed":
        row.update(status="failed", output_file_id=None, errors={"data": [{"code": "server_error", "message": "broke off"}]})


SHOWN: Counter[int] = Counter()


def failed_without_counts(row: Row, batch: StoredBatch) -> None:
    """It is seen to run before: a batch that failed at once, without counts, has cost nothing."""
    del row["request_counts"]
    SHOWN[id(batch)] += 1
    if SHOWN[id(batch)] <= 2:
        row.update(status="in_progress", output_file_id=None)
    else:
        failed_after_running(row, batch)


def assert_stopped(server: BatchServer, folder: Path, study: Path, quick: Shell, words: str) -> None:
    """A start stops with words, buys nothing twice and charges nothing."""
    left = quick("run", study, "-o", folder / OUT)
    assert left.code == 1
    assert words in left.err
    assert "the same command looks again" in left.err
    assert (server.calls["create"], server.bill()["twice"], events(folder / OUT)) == (1, 0, {"reserve": DRAWS})


def assert_whole(server: BatchServer, folder: Path, study: Path, quick: Shell) -> None:
    """A start completes the run, and nothing was bought twice."""
    left = quick("run", study, "-o", folder / OUT)
    assert left.code == 0, left.err
    assert (server.bill()["twice"], server.calls["create"]) == (0, 1)
    assert len(stored(folder / OUT)) == DRAWS
    assert events(folder / OUT)["lost"] == 0


@pytest.mark.parametrize(
    ("change", "lines", "words"),
    [
        (without_output, {"400": DRAWS}, "has 23 answers, and its files have none"),
        pytest.param(without_output, {}, "has 24 answers, and its files have none", marks=pytest.mark.slow),
        (without_output_and_counts, {"400": DRAWS}, "is completed, and its files have 1 of its 24 requests"),
        pytest.param(without_output_and_counts, {}, "is completed, and its files have 0 of its 24 requests", marks=pytest.mark.slow),
        (failed_without_counts, {}, "is failed, and its files have 0 of its 24 requests"),
        (failed_after_running, {}, "has 24 answers, and its files have none"),
    ],
)
def test_answers_without_a_file_are_not_bought_again(
    quick: Shell, tmp_path: Path, change: Callable[[Row, StoredBatch], None], lines: dict[str, int], words: str
) -> None:
    with BatchServer(lines=lines) as server:
        show(server, change)
        study = study_of(server, tmp_path)
        assert_stopped(server, tmp_path, study, quick, words)
        show(server, lambda row, batch: None)
        assert_whole(server, tmp_path, study, quick)


@pytest.mark.parametrize("counts", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_a_file_that_is_shown_after_the_end_of_its_batch_is_waited_for(patient: Shell, tmp_path: Path, counts: bool) -> None:
    looks = [0]

    def change(row: Row, batch: StoredBatch) -> None:
        if not counts:
            del row["request_counts"]
        if batch.state == "completed":
            looks[0] += 1
            row.update(dict.fromkeys(("output_file_id", "error_file_id")) if looks[0] < 4 else {})

    with BatchServer(lines={"400": 12}) as server:
        show(server, change)
        assert_whole(server, tmp_path, study_of(server, tmp_path), patient)
    assert looks[0] == 4


@pytest.mark.slow
@pytest.mark.parametrize("change", [lambda content: content[:-200], lambda content: content.replace(b'"custom_id": "', b'"custom_id": "x')])
def test_answers_of_an_expired_batch_without_counts_that_cannot_be_read_are_not_bought_again(
    quick: Shell, tmp_path: Path, change: Callable[[bytes], bytes]
) -> None:
    with BatchServer(endings=[Ending(state="expired", share=0.5)]) as server:
        show(server, lambda row, batch: row.pop("request_counts"))
        change_content(server, change)
        study = study_of(server, tmp_path)
        assert_stopped(server, tmp_path, study, quick, "is expired, and its files have ")
        change_content(server, lambda content: content)
        assert quick("run", study, "-o", tmp_path / OUT).code == 0
        assert (server.bill()["twice"], events(tmp_path / OUT)["lost"]) == (0, 0)


ARRAY = b"[" + b'{"custom_id": "a", "response": {}}, ' * 3 + b"{}]"
PAGE = b"<!DOCTYPE html>\n<title>503</title>\n"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda content: PAGE, '2 lines of its files are no results of a request; the first begins: "<!DOCTYPE html>"'),
        (lambda content: ARRAY, "1 line of its files is no result of a request"),
        (lambda content: content.decode().encode("utf-16"), "of its files are no results of a request"),
        (lambda content: content.replace(b'"response":', b'"body":').replace(b'"error":', b'"flaw":'), "24 lines of its files are no"),
    ],
)
def test_files_in_another_form_are_shown_and_kept(quick: Shell, tmp_path: Path, change: Callable[[bytes], bytes], words: str) -> None:
    with BatchServer() as server:
        study = study_of(server, tmp_path)
        change_content(server, change)
        assert_stopped(server, tmp_path, study, quick, words)
        (kept,) = (tmp_path / OUT).rglob("*.output.unread.jsonl")
        whole = kept.read_bytes()
        assert str(kept.relative_to(tmp_path)) in quick("run", study, "-o", tmp_path / OUT).err
        cancelled = quick("run", study, "-o", tmp_path / OUT, "--cancel-batches")
        assert words in cancelled.err
        assert events(tmp_path / OUT)["lost"] == DRAWS
        assert kept.read_bytes() == whole


def test_a_file_that_is_gone_is_not_waited_for_where_its_requests_are_to_be_charged(
    quick: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("isocost.sampling.batches.TIMING", replace(SOON, results=600.0))
    with BatchServer(faults={"content": ["404"] * 6}) as server:
        study = study_of(server, tmp_path)
        assert quick("run", study, "-o", tmp_path / OUT).code == 1
        quick("run", study, "-o", tmp_path / OUT, "--cancel-batches")
        assert (events(tmp_path / OUT)["lost"], server.calls["content"]) == (DRAWS, 6)


def test_lines_that_are_cut_off_are_waited_for_and_charged_alone_when_asked_to(quick: Shell, tmp_path: Path) -> None:
    with BatchServer() as server:
        change_content(server, lambda content: content[:-200])
        study = study_of(server, tmp_path)
        assert_stopped(server, tmp_path, study, quick, "has 24 answers, and its files have 23 of them")
        left = quick("run", study, "-o", tmp_path / OUT, "--cancel-batches")
        assert "requests without an answer are charged at their worst case" in left.err
        assert events(tmp_path / OUT) == {"reserve": DRAWS, "done": DRAWS - 1, "lost": 1}
        assert server.calls["create"] == 1


@pytest.mark.parametrize("local", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_the_files_of_a_batch_that_is_resumed_are_counted_too(
    quick: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, local: bool
) -> None:
    with BatchServer() as server:
        study = study_of(server, tmp_path)
        monkeypatch.setattr("isocost.dispatch.batches.collecting.CHUNK", 10)
        monkeypatch.setattr("isocost.dispatch.batches.collecting.AHEAD", 1)
        collect, parts = batchworker.collect, list[Any]()

        def one_part(*arguments: Any) -> Any:
            parts.append(arguments)
            if len(parts) > 1:
                raise RuntimeError("killed")
            return collect(*arguments)

        with monkeypatch.context() as killed:
            killed.setattr(batchworker, "collect", one_part)
            assert quick("run", study, "-o", tmp_path / OUT).code == 1
        assert events(tmp_path / OUT) == {"reserve": DRAWS, "done": 10}
        (file,) = (tmp_path / OUT / "batches").glob("*.output.jsonl")
        short = b"".join(file.read_bytes().splitlines(keepends=True)[-6:])
        file.write_bytes(short)
        if not local:
            file.unlink()
            change_content(server, lambda content: short)
            left = quick("run", study, "-o", tmp_path / OUT)
            assert left.code == 1
            assert "has 24 answers, and its files have " in left.err
            assert events(tmp_path / OUT) == {"reserve": DRAWS, "done": 10}
            change_content(server, lambda content: content)
        assert_whole(server, tmp_path, study, quick)


def test_a_batch_that_failed_after_running_is_charged_at_its_worst_case_when_asked_to(quick: Shell, tmp_path: Path) -> None:
    with BatchServer() as server:
        show(server, failed_after_running)
        study = study_of(server, tmp_path, limit={"unit": "usd", "amount": 0.0046})
        assert quick("run", study, "-o", tmp_path / OUT).code == 1
        quick("run", study, "-o", tmp_path / OUT, "--cancel-batches")
        assert events(tmp_path / OUT) == {"reserve": DRAWS, "lost": DRAWS}
        assert all(line["usd"] > MAX_TOKENS * 5 / 1e6 for line in ledger(tmp_path / OUT) if line["event"] == "lost")
        quick("run", study, "-o", tmp_path / OUT)
    assert all(spent + reserved <= 0.0046 * (1 + 1e-9) for spent, reserved in balances(tmp_path / OUT))


def test_a_batch_of_one_refused_problem_fails_alone_where_the_model_answered_before(quick: Shell, tmp_path: Path) -> None:
    with BatchServer() as server:
        assert quick("run", study_of(server, tmp_path), "-o", tmp_path / OUT).code == 0
        server.books.lines = {"400": 1}
        left = quick("run", study_of(server, tmp_path, n_problems=9), "-o", tmp_path / OUT)
        assert left.code == 0, left.err
        assert server.calls["create"] == 2
    assert sum(row["finish_reason"] == "error" for row in stored(tmp_path / OUT)) == 3


def test_prompts_that_are_all_too_long_stop_the_run_unless_the_model_has_answered_before(quick: Shell, tmp_path: Path) -> None:
    with BatchServer(lines={"context": 1}) as server:
        left = quick("run", study_of(server, tmp_path), "-o", tmp_path / OUT)
        assert left.code == 1
        assert "too long (400)" in left.err
        assert "lower sampling.max_tokens" in left.err
        assert not stored(tmp_path / OUT)
        server.books.lines = {}
        assert quick("run", study_of(server, tmp_path), "-o", tmp_path / OUT).code == 0
        server.books.lines = {"context": 1}
        left = quick("run", study_of(server, tmp_path, n_problems=12), "-o", tmp_path / OUT)
        assert left.code == 0, left.err
    assert sum(row["finish_reason"] == "error" for row in stored(tmp_path / OUT)) == 12


@pytest.mark.slow
def test_refused_problems_stop_the_run_if_they_are_too_many_to_be_at_fault(quick: Shell, tmp_path: Path) -> None:
    with BatchServer() as server:
        assert quick("run", study_of(server, tmp_path), "-o", tmp_path / OUT).code == 0
        server.books.lines = {"400": 1}
        left = quick("run", study_of(server, tmp_path, n_problems=12), "-o", tmp_path / OUT)
        assert left.code == 1
        assert "something is wrong" in left.err
    assert len(stored(tmp_path / OUT)) == DRAWS


def test_refused_calls_of_a_start_that_was_killed_fail_beside_the_answers_that_it_committed(
    quick: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with BatchServer(lines={"400": 3}) as server:  # one draw of each problem
        study = study_of(server, tmp_path)

        def kill(self: Collector, state: BatchState) -> None:
            raise RuntimeError("killed")

        with monkeypatch.context() as killed:
            killed.setattr(Collector, "_decide", kill)
            assert quick("run", study, "-o", tmp_path / OUT).code == 1
        assert events(tmp_path / OUT) == {"reserve": DRAWS, "done": 16}
        assert_whole(server, tmp_path, study, quick)
    assert sum(row["finish_reason"] == "error" for row in stored(tmp_path / OUT)) == 8


@pytest.mark.parametrize(
    ("fault", "charged", "words"),
    [
        ("500", True, "24 of them are charged at their worst case"),
        pytest.param("429", False, "nothing of it is charged", marks=pytest.mark.slow),
    ],
)
def test_an_outage_stops_the_run_and_no_draw_has_failed(quick: Shell, tmp_path: Path, fault: str, charged: bool, words: str) -> None:
    with BatchServer(lines={fault: 1}) as server:
        study = study_of(server, tmp_path)
        left = quick("run", study, "-o", tmp_path / OUT)
        assert left.code == 1
        assert "batch batch-000001 has no answer to any of its 24 requests" in left.err
        assert words in left.err
        assert server.calls["create"] == 1
        assert events(tmp_path / OUT) == {"reserve": DRAWS, "lost" if charged else "retry": DRAWS}
        server.books.lines = {}
        assert quick("run", study, "-o", tmp_path / OUT).code == 0
    assert {row["finish_reason"] for row in stored(tmp_path / OUT)} == {"stop"}


def test_a_rate_limit_is_not_a_failure_of_the_requests_that_it_leaves_without_an_answer(quick: Shell, tmp_path: Path) -> None:
    with BatchServer(lines={"429": 2}) as server:  # half of each batch: 24, 12, 6, 3, 2 and 1
        left = quick("run", study_of(server, tmp_path), "-o", tmp_path / OUT)
        assert left.code == 0, left.err
        assert server.calls["create"] > 3
    assert {row["finish_reason"] for row in stored(tmp_path / OUT)} == {"stop"}


def test_batches_that_are_not_run_stop_a_model_that_has_answered_too(quick: Shell, tmp_path: Path) -> None:
    with BatchServer(endings=[Ending(state="expired", share=0.5)] + [Ending(state="cancelled", share=0.0)] * 20) as server:
        left = quick("run", study_of(server, tmp_path), "-o", tmp_path / OUT)
        assert left.code == 1, left.err
        assert server.calls["create"] == 4
        assert (server.bill()["twice"], events(tmp_path / OUT)["lost"]) == (0, 0)


@pytest.mark.parametrize("answered", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_batches_that_are_not_run_are_submitted_three_times_in_a_row(quick: Shell, tmp_path: Path, answered: bool) -> None:
    with BatchServer(
        endings=[Ending(state="cancelled", share=0.0)] * 2 + [Ending(state="expired", share=0.5 if answered else 0.0)]
    ) as server:
        study = study_of(server, tmp_path)
        left = quick("run", study, "-o", tmp_path / OUT)
        assert left.code == (0 if answered else 1), left.err
        assert ("batch batch-000003 has no answer to any of its 24 requests" in left.err) == (not answered)
        assert quick("run", study, "-o", tmp_path / OUT).code == 0
        assert (server.calls["create"], server.bill()["twice"], events(tmp_path / OUT)["lost"]) == (4, 0, 0)
