r"""Arguments of commands without braces, which sympy's reader refuses after a function: `\\cos\\frac\\pi3` is `\\cos\\frac{\\pi}{3}`."""

from __future__ import annotations

import re

from isocost.graders.extract import brace_pairs

_FRACTION = re.compile(r"\\(?:frac|[dt]?binom)(?![a-zA-Z])")
# Most fractions have both arguments in braces, or are of two digits: they are left as they are.
_UNBRACED = re.compile(rf"{_FRACTION.pattern}(?!\s*\{{[^{{}}]*\}}\s*\{{|\s*\d\s*\d)")
_ARGUMENT = re.compile(r"\s*(?:(?P<brace>\{)|(?P<root>\\sqrt(?![a-zA-Z]))|(?P<token>[\dA-Za-z]|\\[A-Za-z]+))")
_WITH_ARGUMENTS = ("\\frac", "\\text", "\\left", "\\mathbb", "\\begin", "\\end")


def with_braces(text: str) -> str:
    r"""Return the text with both arguments of every fraction and binomial in braces, as TeX reads them: `\\frac x{12}` is `\\frac{x}{12}`.

    A fraction of two digits stays as it is, and so does one whose argument is another command with arguments.
    """
    if _UNBRACED.search(text) is None:
        return text
    pairs = brace_pairs(text)
    added: list[tuple[int, str]] = []
    for fraction in _FRACTION.finditer(text):
        top = _argument(text, fraction.end(), pairs)
        bottom = _argument(text, top[1], pairs) if top else None
        if top is None or bottom is None or text[fraction.end() : bottom[1]].replace(" ", "").isdigit():
            continue
        added += [(position, brace) for span in (top, bottom) if text[span[0]] != "{" for position, brace in zip(span, "{}", strict=True)]
    pieces, last = [], 0
    for position, brace in sorted(added, key=lambda item: (item[0], item[1] == "{")):  # one argument closes where the next opens
        pieces += [text[last:position], brace]
        last = position
    return "".join(pieces) + text[last:]


def _argument(text: str, start: int, pairs: dict[int, int]) -> tuple[int, int] | None:
    """Return the positions between which an argument is written; None where there is none, or one that takes arguments itself."""
    found = _ARGUMENT.match(text, start)
    if found is None or found["token"] in _WITH_ARGUMENTS:
        return None
    if found["brace"]:
        end = pairs.get(found.start("brace"))
        return None if end is None else (found.start("brace"), end + 1)
    if found["root"]:  # TeX refuses \frac\sqrt32, which people write
        inner = _argument(text, found.end(), pairs)
        return None if inner is None else (found.start("root"), inner[1])
    return found.span("token")
