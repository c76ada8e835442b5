"""The orders of a pool: which draws were ordered together."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from isocost.engines.base import Request

Line = list[Any]  # of an order: problem id, digest of the prompt, first index, count


class OrderIndex:
    """An index from draws to the orders that they belong to."""

    def __init__(self, orders: Sequence[Sequence[Line]]) -> None:
        self._starts: dict[str, list[tuple[int, int]]] = {}
        for number, order in enumerate(orders):
            for problem_id, _, first, _ in order:
                self._starts.setdefault(problem_id, []).append((first, number))
        for starts in self._starts.values():
            starts.sort()

    def of(self, problem_id: str, index: int) -> int:
        """Return the number of the last order that begins at or before a draw of a problem, or -1 if none does."""
        starts = self._starts.get(problem_id, [])
        at = bisect.bisect_right(starts, index, key=lambda start: start[0]) - 1
        return starts[at][1] if at >= 0 else -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Requests that one call of an engine answers: the pool's order with index `number`, or the missing part of it."""

    key: str
    number: int
    requests: tuple[Request, ...]
    seed: int

    @property
    def size(self) -> int:
        """The number of draws."""
        return sum(r.count for r in self.requests)
