"""Explanations of a difference between two sides, which then is no false equation: units, labels, or the words around it."""

from __future__ import annotations

import re
from fractions import Fraction

from isocost.equations.cursor import Cursor
from isocost.equations.words import CONVERSIONS, SCALES

_BEFORE, _AFTER = 40, 80  # characters beside an equation that are searched for a remark on rounding
_ROUNDING = re.compile(
    r"remain|left ?-?over|\d (?:\w{1,20} )?left\b|round|approx|\babout\b|roughly|nearly|almost|estimat|nearest|whole|\bfull\b|\bextra\b"
    r"|complete|spare|trunca",
    re.IGNORECASE,
)
_FRACTION = re.compile(r"\d{1,3}/\d{1,3}(?!\d)|\\[dt]?frac|[½¼¾⅓⅔]")


def is_explained(left: Cursor, right: Cursor, text: str, *, is_doubtful: bool) -> bool:
    """Return True if the difference of two sides tells nothing about the arithmetic.

    Args:
        left: The expression on the left.
        right: The expression on the right.
        text: The whole text.
        is_doubtful: The left side may be the end of a longer expression, or the number of a label.
    """
    return is_doubtful or _is_label(left, text) or _by_units(left, right) or _by_sign(left, right) or _by_rounding(left, right, text)


def _is_label(left: Cursor, text: str) -> bool:
    if not left.named:
        return False
    is_fraction = left.operations == 1 and _FRACTION.match(text, left.first.start) is not None
    return left.bare or is_fraction  # "6 boys = 2 + 8 girls", "1/4 container = 60 / 4": a label, not a result


def _by_units(left: Cursor, right: Cursor) -> bool:
    measures = left.measures | right.measures
    if len(measures) > 1 or measures & SCALES:
        return True
    if left.percent != right.percent and (right.bare if left.percent else left.bare):
        return True  # "48 = 100% + 20%": what is 120% of something
    if not measures or not left.value or not right.value:
        return False
    # A factor between the units explains the difference, if one side names its unit alone: "30 * 4 = 2 hours".
    ratio = abs(Fraction(left.value) / right.value)
    return any(factor in {ratio, 1 / ratio} for unit in measures for factor in CONVERSIONS.get(unit, ()))


def _by_sign(left: Cursor, right: Cursor) -> bool:
    return (left.lower or right.lower) and left.value == -right.value  # "1800 - 2000 = 200 less"


def _by_rounding(left: Cursor, right: Cursor, text: str) -> bool:
    """Return True if a lone whole number is a rounded quotient, and the words beside it say so: "17/3 = 5, with 2 left"."""
    if not right.bare or right.value.denominator != 1 or abs(Fraction(left.value) - right.value) >= 1:
        return False
    before = text[max(0, left.first.start - _BEFORE) : left.first.start].rpartition("\n")[2]
    after = text[right.first.start : right.last.end + _AFTER].partition("\n")[0]
    return _ROUNDING.search(before) is not None or _ROUNDING.search(after) is not None
