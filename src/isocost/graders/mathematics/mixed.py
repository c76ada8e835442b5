r"""Mixed numbers whose fraction is in words: `5 \\text{ and a half}`, `3 and three quarters hours`."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction

_TOPS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "seven": 7}
_BOTTOMS = {"half": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "eighth": 8, "tenth": 10}
_FRACTION = rf"and\s+({'|'.join(_TOPS)})[\s-]+({'|'.join(_BOTTOMS)})s?\b"
# What follows in a sentence is at most a unit: in "12 and a third were bad" another clause begins.
_END = r"(?=\s*(?:$|[.,;:!?)}\]*_$])|\s+(?!party\b)[a-z]+\s*(?:$|[.,;:!?)}\]*_$]))"
_IN_TEXT = re.compile(rf"(?i)(?<![\d.,])(\d{{1,20}})\s*\\(?:text|mbox|textrm)\s*\{{\s*{_FRACTION}([^{{}}]*)\}}")
_BARE = re.compile(rf"(?i)(?<![\d.,])(\d{{1,20}})\s+{_FRACTION}{_END}")


def with_mixed_numbers(text: str, write: Callable[[int, Fraction], str]) -> str:
    """Return the text with such numbers written by a function of the whole part and the fraction; what follows in the braces stays."""
    folded = text.casefold()
    if "and" not in folded or not any(word in folded for word in _BOTTOMS):
        return text

    def written(match: re.Match[str]) -> str:
        part = Fraction(_TOPS[match[2].lower()], _BOTTOMS[match[3].lower()])
        if part >= 1:
            return match[0]
        rest = match[4] if match.lastindex == 4 else ""
        return write(int(match[1]), part) + (f"\\text{{{rest}}}" if rest.strip() else "")

    return _BARE.sub(written, _IN_TEXT.sub(written, text))


def in_latex(whole: int, part: Fraction) -> str:
    r"""Return a mixed number as `5\\frac{1}{2}`."""
    return f"{whole}\\frac{{{part.numerator}}}{{{part.denominator}}}"


def as_fraction(whole: int, part: Fraction) -> str:
    """Return a mixed number as `11/2`."""
    return str(whole + part)
