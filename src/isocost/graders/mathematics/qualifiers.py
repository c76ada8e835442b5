r"""Words after an answer that say for which values it holds: `for all x in R`, `where c is a constant`, `\forall x`.

They add nothing, unless they name values or exceptions.
"""

from __future__ import annotations

import re

from isocost.graders.mathematics.bound import occurs

LONGEST_BEFORE = 60  # characters between an answer and a formula that qualifies it
SIGNS = ("for", "where", "with", "forall", "\\in", "\N{FOR ALL}", "\N{ELEMENT OF}")  # a qualifier has one of them
DOUBLE_N = "\N{DOUBLE-STRUCK CAPITAL N}"
_ALL = r"(?:all|any|every|each|some|an?\s+arbitrary|arbitrary)\b"
_BEGINS = re.compile(
    rf"[\s,;(]*(?:\\(?:q?quad\b|[,;:! ])\s*)*(?:\\text\s*\{{[\s,;(]*)?"
    rf"(?:\bfor\s+{_ALL}|\bwhere\b|\bwith\b(?=.*\bconstants?\b)|\\forall(?![a-z])|\N{{FOR ALL}})"
)
_NAMED_VALUES = re.compile(
    r"[\d<>;=\N{NOT EQUAL TO}\N{LESS-THAN OR EQUAL TO}\N{GREATER-THAN OR EQUAL TO}]|\\[lgn]e|\\(?:setminus|backslash|cup|cap)"
    r"|\^\s*\{?\s*[*+]"
    r"|\b(?:except|otherwise|odd|even|also|total|positive|negative|non-?zero|non-?negative|prime|not|unless|such that)\b"
)
# The variable of the answer in a whole set of numbers: `2\pi n, n \in \mathbb{Z}`
_MEMBER = re.compile(
    r"(?:\s*[,;]|\s*\\q?quad\b|\s*\()(?:\s|\\q?quad\b|\\[,;:! ])*(?P<name>[A-Za-z])\s*(?:\\in(?![a-z])|\N{ELEMENT OF})\s*"
    r"(?:\\mathbb\s*\{?\s*[RZNQC]\s*\}?|\\(?:R|Z|N|Q|C|reals)(?![A-Za-z])|[RZNQC\u211d\u2124\u2115])"
    r"\s*\)?[\s.$]*\Z"
)


# A whole parameter in a qualifier: `k \\in \\mathbb{Z}`, "k is an integer", "for every integer k".
_WHOLE = re.compile(
    r"(?P<before>[A-Za-z])\s*(?:\\in(?![a-z])|\N{ELEMENT OF})\s*(?:\\mathbb\s*\{?\s*|\\)?(?P<set>[ZN\u2124\u2115])(?![A-Za-z])"
    r"|\b(?P<named>[A-Za-z])\W{0,4}(?:\\text\s*\{\s*)?\s*(?:is|being)?\s*(?:an?|any|some)?\s*(?:arbitrary\s+)?integer\b"
    r"|\bintegers?\b\W{0,12}(?:\\text\s*\{\s*)?(?P<after>[A-Za-z])\b(?![A-Za-z])"
)


def whole_parameter(text: str, answer: str) -> str:
    r"""Return the whole parameter that a qualified text names, as `, k \\in \\mathbb{Z}`; "" where there is none in the answer.

    Args:
        text: The text with its qualifier.
        answer: The text without it.
    """
    found = _WHOLE.search(text, len(answer)) if len(answer) < len(text) else None
    letter = (found["before"] or found["named"] or found["after"]) if found else None
    if found is None or letter is None or not occurs(letter, answer):
        return ""
    return f", {letter} \\in \\mathbb{{{'N' if found['set'] in ('N', DOUBLE_N) else 'Z'}}}"


def without_qualifier(text: str) -> str:
    """Return the text without a qualifier at its end."""
    if not any(sign in text for sign in SIGNS):
        return text
    if (found := _BEGINS.search(text)) and text[: found.start()].strip() and not _NAMED_VALUES.search(text, found.end()):
        return text[: found.start()]
    member = _MEMBER.search(text)
    # A variable that the answer does not have is a part of the answer: y is free in `x = 1, y \in \mathbb{R}`.
    if member and re.search(rf"(?<![A-Za-z\\]){member['name']}(?![A-Za-z])", text[: member.start()]):
        return text[: member.start()]
    return text


def is_qualified(before: str) -> bool:
    """Return True if the text right before a formula makes it a part of a qualifier: "f(x) = 0 for all"."""
    before = before[-LONGEST_BEFORE:]
    found = _BEGINS.search(before)
    return found is not None and "." not in before[found.end() :]
