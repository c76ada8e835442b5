"""Arithmetic that is exact where possible, else carries 60 digits, and that refuses numbers too large to be an answer.

Two numbers of which one is irrational are equal if they agree to 40 digits.
"""

from __future__ import annotations

import math
from decimal import Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from fractions import Fraction

Number = Fraction | Decimal

_AGREE = Decimal(10) ** -40  # relative; 20 digits of the 60 are left for rounding errors of the operations
_MOST_BITS = 100_000  # of a numerator or denominator, about 30,000 digits
ABSURD_BITS = 10_000_000  # above this, sympy is not asked either
_LARGEST_FACTORIAL = 5000
_LARGEST_ROOT = 1000
# An own context: the thread's default has 28 digits, and other code may change it.
_CONTEXT = Context(prec=60, Emax=10**6, Emin=-(10**6), traps=[InvalidOperation, DivisionByZero, Overflow])
PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899862803482534211706798")
DEGREE = _CONTEXT.divide(PI, Decimal(180))
E = _CONTEXT.exp(Decimal(1))


class NoValueError(ValueError):
    """Raised where there is no real value within the bounds."""


class TooLargeError(NoValueError):
    """Raised for a number beyond the bounds."""


class AbsurdError(TooLargeError):
    """Raised for a number too large to give to a computer algebra system, such as 9^9^9^9."""


def same_number(a: Number, b: Number) -> bool:
    """Return True if both are rational and exactly equal, or else equal to 40 digits."""
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        return a == b
    x, y = to_decimal(a), to_decimal(b)
    return _CONTEXT.abs(_CONTEXT.subtract(x, y)) <= _CONTEXT.multiply(_AGREE, max(_CONTEXT.abs(x), _CONTEXT.abs(y)))


def to_decimal(value: Number) -> Decimal:
    """Return the value to 60 digits."""
    if isinstance(value, Decimal):
        return value
    return _CONTEXT.divide(Decimal(value.numerator), Decimal(value.denominator))


def decimal_places(value: Fraction) -> int | None:
    """Return the digits after the point of the decimal that equals the value; None where no finite one does."""
    # A fraction has a finite decimal exactly if its denominator has no prime factors but 2 and 5.
    rest, places = value.denominator, 0
    for prime in (2, 5):
        power = 0
        while rest % prime == 0:
            rest, power = rest // prime, power + 1
        places = max(places, power)
    return places if rest == 1 else None


def distance(a: Number, b: Number) -> Decimal:
    """Return the absolute difference of two values."""
    return _CONTEXT.abs(_CONTEXT.subtract(to_decimal(a), to_decimal(b)))


def plus(a: Number, b: Number) -> Number:
    """Return the sum."""
    return minus(a, -b if isinstance(b, Fraction) else b.copy_negate())


def minus(a: Number, b: Number) -> Number:
    """Return the difference. Where the operands agree to 40 digits it is zero, because the rest is rounding error."""
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        return bounded(a - b)
    return Fraction(0) if same_number(a, b) else _CONTEXT.subtract(to_decimal(a), to_decimal(b))


def times(a: Number, b: Number) -> Number:
    """Return the product."""
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        return bounded(a * b)
    return Fraction(0) if a == 0 or b == 0 else _CONTEXT.multiply(to_decimal(a), to_decimal(b))


def quotient(a: Number, b: Number) -> Number:
    """Return a divided by b.

    Raises:
        NoValueError: b is zero, or the result is out of bounds.
    """
    if b == 0:
        raise NoValueError
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        return bounded(a / b)
    return _CONTEXT.divide(to_decimal(a), to_decimal(b))


def power(base: Number, exponent: Number) -> Number:
    """Return the power, for a base that is not negative or an integer exponent.

    Raises:
        NoValueError: the power is not real, or out of bounds.
    """
    if isinstance(exponent, Fraction) and exponent.denominator == 1:
        return _whole_power(base, int(exponent))
    if base == 0 and exponent > 0:
        return Fraction(0)
    if base <= 0:
        raise NoValueError  # complex, or a real root: conventions differ
    if isinstance(base, Fraction) and isinstance(exponent, Fraction) and (exact := _exact_power(base, exponent)) is not None:
        return exact
    return _CONTEXT.power(to_decimal(base), to_decimal(exponent))


def root(value: Number, degree: Number) -> Number:
    """Return the root of an integer degree.

    Raises:
        NoValueError: the degree is not an integer from 2 to 1000, or the root is not real.
    """
    if not isinstance(degree, Fraction) or degree.denominator != 1 or not 2 <= degree <= _LARGEST_ROOT:
        raise NoValueError
    if value < 0 and degree % 2:  # the real root, as school mathematics has it
        return times(Fraction(-1), power(times(Fraction(-1), value), 1 / degree))
    return power(value, 1 / degree)


def factorial(value: Number) -> Number:
    """Return the factorial of a non-negative integer.

    Raises:
        NoValueError: it is not one, or the result is out of bounds.
    """
    if not isinstance(value, Fraction) or value.denominator != 1 or value < 0:
        raise NoValueError
    if value > _LARGEST_FACTORIAL:
        raise AbsurdError if value > ABSURD_BITS else TooLargeError
    return bounded(Fraction(math.factorial(int(value))))


def bounded(value: Number) -> Number:
    """Return the value itself, if it is within the bounds.

    Raises:
        NoValueError: it is too large, or not finite.
    """
    if isinstance(value, Fraction):
        if max(value.numerator.bit_length(), value.denominator.bit_length()) > _MOST_BITS:
            raise TooLargeError
    elif not value.is_finite():
        raise NoValueError
    return value


def _whole_power(base: Number, exponent: int) -> Number:
    if base == 0 and exponent <= 0:
        raise NoValueError
    if isinstance(base, Decimal):
        return _CONTEXT.power(base, exponent)
    if base in (1, -1):
        return base ** (exponent % 2)
    # Bounded before the power is computed: afterwards it would be too late.
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if base != 0 and bits * abs(exponent) > _MOST_BITS:
        raise AbsurdError if bits * abs(exponent) > ABSURD_BITS else TooLargeError
    return base**exponent if base != 0 else base


def _exact_power(base: Fraction, exponent: Fraction) -> Fraction | None:
    """Return the power where it is rational: 16^(1/2), 27^(2/3)."""
    degree = exponent.denominator
    if degree > _LARGEST_ROOT or max(base.numerator.bit_length(), base.denominator.bit_length()) * abs(exponent.numerator) > _MOST_BITS:
        return None
    top, bottom = _whole_root(base.numerator, degree), _whole_root(base.denominator, degree)
    return None if top is None or bottom is None else Fraction(top, bottom) ** exponent.numerator


def _whole_root(value: int, degree: int) -> int | None:
    # Bisection on integers: a float root is wrong above 2^53.
    low, high = 0, 1 << (value.bit_length() // degree + 1)
    while low < high:
        middle = (low + high) // 2
        if middle**degree < value:
            low = middle + 1
        else:
            high = middle
    return low if low**degree == value else None
