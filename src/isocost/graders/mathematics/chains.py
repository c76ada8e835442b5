"""Chains of equalities such as `x = 10/2 = 5`: whether their numbers contradict each other, as in `6 = 5`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations
from math import gcd

from isocost.graders.mathematics.expressions import are_different_numbers, constant

MOST_SIDES = 20  # that are compared with each other
_OPERATION = re.compile(r"[+*^!]|\\(?:cdot|times|div)(?![a-z])|(?<=[^\s({\[])\s*-")
_WHOLE = re.compile(r"-?\d{1,20}")
_FRACTION = re.compile(r"(\d{1,20})\s*/\s*(\d{1,20})|\\frac\s*\{\s*(\d{1,20})\s*\}\s*\{\s*(\d{1,20})\s*\}")


def contradicts(sides: Sequence[str]) -> bool:
    r"""Return True if two sides are different numbers: `6 = 5`, `x = 6 = 5`, `\\pi = 5`.

    A decimal may be rounded in its last place (`8/3 = 2.67`), and any number to a whole one (`50/3 = 17`). A slip in a
    calculation before the last side is forgiven (`48/2 = 5`), and so is any other number if a calculation comes to the last side. A lone
    `e` is a name: of an eccentricity, or of an unknown.
    """
    if len(sides) < 2:
        return False
    *others, last = (side for side in sides[-MOST_SIDES:])
    calculated = [side for side in others if _is_calculation(side) and constant(side) is not None]
    if any(not are_different_numbers(side, last) for side in calculated) and constant(last) is not None:
        return False
    numbers = [side for side in others if side != "e" and not _is_calculation(side)]
    pairs = combinations([*numbers, last], 2)
    return any(are_different_numbers(one, other) and not _is_rounded(one, other) for one, other in pairs)


def _is_rounded(one: str, other: str) -> bool:
    """Return True if the second side is the first, rounded to a whole number."""
    exact, whole = constant(one), constant(other)
    if exact is None or whole is None or not _WHOLE.fullmatch(other.strip()):
        return False
    return exact != int(exact) and abs(float(exact) - int(whole)) <= 0.5


def _is_calculation(side: str) -> bool:
    """Return True if a side is more than a number as written: `2 + 3`, `48/2`, but not `7/2`."""
    if _OPERATION.search(side):
        return True
    return any(gcd(*(int(number) for number in pair if number)) > 1 for pair in _FRACTION.findall(side))
