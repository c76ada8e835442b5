r"""Split an answer from the condition that it holds under: `2x \\text{ for } x > 0`, "3 if a > 0, 4 if a < 0", `1/x, x \\ne 0`."""

from __future__ import annotations

import re

from isocost.graders.mathematics.relations import is_relation

Case = tuple[str, str]  # a value and its condition
_MOST = 20  # cases of an answer

_WORDS = r"(?:for|if|when(?:ever)?|where|provided(?:\s+that)?|given\s+that|as\s+long\s+as)"
_BEGINS = re.compile(rf"(?:(?<=[\s\d)}}{{,])|(?<=\()){_WORDS}(?![A-Za-z])|\\forall(?![a-z])")
_OPENED = re.compile(r"[\s,;:(]*+(?:\\text\s*+\{)?[\s,;:]*+\Z")
_QUANTIFIER = re.compile(r"[\s,:}]*+(?:\\text\s*+\{)?\s*+(?:(?:all|any|every|each|some|real|positive|the|case)\b\s*+)*+[\s}]*+")
_ENDS = re.compile(r"\s*+(?:\\text\s*+\{[^{}]*+\}|[)}.,;]|\bis\s+a\s+constant\b)\s*+\Z")
_BRACKETED = re.compile(r"(.*[^\s(])\s+\(([^()]*+)\)", re.DOTALL)
_SEPARATOR = re.compile(r"[,;]|\\text\s*\{\s*(?:and|or)\s*\}|\b(?:and|or)\b")


def cases(text: str) -> list[Case]:
    """Return the values of an answer with their conditions; nothing for an answer without one, or if a condition cannot be told apart."""
    begins = list(_BEGINS.finditer(text)) if "\\begin" not in text else []
    if len(begins) == 1:
        found = _case(text, begins[0])
        return [found] if found else []
    if not begins:
        bracketed = _BRACKETED.fullmatch(text) if text.endswith(")") else None
        return [(bracketed[1], bracketed[2])] if bracketed and is_relation(bracketed[2]) else []
    pieces = [piece for piece in _SEPARATOR.split(text) if piece.strip()]
    each = [cases(piece) for piece in pieces if len(_BEGINS.findall(piece)) == 1]
    return [case for found in each for case in found] if len(each) == len(pieces) <= _MOST and all(each) else []


def after_comma(text: str) -> list[Case]:
    r"""Return an answer with a condition behind a comma, `1/x, x \\ne 0`, if it has one."""
    value, comma, condition = text.rpartition(",")
    return [(value.strip(), condition.strip())] if comma and _is_whole(value) and is_relation(condition) else []


def _case(text: str, begins: re.Match[str]) -> Case | None:
    before = text[: begins.start()]
    opened = _OPENED.search(before)
    value = before[: opened.start()] if opened else before
    if value.count("{") > value.count("}"):
        value = value.rstrip(" ,;:") + "}"  # words before the condition, in one text with it
    if not value.strip() or not _is_whole(value):
        return None
    quantifier = _QUANTIFIER.match(text, begins.end())
    condition = text[quantifier.end() if quantifier else begins.end() :]
    while (found := _ENDS.search(condition)) and not (_is_whole(condition) and found[0].strip() in (")", "}")):
        condition = condition[: found.start()]
    return (value.strip(), condition.strip()) if is_relation(condition) and _is_whole(condition) else None


def _is_whole(text: str) -> bool:
    return bool(text.strip()) and all(text.count(opening) == text.count(closing) for opening, closing in ("{}", "()", "[]"))
