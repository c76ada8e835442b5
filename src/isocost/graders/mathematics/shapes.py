"""The shape of an answer: words, one value, a list, a tuple, an interval, a matrix, a time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from isocost.graders.mathematics.ranges import as_range
from isocost.graders.mathematics.units import SHORT, Unit, read_unit

Kind = Literal["value", "words", "list", "set", "ordered", "union", "time"]
MOST_PARTS = 200  # of a list; matching is quadratic
DEEPEST = 12  # lists in lists

_WORD_AND = r"(?:\\text\s*\{\s*,?\s*(?:and|or)\s*\}|and\b|or\b)"
_SEPARATOR = re.compile(rf"\s*(?:[,;]\s*{_WORD_AND}?|\\text\s*\{{\s*,?\s*(?:and|or)\s*\}}|\b(?:and|or)\b)\s*")
_GROUPS = re.compile(rf"\s*(?:;|,?\s*{_WORD_AND})\s*")
_THOUSANDS = re.compile(r"-?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?")
_DECIMAL_COMMA = re.compile(r"-?(?:\d{1,3}(?:\.\d{3})+|\d+),\d+")
_WORDS = re.compile(r"\\text\s*\{([^{}]*)\}|([A-Za-z]{2,}(?:[ -][A-Za-z]+)*)")
_TIME = re.compile(r"(?i)(\d{1,2}):([0-5]\d)(?::([0-5]\d))?\s*(?:\\text\s*\{\s*)?([ap]\.?\s?m\b\.?)?\s*\}?")
_NAMED = re.compile(r"[A-Za-z](?:_\{?\w+\}?)?(?:\([a-zA-Z](?:,\s*[a-zA-Z])*\))?|\([A-Za-z](?:\s*,\s*[A-Za-z])+\)|[A-Z]{2}|\\[a-z]{2,}")
_RATIO_OF_NAMES = re.compile(r"[A-Za-z](?:_\{?\w+\}?)?(?::[A-Za-z](?:_\{?\w+\}?)?)+")
_MEMBER = re.compile(r"^[a-zA-Z]\s*\\in(?![a-z])\s*")
_EQUALS = re.compile(r"(?<![<>!:])=(?!=)")
_MATRIX = re.compile(r"\\begin\s*\{([pb]?matrix|array)\}(?:\s*\{[lcr|\s]*\})?((?:(?!\\begin|\\end).)*)\\end\s*\{\1\}")
_ROW_END = re.compile(r"\\\\(?:\s*\[[^\]]*\])?")
_UNIT_TEXT = re.compile(r"(.*[\w)}\]])\s*((?:\\text\s*\{[^{}]*\}\s*(?:\^\s*\{?-?[1-3]\}?)?\s*/?\s*)+)")
_UNIT_WORDS = re.compile(
    r"(.*[\d)}])(?:\s+|(?<=\d)(?=[A-Za-z]{4}))((?!and\b|or\b)[A-Za-z]{3,}(?:\s+[A-Za-z]+)*(?:\s*/\s*[A-Za-z]+)?(?:\^?\{?[23]\}?)?)"
)
_UNIT_SHORT = re.compile(rf"(-?[\d.,/]*\d)\s*({SHORT.pattern}(?:\s*/\s*{SHORT.pattern})?)")
_TEXT = re.compile(r"\\text\s*\{([^{}]*)\}")
_COUNTED = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty
"""
_NUMBER_WORDS = {word: str(value) for value, word in enumerate(_COUNTED.split())}


class UnreadableError(ValueError):
    """A value that is not mathematics; `text` is that value."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer taken apart.

    Attributes:
        kind: Its shape.
        text: The whole of it; of a value without unit and percent sign.
        parts: What it is made of.
        brackets: Opening and closing bracket of an ordered one: `()`, `[)`; `::` of a ratio, `matrix` and its `row`s; of a time `a` or `p`.
        unit: Behind a value.
        short_unit: The value and unit that a text like `10m` may be, which may also be a product.
        percent: A percent sign stands behind the value.
        decimal: `1000.99` of `1000,99`, which may also be two values.
        relation: The equation or inequality that the answer was read from.
    """

    kind: Kind
    text: str
    parts: tuple[Answer, ...] = ()
    brackets: str = ""
    unit: Unit | None = None
    short_unit: tuple[str, Unit] | None = None
    percent: bool = False
    decimal: str | None = None
    relation: str | None = None


