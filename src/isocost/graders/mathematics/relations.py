r"""Equations and inequalities, compared by value: two are equal if their differences of sides are, up to a factor.

An equation with \\pm stands for the two that it abbreviates, so `y = \\pm\\sqrt{x}` is `y^2 = x`.
"""

from __future__ import annotations

import re
from fractions import Fraction

from isocost.graders.mathematics import expressions
from isocost.graders.mathematics.expressions import FEWEST_POINTS, Expression
from isocost.graders.mathematics.numbers import Number, minus, quotient, same_number

_RELATION = re.compile(r"(<|>|(?<![<>!:])=(?!=)|\\le(?![a-z])|\\ge(?![a-z])|\\ne(?![a-z]))")
LONGEST_CHAIN = 8  # inequalities in a chain
_SUBSCRIPT = re.compile(r"_\s*\{[^{}]*\}")  # of a sum: k = 1
_GREEK = "alpha|beta|gamma|delta|theta|lambda|mu|rho|sigma|tau|phi|omega"
_NAME = re.compile(r"\\[A-Za-z]+|[A-Za-z]")
_TURNED = {"<": ">", ">": "<", "\\le": "\\ge", "\\ge": "\\le", "=": "=", "\\ne": "\\ne"}


def is_relation(text: str) -> bool:
    """Return True if a text is an equation or inequality."""
    return _RELATION.search(_SUBSCRIPT.sub("", text)) is not None


def without_signs(text: str) -> str:
    r"""Return `a = b \\pm c` as one equation without the sign, `(a - (b + c))(a - (b - c)) = 0`; any other text as it is."""
    sides = _RELATION.split(text)
    if text.count("\\pm") != 1 or len(sides) != 3 or sides[1] != "=":
        return text
    left, _, right = (side.strip() for side in sides)
    return "".join(f"(({left}) - ({right}))".replace("\\pm", sign) for sign in "+-") + " = 0"


def is_solution_of_other(gold: str, answer: str) -> bool:
    r"""Return True if one equation states values of an unknown by \\pm and the other one does not: `x = \\pm 2` and `x^2 = 4`.

    They hold for the same values, but one is solved. In several variables neither is: `y = \\pm\\sqrt{x}` and `y^2 = x` are one curve.
    """
    signed = ["\\pm" in text for text in (gold, answer)]
    return signed[0] is not signed[1] and len(_names(gold) | _names(answer)) < 2


def _names(text: str) -> set[str]:
    """Return the variables of a text: letters, and commands of Greek ones."""
    return {name for name in _NAME.findall(text) if len(name) == 1 or re.fullmatch(_GREEK, name[1:])}


def same_relation(gold: str, answer: str) -> bool | None:
    """Return True if two relations hold for the same values; None where that cannot be decided here.

    An equation may be multiplied by any number but zero. An inequality may be multiplied by a positive number, or by a negative one if
    its sign is reversed.
    """
    steps, others = _steps(gold), _steps(answer)
    if len(steps) > 1 or len(others) > 1:
        return _same_chain(steps, others)
    one, other = _sides(gold), _sides(answer)
    if one is None or other is None:
        return None
    (left, relation, right), (left2, relation2, right2) = one, other
    symbols = left.symbols | right.symbols
    if not symbols or symbols != left2.symbols | right2.symbols:
        return False if symbols and not {"i", "I"} & symbols else None
    if relation2 not in (relation, _TURNED[relation]):
        return False
    pairs = [(_difference(left, right, point), _difference(left2, right2, point)) for point in expressions.points(sorted(symbols))]
    factor = _factor([(a, b) for a, b in pairs if a is not None and b is not None])
    if factor is None or factor == 0:
        return None if factor is None else False
    return relation in ("=", "\\ne") or (factor > 0) is (relation2 == relation)


def _steps(text: str) -> list[str]:
    """Return the inequalities of a chain: a < b and b < c of a < b < c; nothing for a text that is no chain of them."""
    pieces = [piece.strip() for piece in _RELATION.split(text)]
    if len(pieces) < 5 or len(pieces) > 2 * LONGEST_CHAIN + 1 or {"=", "\\ne"} & {*pieces[1::2]} or not all(pieces):
        return []
    return ["".join((left, f" {sign} ", right)) for left, sign, right in zip(pieces[:-2:2], pieces[1::2], pieces[2::2], strict=True)]


def _same_chain(steps: list[str], others: list[str]) -> bool | None:
    """Return True if two chains state the same inequalities, as a < b < c and c > b > a do; None where that cannot be decided here."""
    if len(steps) != len(others):
        return False if steps and others else None
    found = [[same_relation(step, other) for other in others] for step in steps]
    if all(True in row for row in found) and all(True in column for column in zip(*found, strict=True)):
        return True
    return None if any(None in row for row in found) else False


def _factor(pairs: list[tuple[Number, Number]]) -> Number | None:
    """Return the constant factor between the first and second values of all pairs; 0 where there is none, None for too few pairs."""
    if any((a == 0) is not (b == 0) for a, b in pairs):
        return Fraction(0)
    factors = [quotient(a, b) for a, b in pairs if b != 0]
    if len(factors) < FEWEST_POINTS:
        return None
    return factors[0] if all(same_number(factors[0], factor) for factor in factors[1:]) else Fraction(0)


def _sides(text: str) -> tuple[Expression, str, Expression] | None:
    pieces = [piece.strip() for piece in _RELATION.split(text)]
    if len(pieces) != 3:
        return None
    left, right = expressions.read(pieces[0]), expressions.read(pieces[2])
    return None if left is None or right is None else (left, pieces[1], right)


def _difference(left: Expression, right: Expression, point: dict[str, Fraction]) -> Number | None:
    a, b = left.at(point), right.at(point)
    return None if a is None or b is None else minus(a, b)
