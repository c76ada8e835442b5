"""How the size of batches and the pauses between them follow the endpoint's queue."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.batch_runs import SOON, quick, study_of
from tests.engines.openai.batchbooks import Ending
from tests.engines.openai.batchserver import BatchServer
from tests.openai_runs import Shell, shell

__all__ = ["quick", "shell"]
FULL = Ending(state="failed", code="token_limit_exceeded")


def test_batches_grow_again_after_one_as_large_as_allowed_has_ended(quick: Shell, tmp_path: Path) -> None:
    with BatchServer(most_enqueued=10) as server:
        left = quick("run", study_of(server, tmp_path), "-o", tmp_path / "out")
        assert left.code == 0, left.err
        assert [each.lines for each in server.books.batches.values()] == [24, 12, 6, 9, 9]
        assert server.bill()["twice"] == 0


@pytest.mark.slow
def test_pauses_begin_anew_once_a_batch_was_accepted(quick: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isocost.sampling.batches.TIMING", replace(SOON, queue=0.6, longest_queue=9.0))
    with BatchServer(endings=[FULL, FULL, Ending(state="expired", share=0.5), FULL]) as server:
        left = quick("run", study_of(server, tmp_path), "-o", tmp_path / "out")
        assert left.code == 0, left.err
    assert [line.rpartition(" in ")[2] for line in left.err.splitlines() if "queue is full" in line] == ["0.6 s", "1.2 s", "0.6 s"]


def test_a_reply_on_another_batch_is_not_believed(quick: Shell, tmp_path: Path) -> None:
    """The first batch exceeds the queue; a cache then gives its state for the second one, which runs."""
    with BatchServer(endings=[FULL], faults={"poll": ["", "as batch-000001", "as batch-000001"]}) as server:
        left = quick("run", study_of(server, tmp_path), "-o", tmp_path / "out")
        assert left.code == 0, left.err
        assert left.err.count("queue is full") == 1
        assert server.bill()["twice"] == 0
        assert [each.lines for each in server.books.batches.values()] == [24, 12, 12]


@pytest.mark.slow
def test_replies_on_another_batch_alone_stop_the_run(quick: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isocost.sampling.batches.TIMING", replace(SOON, patience=0.5))
    with BatchServer(endings=[FULL], faults={"poll": ["", *["as batch-000001"] * 1000]}) as server:
        study = study_of(server, tmp_path)
        left = quick("run", study, "-o", tmp_path / "out")
        assert left.code == 1
        assert "a reply to batch batch-000002 that cannot be read: it is of batch-000001" in left.err
        assert "run the same command to resume" in left.err
        server.faults.clear()
        assert quick("run", study, "-o", tmp_path / "out").code == 0
        assert server.bill()["twice"] == 0
