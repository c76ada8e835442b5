"""Placement of the names of lines: at their ends, moved where another line or name is in the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

Places = Sequence[tuple[float, float]]
_CHARACTER, _TALL = 7.0, 14.0  # of a name, in pixels
_NEAR = 6  # positions tried beside the end of a line, before those over its last piece


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A name whose text starts at x, on the base line y."""

    text: str
    x: float
    y: float
    tone: str

    def hides(self, x: float, y: float) -> bool:
        """Return True if a point lies under the name."""
        return self.x - 2 <= x <= self.x + _CHARACTER * len(self.text) and self.y - 12 <= y <= self.y + 3

    def overlaps(self, other: Label) -> bool:
        """Return True if two names overlap."""
        ends = self.x + _CHARACTER * len(self.text), other.x + _CHARACTER * len(other.text)
        return abs(self.y - other.y) < _TALL and self.x < ends[1] and other.x < ends[0]


def placed(labels: Sequence[Label], lines: Sequence[Places]) -> list[Label]:
    """Place labels so that none covers another label or a line.

    Positions tried in order: near the end of its line, over the line's last piece, then further up or down. Where every position covers a
    line, the label covers no other label.
    """
    found: list[Label] = []
    dense = [_dense(line) for line in lines]
    for label in sorted(labels, key=lambda each: each.y):
        tries = [replace(label, y=label.y + way * step * _TALL / 2) for step in range(2 * len(labels) + 5) for way in (1, -1)]
        tries[_NEAR:_NEAR] = [replace(label, x=label.x - 16 - _CHARACTER * len(label.text), y=label.y - up) for up in (10, 16, 22)]
        # A name over a line can still be read; two names over each other cannot. So labels keep apart first.
        apart = [each for each in tries if not any(each.overlaps(other) for other in found)] or tries
        free = [each for each in apart if not any(each.hides(x, y) for line in dense for x, y in line)]
        found.append((free or apart)[0])
    return found


def _dense(line: Places) -> list[tuple[float, float]]:
    """Add points to a line, half a name's height apart, so that no name fits between two of them."""
    found = list(line[:1])
    for (x0, y0), (x1, y1) in pairwise(line):
        pieces = 1 + int(max(abs(x1 - x0), abs(y1 - y0)) / (_TALL / 2))
        found += [(x0 + (x1 - x0) * i / pieces, y0 + (y1 - y0) * i / pieces) for i in range(1, pieces + 1)]
    return found
