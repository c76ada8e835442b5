"""Remarks that do not belong to an answer: the calculation in brackets behind a value, and what follows the answer at the end of a text."""

from __future__ import annotations

import re

from isocost.graders.mathematics import expressions
from isocost.graders.mathematics.numbers import same_number

_LONGEST = 120  # characters in brackets
_LONGEST_LINE = 300  # characters of a last sentence or line that is searched for a remark
MOST_LINES = 5  # of remarks at the end of a text
_VALUE = r"(?<![\w.,])([-+\u2212]?\s?\\?[$€£¥₹]?\s?\d[\d,]*+(?:\.\d++)?+)"
_UNITS = r"(?:\s?\\?%|\*\*|\s++(?!(?:and|or|plus|minus|times)\b)[A-Za-z\u00b2\u00b3]{1,20}+(?:\^[23])?+){0,4}"
_BEFORE = re.compile(rf"{_VALUE}{_UNITS}\s?$")
_BRACKET = re.compile(rf"[\s*_`\"'(]*{_VALUE}{_UNITS}\s?[(\[]")
_CLOSING = {"(": ")", "[": "]"}
_MOST_BEFORE = 100
# What a calculation is written with; `constant` reads the rest
_SIGNS = str.maketrans(
    {"\u00d7": "*", "\u00f7": "/", "\u2212": "-", "\u00b7": "*", "\u00b2": "^2", "\u00b3": "^3", "$": None, ",": None, "x": "*"}
)
_CALCULATION = re.compile(r"[=\d\s.+*/^()-]+")
_WORDS = re.compile(r"(?=[^A-Za-z]*[A-Za-z]{2}).*\d")
# Words in brackets that change the value before them, or are a part of an expression
_CHANGES = re.compile(
    r"(?i)\W*+(?:or|to|and|through|minus|plus|negative|times|per|of|max|min|if|when|unless|except|hundred|thousand|[mb]illion|dozen)\b"
    r"|.*\b(?:mod|modulo|base|at least|at most|sin|cos|tan|log|ln|exp|sqrt|root|pi|binary|octal|in (?:hundred|thousand|[mb]illion)s?)\b"
)
_REMARK = re.compile(
    r"(?i)\s*(?:see|assuming|assume|note|given|based on|rounded|obtained|calculated|computed|found|from|using|by|after|check|not|since"
    r"|because|as in|cf|e\.g|source|ref)\b"
)
_SEPARATE = re.compile(
    r"(?i)[\s*_#>-]*(?:confidence(?: level| score)?|certainty|sources?|references?|citations?|footnotes?|(?:word|token) count"
    r"|time (?:taken|spent|used))\b[\s*_]*[:=]|\s*\[\^?\d+\]:?\s+\S"
)
_FIRST = frozenset("[*_#>- ")  # what such a line begins with
_FIRST_LETTERS = frozenset(
    word for name in ("con", "cer", "sou", "ref", "cit", "foo", "wor", "tok", "tim") for word in (name, name.title())
)
_WHY = re.compile(
    r"(?<=\s)(?:because\b|which\s+(?:is|are|was|were|makes?)\s+[^.=]{0,40}?"
    r"\b(?:more|less|fewer|greater|higher|lower|smaller|larger|older|younger)\b)"
)
_NUMBER = re.compile(r"(?<![A-Za-z])\d")
_SENTENCE_START = re.compile(r"[.!?]\s|\n")


def without_aside(text: str) -> str:
    """Return a value without the calculation or remark in brackets behind it: "25 (5^2)", "20 (5 fewer than 25)".

    A calculation is one if it comes to the value; else the brackets are a factor, as in "2 (3+4)".
    """
    found = _BRACKET.match(text)
    if found is None:
        return text
    end = text.find(_CLOSING[found[0][-1]], found.end(), found.end() + _LONGEST)
    while end >= 0 and text.count("(", found.end(), end) > text.count(")", found.end(), end):
        end = text.find(")", end + 1, found.end() + _LONGEST)
    if end < 0 or text[end + 1 :].lstrip()[:1] in tuple("+-*/^=(\u00d7"):
        return text
    content = text[found.end() : end]
    if _comes_to(content, found[1]) or (_WORDS.match(content) and not _CHANGES.match(content)):
        return text[: found.end() - 1].rstrip() + text[end + 1 :]
    return text


def without_remarks(text: str) -> str:
    """Return a text without a marked answer up to its answer: without "Confidence: 90", "(see step 2)", "because ..." at its end."""
    text = text.rstrip()
    for _ in range(MOST_LINES):
        line = text.rfind("\n") + 1
        if (
            not line
            or not (text[line] in _FIRST or text[line : line + 3] in _FIRST_LETTERS)
            or not _SEPARATE.match(text, line)
            or not _NUMBER.search(text[max(0, line - _LONGEST_LINE) : line])
        ):
            break
        text = text[:line].rstrip()
    bare = text.rstrip(" .!*")
    if bare[-1:] in (")", "]"):
        text = _without_last_brackets(bare) or text
    tail = text[-_LONGEST_LINE:]
    return _without_reason(text) if "because" in tail or ", which " in tail else text


def _without_last_brackets(text: str) -> str | None:
    start = text.rfind("(" if text[-1] == ")" else "[", max(0, len(text) - _LONGEST), len(text))
    content, before = text[start + 1 : -1], text[max(0, start - _MOST_BEFORE) : max(0, start)]
    if start < 0 or not before[-1:].isspace():
        return None
    value = _BEFORE.search(before)
    if value and _comes_to(content, value[1]):
        return text[:start]
    line = before[before.rfind("\n") + 1 :]
    return text[:start] if _REMARK.match(content) and _NUMBER.search(line) else None


def _without_reason(text: str) -> str:
    """Return a text without a clause of its last sentence that gives a reason or compares; a calculation ("=") there gives the answer."""
    tail = text[-_LONGEST_LINE:]
    begins = max((found.end() for found in _SENTENCE_START.finditer(tail)), default=0)
    found = _WHY.search(tail, begins)
    if found is None or "=" in tail[found.start() :] or not _NUMBER.search(tail, begins, found.start()):
        return text
    return text[: len(text) - len(tail) + found.start()]


def _comes_to(calculation: str, value: str) -> bool:
    """Return True if a text in brackets is a calculation of the value before it."""
    plain = calculation.translate(_SIGNS).replace("\\times", "*").replace("\\cdot", "*").strip().removeprefix("=")
    if not plain or not _CALCULATION.fullmatch(plain):
        return False
    number = expressions.constant(value.translate(_SIGNS).lstrip("\\€£¥₹ ").replace(" ", ""))
    sides = [expressions.constant(side.strip()) for side in plain.split("=")]
    return number is not None and all(side is not None and same_number(side, number) for side in sides)
