r"""Sets of what is in a range: `\\{x : x > 2\\}`, `\\{x \\in \\mathbb{Z} : x > 2\\}`, `\\{2x : x > 2\\}`."""

from __future__ import annotations

import re
from dataclasses import replace

from isocost.graders.mathematics.answer import Answer
from isocost.graders.mathematics.bound import occurs, renamed

_HEAD = re.compile(r"\s*([a-zA-Z]|\\[a-z]+)\s*(?:\\in(?![a-zA-Z])(.*))?", re.DOTALL)  # x, x \in \mathbb{Z}
_REALS = ("", "(-\\infty,\\infty)", "\\mathbbR", "\\R", "\\reals", "R", "\N{DOUBLE-STRUCK CAPITAL R}")
_LETTER = "x"  # for the letter of a set, which may have any name


def is_condition(members: Answer) -> bool:
    """Return True if the part of a set after "such that" is an equation, an inequality, or several."""
    return bool(members.relation) or (members.kind == "list" and all(part.relation for part in members.parts))


def such_that(head: str, members: Answer) -> Answer:
    """Return a set of all that fulfil a condition. Of all real numbers it is the range itself, else a pair of its head and the range."""
    ranges = members.parts if members.kind == "list" else (members,)
    if any(part.kind not in ("ordered", "union") for part in ranges):
        return members
    found = _HEAD.fullmatch(head)
    letter = found[1] if found else next((part.name for part in ranges if part.name), None)
    if letter is None or not all(_is_of(part, letter) for part in ranges):
        return _pair(head, members)  # \{x : y > 2\}
    set_name = _squeezed(found[2] or "") if found else None
    if set_name in _REALS:
        return _unnamed(members)
    if set_name is not None:
        return _pair(f"{_LETTER} \\in {set_name}", _unnamed(members))
    if not occurs(letter, head) or (letter != _LETTER and occurs(_LETTER, head)):
        return _pair(head, members)
    return _pair(renamed(head, letter, _LETTER), _unnamed(members))


def _pair(head: str, members: Answer) -> Answer:
    is_value = "," not in head and "\\in" not in head
    first = Answer(kind="value", text=head.strip()) if is_value else Answer(kind="words", text=_squeezed(head))
    return Answer(kind="ordered", text=f"{{{first.text}}}", parts=(first, members), brackets="{}")


def _is_of(part: Answer, letter: str) -> bool:
    return part.name == letter if part.name else occurs(letter, part.relation or "")


def _unnamed(members: Answer) -> Answer:
    if members.kind == "list":
        return replace(members, parts=tuple(_unnamed(part) for part in members.parts))
    return replace(members, name=None, relation=None)


def _squeezed(text: str) -> str:
    return re.sub(r"[\s{}]", "", text)
