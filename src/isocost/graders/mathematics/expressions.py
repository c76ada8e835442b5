"""Parse plain arithmetic and algebra, LaTeX or ASCII, and compare by value, without sympy: a thousand times faster, and bounded.

Anything uncertain here (functions, sums, matrices, subscripts, `1/2x`) is refused and goes to sympy. Rational values are exact. Others
carry 60 digits, and two that agree to 40 are equal. Expressions with variables are compared at fixed rational points, on both sides of
zero. Time is bounded, because the sizes of numbers, powers and nesting are.
"""

from __future__ import annotations

import re
from decimal import Decimal, DecimalException
from fractions import Fraction
from functools import lru_cache

from isocost.graders.mathematics.numbers import (
    AbsurdError,
    NoValueError,
    Number,
    bounded,
    decimal_places,
    distance,
    minus,
    same_number,
)
from isocost.graders.mathematics.parser import Evaluate, NotPlainError, Parser, Points, WrittenDecimal

_LONGEST = 1000  # characters of an expression
_SIGN = re.compile(r"[-+\s(){}]")
_BARS = re.compile(r"\s*\|([^|]+)\|\s*")
# Functions that an equation is solved for an unknown under, without a base that is a number.
_APPLIED = re.compile(r"\\(?:log|lg|ln|exp)(?![a-z])(?:\s*_\s*(?:\{?\s*[\d.]+\s*\}?|\{?\s*([a-z])\s*\}?))?|\\[lr](?:floor|ceil)(?![a-z])")
_SIZED = frozenset("abuvwz")  # vectors and complex numbers: |z| = 5 gives the size of z
FEWEST_POINTS = 3  # at which both sides must have a value; fewer would let different expressions agree by chance
# Fractions of different primes: no low-degree identity holds at them by accident, and negative ones tell |x| from x.
POINTS = tuple(Fraction(*p) for p in ((3, 7), (47, 19), (-5, 13), (29, 17), (-31, 23), (13, 11), (97, 13), (-113, 17)))


class Expression:
    """A parsed expression.

    Attributes:
        symbols: Its variables, without the constant `e`.
        decimals: Every decimal written in it.
    """

    def __init__(self, text: str, evaluate: Evaluate, symbols: frozenset[str], decimals: tuple[WrittenDecimal, ...]) -> None:
        self._evaluate, self.symbols, self.decimals = evaluate, symbols, decimals
        self._calculates = _SIGN.sub("", text) != "\\infty"

    def at(self, points: Points) -> Number | None:
        """Return the value at a point; None where it has no real one within the bounds."""
        try:
            return bounded(self._evaluate(points))
        except (NoValueError, DecimalException, ArithmeticError):
            return None

    @property
    def is_absurd(self) -> bool:
        """True if it contains a number that is larger than any answer."""
        try:
            # At 2 a power grows, where at 1 or 0 even x^9^9^9 would look small.
            self._evaluate(dict.fromkeys(self.symbols, Fraction(2)))
        except AbsurdError:
            return True
        except (NoValueError, DecimalException, ArithmeticError):
            return False
        return False

    @property
    def is_indeterminate(self) -> bool:
        r"""True if it calculates with infinity, as in \infty/\infty, which has no value; not of a sign before it."""
        return self._calculates and "\\infty" in self.symbols

    @property
    def rounded(self) -> bool:
        """True if its decimals may stand for exact numbers."""
        return bool(self.decimals) and all(decimal.enough for decimal in self.decimals)

    def enlarged(self, points: Points) -> Number | None:
        """Return the value with every decimal increased by one in its last place."""
        return self.at({**points, **{decimal.name: decimal.value + decimal.place for decimal in self.decimals}})

    def slack(self, points: Points) -> Decimal:
        """Return the change of the value if every decimal is off by one in its last place, as by rounding or truncation."""
        here, total = self.at(points), Decimal(0)
        for decimal in self.decimals:
            there = self.at({**points, decimal.name: decimal.value + decimal.place})
            if here is None or there is None:
                return Decimal(0)
            total += distance(here, there)
        return total


@lru_cache(maxsize=4096)
def read(text: str) -> Expression | None:
    """Parse a text as an expression; None where it cannot be read with certainty."""
    if len(text) > _LONGEST:
        return None
    try:
        parser = Parser(text)
        evaluate = parser.whole()
    except NotPlainError:
        return None
    return Expression(text, evaluate, frozenset(parser.symbols), tuple(parser.decimals))


def is_to_be_solved(side: str) -> bool:
    r"""Return True if an equation with this side is to be solved for one unknown, as `2x = 10`, `x^2 = 25` and `|x| = 5` are.

    A capital names a quantity (`AB = 5`), and so does what stands between bars if it has a size: a vector, a complex number, a set. The
    constant `i` is no unknown. Logarithms, exponentials, floors and ceilings are solved for (`\\log_2 x = 5`). Sine, cosine and the
    like are not: problems ask for the sine of an angle.
    """
    bars = _BARS.fullmatch(side)
    expression = read(bars[1] if bars else _APPLIED.sub(lambda match: f" {match[1]} * " if match[1] else " ", side))
    if expression is None or len(expression.symbols) != 1:
        return False
    (symbol,) = expression.symbols
    if bars and (symbol[0] in _SIZED or not symbol[0].isalpha()):
        return False
    return symbol != "i" and not any(character.isupper() for character in symbol)


