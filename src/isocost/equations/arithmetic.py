"""Comparison of the two sides of an equation."""

from __future__ import annotations

from fractions import Fraction

from isocost.equations.cursor import Cursor
from isocost.equations.reader import read_side

_FLOAT_PLACES = 10  # a decimal this long was printed by a calculator, which rounds in binary: 99.00000000000001
_FLOAT_ERROR = Fraction(1, 10**12)  # relative


def agree(left: Cursor, right: Cursor) -> bool:
    """Return True if two sides have equal values, up to rounding, in some reading of their ambiguous notations."""
    if left.value == right.value or _agree(left, Fraction(left.value), right, Fraction(right.value)):
        return True
    if not left.doubts and not right.doubts:
        return False
    seconds = _values(right)
    return any(_agree(left, a, right, b) for a in _values(left) for b in seconds)


def _values(side: Cursor) -> list[Fraction]:
    """Return the values of a side: as read, and with each ambiguous notation in its second reading."""
    others = (read_side(side.tokens, side.start, mode)[0] for mode in sorted(side.doubts))
    return [Fraction(side.value), *(Fraction(other.value) for other in others if other is not None)]


def _agree(left: Cursor, a: Fraction, right: Cursor, b: Fraction) -> bool:
    factors = (Fraction(1), Fraction(100), Fraction(1, 100)) if left.percent or right.percent else (Fraction(1),)
    return any(_near(left, a, right, b, factor) for factor in factors)


def _near(left: Cursor, a: Fraction, right: Cursor, b: Fraction, factor: Fraction) -> bool:
    """Return True if a, times a factor that a percent sign explains, is b up to rounding."""
    scaled = a * factor
    if scaled == b:
        return True
    if right.bare and right.places:
        return _rounds(scaled, b, right)
    if left.bare and left.places:
        return _rounds(b / factor, a, left)
    # Two calculations with decimals: intermediate results may have been rounded.
    decimals = left.places or right.places
    is_calculated = not left.bare and not right.bare
    return bool(decimals and is_calculated and abs(scaled - b) * 100 <= max(abs(scaled), abs(b)))


def _rounds(exact: Fraction, value: Fraction, written: Cursor) -> bool:
    """Return True if a lone decimal is a value rounded or cut off to its places, or as a calculator prints it."""
    last_place = Fraction(1, 10**written.places) / (100 if written.percent else 1)
    gap = abs(exact - value)
    is_cut_off = gap < last_place and abs(value) < abs(exact)
    is_float = written.places >= _FLOAT_PLACES and gap <= _FLOAT_ERROR * abs(exact)
    return 2 * gap <= last_place or is_cut_off or is_float
