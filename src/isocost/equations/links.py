"""Finds the equations in prose: where a whole expression begins and ends, and which are joined by an equals sign."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from isocost.equations.arithmetic import holds
from isocost.equations.lexer import Token, is_sign, tokenize
from isocost.equations.reader import read_side
from isocost.equations.words import OPAQUE


@dataclass(frozen=True, slots=True, kw_only=True)
class Equation:
    """One link of what a solution states: `2+3=5*2=10` is two.

    Attributes:
        text: As written, whitespace joined.
        normal: Numbers and operators alone: `48/2=24`, whatever the spaces, units, separators and trailing zeros.
        holds: Whether it is true; `find_equations` says how strictly.
    """

    text: str
    normal: str
    holds: bool


def links(text: str) -> Iterator[tuple[int, Equation]]:
    """Each link with its position, in order."""
    tokens = tokenize(text)
    left = None  # the side that ends at i, where the token at i is an equals sign
    i = 0
    loose = -1  # where an expression ended that is no side of an equation
    while i < len(tokens):
        if tokens[i].kind == "equals":
            right, i = read_side(tokens, i + 1)
            if not _closes(tokens, i):
                right = None
            if left is not None and right is not None and (verdict := holds(left, right)) is not None:
                words = " ".join(text[left.start : right.end].split())
                yield left.start, Equation(text=words, normal=f"{left.normal}={right.normal}", holds=verdict)
            left = right
        elif _opens(tokens, i, loose):
            left, i = read_side(tokens, i)
            loose = i
        else:
            i += 1
        if i < len(tokens) and tokens[i].kind != "equals":
            left = None


def _opens(tokens: list[Token], i: int, loose: int) -> bool:
    """Whether a whole expression may begin at i: nothing before it belongs to it."""
    token = tokens[i]
    if token.kind not in {"number", "open", "money"} and not (is_sign(tokens, i) and token.text != "–"):  # that may be a dash
        return False
    if i == 0 or tokens[i - 1].kind == "break":
        return True
    before = tokens[i - 1]
    if before.kind != "word" or before.end == token.start or before.text.lower() in OPAQUE:
        return False
    return not (before.text.lower() == "and" and loose == i - 1)  # "5 boys and 3 girls + 2"


def _closes(tokens: list[Token], i: int) -> bool:
    """Whether an expression that was read up to i is over there: what follows does not belong to it."""
    if i >= len(tokens) or tokens[i].kind in {"break", "equals"}:
        return True
    if tokens[i].kind == "word":
        return tokens[i].text.lower() not in OPAQUE
    is_remark = tokens[i].kind == "open" and tokens[i].start > tokens[i - 1].end  # "7 - 1 = 6 (left: 2 4 6)"
    return is_remark and i + 1 < len(tokens) and tokens[i + 1].kind == "word"