@lru_cache(maxsize=65536)
def constant(text: str) -> Number | None:
    """Return the value of an expression without variables; None for any other text."""
    expression = read(text)
    return None if expression is None or expression.symbols else expression.at({})


def are_different_numbers(left: str, right: str) -> bool:
    """Return True if two expressions without variables have different values, by more than one in the last place of their decimals."""
    one, other = read(left), read(right)
    if one is None or other is None or one.symbols or other.symbols:
        return False
    a, b = one.at({}), other.at({})
    if a is None or b is None or same_number(a, b):
        return False
    return distance(a, b) > max(one.slack({}), other.slack({}))


def same(left: str, right: str) -> bool | None:
    """Return True if two expressions are equal, False if they differ, None where that cannot be decided here."""
    one, other = read(left), read(right)
    if one is None or other is None:
        return None
    if one.is_indeterminate or other.is_indeterminate:
        return False
    if one.is_absurd or other.is_absurd:
        return False  # nobody writes the same absurd number in two ways, and sympy would hang on it
    exact, rounded = (one, other) if other.rounded else (other, one)
    may_round = rounded.rounded and not exact.decimals
    symbols = sorted(one.symbols | other.symbols)
    agreed = 0
    for point in points(symbols):
        a, b = one.at(point), other.at(point)
        if a is None or b is None:
            continue
        if not (same_number(a, b) or (may_round and _rounds(rounded, exact, point))):
            return False if _are_apart(one, other) else None
        agreed += 1
    return True if agreed >= (FEWEST_POINTS if symbols else 1) else None


def points(symbols: list[str]) -> list[dict[str, Fraction]]:
    """Return the points at which expressions in these variables are compared: one empty point where there are no variables."""
    if not symbols:
        return [{}]
    # Each variable takes the values in its own order: with constant sums or differences, x + y and 2y + c could agree at all points.
    return [
        {symbol: POINTS[(start * (2 * i + 1) + i) % len(POINTS)] + Fraction(i, 7) for i, symbol in enumerate(symbols)}
        for start in range(len(POINTS))
    ]


def _are_apart(one: Expression, other: Expression) -> bool:
    """Return True if different values prove the expressions different. If i occurs as the imaginary unit, they do not: i^2 is -1."""
    # Values at real numbers prove nothing about powers of i, which reduce by i^2 = -1. Three values on a line show that i is linear.
    for name in {"i", "I"} & (one.symbols | other.symbols):
        for expression in (one, other):
            shifted = [expression.at({**points(sorted(one.symbols | other.symbols))[0], name: Fraction(step)}) for step in (1, 2, 3)]
            if None in shifted or not _is_line(*(value for value in shifted if value is not None)):
                return False
    return True


def _is_line(a: Number, b: Number, c: Number) -> bool:
    return same_number(minus(b, a), minus(c, b))


def _rounds(rounded: Expression, exact: Expression, point: Points) -> bool:
    """Return True if the decimals of one may be a rounding of the other: of a number that no finite decimal equals, to the last place."""
    a, b = rounded.at(point), exact.at(point)
    if a is None or b is None or (isinstance(b, Fraction) and decimal_places(b) is not None and isinstance(a, Fraction)):
        return False
    if _is_amplified(rounded, a):
        return False
    if len(rounded.decimals) == 1 and (cut := rounded.enlarged(point)) is not None and min(a, cut) < b < max(a, cut):
        return True  # truncated
    return 2 * distance(a, b) <= rounded.slack(point)


def _is_amplified(rounded: Expression, value: Number) -> bool:
    """Return True if the last places of decimals change a number by a large part of it: 1.001^1000 is no rounded e."""
    return not rounded.symbols and 20 * rounded.slack({}) > distance(value, Fraction(0))


def stands_for(decimal: str, exact: Fraction) -> bool:
    """Return True if a bare decimal is this number, or its rounding by the rule of `same`.

    Args:
        decimal: The decimal as written.
        exact: The number; an irrational one may be given to 60 digits.
    """
    rounded = read(decimal.removeprefix("-"))
    if rounded is None:
        return False
    value = rounded.at({})
    size = -exact if decimal.startswith("-") else exact
    if value is None or value == size:
        return value is not None
    is_finite = (size * 10**20).denominator == 1  # a number with a finite decimal must be written in full
    gap, place = size - Fraction(value), rounded.decimals[0].place if rounded.decimals else Fraction(0)
    return rounded.rounded and not is_finite and (0 < gap < place or 2 * abs(gap) <= place)
