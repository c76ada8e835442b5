"""Suggestions for misspelt names."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator

LIKENESS = 0.85  # of a misspelt column; columns of their own are less alike: 0.82 "problem" and "problem_id", 0.67 "cost_usd" and "cost"
_SHOWN = 80  # characters of a name


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


def misspelt(present: Collection[str], known: Iterable[str]) -> Iterator[str]:
    """Yield a sentence for each column that is not known and nearly has the name of a known one that is missing."""
    known = list(known)
    missing = [name for name in known if name not in present]
    for name in present:
        if name not in known and (near := nearest_word(name, missing, LIKENESS)):
            yield f'column "{name[:_SHOWN]}" is not read: it may be a misspelt "{near}", which is missing'
