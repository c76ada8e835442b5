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
