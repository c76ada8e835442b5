"""Whether the two sides of an equation agree, and when that says anything."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from isocost.equations.words import SCALES

_FLOAT_PLACES = 10  # a decimal this long was printed by a calculator, which rounds in binary: 99.00000000000001
_FLOAT_ERROR = Fraction(1, 10**12)  # relative


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A side of an equation.

    Attributes:
        value: What it comes to.
        bare: A number alone, without any operation.
        named: Words follow a number of it, as in "6 boys".
        places: The most decimal places of its numbers.
        percent: A percent sign occurs.
        measures: The units and scales that occur, in the singular.
        normal: Its numbers and operators alone.
        start: Where it begins in the text.
        end: Where it ends.
    """

    value: Fraction
    bare: bool
    named: bool
    places: int
    percent: bool
    measures: frozenset[str]
    normal: str
    start: int
    end: int


def holds(left: Side, right: Side) -> bool | None:
    """True, False, or None where the link says nothing about arithmetic or its units may explain the difference."""
    if left.bare and right.bare:
        return None  # "1 hour = 60 minutes", "24 inches = 2 feet"
    factors = (Fraction(1), Fraction(100), Fraction(1, 100)) if left.percent or right.percent else (Fraction(1),)
    if any(_agree(left, right, factor) for factor in factors):
        return True
    if left.bare and left.named:
        return None  # "6 boys = 2 + 8 girls": a label, more often than a result
    measures = left.measures | right.measures
    return None if len(measures) > 1 or measures & SCALES else False


def _agree(left: Side, right: Side, factor: Fraction) -> bool:
    """Whether `left * factor` is `right`, or as near as rounding leaves it."""
    a, b = left.value * factor, right.value
    if a == b:
        return True
    if right.bare and right.places:
        return _rounds(a, right)
    if left.bare and left.places:
        return _rounds(b / factor, left)
    decimals = left.places or right.places
    return bool(decimals and not left.bare and not right.bare and abs(a - b) * 100 <= max(abs(a), abs(b)))


def _rounds(exact: Fraction, written: Side) -> bool:
    """Whether a lone decimal is a value rounded or cut off to as many places, or as a calculator prints it."""
    last_place = Fraction(1, 10**written.places) / (100 if written.percent else 1)
    gap = abs(exact - written.value)
    is_cut_off = gap < last_place and abs(written.value) < abs(exact)
    is_float = written.places >= _FLOAT_PLACES and gap <= _FLOAT_ERROR * abs(exact)
    return 2 * gap <= last_place or is_cut_off or is_float
