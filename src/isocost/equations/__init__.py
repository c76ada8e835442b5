"""The arithmetic written in a solution: which equations it states, whether they hold, and their signature.

A reader of prose, not a parser of mathematics. An equation is `expression = expression` with an operation on at least one side; units,
currency signs and markup between the numbers are passed over. What cannot be read with confidence (a letter that may be a variable, an
operation in words, minutes mixed with hours) is left out: a missed equation costs little, a sound solution called false costs a sample.
A notation that is written for two things (`60 / 3/4`, `-3^2`, `1.500`) holds if it does in one of them. docs/studies/steps-audit.md has
the measured precision.

Text is never evaluated as code; time is linear in its length, of which 100,000 characters are read, and numbers, exponents and nesting are
bounded.
"""

from __future__ import annotations

import re
from itertools import groupby

from isocost.equations.links import Equation, links

__all__ = ["Equation", "audit_steps", "find_equations", "signature"]

_LONGEST_TEXT = 100_000  # characters; what follows is not read
_ANNOTATION = re.compile(r"<<([^<>\n]{0,200})>>")


def find_equations(text: str) -> list[Equation]:
    """The equations that can be read in a text, in order; a calculator annotation `<<48/2=24>>` that repeats the sentence around it counts
    once.

    Arithmetic is exact. A link holds if both sides are equal; or one side is a lone decimal written with d >= 1 places and the other
    rounds, or is cut off, to it (with d >= 10, to one part in 10^12, as calculators do); or both sides calculate, at least one of them with
    decimals, and agree within 1%, as rounded intermediate results do. A decimal may stand for the simple fraction it was rounded from
    (`33.33 * 3 = 100`). A whole number must be exact: `7 / 2 = 4` is false, unless words beside it speak of a remainder or of rounding;
    then it is left out. Where a percent sign occurs, a factor of 100 between the sides is read as notation (`5 / 20 * 100 = 25%`).
    """
    text = text[:_LONGEST_TEXT]
    found = list(links(_ANNOTATION.sub(lambda match: " " * len(match[0]), text)))  # same length, so positions stay
    for match in _ANNOTATION.finditer(text):
        found.extend((match.start(1) + position, equation) for position, equation in links(match[1]))
    found.sort(key=lambda item: item[0])
    repeats = groupby((equation for _, equation in found), key=lambda equation: equation.normal)
    return [next(same) for _, same in repeats]


def audit_steps(text: str) -> tuple[bool | None, str | None]:
    """Whether every equation of a solution holds, and the first that does not; (None, None) where there is none to check."""
    equations = find_equations(text)
    first_false = next((equation.text for equation in equations if not equation.holds), None)
    return (first_false is None if equations else None), first_false


def signature(text: str) -> str:
    """The ordered list of a solution's equations, `2+3=5; 5*4=20`; empty where none can be read.

    Two solutions with one signature take the same steps in different words (the distinctness of arXiv 2308.01825).
    """
    return "; ".join(equation.normal for equation in find_equations(text))
