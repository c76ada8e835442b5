"""Equality of two LaTeX expressions by sympy, decided on values at high precision. math-verify parses them, and decides those without one.

math-verify's own comparison rounds to six places, so all tiny numbers would be equal. Here rational numbers are compared exactly, others
at 60 digits relative to their size, and expressions with variables in the same way at fixed points.
Two different numbers that agree to 40 digits would be called equal: this is the price of always getting an answer.
"""

from __future__ import annotations

import logging
from fractions import Fraction
from functools import lru_cache
from typing import Any

import sympy
from latex2sympy2_extended.logic import And
from math_verify import LatexExtractionConfig, parse, verify
from sympy.core.relational import Relational

from isocost.graders.mathematics import wholes
from isocost.graders.mathematics.expressions import FEWEST_POINTS, points
from isocost.graders.mathematics.shapes import UnreadableError
from isocost.graders.mathematics.sizes import is_absurd

# math-verify warns that its own time limit is off. It is off on purpose: it uses signal.alarm, and the pool kills the worker instead.
logging.getLogger("math_verify").setLevel(logging.ERROR)

_DIGITS, _AGREE = 60, sympy.Float(10) ** -40
_LATEX = [LatexExtractionConfig()]
LONGEST = 800  # characters: sympy's reader takes time that grows with the square of nesting


@lru_cache(maxsize=1024)  # references above all: each is compared with many answers
def read(latex: str) -> Any:
    """Parse a LaTeX expression into a sympy object.

    Raises:
        UnreadableError: it is not one, or its numbers are too large to be computed.
    """
    if len(latex) > LONGEST:
        raise UnreadableError(latex)
    # Only the LaTeX reader is used, because math-verify's reader of plain expressions calls Python's eval.
    found = [item for item in parse(f"${latex}$", _LATEX, parsing_timeout=None) if not isinstance(item, str)]
    if not found:
        raise UnreadableError(latex)
    value = found[0]
    if is_absurd(value):
        raise UnreadableError(latex)
    if isinstance(value, sympy.Expr) and (bound := _bound_units(value)):
        return value.xreplace(bound)
    imaginary = [symbol for symbol in getattr(value, "free_symbols", ()) if symbol.name == "i"]
    return value.subs(dict.fromkeys(imaginary, sympy.I)) if imaginary else value


def _bound_units(value: sympy.Expr) -> dict[Any, Any]:
    """Return real letters for those of an expression that binds i, as a sum over i does: the reader takes all of them as complex."""
    letters = {symbol for symbol in value.atoms(sympy.Symbol) if symbol.is_real is False}
    if any(symbol.name == "i" for symbol in value.free_symbols) or not any(symbol.name == "i" for symbol in letters):
        return {}
    return {symbol: sympy.Symbol(symbol.name, real=True) for symbol in letters}


def same(gold: str, answer: str) -> bool:
    """Return True if two LaTeX expressions are equal.

    Raises:
        UnreadableError: one of them cannot be parsed.
    """
    left, right = read(gold), read(answer)
    if isinstance(left, sympy.MatrixBase | sympy.MatrixExpr) or isinstance(right, sympy.MatrixBase | sympy.MatrixExpr):
        return _same_matrix(left, right)
    if isinstance(left, Relational) or isinstance(right, Relational):
        return (type(left) is type(right) and _same_relation(left, right)) or _is_reversed(left, right)
    if isinstance(left, sympy.Expr) and isinstance(right, sympy.Expr):
        decided = _same_expression(left, right)
        if decided is not None:
            return decided
    if isinstance(left, And) or isinstance(right, And) or (left.is_number and right.is_number):
        return bool(left == right) and not (isinstance(left, sympy.Expr) and left.has(sympy.zoo, sympy.nan))
    return bool(verify(left, right, timeout_seconds=None))


