r"""Letters that an answer binds and that may have any name: `\\{2n : n \\in \\mathbb{Z}\\}`, `\\pi + k\\pi, k \\in \\mathbb{Z}`."""

from __future__ import annotations

import re

_FIRST = re.compile(r"\s*([a-zA-Z])(?![a-zA-Z])")
_WHOLE_SET = re.compile(r"(.*\S)\s*, ([a-zA-Z]) \\in \\mathbb\{([ZN])\}", re.DOTALL)
_INEQUALITY = re.compile(r"[<>]|\\[lg]e(?![a-z])")
_SET_NAME = re.compile(r"\\mathbb\s*\{?\s*([A-Z])\s*\}?")
_PLACE = "\N{BULLET}"  # no answer has it as a letter


def builder(head: str, condition: str) -> str:
    """Return a set `head | condition` as text that does not depend on the name of its letter, which begins the condition."""
    letter = _FIRST.match(condition)
    parts = [_SET_NAME.sub(r"\\mathbb{\1}", part) for part in (head, condition)]
    if letter and occurs(letter[1], head):
        parts = [renamed(part, letter[1], _PLACE) for part in parts]
    return "".join("|".join(parts).split())


def with_one_parameter(gold: str, answer: str) -> tuple[str, str]:
    r"""Return two answers without their whole parameters, the second one with the name that the first one gives to its own.

    Read is what `tidy` writes: `\\frac{\\pi}{2} + k\\pi, k \\in \\mathbb{Z}`. If only one side says which letter is whole, the other
    one may have k, m or n.
    """
    one, other = _parameter(gold), _parameter(answer)
    if one is None and other is None:
        return gold, answer
    gold, ours, set_name = one or (gold, _unsaid(gold), None)
    answer, theirs, other_name = other or (answer, _unsaid(answer), None)
    if ours is None or theirs is None or ours == theirs or (set_name and other_name and set_name != other_name):
        return gold, answer
    return gold, answer if occurs(ours, answer) or occurs(theirs, gold) else renamed(answer, theirs, ours)


def have_different_sets(gold: str, answer: str) -> bool:
    r"""Return True if two answers have parameters of different sets: `k\\pi, k \\in \\mathbb{Z}` and `k\\pi, k \\in \\mathbb{N}`.

    Whole numbers above 2 are no interval. A range of the other side may leave out that k, m or n is whole.
    """
    one, other = _parameter(gold), _parameter(answer)
    if one and other:
        return one[2] != other[2]
    said, plain = (one, answer) if one else (other, gold)
    return said is not None and _INEQUALITY.search(said[0]) is not None and _unsaid(plain) is None


def _parameter(text: str) -> tuple[str, str, str] | None:
    """Return an answer without its whole parameter, the parameter, and its set; None for one without."""
    found = _WHOLE_SET.fullmatch(text) if text.endswith("}") else None
    return (found[1], found[2], found[3]) if found else None


def _unsaid(text: str) -> str | None:
    """Return the only letter of a text that is commonly a whole number."""
    letters = [letter for letter in "kmn" if occurs(letter, text)]
    return letters[0] if len(letters) == 1 else None


def occurs(letter: str, text: str) -> bool:
    """Return True if a letter is a variable of a text."""
    return renamed(text, letter, _PLACE) != text


def renamed(text: str, letter: str, other: str) -> str:
    """Return the text with another letter; commands and words stay."""
    return re.sub(rf"\\text\s*\{{[^{{}}]*\}}|\\[a-zA-Z]+|{letter}", lambda match: other if match[0] == letter else match[0], text)
