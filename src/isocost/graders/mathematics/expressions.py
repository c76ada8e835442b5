"""Reads plain arithmetic and algebra, LaTeX or ASCII, and compares it by value, without sympy: a thousand times faster and bounded.

What is not certain here (functions, sums, matrices, subscripts, `1/2x`) is refused, and goes to sympy. Rational values are exact; others
carry 60 digits, and two that agree to 40 are equal. Expressions with variables are compared at fixed rational points, on both sides of
zero. Time is bounded: numbers, powers and nesting have a size that they may not pass.
"""

from __future__ import annotations

from decimal import Decimal, DecimalException
from fractions import Fraction
from functools import lru_cache

from isocost.graders.mathematics.numbers import AbsurdError, NoValueError, Number, bounded, distance, is_finite_decimal, minus, same_number
from isocost.graders.mathematics.parser import Evaluate, NotPlainError, Parser, Points, WrittenDecimal

_LONGEST = 1000  # characters of an expression
FEWEST_POINTS = 3  # at which both sides must have a value
POINTS = tuple(Fraction(*p) for p in ((3, 7), (47, 19), (-5, 13), (29, 17), (-31, 23), (13, 11), (97, 13), (-113, 17)))


class Expression:
    """An expression that was read.

    Attributes:
        symbols: Its variables, `e` not among them.
        decimals: Every decimal written in it.
    """

    def __init__(self, evaluate: Evaluate, symbols: frozenset[str], decimals: tuple[WrittenDecimal, ...]) -> None:
        self._evaluate, self.symbols, self.decimals = evaluate, symbols, decimals

    def at(self, points: Points) -> Number | None:
        """The value where the variables have these values; None where it has no real one within the bounds."""
        try:
            return bounded(self._evaluate(points))
        except (NoValueError, DecimalException, ArithmeticError):
            return None

    @property
    def is_absurd(self) -> bool:
        """Whether it has a number in it that is larger than any answer."""
        try:
            self._evaluate(dict.fromkeys(self.symbols, Fraction(2)))
        except AbsurdError:
            return True
        except (NoValueError, DecimalException, ArithmeticError):
            return False
        return False

    @property
    def rounded(self) -> bool:
        """Whether its decimals may stand for exact numbers."""
        return bool(self.decimals) and all(decimal.enough for decimal in self.decimals)

    def enlarged(self, points: Points) -> Number | None:
        """The value with every decimal one larger in its last place."""
        return self.at({**points, **{decimal.name: decimal.value + decimal.place for decimal in self.decimals}})

    def slack(self, points: Points) -> Decimal:
        """How far the value moves if every decimal is wrong by one in its last place: what rounding or cutting off may have done."""
        here, total = self.at(points), Decimal(0)
        for decimal in self.decimals:
            there = self.at({**points, decimal.name: decimal.value + decimal.place})
            if here is None or there is None:
                return Decimal(0)
            total += distance(here, there)
        return total


@lru_cache(maxsize=4096)
def read(text: str) -> Expression | None:
    """The expression that a text is, or None where it is none that can be read with certainty."""
    if len(text) > _LONGEST:
        return None
    try:
        parser = Parser(text)
        evaluate = parser.whole()
    except NotPlainError:
        return None
    return Expression(evaluate, frozenset(parser.symbols), tuple(parser.decimals))


@lru_cache(maxsize=65536)
def constant(text: str) -> Number | None:
    """The value of an expression without variables; None for any other text."""
    expression = read(text)
    return None if expression is None or expression.symbols else expression.at({})


def same(left: str, right: str) -> bool | None:
    """Whether two expressions are equal; None where that cannot be decided here."""
    one, other = read(left), read(right)
    if one is None or other is None:
        return None
    if one.is_absurd or other.is_absurd:
        return False  # nobody writes the same absurd number in two ways
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
    """Where expressions in these variables are compared: one empty point where there are none."""
    if not symbols:
        return [{}]
    # Each variable takes the values in an order of its own: neither their sums nor their differences may stand still.
    return [
        {symbol: POINTS[(start * (2 * i + 1) + i) % len(POINTS)] + Fraction(i, 7) for i, symbol in enumerate(symbols)}
        for start in range(len(POINTS))
    ]


def _are_apart(one: Expression, other: Expression) -> bool:
    """Whether expressions of different values must be different: not if i is in them twice, as its square is no symbol's."""
    for name in {"i", "I"} & (one.symbols | other.symbols):
        for expression in (one, other):
            shifted = [expression.at({**points(sorted(one.symbols | other.symbols))[0], name: Fraction(step)}) for step in (1, 2, 3)]
            if None in shifted or not _is_line(*(value for value in shifted if value is not None)):
                return False
    return True


def _is_line(a: Number, b: Number, c: Number) -> bool:
    return same_number(minus(b, a), minus(c, b))


def _rounds(rounded: Expression, exact: Expression, point: Points) -> bool:
    """Whether the decimals of one may stand for what the other has: a number that a decimal cannot write, to the last place given."""
    a, b = rounded.at(point), exact.at(point)
    if a is None or b is None or (isinstance(b, Fraction) and is_finite_decimal(b) and isinstance(a, Fraction)):
        return False
    if len(rounded.decimals) == 1 and (cut := rounded.enlarged(point)) is not None and min(a, cut) < b < max(a, cut):
        return True  # cut off
    return 2 * distance(a, b) <= rounded.slack(point)


def stands_for(decimal: str, exact: Fraction) -> bool:
    """Whether a bare decimal is this number, or its rounding by the rule of `same`. An irrational number may come to 60 digits."""
    rounded = read(decimal.removeprefix("-"))
    if rounded is None:
        return False
    value = rounded.at({})
    size = -exact if decimal.startswith("-") else exact
    if value is None or value == size:
        return value is not None
    is_finite = (size * 10**20).denominator == 1
    gap, place = size - Fraction(value), rounded.decimals[0].place if rounded.decimals else Fraction(0)
    return rounded.rounded and not is_finite and (0 < gap < place or 2 * abs(gap) <= place)