@lru_cache(maxsize=16384)
def take_apart(text: str) -> Answer:
    """The shape of a tidied answer.

    Raises:
        UnreadableError: lists in lists deeper than anybody writes.
    """
    return _shape(text.strip(), 0)


def _shape(text: str, depth: int) -> Answer:
    if depth > DEEPEST:
        raise UnreadableError(text)
    if _THOUSANDS.fullmatch(text):
        return Answer(kind="value", text=text.replace(",", ""))
    if time := _TIME.fullmatch(text):
        return Answer(kind="time", text=text, brackets="".join(filter(None, [time[4] and time[4][0].lower()])), parts=_clock(time))
    if words := _words(text):
        value = _NUMBER_WORDS.get(words.casefold())
        return Answer(kind="value", text=value) if value else Answer(kind="words", text=words)
    return _matrix(text, depth) or _relation(text, depth) or _sequence(text, depth) or _bracketed(text, depth)


def _matrix(text: str, depth: int) -> Answer | None:
    found = _MATRIX.fullmatch(text)
    rows = [row.split("&") for row in _ROW_END.split(found[2]) if row.strip()] if found else []
    if not rows or sum(map(len, rows)) > MOST_PARTS:
        return None
    parts = tuple(Answer(kind="ordered", text="", parts=_parts([cell.strip() for cell in row], depth), brackets="row") for row in rows)
    return Answer(kind="ordered", text=text, parts=parts, brackets="matrix")


def _relation(text: str, depth: int) -> Answer | None:
    """An inequality as the range it describes, an equation that names its value as the value."""
    if found := as_range(text):
        ranges = tuple(
            Answer(kind="ordered", text=text, parts=(_shape(low, depth + 1), _shape(high, depth + 1)), brackets=brackets)
            for low, high, brackets in found
        )
        whole = ranges[0] if len(ranges) == 1 else Answer(kind="union", text=text, parts=ranges)
        return replace(whole, relation=text)
    side = _assigned(text)
    if side == text:
        return None
    return replace(_shape(side, depth + 1), relation=text if "=" in text else None)


def _sequence(text: str, depth: int) -> Answer | None:
    union = split_outside(text, re.compile(r"\\cup(?![a-z])"))
    if len(union) > 1:
        return Answer(kind="union", text=text, parts=_parts(union, depth))
    rows = split_outside(text, _GROUPS)
    if 1 < len(rows) <= MOST_PARTS and all(len(split_outside(row, re.compile(","))) > 1 for row in rows):  # x=1, y=2; x=3, y=4
        return Answer(kind="list", text=text, parts=_parts([row if row[0] in "([" else f"({row})" for row in rows], depth))
    ratio = split_outside(text, re.compile(r":"))
    if len(ratio) > 1:
        return Answer(kind="ordered", text=text, parts=_parts(ratio, depth), brackets="::")
    pieces = split_outside(text, _SEPARATOR)
    if 1 < len(pieces) <= MOST_PARTS:
        decimal = text.replace(".", "").replace(",", ".") if _DECIMAL_COMMA.fullmatch(text) else None
        if decimal and (text.lstrip("-").startswith("0") or "." in text):  # no list is written so
            return Answer(kind="value", text=decimal)
        return Answer(kind="list", text=text, parts=_both_signs(_parts(pieces, depth)), decimal=decimal)
    return None


def split_outside(text: str, separator: re.Pattern[str]) -> list[str]:
    """Cut at every separator that stands outside all brackets and environments; empty pieces are dropped."""
    if separator.search(text) is None:
        return [text.strip()] if text.strip() else []
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


def _parts(pieces: Sequence[str], depth: int) -> tuple[Answer, ...]:
    return tuple(_shape(piece, depth + 1) for piece in pieces)


