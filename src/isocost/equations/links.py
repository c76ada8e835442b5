"""Finds the equations in prose: the ends of each expression, and the expressions that an equals sign joins."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from isocost.equations.arithmetic import agree
from isocost.equations.cursor import Cursor, unit_words
from isocost.equations.explanations import is_explained
from isocost.equations.lexer import Token, is_sign, tokenize
from isocost.equations.reader import read_side
from isocost.equations.words import OPAQUE, STOP, TAKING, TYING

_THREE = re.compile(r"\d{3}(?!\d)")
_BEGINNINGS = {"number", "open", "money", "over", "root"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Equation:
    """One link of a solution: `2+3=5*2=10` is two links.

    Attributes:
        text: The text as written, with whitespace joined.
        normal: Numbers and operators alone: `48/2=24`, whatever the spaces, units, separators and trailing zeros.
        holds: True if it is true; `find_equations` defines how strictly.
    """

    text: str
    normal: str
    holds: bool


def links(text: str) -> Iterator[tuple[int, Equation]]:
    """Yield each link with its position, in order."""
    tokens = tokenize(text)
    left: Cursor | None = None  # the side that ends at i, where the token at i is an equals sign
    is_doubtful = False  # of that side
    i = 0
    loose = -1  # end of an expression that is not a side of an equation
    last_break = -1
    while i < len(tokens):
        kind = tokens[i].kind
        if kind == "equals":
            right, i = read_side(tokens, i + 1)
            if right is not None and not _closes(tokens, i):
                right = None
            if left is not None and right is not None and (found := _link(left, right, text, is_doubtful)) is not None:
                yield found
            left, is_doubtful = right, False
        elif kind in _BEGINNINGS or kind == "op":
            if not _opens(tokens, i, loose):
                i += 1
                continue
            is_doubtful = _ties(tokens, i, loose > last_break)
            left, end = read_side(tokens, i)
            i = max(end, i + 1)  # an unreadable number does not advance `end`
            is_doubtful = is_doubtful or (left is not None and left.bare and _is_labelled(tokens, left.start))
            if i == len(tokens) or tokens[i].kind != "equals":
                loose = i
        else:
            if kind == "break":
                last_break = i
            i += 1
            continue
        if i < len(tokens) and tokens[i].kind != "equals":
            left = None


def _link(left: Cursor, right: Cursor, text: str, is_doubtful: bool) -> tuple[int, Equation] | None:
    """Return the equation between two sides, or None if it says nothing about arithmetic."""
    if left.bare and right.bare:
        return None  # "1 hour = 60 minutes", "24 inches = 2 feet"
    holds = agree(left, right)
    if not holds and is_explained(left, right, text, is_doubtful=is_doubtful):
        return None
    start = left.first.start
    words = " ".join(text[start : right.last.end].split())
    return start, Equation(text=words, normal=f"{''.join(left.normal)}={''.join(right.normal)}", holds=holds)


def _opens(tokens: list[Token], i: int, loose: int) -> bool:
    """Return True if a whole expression can begin at i: nothing before it belongs to it."""
    token = tokens[i]
    if token.kind == "op" and not is_sign(tokens, i):
        return False
    if i == 0:
        return True
    before, earlier = tokens[i - 1], tokens[i - 2] if i > 1 else None
    if before.kind == "break":
        return earlier is None or not _goes_over(earlier, before, token)
    if before.kind == "close":
        return _is_marker(tokens, i - 1)
    if before.kind != "word" or before.end == token.start or before.text[0] in "/\\^°":
        return before.kind == "word" and before.text.startswith(("\\text", "\\mbox")) and not _is_opaque(before)
    if earlier is not None and earlier.kind == "op" and earlier.form != "dash":
        return False  # "25 + his 1 teacher + 1"
    return not _is_opaque(before) and not (loose == i - 1 and before.text.lower() == "and")  # "5 boys and 3 girls + 2"


def _goes_over(earlier: Token, gap: Token, token: Token) -> bool:
    """Return True if a break does not end the text before it: `.8 + . 84`, and 14, 400 for 14,400."""
    if earlier.kind == "op":
        return True
    return gap.text == "," and earlier.kind == "number" and token.kind == "number" and _THREE.match(token.text) is not None


def _is_marker(tokens: list[Token], close: int) -> bool:
    """Return True if a bracket closes the number of a list: (1) 5 + 8 = 13."""
    opens = close - 2
    return opens >= 0 and tokens[opens].kind == "open" and (opens == 0 or tokens[opens - 1].kind == "break") and tokens[close].text == ")"


def _is_opaque(word: Token) -> bool:
    words = unit_words(word)
    return bool(words) and (words[-1] in OPAQUE or words[-1] in TAKING)


def _ties(tokens: list[Token], i: int, has_loose: bool) -> bool:
    """Return True if the words before an expression may connect it to a number before them, or a line to the line above."""
    if i == 0:
        return False
    before = tokens[i - 1]
    if before.form == "bullet":
        return i > 2 and tokens[i - 3].kind in {"number", "close"} and (i < 4 or tokens[i - 4].kind not in {"equals", "money"})
    return has_loose and before.kind == "word" and unit_words(before)[-1:] != [] and unit_words(before)[-1] in TYING


def _is_labelled(tokens: list[Token], start: int) -> bool:
    """Return True if the word before a lone number names it: "Remaining 10 = 62,300 / 10"."""
    if start == 0 or tokens[start - 1].kind != "word":
        return False
    return not STOP.issuperset(unit_words(tokens[start - 1])[-1:])


def _closes(tokens: list[Token], i: int) -> bool:
    """Return True if an expression that was read up to i ends there: the following text does not belong to it."""
    if i >= len(tokens):
        return True
    token, after = tokens[i], tokens[i + 1] if i + 1 < len(tokens) else None
    if token.kind in {"break", "bang"}:
        return after is None or after.kind != "op" or token.text[0] == "\n"
    if token.kind == "word":
        return not OPAQUE.intersection(unit_words(token)[:1])
    if token.kind == "equals":
        return True
    is_remark = token.kind == "open" and token.start > tokens[i - 1].end and after is not None  # "7 - 1 = 6 (left: 2 4 6)"
    return is_remark and after is not None and after.kind == "word" and not OPAQUE.intersection(unit_words(after)[:1])
