"""Batches whose states deny what earlier ones showed, or lag behind the end: what may be paid is neither free nor bought again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.batch_runs import Row, patient, quick, show, study_of
from tests.engines.openai.batchbooks import FINAL, Ending, StoredBatch
from tests.engines.openai.batchserver import BatchServer
from tests.openai_runs import Shell, events, shell

__all__ = ["patient", "quick", "shell"]
DRAWS = 24  # of eight problems
OUT = "out"
NO_FILES: Row = {"output_file_id": None, "error_file_id": None}
CODES = ("server_error", "token_limit_exceeded")
Change = Callable[[Row, StoredBatch], None]


def counts(total: int, completed: int, failed: int = 0) -> Row:
    return {"request_counts": {"total": total, "completed": completed, "failed": failed}}


def running(completed: int) -> Row:
    """A batch that runs, and has answered some of its requests."""
    return {"status": "in_progress", **counts(DRAWS, completed), **NO_FILES}


def failed(code: str, total: int) -> Row:
    """A batch that has failed, as one does that was not accepted."""
    return {"status": "failed", **counts(total, 0), **NO_FILES, "errors": {"data": [{"code": code, "message": "broke off"}]}}


def in_turn(*shown: Row) -> Change:
    """Show the first batch in one way after another: the first until it has ended, each of the others once, the last one for good."""
    left = list(shown)

    def change(row: Row, batch: StoredBatch) -> None:
        if batch.id == "batch-000001":
            row.update(left[0])
            if batch.state in FINAL and len(left) > 1:
                del left[0]

    return change


def after_the_end(looks: int, shown: Row) -> Change:
    """Show the first batch in another way in its first looks after the end, and count nothing before."""
    left = [looks]

    def change(row: Row, batch: StoredBatch) -> None:
        if batch.id != "batch-000001":
            return
        if batch.state not in FINAL:
            row.update(counts(DRAWS, 0))
        elif left[0]:
            left[0] -= 1
            row.update(shown)

    return change


def assert_stopped(server: BatchServer, folder: Path, quick: Shell, words: str) -> None:
    """A start stops with words; it buys nothing again, and neither charges nor releases anything."""
    left = quick("run", folder / "study.yaml", "-o", folder / OUT)
    assert left.code == 1
    assert words in left.err
    assert "the same command looks again" in left.err
    assert (server.calls["create"], server.calls["delete"], events(folder / OUT)) == (1, 0, {"reserve": DRAWS})


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize(
    ("completed", "total", "words"),
    [
        (5, DRAWS, "has 5 answers, and its files have none"),
        pytest.param(5, 0, "has 5 answers, and its files have none", marks=pytest.mark.slow),
        (0, DRAWS, "is failed, and its files have 0 of its 24 requests"),
        pytest.param(0, 0, "is failed, and its files have 0 of its 24 requests", marks=pytest.mark.slow),
    ],
)
def test_a_batch_that_ran_is_not_free_whatever_it_shows_after_it_failed(
    quick: Shell, tmp_path: Path, code: str, completed: int, total: int, words: str
) -> None:
    with BatchServer() as server:
        study_of(server, tmp_path)
        show(server, in_turn(running(completed), running(0), failed(code, total)))
        assert_stopped(server, tmp_path, quick, words)
        assert_stopped(server, tmp_path, quick, words)  # this start has seen the last state alone
        show(server, lambda row, batch: None)
        assert quick("run", tmp_path / "study.yaml", "-o", tmp_path / OUT).code == 0
        assert (server.calls["create"], server.bill()["twice"]) == (1, 0)
    assert events(tmp_path / OUT) == {"reserve": DRAWS, "done": DRAWS}


@pytest.mark.parametrize("code", CODES)
def test_a_batch_that_ran_and_denies_it_is_charged_when_asked_to(quick: Shell, tmp_path: Path, code: str) -> None:
    with BatchServer() as server:
        study = study_of(server, tmp_path)
        show(server, in_turn(running(5), failed(code, 0)))
        assert quick("run", study, "-o", tmp_path / OUT).code == 1
        left = quick("run", study, "-o", tmp_path / OUT, "--cancel-batches")
        assert "has 5 answers, and its files have none; requests without an answer are charged at their worst case" in left.err
        assert "queue is full" not in left.err
    assert events(tmp_path / OUT) == {"reserve": DRAWS, "lost": DRAWS}


@pytest.mark.parametrize("code", CODES)
def test_a_batch_that_was_not_accepted_is_free_at_once(patient: Shell, tmp_path: Path, code: str) -> None:
    with BatchServer(endings=[Ending(state="failed", code=code)]) as server:
        study = study_of(server, tmp_path)
        left = patient("run", study, "-o", tmp_path / OUT)
        assert ("was not accepted" in left.err) == (code == "server_error")
        assert "looking again" not in left.err
        assert patient("run", study, "-o", tmp_path / OUT).code == 0
    assert events(tmp_path / OUT)["lost"] == 0


def test_a_batch_that_failed_without_a_reason_is_looked_at_again_before_it_is_free(quick: Shell, tmp_path: Path) -> None:
    with BatchServer() as server:
        study = study_of(server, tmp_path)
        show(server, in_turn({"status": "validating", **counts(0, 0), **NO_FILES}, {**failed("", 0), "errors": None}))
        left = quick("run", study, "-o", tmp_path / OUT)
        assert "looking again for up to" in left.err
        assert "was not accepted: no reason given" in left.err
        assert events(tmp_path / OUT) == {"reserve": DRAWS, "retry": DRAWS}


@pytest.mark.parametrize("state", ["completed", "expired", "cancelled"])
@pytest.mark.parametrize("looks", [1, pytest.param(3, marks=pytest.mark.slow)])
def test_the_files_and_counts_of_a_batch_may_lag_behind_its_end(patient: Shell, tmp_path: Path, state: str, looks: int) -> None:
    with BatchServer(endings=[Ending(state=state, share=0.5)]) as server:
        study = study_of(server, tmp_path)
        show(server, after_the_end(looks, {**counts(DRAWS, 0), **NO_FILES}))
        left = patient("run", study, "-o", tmp_path / OUT)
        assert left.code == 0, left.err
        assert f"is {state}, and its files have 0 of its 24 requests; looking again" in left.err
        assert (server.bill()["lines"], server.bill()["twice"]) == (DRAWS, 0)
    assert events(tmp_path / OUT)["lost"] == 0


@pytest.mark.parametrize("state", ["completed", pytest.param("expired", marks=pytest.mark.slow), "cancelled"])
@pytest.mark.parametrize("failed", [0, pytest.param(DRAWS, marks=pytest.mark.slow)])
def test_a_batch_that_ends_without_a_file_is_not_bought_again(quick: Shell, tmp_path: Path, state: str, failed: int) -> None:
    with BatchServer(endings=[Ending(state=state, share=0.5)]) as server:
        study_of(server, tmp_path)
        show(server, after_the_end(10**6, {**counts(DRAWS, 0, failed), **NO_FILES}))
        assert_stopped(server, tmp_path, quick, f"is {state}, and its files have 0 of its 24 requests")
        assert quick("run", tmp_path / "study.yaml", "-o", tmp_path / OUT, "--cancel-batches").code == 0
    assert events(tmp_path / OUT) == {"reserve": DRAWS, "lost": DRAWS}


def test_counts_that_contradict_the_files_stop_a_start_in_the_third_batch(quick: Shell, tmp_path: Path) -> None:
    """Some endpoints count every line as answered, so one such batch is believed; a start of nothing but such batches is not."""
    with BatchServer(endings=[Ending(state="expired", share=0.3)] * 20) as server:
        study = study_of(server, tmp_path)
        show(server, lambda row, batch: row.update(counts(batch.lines, batch.lines) if batch.state in FINAL else {}))
        left = quick("run", study, "-o", tmp_path / OUT)
        assert left.code == 1
        assert "model weak: 3 batches of this start count requests as answered, and their files say that these were not run" in left.err
        assert server.calls["create"] == 3
        assert quick("run", study, "-o", tmp_path / OUT).code in (0, 1)
        assert server.calls["create"] > 3


def test_requests_in_neither_file_are_waited_for(patient: Shell, tmp_path: Path) -> None:
    late = {**counts(DRAWS, 0, DRAWS // 2), "output_file_id": None}
    with BatchServer(endings=[Ending(state="expired", share=0.5)]) as server:
        study = study_of(server, tmp_path)
        show(server, after_the_end(3, late))
        left = patient("run", study, "-o", tmp_path / OUT)
        assert left.code == 0, left.err
        assert "is expired, and 12 of its requests are in neither of its files; looking again" in left.err
        assert (server.bill()["lines"], server.bill()["twice"]) == (DRAWS, 0)
    assert events(tmp_path / OUT)["lost"] == 0


def test_requests_that_stay_in_neither_file_are_charged_with_a_note(quick: Shell, tmp_path: Path) -> None:
    with BatchServer(lines={"missing": 8}) as server:
        study = study_of(server, tmp_path)
        left = quick("run", study, "-o", tmp_path / OUT)
        assert left.code == 0, left.err
        assert "is completed, and 3 of its requests are in neither of its files; they are charged at their worst case" in left.err
    assert events(tmp_path / OUT)["lost"] == 3


def test_lines_that_say_that_nothing_ran_do_not_deny_answers_that_were_counted(quick: Shell, tmp_path: Path) -> None:
    """The file of errors comes first, and has a line for each request."""
    with BatchServer(endings=[Ending(state="expired", share=0.0)]) as server:
        study_of(server, tmp_path)
        show(server, in_turn(running(5), {}))
        assert_stopped(server, tmp_path, quick, "has 5 answers, and its files say that 24 of its 24 requests were not run")
