r"""Points for sympy expressions in which whole numbers matter: floors, ceilings, remainders, sums, factorials, powers of -1.

Fractions alone would call `\\lceil x\\rceil` and `\\lfloor x\\rfloor + 1` equal, and cannot be put into the bounds of a sum. A variable is
a whole number if it is in a bound of a sum or product, in a factorial or binomial, or if it is k, l, m or n inside a floor, ceiling or
remainder, or in an exponent over a negative number: by convention these letters are whole there. Any other variable in a floor, ceiling or
remainder takes whole numbers and fractions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import islice, product
from typing import Any

import sympy

from isocost.graders.mathematics.expressions import POINTS
from isocost.graders.mathematics.sizes import most_bits

_BY_CONVENTION = frozenset("klmn")
_STEPS = (sympy.floor, sympy.ceiling, sympy.Mod)
_BENDS = (sympy.Abs, sympy.Min, sympy.Max)  # of real numbers: |x - 100|
_COUNTS = (sympy.factorial, sympy.binomial)
_SUMS = (sympy.Sum, sympy.Product)
_MOST_POINTS = 96
_FIRST_SUMS = 12  # terms, of the sums that are always computed: they are added one by one
_LONGEST_SUM = 98  # terms; sympy does not add up longer sums term by term
_LARGEST_COUNTED = 3000  # in a factorial or a binomial of two variables
_MOST_BITS = 10_000_000.0  # of a number that is computed at a point
_MOST_CONSTANTS = 12  # more are left out of products of two
_LARGE = (1009, 10_007, 1_000_003)  # no multiples of anything written
_FRACTIONS = (*(Fraction(i, 2) for i in range(-5, 8)), *(Fraction(i, 3) for i in (-4, -2, -1, 1, 2, 4)), *POINTS)


class TooFarError(ValueError):
    """Raised where two expressions can differ only beyond the points at which they can be computed: a step at 10^9 under a sum."""


def points(left: sympy.Expr, right: sympy.Expr) -> list[dict[Any, Any]] | None:
    """Return the points at which two expressions are compared; None where whole numbers do not matter.

    Raises:
        TooFarError: a step or bend of an expression is beyond all points.
    """
    both = (left, right)
    if not any(expression.has(*_STEPS, *_BENDS, *_COUNTS, *_SUMS) or _signed_powers(expression) for expression in both):
        return None
    wholes, stepped = _variables(both)
    symbols = sorted(left.free_symbols | right.free_symbols, key=str)
    if not set(symbols) & (wholes | stepped):
        return None
    has_sum = any(expression.has(*_SUMS) for expression in both)
    near = _near_constants(both, has_sum=has_sum)
    values: list[Sequence[Fraction]] = []
    for symbol in symbols:
        if symbol in wholes:
            values.append([*map(Fraction, range(1, (_FIRST_SUMS if has_sum else 40) + 1)), *near])
        elif symbol in stepped:
            values.append([*_FRACTIONS, *near])
        else:
            values.append(POINTS)
    return [dict(zip(symbols, map(sympy.Rational, point), strict=True)) for point in _combined(values, len(near))]


def _variables(expressions: Iterable[sympy.Expr]) -> tuple[set[Any], set[Any]]:
    """Return the variables that are whole, and the others that are inside of a floor, ceiling or remainder."""
    wholes: set[Any] = set()
    stepped: set[Any] = set()
    for expression in expressions:
        for part in expression.atoms(*_SUMS):
            wholes |= {symbol for _, *bounds in part.limits for bound in bounds for symbol in bound.free_symbols}
        for part in expression.atoms(*_COUNTS):
            wholes |= part.free_symbols
        stepped |= {symbol for part in expression.atoms(*_BENDS) if _constants([part]) for symbol in part.free_symbols}
        for part in (*expression.atoms(*_STEPS), *_signed_powers(expression)):
            by_convention = {symbol for symbol in part.free_symbols if symbol.name.partition("_")[0] in _BY_CONVENTION}
            wholes |= by_convention
            stepped |= part.free_symbols - by_convention
    return wholes, stepped - wholes


def _signed_powers(expression: sympy.Expr) -> list[Any]:
    """Return the powers of negative numbers whose exponents are whole by convention: (-1)^n."""
    return [
        power
        for power in expression.atoms(sympy.Pow)
        if power.base.is_negative and power.free_symbols and all(symbol.name in _BY_CONVENTION for symbol in power.free_symbols)
    ]


def _near_constants(both: Sequence[sympy.Expr], *, has_sum: bool) -> list[Fraction]:
    """Return whole numbers at, beside and beyond the constants of the expressions, where floor(n/100) steps and |n - 100| bends."""
    # Only what steps or bends can differ there alone: the sum of 1000k needs no point at 1000.
    steps = _constants([part for expression in both for part in expression.atoms(*_STEPS, *_BENDS, *_COUNTS) if part.free_symbols])
    constants = steps | (set() if has_sum else _constants(both))
    largest = _largest(both, has_sum=has_sum)
    if any(number > largest for number in steps):
        raise TooFarError
    found = {number + step for number in constants for step in (-1, 0, 1)} | {2 * number + step for number in steps for step in (-1, 0)}
    if len(steps) <= _MOST_CONSTANTS:  # floor(sqrt(n)/20) steps at 400, floor(floor(n/12)/13) at 156
        found |= {one * other for one in steps for other in steps}
    if steps:
        found |= {*_LARGE, *(number * 2 + number // 3 for number in steps)}
    return [Fraction(number) for number in sorted(found) if 1 < number <= largest]


def _constants(parts: Iterable[sympy.Expr]) -> set[int]:
    """Return the numbers above 2 that occur, rounded down, of fractions and of what is below one the denominators."""
    found: set[int] = set()
    for number in {part for whole in parts for part in sympy.preorder_traversal(whole) if part.is_number}:
        value = number.doit()
        if isinstance(value, sympy.Float):
            value = sympy.Rational(str(value))
        if value.is_Rational:
            found |= {abs(int(value.p)), int(value.q)}
        elif value.is_real and value.is_finite:
            size = abs(sympy.N(value))
            found |= {int(size), int(1 / size) if size else 0}
    return {number for number in found if number > 2}


def _largest(both: Iterable[sympy.Expr], *, has_sum: bool) -> int:
    """Return the largest whole number at which the expressions can be computed fast."""
    if has_sum:
        return _LONGEST_SUM
    counts = {part for expression in both for part in expression.atoms(*_COUNTS)}
    if any(part.args[-1].free_symbols for part in counts):
        limits = [120, 1000, _LARGEST_COUNTED]
    else:
        limits = [120, 1000, _LARGEST_COUNTED, 10**6 + 3, 10**9, 10**20]
    fast = [limit for limit in limits if all(most_bits(expression, float(limit.bit_length())) <= _MOST_BITS for expression in both)]
    return fast[-1] if fast else 40


def _combined(values: Sequence[Sequence[Fraction]], near: int) -> list[tuple[Fraction, ...]]:
    """Return points in several variables: of one all its values, of more all combinations of few, and then each value once.

    The last `near` values of a whole or stepped variable are near constants; they are combined with each other too.
    """
    if len(values) == 1:
        return [(value,) for value in values[0]]
    few = max(2, int(_MOST_POINTS ** (1 / len(values))))
    grid = list(islice(product(*(_spread(choice, few) for choice in values)), _MOST_POINTS))
    if near:
        ends = [choice[-near:] if len(choice) > len(POINTS) else choice for choice in values]
        grid += islice(product(*(end[:: max(1, len(end) // few)] for end in ends)), _MOST_POINTS)
    longest = max(map(len, values))
    # Different strides, so that sums and differences of the variables vary.
    return grid + [
        tuple(choice[(start * (2 * i + 1) + 3 * i) % len(choice)] for i, choice in enumerate(values)) for start in range(longest)
    ]


def _spread(values: Sequence[Fraction], count: int) -> Sequence[Fraction]:
    """Return the first values of whole numbers, and values from everywhere of fractions."""
    if values[0] == 1 or len(values) <= count:
        return values[:count]
    return values[:: len(values) // count][:count]
