"""Whole numbers in English words: "twenty-five", "one hundred and five", "three thousand"."""

from __future__ import annotations

import re
from itertools import pairwise

_SMALL = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen"]
_SMALL += ["fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_VALUES = {word: value for value, word in enumerate(_SMALL)} | {word: 10 * tens for tens, word in enumerate(_TENS, 2)}
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9}
LONGEST = 120  # characters of a number in words
_LARGE = frozenset(("hundred", *_SCALES))
_SEPARATOR = re.compile(r"[\s-]+")
NUMBER_WORD = "|".join((*_VALUES, "hundred", *_SCALES))
_STARTS = re.compile(rf"(?i)(?:(?:minus|negative|a)\s+)?(?:{NUMBER_WORD})(?:(?:[\s-]+|\s+and\s+)(?:{NUMBER_WORD})\b)*+")


def leading_number(text: str) -> tuple[int, str] | None:
    """Return the whole number that a text begins with in words, and the rest; None where there is none."""
    found = _STARTS.match(text[:LONGEST])
    value = spelled_number(found[0]) if found else None
    return None if found is None or value is None or text[found.end() : found.end() + 1].isalnum() else (value, text[found.end() :])


def spelled_number(text: str) -> int | None:
    """Return the value of a whole number in words; None for any other text, such as "two one"."""
    written = _SEPARATOR.split(text.strip().lower())
    sign = -1 if written[0] in ("minus", "negative") else 1
    written = written[1:] if sign < 0 else written
    if written[:1] == ["a"] and written[1:2] and written[1] in _LARGE:
        written = ["one", *written[1:]]
    # "one hundred and five", but "twenty and one" are two numbers.
    words = [word for before, word in pairwise(["", *written]) if word != "and" or before not in _LARGE]
    total, group, last_scale = 0, 0, 10**12
    for word in words:
        if word in _SCALES:
            if not group or _SCALES[word] >= last_scale:
                return None
            total, group, last_scale = total + group * _SCALES[word], 0, _SCALES[word]
        elif (joined := _with_word(group, word)) is None:
            return None
        else:
            group = joined
    return sign * (total + group) if words else None


def _with_word(group: int, word: str) -> int | None:
    """Return a number below a thousand with one more word: 20 and "five" make 25; None where the word cannot follow."""
    if word == "hundred":
        return 100 * max(group, 1) if group < 10 else None
    value = _VALUES.get(word)
    if value is None:
        return None
    free = 100 if group % 100 == 0 else 10 if group % 10 == 0 and group % 100 >= 20 else 1
    return group + value if value < free and (value or not group) else None
