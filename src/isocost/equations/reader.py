"""Reads an expression by recursive descent: sums of products of powers of signed atoms."""

from __future__ import annotations

import math
from fractions import Fraction

from isocost.equations.cursor import Cursor, UnreadableError
from isocost.equations.lexer import Token, is_sign
from isocost.equations.numerals import Number
from isocost.equations.symbols import SUPERSCRIPTS

_MOST_BITS = 2048  # of an intermediate numerator or denominator; bounds towers of exponents
_LARGEST = 1 << _MOST_BITS
_LARGEST_EXPONENT = 64
_LARGEST_FACTORIAL = 30


def read_side(tokens: list[Token], start: int, mode: str = "") -> tuple[Cursor | None, int]:
    """Return the expression that begins at a token, and the index of the token after it.

    If it cannot be read, return None and the index of the token at which reading stopped, so that no token is read twice. With a mode, an
    ambiguous notation is read in its second way.
    """
    at = Cursor(tokens, start, mode)
    try:
        at.value = _sum(at)
    except UnreadableError:
        return None, at.i
    return at, at.i


def _sum(at: Cursor) -> Number:
    value = _product(at)
    while (operator := at.take("+-")) is not None:
        had_percent, operations = at.percent, at.operations
        at.percent = False
        term = _product(at)
        if had_percent and not at.percent:
            at.doubts.add("percent")  # "28% - 0.5": percent is meant, most likely
            if at.mode == "percent":
                term = _quotient(term, 100)
        if at.percent and not had_percent and at.operations == operations:
            raise UnreadableError  # "80 + 10%": ten percent of what is not written
        at.percent = at.percent or had_percent
        value = _bounded(value + term if operator == "+" else value - term)
    return value


def _product(at: Cursor) -> Number:
    value = _power(at)
    strokes = 0
    while (operator := at.take("*/") or at.take_implied()) is not None:
        factor = _power(at)
        if operator == "*":
            if strokes and at.tokens[at.i - 1].kind == "close":
                at.doubts.add("right")  # "1/2(3)" is written for both readings
            value = _bounded(value * factor)
            continue
        strokes += 1
        if strokes > 1:
            at.doubts |= {"tight", "right"}  # "60 / 3/4" means 60 / (3/4)
        if at.mode == "right":
            factor = _tail(at, factor)
        value = _quotient(value, factor)
    return value


def _tail(at: Cursor, divisor: Number) -> Number:
    """Return the whole divisor if strokes bind to the right and products without a sign bind tightly."""
    while True:
        if at.kind() == "op" and at.take("/") is not None:
            divisor = _quotient(divisor, _power(at))
        elif at.kind() == "open" and at.take_implied() is not None:
            divisor = _bounded(divisor * _power(at))
        else:
            return divisor


def _power(at: Cursor) -> Number:
    is_negative = _is_bulleted(at)
    if at.kind() == "op":
        if is_sign(at.tokens, at.i):
            at.skip("-")
            is_negative = not is_negative
        elif at.tokens[at.i].text == "+" and at.i > at.start and at.tokens[at.i - 1].kind == "open":
            at.i += 1  # (+5)
    if not is_negative:
        return _raised(at, _atom(at))
    return _raised(at, -_atom(at)) if at.mode == "base" else -_raised(at, _atom(at))


def _is_bulleted(at: Cursor) -> bool:
    """Return True if the dash before the expression, taken for a bullet, is read as its sign."""
    if at.i != at.start or at.i == 0 or at.tokens[at.i - 1].form != "bullet":
        return False
    at.doubts.add("bullet")
    if at.mode != "bullet":
        return False
    at.mode = ""
    return True