def real_value(latex: str) -> Fraction | None:
    """Return the value of an expression to 60 digits, or None where it is not a real number.

    Raises:
        UnreadableError: it cannot be parsed.
    """
    value = read(latex)
    if not isinstance(value, sympy.Expr) or value.free_symbols:
        return None
    # A decimal is taken exactly, not as the nearest binary number.
    number = value.xreplace({f: sympy.Rational(str(f)) for f in value.atoms(sympy.Float)}).doit()
    if isinstance(number, sympy.Rational):
        return Fraction(int(number.p), int(number.q))
    number = sympy.N(number, _DIGITS)
    return Fraction(str(number)) if isinstance(number, sympy.Float) else None


def _same_matrix(left: Any, right: Any) -> bool:
    left, right = left.doit(), right.doit()
    if getattr(left, "shape", None) != getattr(right, "shape", None) or not isinstance(left, sympy.MatrixBase):
        return False
    return all(_same_expression(g, a) for g, a in zip(left.flat(), right.flat(), strict=True))


def _same_expression(left: sympy.Expr, right: sympy.Expr) -> bool | None:
    """Compare by value; None where that decides nothing, because both sides have a value at too few points."""
    symbols = sorted(left.free_symbols | right.free_symbols, key=str)
    if not symbols:
        return _same_number(left, right)
    agreed = 0
    try:
        chosen = wholes.points(left, right) or _points(symbols)
    except wholes.TooFarError:
        return bool(left.as_dummy() == right.as_dummy() or left.doit() == right.doit())
    for point in chosen:
        near = _same_number(left.subs(point), right.subs(point))
        if near is False:
            return False
        agreed += near is True
    return True if agreed >= FEWEST_POINTS else None


def _points(symbols: list[sympy.Symbol]) -> list[dict[sympy.Symbol, sympy.Rational]]:
    names = {f"{i:04}": symbol for i, symbol in enumerate(symbols)}
    return [{names[name]: sympy.Rational(value) for name, value in point.items()} for point in points(list(names))]


def _same_number(left: sympy.Expr, right: sympy.Expr) -> bool | None:
    left, right = sympy.sympify(left).doit(), sympy.sympify(right).doit()
    if left.is_Rational and right.is_Rational:
        return bool(left == right)
    a, b = sympy.N(left, _DIGITS), sympy.N(right, _DIGITS)
    if not (a.is_number and b.is_number) or a.has(sympy.nan, sympy.zoo) or b.has(sympy.nan, sympy.zoo):
        return None
    if a.is_infinite or b.is_infinite:
        return bool(a == b)
    size = max(abs(a), abs(b))
    tolerance = _AGREE
    for decimal in (left, right):  # sympy reads a decimal as a float of 15 digits: 60-digit agreement would never hold
        if decimal.has(sympy.Float):
            tolerance = sympy.Float(10) ** -12
    return bool(abs(a - b) <= tolerance * size)


def _same_relation(left: Any, right: Any) -> bool:
    """Compare two relations up to a factor: constant for an equation, positive for an inequality."""
    sides = (left.lhs, left.rhs, right.lhs, right.rhs)
    if not all(isinstance(side, sympy.Expr) for side in sides):  # a set or a truth value, which cannot be subtracted
        return bool(left == right)
    one, other = left.lhs - left.rhs, right.lhs - right.rhs
    if one.free_symbols != other.free_symbols or not one.free_symbols:
        return False
    symbols = sorted(one.free_symbols, key=str)
    start = _points(symbols)[0]
    below = other.subs(start)
    if below.is_zero:
        return False
    factor = one.subs(start) / below
    if not isinstance(left, sympy.Equality) and not isinstance(left, sympy.Unequality) and not factor.is_positive:
        return False
    return bool(_same_expression(one, other * factor))


def _is_reversed(left: Any, right: Any) -> bool:
    if not isinstance(left, Relational) or not isinstance(right, Relational):
        return False
    turned = right.reversed
    return type(left) is type(turned) and _same_relation(left, turned)
