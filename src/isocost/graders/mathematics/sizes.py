"""Bounds on the integers that a sympy expression would compute: one operation on a huge integer can take hours, and cannot be stopped."""

from __future__ import annotations

from typing import Any

import sympy

from isocost.graders.mathematics.numbers import ABSURD_BITS

_LARGEST = float(ABSURD_BITS)
_FEW_BITS = 10_000.0  # of a number that is computed at once
_OF_A_VARIABLE = 8.0  # bits of the points at which expressions with variables are compared


def is_absurd(value: Any) -> bool:
    """Return True if an expression has a power or factorial with more digits than any answer: 2^2^2^2^2^2, or the sine of it."""
    return isinstance(value, sympy.Basic) and most_bits(value, _OF_A_VARIABLE) > _LARGEST


def most_bits(value: sympy.Basic, of_a_variable: float) -> float:
    """Return a bound on the bits of every number in an expression whose variables have so many; the first above the limit ends it."""
    sizes: dict[Any, float] = {}
    most = 0.0
    for part in sympy.postorder_traversal(value):
        of_args = [sizes.get(arg, 0.0) for arg in part.args]
        sizes[part] = size = of_a_variable if isinstance(part, sympy.Symbol) else _size(part, of_args)
        most = max(most, size)
        if most > _LARGEST:
            break
    return most


def _size(part: Any, of_args: list[float]) -> float:
    """Return a bound on the bits of numerator and denominator, given those of the arguments."""
    if isinstance(part, sympy.Rational):
        return float(max(int(part.p).bit_length(), int(part.q).bit_length()))
    if isinstance(part, sympy.Pow):
        base, exponent = part.args
        return 0.0 if base in (0, 1, -1) else max(1.0, of_args[0]) * _largest(exponent, of_args[1])
    if isinstance(part, sympy.factorial):
        return of_args[0] * _largest(part.args[0], of_args[0])
    if isinstance(part, sympy.Add | sympy.Mul):
        return sum(of_args)
    return max(of_args, default=0.0) if not isinstance(part, sympy.Function) else 64.0


def _largest(part: Any, bits: float) -> float:
    """Return a bound on the absolute value of a number of so many bits; infinity where it is beyond the limit."""
    if 64 <= bits <= _FEW_BITS and part.is_number:  # 10^{-30} has many bits, and is small
        part = part.doit()
    if isinstance(part, sympy.Rational):
        bits = max(1.0, float(int(part.p).bit_length() - int(part.q).bit_length() + 1))
    return 2.0**bits if bits < 64 else float("inf")
