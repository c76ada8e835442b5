"""Quotation marks, emphasis and code spans around an answer, and the label before it, as in `So in total: **$12**.`"""

from __future__ import annotations

import re

_CLOSING = {
    '"': '"',
    "'": "'",
    "`": "`",
    "*": "*",
    "_": "_",
    "\u201c": "\u201d",
    "\u201e": "\u201c\u201d",
    "\u2018": "\u2019",
    "\u201a": "\u2018\u2019",
    "\u00ab": "\u00bb",
    "\u00bb": "\u00ab",
    "\u2039": "\u203a",
    "\u300c": "\u300d",
    "\u300e": "\u300f",
}
_STOPS = ".\u3002"
MOST_LAYERS = 8  # "**`42`**" has three
# Words and a colon or an arrow. A label has no digits and no mathematics, so `a:b = 3:4` and `f: x` have none.
_STARS = re.compile(r"\*{2,}")
# What a power may stand between. Beside spaces a word is no operand: `The answer is ** 42 ** apples` means emphasis.
_BASE = re.compile(r"(?:[\w)\]}]|(?:[\d)\]}]|(?<![A-Za-z])[A-Za-z])[ \t]{1,4})$")
_EXPONENT = re.compile(r"[-+]?[\w(\[{\\]|[ \t]{1,4}[-+]?(?:[\d(\[{\\]|[A-Za-z](?![A-Za-z]))")
_NEAR = 8  # characters before stars that are looked at
_LABEL = re.compile(r"\s*(?:[-*>•#]+\s+)?(?=[^:\n]*[^\W\d_]{2})[^\d:=$\\<>{}\n]{2,60}(?::|=>|->|→|⇒|：)\s*(?=\S)")


def undecorated(text: str) -> str:
    """Return the text without what is wrapped around the whole of it."""
    if text[:1].isalnum():
        return text.strip()
    for _ in range(MOST_LAYERS):
        text = text.strip()
        closing = _CLOSING.get(text[:1])
        if closing is None:
            return text
        inner = text.rstrip(_STOPS) if text[-1] in _STOPS else text
        mark, end = text[0], inner[-1:]
        if len(inner) < 3 or end not in closing:
            return text
        content = inner[1:-1]
        # Inside, the mark may only be one more layer of itself (**42**): in "'a' and 'b'" it closes before the end.
        if mark in content.strip(mark + end) or end in content.strip(mark + end) or not content.strip(mark + end):
            return text
        text = content
    return text


def without_emphasis(text: str) -> str:
    """Return the text with `**` between two operands as a power, `2^3`, and without the stars of emphasis, as `**42**` has them.

    Stars open emphasis if no space follows them, and close it if none stands before, as in CommonMark. Those between operands could do both
    or neither: they are a power, unless other stars would have no partner (`1**2**`).
    """
    if "**" not in text:
        return text
    runs = list(_STARS.finditer(text))
    powers: set[int] = set()
    waiting: list[int] = []
    lone: list[int] = []
    for number, run in enumerate(runs):
        opens, closes = not text[run.end() : run.end() + 1].isspace(), not text[run.start() - 1 : run.start()].isspace()
        is_between = _BASE.search(text[max(0, run.start() - _NEAR) : run.start()]) and _EXPONENT.match(text, run.end())
        if is_between and opens == closes:
            powers.add(number)
        elif waiting and (closes or not opens):
            waiting.pop()
        elif opens and run.end() < len(text):
            waiting.append(number)
        else:
            lone.append(number)
    # Those that open without a partner take the next stars, those that close the ones before.
    for partner in (*(number + 1 for number in waiting), *(number - 1 for number in lone)):
        powers.discard(partner)
    parts, start = [], 0
    for number, run in enumerate(runs):
        power = run[0] if len(run[0]) > 2 else "^"
        parts.append(text[start : run.start()] + (power if number in powers else ""))
        start = run.end()
    return "".join(parts) + text[start:]


def without_label(line: str) -> str:
    """Return what follows a label that a line begins with, else the line."""
    found = _LABEL.match(line)
    return line[found.end() :] if found else line
