"""Suggestions for misspelt names."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `did you mean "x"?` for the nearest known word, or "" if none is near."""
    valid = list(known)
    # Without case first: "OpenAI" has few letters of "openai".
    close = [each for each in valid if each.lower() == word.lower()] or difflib.get_close_matches(word, valid, n=1)
    return f'did you mean "{close[0]}"?' if close else ""
