"""The shape of an answer: words, one value, a list, a tuple, an interval, a union. Shapes are compared here, values by a function given."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["value", "words", "list", "set", "ordered", "union"]
MOST_PARTS = 200  # of a list; matching is quadratic

_SEPARATOR = re.compile(r"\s*(?:[,;]\s*(?:\\text\s*\{\s*(?:and|or)\s*\}|and\b|or\b)?|\\text\s*\{\s*,?\s*(?:and|or)\s*\}|\b(?:and|or)\b)\s*")
_THOUSANDS = re.compile(r"-?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_WORDS = re.compile(r"\\text\s*\{([^{}]*)\}|([A-Za-z]{2,}(?:[ -][A-Za-z]+)*)")
_BETWEEN = re.compile(r"([^<\\]+)(<|\\le(?![a-z]))\s*([a-zA-Z](?:\([a-zA-Z]\))?)\s*(<|\\le(?![a-z]))([^<\\]+)")
_NAMED = re.compile(r"[A-Za-z](?:_\{?\w+\}?)?(?:\([a-zA-Z](?:,\s*[a-zA-Z])*\))?|\([A-Za-z](?:\s*,\s*[A-Za-z])+\)|[A-Z]{2}|\\[a-z]{2,}")


class UnreadableError(ValueError):
    """A value that is not mathematics; `text` is that value."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer taken apart. `brackets` is the opening and closing bracket of an ordered one: `()`, `[)` and so on."""

    kind: Kind
    text: str
    parts: tuple[Answer, ...] = ()
    brackets: str = ""


def take_apart(text: str) -> Answer:
    """The shape of a tidied answer."""
    text = _assigned(text.strip())
    if _THOUSANDS.fullmatch(text):
        return Answer("value", text.replace(",", ""))
    if words := _words(text):
        return Answer("words", words)
    if between := _BETWEEN.fullmatch(text):
        brackets = ("(" if between[2] == "<" else "[") + (")" if between[4] == "<" else "]")
        return Answer("ordered", text, (take_apart(between[1]), take_apart(between[5])), brackets)
    union = split_outside(text, re.compile(r"\\cup(?![a-z])"))
    if len(union) > 1:
        return Answer("union", text, tuple(take_apart(part) for part in union))
    rows = split_outside(text, re.compile(r"\s*;\s*"))
    if 1 < len(rows) <= MOST_PARTS and "," in rows[0]:  # x=1, y=2; x=3, y=4
        return Answer("list", text, tuple(take_apart(row if row[0] in "([" else f"({row})") for row in rows))
    ratio = split_outside(text, re.compile(r":"))
    if len(ratio) > 1:
        return Answer("ordered", text, tuple(take_apart(part) for part in ratio), "::")
    pieces = split_outside(text, _SEPARATOR)
    if 1 < len(pieces) <= MOST_PARTS:
        return Answer("list", text, tuple(part for piece in pieces for part in _with_both_signs(take_apart(piece))))
    return _bracketed(text)


def equal(gold: Answer, answer: Answer, same_value: Callable[[str, str], bool]) -> bool:
    """Whether two answers are of one shape and all their values agree. Lists and sets have no order, and no part may be missing."""
    if gold.kind == answer.kind == "words":
        return gold.text.casefold() == answer.text.casefold()
    if gold.kind == answer.kind == "value":
        return same_value(gold.text, answer.text if "=" in gold.text else answer.text.rpartition("=")[2].strip())
    if gold.kind == answer.kind == "ordered":
        return gold.brackets == answer.brackets and _in_order(gold.parts, answer.parts, same_value)
    if {gold.kind, answer.kind} == {"list", "ordered"}:  # `x=1, y=2` against `(1, 2)`: the order is what tells the two apart
        ordered = gold if gold.kind == "ordered" else answer
        return ordered.brackets == "()" and _in_order(gold.parts, answer.parts, same_value)
    if "words" in (gold.kind, answer.kind) or not gold.parts or not answer.parts:
        return False
    return _in_any_order(gold.parts, answer.parts, same_value)