def _bracketed(text: str, depth: int) -> Answer:
    body = text[2:-2] if text.startswith("\\{") and text.endswith("\\}") else text[1:-1]
    if text.startswith(("\\{", "{")) and text.endswith("}") and _closes_at_end(text):
        condition = re.split(r"\\mid(?![a-z])|(?<!\\)\||:", body, maxsplit=1)
        if len(condition) == 2 and as_range(condition[1].strip()):  # the set of all x such that
            return _shape(condition[1].strip(), depth + 1)
        pieces = split_outside(body, _SEPARATOR)
        if text.startswith("\\{") or len(pieces) > 1:
            return Answer(kind="set", text=text, parts=_both_signs(_parts(pieces, depth)))
    if text[:1] == "]" or text[-1:] == "[":  # ]0, 1[, as the French write an open interval
        text = ("(" if text[:1] == "]" else text[:1]) + text[1:-1] + (")" if text[-1:] == "[" else text[-1:])
    if text[:1] in ("(", "[") and text[-1:] in (")", "]") and _closes_at_end(text):
        pieces = split_outside(body, re.compile(r"\s*[,;]\s*"))
        if len(pieces) > 1:
            return Answer(kind="ordered", text=text, parts=_parts(pieces, depth), brackets=text[0] + text[-1])
        if pieces and (text[0], text[-1]) in (("(", ")"), ("[", "]")):
            return _shape(pieces[0], depth + 1)
    both = _both_signs((_value(text),))
    return Answer(kind="list", text=text, parts=both) if len(both) > 1 else both[0]


def _value(text: str) -> Answer:
    """A value without what stands behind it."""
    if text.endswith("\\%"):
        return Answer(kind="value", text=text.removesuffix("\\%").strip(), percent=True)
    if found := _UNIT_SHORT.fullmatch(text):
        return Answer(kind="value", text=text, short_unit=(found[1], read_unit(found[2])))
    found = _UNIT_TEXT.fullmatch(text) or _UNIT_WORDS.fullmatch(text)
    if found is None:
        return Answer(kind="value", text=text)
    words = _TEXT.sub(lambda match: f" {match[1]} ", found[2])
    words = re.sub(r"\s+(?=\^)", "", words).strip()
    return Answer(kind="value", text=found[1].strip(), unit=read_unit(words))


def _closes_at_end(text: str) -> bool:
    depth = 0
    for position, character in enumerate(text):
        depth += (character in "([{") - (character in ")]}")
        if depth == 0 and character in ")]}":
            return position == len(text) - 1
    return False


def _assigned(text: str) -> str:
    """Without a leading `x =`, `f(x) =`, `(p,q) =`, `a:b =` or `x \\in`, and of a chain of equalities only the last side."""
    text = _MEMBER.sub("", text)
    if "=" not in text or len(split_outside(text, _SEPARATOR)) > 1:
        return text
    sides = split_outside(text, _EQUALS)
    name = sides[0].replace(" ", "") if sides else ""
    if len(sides) > 1 and (_NAMED.fullmatch(name) or _RATIO_OF_NAMES.fullmatch(name)):
        return sides[-1]
    return sides[-1] if len(sides) > 2 else text


def _words(text: str) -> str | None:
    match = _WORDS.fullmatch(text)
    words = " ".join((match[1] or match[2] or "").split()).strip("().") if match else ""
    return words or None


def _clock(match: re.Match[str]) -> tuple[Answer, ...]:
    """Seconds since midnight."""
    hours, minutes, seconds = int(match[1]), int(match[2]), int(match[3] or 0)
    if match[4]:
        hours = hours % 12 + 12 * match[4].lower().startswith("p")
    return (Answer(kind="value", text=str((hours * 60 + minutes) * 60 + seconds)),)


def _both_signs(answers: Sequence[Answer]) -> tuple[Answer, ...]:
    """`1 \\pm x` stands for two values."""
    found: list[Answer] = []
    for answer in answers:
        if answer.kind == "value" and answer.text.count("\\pm") == 1:
            found += [replace(answer, text=answer.text.replace("\\pm", sign).strip().removeprefix("+")) for sign in "+-"]
        else:
            found.append(answer)
    return tuple(found)
