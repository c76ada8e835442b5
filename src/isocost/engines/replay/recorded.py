"""The recorded samples of one model in columns, with the texts on the disk: a million of them take some 20 MB of memory."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from isocost.engines.replay.texts import Texts
from isocost.records import FinishReason

REASONS: tuple[FinishReason, ...] = ("stop", "length", "error")  # by their number in the column; the digest depends on the order


class MissingError(LookupError):
    """Raised for a sample that was not recorded."""

    def __init__(self, problem_id: str, index: int) -> None:
        super().__init__(problem_id, index)
        self.problem_id, self.index = problem_id, index


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """Samples sorted by problem, in UTF-8 order, and index.

    Attributes:
        problems: str[problems], distinct.
        starts: int64[problems + 1], the first row of each problem, and the number of all rows.
        indices: int[samples], no two of a problem equal.
        prompt_tokens: int[samples].
        tokens: int[samples], generated.
        reason_numbers: uint8[samples], each a position in `stop`, `length`, `error`.
        texts: What they say.
    """

    problems: pl.Series
    starts: npt.NDArray[np.int64]
    indices: npt.NDArray[np.integer[Any]]
    prompt_tokens: npt.NDArray[np.integer[Any]]
    tokens: npt.NDArray[np.integer[Any]]
    reason_numbers: npt.NDArray[np.uint8]
    texts: Texts

    def rows(self, asked: Sequence[tuple[str, int, int]]) -> npt.NDArray[np.int64]:
        """Return the rows of samples, int64[samples]: of each (problem, first index, count) in turn.

        Raises:
            MissingError: a sample is missing; it names the first one.
        """
        names = pl.Series([problem for problem, _, _ in asked], dtype=pl.String)
        first, count = (np.array(column, dtype=np.int64) for column in ([one[1] for one in asked], [one[2] for one in asked]))
        # An unknown problem may sort after the last one, and its place would be out of range.
        place = np.minimum(self.problems.search_sorted(names).to_numpy(), len(self.problems) - 1)
        known = (self.problems.gather(place) == names).to_numpy()
        # Fast path, for all requests at once: right where a problem's samples are numbered 0, 1, 2, ... without gaps.
        start = self.starts[place] + first
        last = start + count - 1
        there = known & (last < self.starts[place + 1]) & (start >= self.starts[place])
        # Indices are sorted and distinct: if the first and the last of `count` rows are right, so are all between.
        there[there] &= (self.indices[start[there]] == first[there]) & (self.indices[last[there]] == (first + count - 1)[there])
        for number in np.flatnonzero(~there & (count > 0)).tolist():
            problem = int(place[number]) if known[number] else None
            start[number] = self._start(problem, *asked[number])
        before = np.cumsum(count) - count
        return np.repeat(start - before, count) + np.arange(count.sum())

    def _start(self, place: int | None, problem: str, first: int, count: int) -> int:
        """Return the first row of a request, for a problem with gaps in its indices.

        Raises:
            MissingError: a sample is missing.
        """
        begin, end = (0, 0) if place is None else (int(self.starts[place]), int(self.starts[place + 1]))
        start = begin + int(np.searchsorted(self.indices[begin:end], first))
        found = self.indices[start : min(start + count, end)]
        differing = np.flatnonzero(found != first + np.arange(len(found)))
        if len(differing) or len(found) < count:
            raise MissingError(problem, first + (int(differing[0]) if len(differing) else len(found)))
        return start

    def available(self) -> dict[str, int]:
        """Return the number of each problem's samples that are numbered 0, 1, 2, ... without a gap, by problem id."""
        places = np.arange(len(self.indices)) - np.repeat(self.starts[:-1], np.diff(self.starts))
        # Indices are sorted and distinct, so after a gap none equals its place any more.
        counts = np.add.reduceat(self.indices == places, self.starts[:-1], dtype=np.int64)
        return dict(zip(self.problems.to_list(), counts.tolist(), strict=True))

    def reasons(self, rows: npt.NDArray[np.int64]) -> list[FinishReason]:
        """Return the finish reasons of rows."""
        return [REASONS[number] for number in self.reason_numbers[rows].tolist()]

    def name(self, row: int) -> tuple[str, int]:
        """Return the problem and index of a row."""
        place = int(np.searchsorted(self.starts, row, side="right")) - 1
        return str(self.problems[place]), int(self.indices[row])

    def digest(self, model: str) -> str:
        """Return a hex digest of the content alone: equal for the same samples in any order of the rows and in any format of the table.

        SHA-256 over, one after the other: the JSON of [model, problem ids], which ends with a line feed; of `starts`, `indices`,
        `prompt_tokens`, `tokens` and where each text begins and the last one ends, in 64-bit little-endian integers; `reason_numbers` in
        bytes; and the texts in UTF-8. The problems are sorted, and so are the samples of each, and their numbers say where each column
        ends.
        """
        sha = hashlib.sha256(json.dumps([model, self.problems.to_list()], separators=(",", ":")).encode() + b"\n")
        text_starts = np.concatenate([[0], np.cumsum(self.texts.lengths)])
        for column in (self.starts, self.indices, self.prompt_tokens, self.tokens, text_starts):
            sha.update(np.ascontiguousarray(column, dtype="<i8").data)
        sha.update(np.ascontiguousarray(self.reason_numbers).data)
        for piece in self.texts.pieces():
            sha.update(piece)
        return sha.hexdigest()
