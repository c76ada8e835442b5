"""The orders of a pool: which draws were ordered together."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from isocost.engines.base import Request

Line = list[Any]  # of an order: problem id, digest of the prompt, first index, count


class Orders:
    """The orders of a pool, numbered as they were recorded. Lines of problems that the study no longer has are left out.

    Args:
        is_current: Returns True if the study has the problem of a line, with the same question.

    Attributes:
        counts: Number of draws ordered, by problem id.
    """

    def __init__(self, is_current: Callable[[Line], bool]) -> None:
        self._is_current = is_current
        self._open: dict[int, list[Line]] = {}
        self._number = 0
        self.counts: dict[str, int] = {}

    def add(self, orders: Iterable[Sequence[Line]]) -> None:
        """Add orders, each a batch."""
        for order in orders:
            lines = [line for line in order if self._is_current(line)]
            self._open[self._number] = lines
            self._number += 1
            for problem_id, _, first, count in lines:
                self.counts[problem_id] = max(self.counts.get(problem_id, 0), first + count)

    def open(self, is_stored: Callable[[Line], bool]) -> list[tuple[int, list[Line]]]:
        """Return the orders of which a line is not stored, with their numbers.

        A stored order is not looked at again. A policy may order thousands of small rounds, and each of them asks for what is missing.
        """
        for number in [number for number, lines in self._open.items() if all(map(is_stored, lines))]:
            del self._open[number]
        return list(self._open.items())


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
