"""Decode generated tokens, and find the first stop string in their text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class StopStrings:
    """A search for stop strings in the text of token rows, which also decodes texts and cuts them before a stop string.

    Args:
        tokenizer: A tokenizer of transformers.
        strings: The stop strings.
        marks: Other strings whose special tokens stay in the text, such as the delimiters of reasoning.
    """

    def __init__(self, tokenizer: Any, strings: Sequence[str], marks: Sequence[str] = ()) -> None:
        self._tokenizer = tokenizer
        self._strings = tuple(strings)
        self._dropped = _dropped(tokenizer, (*strings, *marks))
        # A string spans at most as many tokens as it has bytes. One more token decodes the first of them in its context.
        self._span = 1 + max((len(string.encode()) for string in strings), default=0)

    @property
    def keeps_special_tokens(self) -> bool:
        """True if a special token may be in a text."""
        return self._dropped is not None

    def lengths(self, rows: Sequence[Sequence[int]], seen: int) -> list[int | None]:
        """Return for each row the number of tokens after which its text first contains a stop string; None where it contains none.

        Args:
            rows: Tokens generated so far.
            seen: The number of tokens of every row that were searched before and contained none.
        """
        if not self._strings:
            return [None] * len(rows)
        # Only the new tail is decoded for all rows; the exact length is searched only in a row whose tail has a match.
        tails = self._decode([row[max(0, seen - self._span) :] for row in rows])
        return [self._first(row, seen) if self._position(tail) is not None else None for row, tail in zip(rows, tails, strict=True)]

    def text(self, tokens: Sequence[int]) -> str:
        """Return the text of tokens before its first stop string."""
        (text,) = self._decode([tokens])
        return text[: self._position(text)]

    def _first(self, row: Sequence[int], seen: int) -> int | None:
        for length in range(seen + 1, len(row) + 1):
            if self._position(*self._decode([row[:length]])) is not None:
                return length
        return None

    def _decode(self, rows: Sequence[Sequence[int]]) -> list[str]:
        """Return the text of each row, without special tokens but those of the stop strings and marks."""
        if self._dropped is None:
            texts: list[str] = self._tokenizer.batch_decode(rows, skip_special_tokens=True)
            return texts
        kept = [[token for token in row if token not in self._dropped] for row in rows]
        return list(self._tokenizer.batch_decode(kept, skip_special_tokens=False, spaces_between_special_tokens=False))

    def _position(self, text: str) -> int | None:
        return min((at for string in self._strings if (at := text.find(string)) >= 0), default=None)


def _dropped(tokenizer: Any, marks: Sequence[str]) -> frozenset[int] | None:
    """Return the special tokens that are left out of texts; None, for all of them, where no mark is or contains one."""
    if not marks:
        return None
    special = {str(token): number for number, token in tokenizer.added_tokens_decoder.items() if token.special}
    special |= dict(zip(tokenizer.all_special_tokens, tokenizer.all_special_ids, strict=True))
    kept = {number for token, number in special.items() if token and any(token in mark for mark in marks)}
    return frozenset(special.values()) - kept if kept else None
