"""The calls of one model that wait for a batch."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from isocost.dispatch.calls import Call
from isocost.engines.batches import MOST_REQUESTS
from isocost.records import Unit


@dataclass(slots=True)
class WaitingCalls:
    """Calls of one model that wait for a batch, in order.

    Attributes:
        source: Calls that were not taken yet.
        again: Calls that an earlier batch did not answer. They go first.
        failures: The number of batches in which a call failed, by key.
        barren: The number of batches in a row without any answer.
        contradicted: The number of batches that counted requests as answered which their files say were not run.
        most: The most calls of a batch.
        not_before: The time (monotonic) before which none is submitted.
        pause: Seconds of the last pause after a batch that exceeded the endpoint's queue; 0 once one was accepted.
        is_cut: True if the limit had no room for all of them at the last submission.
    """

    source: Iterator[Call]
    again: deque[Call] = field(default_factory=deque)
    failures: Counter[str] = field(default_factory=Counter)
    barren: int = 0
    contradicted: int = 0
    most: int = MOST_REQUESTS
    not_before: float = 0.0
    pause: float = 0.0
    is_cut: bool = False

    def take(self, count: int) -> list[Call]:
        """Take at most `count` calls."""
        taken = [self.again.popleft() for _ in range(min(count, len(self.again)))]
        return [*taken, *islice(self.source, count - len(taken))]

    def put_back(self, calls: Iterable[Call]) -> None:
        """Return calls that were not sent; they keep their place."""
        self.again.extendleft(reversed(list(calls)))

    def widen(self, count: int) -> None:
        """Let batches have half more calls after one with so many has ended, if it had as many as are allowed."""
        if count >= self.most:
            self.most = min(MOST_REQUESTS, self.most + max(1, self.most // 2))

    def first(self) -> Call | None:
        """Return the next call without taking it, or None."""
        if not self.again:
            self.again.extend(islice(self.source, 1))
        return self.again[0] if self.again else None


def fitting(calls: list[Call], room: float | None, unit: Unit) -> int:
    """Return how many of the first calls fit into the room under the limit, at their worst case."""
    if room is None:
        return len(calls)
    total = 0.0
    for number, call in enumerate(calls):
        total += call.worst.amount(unit) or 0.0
        if total > room:
            return number
    return len(calls)
