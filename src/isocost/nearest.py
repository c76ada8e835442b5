"""Suggestions for misspelt names."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `did you mean "x"?` for the nearest known word, or "" if none is near."""
    close = nearest_word(word, known)
    return "" if close is None else f'did you mean "{close}"?'


def nearest_word(word: str, known: Iterable[str], likeness: float = 0.6) -> str | None:
    """Return the nearest known word, None if none is near.

    Args:
        word: The word.
        known: The known words.
        likeness: Ratio of `difflib.SequenceMatcher` from which a word is near.
    """
    valid = list(known)
    # Without case first: "OpenAI" has few letters of "openai".
    close = [each for each in valid if each.lower() == word.lower()] or difflib.get_close_matches(word, valid, n=1, cutoff=likeness)
    return close[0] if close else None
