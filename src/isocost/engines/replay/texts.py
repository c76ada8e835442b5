"""Texts of a table in an unnamed file: a million of them need no memory."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import polars as pl

_CHUNK = 1 << 20  # bytes read at once, where texts follow each other in the file


class Unnamed:
    """A file without a name, closed when nobody holds it any more."""

    def __init__(self) -> None:
        self.file = tempfile.TemporaryFile(prefix="isocost-replay-")  # noqa: SIM115 - closed below

    def __del__(self) -> None:
        self.file.close()

    def read(self, begin: int, end: int) -> bytes:
        """The bytes from `begin` up to `end`; threads and forks may read at once."""
        pieces = [b""]
        while begin < end and (piece := os.pread(self.file.fileno(), end - begin, begin)):
            pieces.append(piece)
            begin += len(piece)
        if begin < end:
            raise OSError("the file of recorded texts is shorter than what was written to it")
        return b"".join(pieces)


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """Texts in UTF-8.

    Attributes:
        file: All of them, one after the other.
        starts: int64[texts], where each begins.
        lengths: int32[texts], bytes of each.
    """

    file: Unnamed
    starts: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int32]

    @classmethod
    def stored(cls, parts: Iterable[pl.Series]) -> Texts:
        """Store texts as they come; null counts as empty.

        Raises:
            OSError: the file cannot be written.
        """
        stored = Unnamed()
        lengths = [np.zeros(0, dtype=np.int32)]
        for part in parts:
            texts = part.fill_null("")
            stored.file.write(texts.str.join("").item().encode() if len(texts) else b"")
            lengths.append(texts.str.len_bytes().cast(pl.Int32).to_numpy())
        stored.file.flush()
        each = np.concatenate(lengths)
        return cls(file=stored, starts=np.cumsum(each) - each, lengths=each)

    def in_order(self, order: npt.NDArray[np.int64]) -> Texts:
        """The texts in another order."""
        return Texts(file=self.file, starts=self.starts[order], lengths=self.lengths[order])

    def read(self, rows: npt.NDArray[np.int64]) -> list[str]:
        """Return the texts of rows."""
        found: list[str] = []
        for begin, end in self._runs(rows):
            data = self.file.read(int(self.starts[rows[begin]]), int(self.starts[rows[end - 1]] + self.lengths[rows[end - 1]]))
            starts = (self.starts[rows[begin:end]] - self.starts[rows[begin]]).tolist()
            found += [
                str(data[start : start + length], "utf-8")
                for start, length in zip(starts, self.lengths[rows[begin:end]].tolist(), strict=True)
            ]
        return found

    def pieces(self) -> Iterator[bytes]:
        """All texts, one after the other, in pieces of any size."""
        for begin, end in self._runs(np.arange(self.starts.size)):
            yield self.file.read(int(self.starts[begin]), int(self.starts[end - 1] + self.lengths[end - 1]))

    def _runs(self, rows: npt.NDArray[np.int64]) -> Iterator[tuple[int, int]]:
        """Cut rows into runs whose texts follow each other in the file, none much longer than a chunk."""
        if not rows.size:
            return
        starts, ends = self.starts[rows], self.starts[rows] + self.lengths[rows]
        cuts = (starts[1:] != ends[:-1]) | (starts[1:] // _CHUNK != starts[:-1] // _CHUNK)
        bounds = [0, *(np.flatnonzero(cuts) + 1).tolist(), rows.size]
        yield from pairwise(bounds)
