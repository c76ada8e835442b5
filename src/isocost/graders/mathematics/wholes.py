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

_BY_CONVENTION = frozenset("klmn")
_STEPS = (sympy.floor, sympy.ceiling, sympy.Mod)
_COUNTS = (sympy.factorial, sympy.binomial)
_SUMS = (sympy.Sum, sympy.Product)
_MOST_POINTS = 96
_LARGEST_SUM = 12  # terms: they are added one by one
# Below what `sizes` takes for the size of a variable, so that no power of an expression that was read is too large.
_LARGEST = 120
_FRACTIONS = (*(Fraction(i, 2) for i in range(-5, 8)), *(Fraction(i, 3) for i in (-4, -2, -1, 1, 2, 4)), *POINTS)


def points(left: sympy.Expr, right: sympy.Expr) -> list[dict[Any, Any]] | None:
    """Return the points at which two expressions are compared; None where whole numbers do not matter."""
    both = (left, right)
    if not any(expression.has(*_STEPS, *_COUNTS, *_SUMS) or _signed_powers(expression) for expression in both):
        return None
    wholes, stepped = _variables(both)
    symbols = sorted(left.free_symbols | right.free_symbols, key=str)
    if not set(symbols) & (wholes | stepped):
        return None
    has_sum = any(expression.has(*_SUMS) for expression in both)
    largest = _LARGEST_SUM if has_sum else 40
    values: list[Sequence[Fraction]] = []
    for symbol in symbols:
        if symbol in wholes:
            values.append([*map(Fraction, range(1, largest + 1)), *(() if has_sum else _near_constants(both))])
        elif symbol in stepped:
            values.append([*_FRACTIONS, *_near_constants(both)])
        else:
            values.append(POINTS)
    return [dict(zip(symbols, map(sympy.Rational, point), strict=True)) for point in _combined(values)]


def _variables(expressions: Iterable[sympy.Expr]) -> tuple[set[Any], set[Any]]:
    """Return the variables that are whole, and the others that are inside of a floor, ceiling or remainder."""
    wholes: set[Any] = set()
    stepped: set[Any] = set()
    for expression in expressions:
        for part in expression.atoms(*_SUMS):
            wholes |= {symbol for _, *bounds in part.limits for bound in bounds for symbol in bound.free_symbols}
        for part in expression.atoms(*_COUNTS):
            wholes |= part.free_symbols
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


def _near_constants(expressions: Iterable[sympy.Expr]) -> list[Fraction]:
    """Return the numbers at and beside the constants of the expressions, where floor(n/100) steps."""
    numbers = {abs(int(number)) for expression in expressions for atom in expression.atoms(sympy.Rational) for number in (atom.p, atom.q)}
    return [Fraction(number + step) for number in sorted(numbers) if 2 < number < _LARGEST for step in (-1, 0, 1)]


def _combined(values: Sequence[Sequence[Fraction]]) -> list[tuple[Fraction, ...]]:
    """Return points in several variables: of one all its values, of more all combinations of few, and then each value once."""
    if len(values) == 1:
        return [(value,) for value in values[0]]
    few = max(2, int(_MOST_POINTS ** (1 / len(values))))
    grid = list(islice(product(*(_spread(choice, few) for choice in values)), _MOST_POINTS))
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
