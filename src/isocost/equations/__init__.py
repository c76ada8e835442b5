"""The equations written in a solution: find them, check them, and make a signature of them.

This is a reader of prose, not a parser of mathematics. An equation is `expression = expression` with an operation on at least one side.
Units, currency signs and markup between the numbers are skipped. Text that cannot be read with confidence is left out: a letter that may
be a variable, an operation in words, minutes mixed with hours. A missed equation costs little; a sound solution called false costs a
sample. An ambiguous notation (`60 / 3/4`, `-3^2`, `1.500`) holds if it does in one of its readings. docs/studies/steps-audit.md has the
measured precision.

Text is never evaluated as code. Time is linear in its length, of which 100,000 characters are read. Numbers, exponents and nesting are
bounded.
"""

from __future__ import annotations

import re
from itertools import groupby

from isocost.equations.links import Equation, links
from isocost.equations.symbols import EQUALS

__all__ = ["Equation", "audit_steps", "find_equations", "signature"]

_LONGEST_TEXT = 100_000  # characters; the rest is not read
_ANNOTATION = re.compile(r"<<([^<>\n]{0,200})>>")


def find_equations(text: str) -> list[Equation]:
    """Return the equations in a text, in order. A calculator annotation `<<48/2=24>>` that repeats its sentence counts once.

    Arithmetic is exact. A link holds in three cases. Both sides are equal. One side is a lone decimal with d >= 1 places, and the other
    rounds or is cut off to it (with d >= 10, to one part in 10^12, as calculators do). Both sides calculate, at least one of them with
    decimals, and agree within 1%, as rounded intermediate results do. A decimal may also mean the simple fraction it was rounded from
    (`33.33 * 3 = 100`). A whole number must be exact: `7 / 2 = 4` is false, unless words beside it mention a remainder or rounding; then it
    is left out. With a percent sign, a factor of 100 between the sides counts as notation (`5 / 20 * 100 = 25%`).
    """
    if not any(sign in text for sign in EQUALS):
        return []  # in a hundredth of the time
    text = text[:_LONGEST_TEXT]
    # Replaced by text of equal length, so that positions stay.
    found = list(links(_ANNOTATION.sub(lambda match: " " * len(match[0]), text)))
    for match in _ANNOTATION.finditer(text):
        found.extend((match.start(1) + position, equation) for position, equation in links(match[1]))
    found.sort(key=lambda item: item[0])
    repeats = groupby((equation for _, equation in found), key=lambda equation: equation.normal)
    return [next(same) for _, same in repeats]


def audit_steps(text: str) -> tuple[bool | None, str | None]:
    """Return True if every equation of a solution holds, and the first false one; (None, None) if there is none to check."""
    equations = find_equations(text)
    first_false = next((equation.text for equation in equations if not equation.holds), None)
    return (first_false is None if equations else None), first_false


def signature(text: str) -> str:
    """Return the ordered list of a solution's equations, `2+3=5; 5*4=20`; empty if none can be read.

    Two solutions with one signature take the same steps in different words (the distinctness of arXiv 2308.01825).
    """
    return "; ".join(equation.normal for equation in find_equations(text))
