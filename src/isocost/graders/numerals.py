"""Numbers in running text: the pattern of one, the last one of a text without a marked answer, and powers of ten."""

from __future__ import annotations

import re
from collections import deque

# A fraction below one: after a whole number and a space it is a part of a mixed number, and 4 10/3 is none.
_PROPER = (
    r"(?:1/2|[12]/3|[1-3]/4|[1-4]/5|[1-5]/6|[1-6]/7|[1-7]/8|[1-8]/9|[1-9]/\d{2,3}|11/12|1[0-5]/16|1\d/[2-9]\d|2\d/[3-9]\d|3\d/[4-9]\d"
    r"|\d{2}/\d{3})(?![\d./])"
)
NUMBER = re.compile(
    r"(?<![A-Za-z0-9.])(?:(?<![A-Za-z0-9)\]}])[-+]\s?)?\$?"  # a minus after a digit, a letter or a bracket is a subtraction
    rf"(?:\d{{1,3}}(?:,\d{{3}}){{1,3}}[ ]{{1,2}}(?={_PROPER})|\d{{1,9}}[ ]{{1,2}}(?={_PROPER}))?"
    r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)?(?:(?<=\d)\.\d+|(?<![\d.])\.\d+)?(?<=\d)(?:[eE][-+]?\d{1,3}(?![\w.]))?"
    r"(?:\s?/\s?\d++(?!\.\d))?"
)
_BEFORE_PART = tuple("^{:-\u221a\u221b\u221c")  # the characters that the patterns below end with
_OF_UNIT = re.compile(r"[A-Za-z]\}?\s?\^\{?-?$")  # m^2
_JOINED = re.compile(r"(?:(?:\d++:)++|[\u221a-\u221c]|(?:\d[\d.]*+\s?(?:[\u00d7*x\u00b7]|\\times|\\cdot)\s?)?\d[\d.]*+\^\{?-?)$")
_LABEL = re.compile(r"(?:^|[^:\w])[A-Z][a-z]+ \d{1,3}:$")  # "Week 3:210 pages"
_MOST_JOINED = 40  # characters before a number that may belong to it
_SCIENTIFIC = re.compile(
    r"(?<![\w.,^])([-+]?\d++(?:\.\d++)?+)\s*+(?:[\u00d7xX*\u00b7\u22c5]|\\times|\\cdot)\s*+10\s*+(?:(?:\^|\*\*)\s*+(?:\{\s*+)?([-+]?\d{1,2})(?:\s*+\})?"
    r"|([\u207b\u207a]?[\u2070\u00b9\u00b2\u00b3\u2074-\u2079]{1,2}))(?![\d.]*\d|\s*+[*^\u00d7])"
)
_RAISED = str.maketrans("\u207b\u207a\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079", "-+0123456789")


def last_match(text: str) -> re.Match[str] | None:
    """Return the last number of a text. The exponent of a unit, as in "15 m^2", is none; "5:00 pm" is five."""
    found = deque(NUMBER.finditer(text), maxlen=2)
    if not found:
        return None
    start = found[-1].start()
    if not start or text[start - 1] not in _BEFORE_PART:
        return found[-1]
    is_full_hour = found[-1][0] == "00" and text[start - 1] == ":" and len(found) > 1 and found[0].end() == start - 1
    if is_full_hour or _OF_UNIT.search(text, max(0, start - _MOST_JOINED), start):
        return found[0] if len(found) > 1 else None
    return found[-1]


def joined_before(text: str, start: int) -> str:
    """Return what belongs to the number at a place and stands right before it: a root, a base, the parts of a ratio or time."""
    if not start or text[start - 1] not in _BEFORE_PART:
        return ""
    found = _JOINED.search(text, max(0, start - _MOST_JOINED), start)
    return found[0] if found and not _LABEL.search(text, max(0, start - _MOST_JOINED), start) else ""


def with_powers_of_ten(text: str) -> str:
    """Return the text with numbers in scientific notation, `5 \u00d7 10^3`, written with an exponent, `5e3`."""
    if "10" not in text or not ("10^" in text or "10**" in text or "10 ^" in text or not text.isascii()):
        return text
    return _SCIENTIFIC.sub(lambda match: f"{match[1]}e{(match[2] or match[3]).translate(_RAISED)} ", text)