def split_outside(text: str, separator: re.Pattern[str]) -> list[str]:
    """Cut at every separator that stands outside all brackets and environments; empty pieces are dropped."""
    pieces, depth, start, position = [], 0, 0, 0
    while position < len(text):
        if text.startswith(("\\begin", "\\end"), position):
            depth += 1 if text.startswith("\\begin", position) else -1
            position += 4
        elif depth == 0 and (match := separator.match(text, position)) and match[0]:
            pieces.append(text[start:position])
            start = position = match.end()
            continue
        elif text[position] in "([{":
            depth += 1
        elif text[position] in ")]}":
            depth -= 1
        position += 1
    pieces.append(text[start:])
    return [piece.strip() for piece in pieces if piece.strip()]


def _bracketed(text: str) -> Answer:
    body = text[2:-2] if text.startswith("\\{") and text.endswith("\\}") else text[1:-1]
    if text.startswith(("\\{", "{")) and text.endswith("}") and _closes_at_end(text):
        parts = split_outside(body, _SEPARATOR)
        if text.startswith("\\{") or len(parts) > 1:
            return Answer("set", text, tuple(part for piece in parts for part in _with_both_signs(take_apart(piece))))
    if text[:1] in ("(", "[") and text[-1:] in (")", "]") and _closes_at_end(text):
        parts = split_outside(body, re.compile(r"\s*[,;]\s*"))
        if len(parts) > 1:
            return Answer("ordered", text, tuple(take_apart(part) for part in parts), text[0] + text[-1])
        if parts and (text[0], text[-1]) in (("(", ")"), ("[", "]")):
            return take_apart(parts[0])
    both = _with_both_signs(Answer("value", text))
    return Answer("list", text, both) if len(both) > 1 else Answer("value", text)


def _closes_at_end(text: str) -> bool:
    depth = 0
    for position, character in enumerate(text):
        depth += (character in "([{") - (character in ")]}")
        if depth == 0 and character in ")]}":
            return position == len(text) - 1
    return False


def _assigned(text: str) -> str:
    """Without a leading `x =`, `f(x) =`, `(p,q) =` or `x \\in`, and of a chain of equalities only the last side."""
    text = re.sub(r"^[a-zA-Z]\s*\\in(?![a-z])\s*", "", text)
    if len(split_outside(text, _SEPARATOR)) > 1:
        return text
    sides = split_outside(text, re.compile(r"(?<![<>!:])=(?!=)"))
    if len(sides) > 1 and _NAMED.fullmatch(sides[0].replace(" ", "")):
        return sides[-1]
    return sides[-1] if len(sides) > 2 else text


def _words(text: str) -> str | None:
    match = _WORDS.fullmatch(text)
    words = " ".join((match[1] or match[2] or "").split()).strip("().") if match else ""
    return words or None


def _with_both_signs(answer: Answer) -> tuple[Answer, ...]:
    """`1 \\pm x` stands for two values."""
    if answer.kind != "value" or answer.text.count("\\pm") != 1:
        return (answer,)
    return tuple(Answer("value", answer.text.replace("\\pm", sign).strip().removeprefix("+")) for sign in "+-")


def _in_order(gold: Sequence[Answer], answer: Sequence[Answer], same_value: Callable[[str, str], bool]) -> bool:
    return len(gold) == len(answer) and all(equal(g, a, same_value) for g, a in zip(gold, answer, strict=True))


def _in_any_order(gold: Sequence[Answer], answer: Sequence[Answer], same_value: Callable[[str, str], bool]) -> bool:
    # Equality is transitive, so taking the first partner that fits never spoils a match that exists.
    if len(gold) != len(answer):
        return False
    left = list(answer)
    for part in gold:
        partner = next((i for i, other in enumerate(left) if equal(part, other, same_value)), None)
        if partner is None:
            return False
        left.pop(partner)
    return True
