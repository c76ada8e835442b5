"""The calls that wait for a batch: their order, and how many fit under the limit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from isocost.dispatch.batches.waiting import WaitingCalls, fitting
from isocost.dispatch.calls import Call
from isocost.executors.jobs import EngineSpec, Job
from isocost.records import Cost, SamplingParams


def call(key: str, usd: float = 1.0) -> Call:
    spec = EngineSpec(name="openai", options=(), base=Path())
    job = Job(key=key, spec=spec, remote=True, queue="q", concurrency=1, requests=(), params=SamplingParams(), seed=0)
    facts: dict[str, Any] = {}
    return Call(job=job, worst=Cost(usd=usd), facts=facts)


def keys(calls: list[Call]) -> str:
    return "".join(each.key for each in calls)


def test_calls_keep_their_order_when_they_are_put_back() -> None:
    waiting = WaitingCalls(iter(map(call, "abcdef")))
    taken = waiting.take(4)
    waiting.put_back(taken[2:])
    first = waiting.first()
    assert first is not None
    assert first.key == "c"
    assert keys(waiting.take(3)) == "cde"
    assert keys(waiting.take(9)) == "f"
    assert waiting.first() is None


@pytest.mark.parametrize(("room", "fits"), [(None, 3), (0.5, 0), (1.0, 1), (2.9, 2), (3.0, 3), (99.0, 3)])
def test_as_many_calls_fit_as_the_room_covers_at_their_worst_case(room: float | None, fits: int) -> None:
    assert fitting([call(key) for key in "abc"], room, "usd") == fits
