r"""Sets of real numbers as the fewest intervals: `[0,1] \\cup [1,2]` is `[0,2]`, and `x \\ne 2` is everything below and above 2."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from functools import cmp_to_key
from itertools import pairwise

from isocost.graders.mathematics import expressions
from isocost.graders.mathematics.numbers import Number, same_number
from isocost.graders.mathematics.ranges import Interval

_INFINITE = {"-\\infty": Decimal("-Infinity"), "\\infty": Decimal("Infinity"), "+\\infty": Decimal("Infinity")}
_REALS = r"\(-\\infty, \\infty\)"
_EXCEPT = re.compile(
    rf"(?:(?P<name>[a-zA-Z])\s*\\ne(?![a-z])\s*|{_REALS}\s*(?:\\setminus(?![a-z])|\\backslash(?![a-z])|-)\s*)(?P<points>.+)", re.DOTALL
)
_AND = re.compile(r",|\\text\s*\{\s*,?\s*and\s*\}|\band\b")
_BRACED = re.compile(r"\\?\{(.*?)\\?\}", re.DOTALL)


def merged(intervals: Sequence[Interval]) -> list[Interval] | None:
    """Return a union as the fewest intervals, in order; None where a bound has no value, or an interval is empty.

    A single point is the interval from it to itself, closed at both ends.
    """
    if any(_value(low) is None or _value(high) is None for low, high, _ in intervals):
        return None
    if any(_is_empty(*interval) for interval in intervals):
        return None
    found: list[Interval] = []
    for low, high, brackets in sorted(intervals, key=cmp_to_key(_earlier)):
        if not found or not _touches(found[-1], (low, high, brackets)):
            found.append((low, high, brackets))
            continue
        start, end, around = found[-1]
        order = _order(end, high)
        closing = "]" if order == 0 and "]" in around[1] + brackets[1] else around[1] if order >= 0 else brackets[1]
        found[-1] = (start, end if order >= 0 else high, around[0] + closing)
    return found


def excluded(text: str) -> tuple[str | None, list[str]] | None:
    r"""Return the name and the points of `x \\ne 2` or of all real numbers without `\\{2, 3\\}`; None for any other text."""
    found = _EXCEPT.fullmatch(text)
    if found is None:
        return None
    points = found["points"].strip()
    if braced := _BRACED.fullmatch(points):
        points = braced[1]
    elif found["name"] is None:
        return None
    again = re.compile(rf"^\s*{found['name']}\s*\\ne(?![a-z])")  # x \ne 2, x \ne 3
    pieces = [again.sub("", piece).strip() for piece in _AND.split(points)]
    pieces = [piece.replace("\\pm", sign) for piece in pieces if piece for sign in ("+-" if "\\pm" in piece else "+")]
    return (found["name"], pieces) if pieces and all(expressions.constant(piece) is not None for piece in pieces) else None


def without(points: Sequence[str]) -> list[Interval]:
    """Return the real numbers without some points, all of which have a value."""
    ends = sorted(dict.fromkeys(points), key=cmp_to_key(_order))
    bounds = ["-\\infty", *(end for i, end in enumerate(ends) if not i or _order(ends[i - 1], end)), "\\infty"]
    return [(low, high, "()") for low, high in pairwise(bounds)]


def _value(bound: str) -> Number | None:
    return _INFINITE.get("".join(bound.split())) or expressions.constant(bound)


def _order(one: str, other: str) -> int:
    """Return -1, 0 or 1 as the first bound is below, at or above the second."""
    a, b = _value(one), _value(other)
    if a is None or b is None:
        raise ValueError((one, other))
    if a == b or (all(value.is_finite() for value in (a, b) if isinstance(value, Decimal)) and same_number(a, b)):
        return 0
    return -1 if a < b else 1


def _is_empty(low: str, high: str, brackets: str) -> bool:
    order = _order(low, high)
    return order > 0 or (order == 0 and brackets != "[]")


def _earlier(one: Interval, other: Interval) -> int:
    return _order(one[0], other[0]) or (one[2][0] == "(") - (other[2][0] == "(")


def _touches(before: Interval, after: Interval) -> bool:
    order = _order(before[1], after[0])
    return order > 0 or (order == 0 and (before[2][1] == "]" or after[2][0] == "["))
