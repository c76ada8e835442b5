"""Find the first stop string in generated text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class StopStrings:
    """A search for stop strings in the text of token rows, which also cuts texts before them."""

    def __init__(self, tokenizer: Any, strings: Sequence[str]) -> None:
        self._tokenizer = tokenizer
        self._strings = tuple(strings)
        # A string spans at most as many tokens as it has bytes. One more token decodes the first of them in its context.
        self._span = 1 + max((len(string.encode()) for string in strings), default=0)

    def lengths(self, rows: Sequence[Sequence[int]], seen: int) -> list[int | None]:
        """Return for each row the number of tokens after which its text first contains a stop string; None where it contains none.

        Args:
            rows: Tokens generated so far.
            seen: The number of tokens of every row that were searched before and contained none.
        """
        if not self._strings:
            return [None] * len(rows)
        # Only the new tail is decoded for all rows; the exact length is searched only in a row whose tail has a match.
        tails = self._tokenizer.batch_decode([row[max(0, seen - self._span) :] for row in rows], skip_special_tokens=True)
        return [self._first(row, seen) if self._position(tail) is not None else None for row, tail in zip(rows, tails, strict=True)]

    def cut(self, text: str) -> str:
        """Return the text before its first stop string."""
        return text[: self._position(text)]

    def _first(self, row: Sequence[int], seen: int) -> int | None:
        for length in range(seen + 1, len(row) + 1):
            if self._position(self._tokenizer.decode(row[:length], skip_special_tokens=True)) is not None:
                return length
        return None

    def _position(self, text: str) -> int | None:
        return min((at for string in self._strings if (at := text.find(string)) >= 0), default=None)