def _raised(at: Cursor, base: Number) -> Number:
    kind = at.kind()
    if kind == "power":
        digits = at.tokens[at.i].text.translate(SUPERSCRIPTS)
        at.operations += 1
        at.skip(f"^{digits}")
        exponent: Number = int(digits) if len(digits) <= 2 else _LARGEST
    elif kind == "op" and at.take("^") is not None:
        exponent = _signed_atom(at)
    else:
        return base
    at.doubts.add("base")  # -3^2 is -9, but some write it for 9
    if at.kind() in {"op", "power"} and at.tokens[at.i].text in {"^", *"²³"}:
        raise UnreadableError
    too_large = not -_LARGEST_EXPONENT <= exponent <= _LARGEST_EXPONENT or exponent.denominator != 1
    if too_large or (base == 0 and exponent < 0):
        raise UnreadableError
    at.units()
    return _bounded(Fraction(base) ** int(exponent) if exponent < 0 else base ** int(exponent))


def _signed_atom(at: Cursor) -> Number:
    if not is_sign(at.tokens, at.i):
        return _atom(at)
    at.skip("-")
    return -_atom(at)


def _atom(at: Cursor) -> Number:
    kind = at.kind()
    if kind == "money":
        at.money()
        kind = at.kind()
    if kind == "number":
        value = _tight(at, at.number())
    elif kind == "open":
        value = _group(at)
    elif kind == "over":
        value = _over(at)
    elif kind == "root":
        value = _root(at)
    else:
        raise UnreadableError
    kind = at.kind()
    if kind == "bang":
        value, kind = _factorial(at, value), at.kind()
    if kind == "percent":
        at.skip("%")
        at.percent = True
        value, kind = _quotient(value, 100), at.kind()
    if kind in {"word", "money"}:
        at.units()
    return value


def _group(at: Cursor) -> Number:
    if at.kind() != "open":
        raise UnreadableError
    at.skip("(")
    opened = len(at.normal)
    value = _sum(at)
    if at.kind() != "close":
        raise UnreadableError
    at.skip(")")
    if len(at.normal) == opened + 2:  # a lone number needs no brackets
        del at.normal[opened - 1], at.normal[-1]
    return value


def _over(at: Cursor) -> Number:
    at.i += 1
    at.operations += 1
    top = _group(at)
    at.normal.append("/")
    return _quotient(top, _group(at))


def _root(at: Cursor) -> Number:
    at.operations += 1
    at.skip("√")
    value = Fraction(at.number() if at.kind() == "number" else _group(at))
    if value < 0:
        raise UnreadableError
    top, bottom = math.isqrt(value.numerator), math.isqrt(value.denominator)
    if top * top != value.numerator or bottom * bottom != value.denominator:
        raise UnreadableError
    return Fraction(top, bottom)


def _tight(at: Cursor, value: Number) -> Number:
    """Return the fraction 3/4 as one number if it is set tightly, as in "60 / 3/4"."""
    if at.mode != "tight" or at.i + 1 >= len(at.tokens) or at.tokens[at.i].text != "/":
        return value
    number, stroke, below = at.tokens[at.i - 1 : at.i + 2]
    if below.kind != "number" or number.end != stroke.start or stroke.end != below.start:
        return value
    at.take("/")
    return _quotient(value, at.number())


def _factorial(at: Cursor, value: Number) -> Number:
    """Return the factorial if the expression continues. At its end the sign may belong to the sentence."""
    after = at.tokens[at.i + 1] if at.i + 1 < len(at.tokens) else None
    goes_on = False
    if after is not None:
        touches = after.kind in {"number", "open"} and after.start == at.tokens[at.i].end
        goes_on = touches or after.kind in {"op", "equals", "close"}
    if not goes_on:
        at.doubts.add("bang")
        if at.mode != "bang":
            return value
    if value.denominator != 1 or not 0 <= value <= _LARGEST_FACTORIAL:
        raise UnreadableError
    at.operations += 1
    at.skip("!")
    return math.factorial(int(value))


def _quotient(value: Number, divisor: Number) -> Number:
    if divisor == 0:
        raise UnreadableError
    if isinstance(value, int) and isinstance(divisor, int):
        return value // divisor if value % divisor == 0 else Fraction(value, divisor)
    return _bounded(Fraction(value) / divisor)


def _bounded(value: Number) -> Number:
    if not -_LARGEST < value.numerator < _LARGEST or value.denominator > _LARGEST:
        raise UnreadableError
    return value
