"""Progress events: counts, and a rate that does not count the time before the first answer."""

import pytest

from isocost import events
from isocost.events import Note, StageProgress, StageWatch


def watched(seconds: list[float], monkeypatch: pytest.MonkeyPatch) -> tuple[StageWatch, list[StageProgress | Note]]:
    """A watch on a clock that a test sets, and what its listener hears."""
    heard: list[StageProgress | Note] = []
    monkeypatch.setattr(events.time, "monotonic", lambda: seconds[0])
    return StageWatch(stage="sample", total=10, unit="samples", listener=heard.append, done_before=4, started=0.0), heard


def test_the_rate_counts_from_the_first_answer_of_this_start(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    watch, _ = watched(clock, monkeypatch)
    clock[0] = 100.0
    watch.advance(1)
    assert watch.rate() is None
    clock[0] = 102.0
    watch.advance(4)
    assert watch.rate() == 2.0


def test_units_of_earlier_starts_are_no_work_of_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1.0]
    watch, heard = watched(clock, monkeypatch)
    watch.resume(2)
    watch.advance(1, tokens=5, detail="half")
    last = heard[-1]
    assert isinstance(last, StageProgress)
    assert (last.done, last.done_before, last.tokens, last.detail, last.finished) == (7, 6, 5, "half", False)


def test_the_last_event_says_that_the_stage_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [3.0]
    watch, heard = watched(clock, monkeypatch)
    assert watch.finish() == 3.0
    assert isinstance(heard[-1], StageProgress)
    assert heard[-1].finished


def test_units_that_are_counted_are_told_once_together(monkeypatch: pytest.MonkeyPatch) -> None:
    watch, heard = watched([1.0], monkeypatch)
    before = len(heard)
    watch.count(1, tokens=2)
    watch.count(2, tokens=3)
    assert (watch.done, watch.tokens, len(heard)) == (7, 5, before)
    watch.advance(0)
    assert len(heard) == before + 1
    assert isinstance(heard[-1], StageProgress)
    assert (heard[-1].done, heard[-1].tokens) == (7, 5)
