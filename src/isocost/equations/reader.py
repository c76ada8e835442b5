"""Reads an expression by recursive descent: sums of products of powers of signed atoms."""

from __future__ import annotations

from fractions import Fraction

from isocost.equations.arithmetic import Side
from isocost.equations.cursor import Cursor, UnreadableError
from isocost.equations.lexer import Token, is_sign

_MOST_BITS = 2048  # of a numerator or denominator on the way: a tower of exponents ends here
_LARGEST_EXPONENT = 64


def read_side(tokens: list[Token], start: int) -> tuple[Side | None, int]:
    """The expression that begins at a token, and the index of the token after it.

    Where it cannot be read, None and the index of the token that reading stopped at, so that none is read twice.
    """
    at = Cursor(tokens, start)
    try:
        return at.side(_sum(at)), at.i
    except UnreadableError:
        return None, at.i


def _sum(at: Cursor) -> Fraction:
    value = _product(at)
    while (operator := at.take("+", "-")) is not None:
        had_percent, operations = at.percent, at.operations
        term = _product(at)
        if at.percent and not had_percent and at.operations == operations:
            raise UnreadableError  # "80 + 10%": ten percent of what is not written
        value = _bounded(value + term if operator == "+" else value - term)
    return value


def _product(at: Cursor) -> Fraction:
    value = _power(at)
    while (operator := at.take("*", "/") or at.take_implied()) is not None:
        factor = _power(at)
        if operator == "/" and factor == 0:
            raise UnreadableError
        value = _bounded(value * factor if operator == "*" else value / factor)
    return value


def _power(at: Cursor) -> Fraction:
    base = _signed(at)
    if at.take("^") is None:
        return base
    exponent = _signed(at)
    too_large = exponent.denominator != 1 or abs(exponent) > _LARGEST_EXPONENT
    if too_large or (base == 0 and exponent < 0) or at.operator() == "^":
        raise UnreadableError
    return _bounded(base ** int(exponent))


def _signed(at: Cursor) -> Fraction:
    if not is_sign(at.tokens, at.i):
        return _atom(at)
    at.skip("-")
    return -_atom(at)


def _atom(at: Cursor) -> Fraction:
    if at.kind() == "money":
        at.money()
    if at.kind() == "number":
        value = at.number()
    elif at.kind() == "open":
        at.skip("(")
        value = _sum(at)
        if at.kind() != "close":
            raise UnreadableError
        at.skip(")")
    else:
        raise UnreadableError
    if at.kind() == "percent":
        at.skip("%")
        at.percent = True
        value /= 100
    at.units()
    return value


def _bounded(value: Fraction) -> Fraction:
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > _MOST_BITS:
        raise UnreadableError
    return value
