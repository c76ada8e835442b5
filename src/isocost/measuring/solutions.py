"""Distinct correct solutions and distinct answers, identified by digests of their texts. No text is kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars.exceptions import PolarsError

from isocost.errors import TableError
from isocost.measuring.draws import Draws
from isocost.metrics.coverage import Ints
from isocost.metrics.diversity import Level, distinct_key
from isocost.tables.coding import collected

_SEEDS = (0x9E3779B9, 0x85EBCA6B)  # two hashes of 64 bits: a chance of 1e-24 that any two of ten million texts collide
_PART = 20_000  # texts held in memory at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Classes:
    """Distinct texts of each group, ascending by group.

    Attributes:
        group: Group of each class, int[classes].
        count: Draws of the group with this text, int[classes].
        right: Correct draws among them, int[classes].
        digests: Digests of the texts, uint64[2, classes], by which classes of two groups can be joined; None if not requested.
    """

    group: Ints
    count: Ints
    right: Ints
    digests: NDArray[np.uint64] | None = None

    def of(self, low: int, high: int) -> Classes:
        """Return the classes of groups low .. high - 1, numbered from 0."""
        start, stop = np.searchsorted(self.group, [low, high])
        return Classes(
            group=self.group[start:stop] - low,
            count=self.count[start:stop],
            right=self.right[start:stop],
            digests=None if self.digests is None else self.digests[:, start:stop],
        )


def solutions(table: pl.LazyFrame, draws: Draws, level: Level, *, identified: bool = False) -> Classes:
    """Return distinct correct solutions. Texts are hashed to 128 bits in parts as they are read; a missing text counts as empty.

    The levels `string` and `normalised` are hashed by polars. For `equations`, `distinct_key` parses each distinct text once, which takes
    some tenths of a millisecond. `identified` keeps the digests, 16 bytes per class.

    Raises:
        TableError: The file behind the table cannot be read to its end, or has changed.
    """
    text = pl.col("generation").fill_null("")
    if level == "normalised":
        text = text.str.replace_all(r"[\s\x1c-\x1f]+", " ").str.strip_chars(" ")  # as str.split, whose whitespace has four more characters
    correct = table.filter(pl.col("correct"))
    digests = collected(correct.select(text.hash(seed).alias(name) for name, seed in zip("ab", _SEEDS, strict=True)))
    # The file was read once for the draws and is read again here: a writer in between would pair wrong rows.
    if digests.height != int(draws.n_correct.sum()):
        raise TableError("the table has changed while it was read")
    if level == "equations":
        digests = _by_equations(correct.select(text), digests)
    rows = digests.with_columns(group=draws.group[draws.correct], right=np.ones(digests.height, dtype=np.int64))
    return _classes(rows, identified=identified)


def answers(table: pl.LazyFrame, draws: Draws) -> Classes:
    """Return distinct answers among the graded draws. Draws without an answer are in no class.

    Raises:
        TableError: As `solutions`.
    """
    text = pl.col("predicted_answer")
    graded = table.filter(pl.col("correct").is_not_null())
    hashes = [text.hash(seed).alias(name) for name, seed in zip("ab", _SEEDS, strict=True)]
    digests = collected(graded.select(*hashes, text.is_not_null().alias("given")))
    if digests.height != int(draws.drawn.sum()):
        raise TableError("the table has changed while it was read")
    rows = digests.with_columns(group=draws.group[draws.graded], right=draws.correct[draws.graded].astype(np.int64))
    return _classes(rows.filter("given"))


def _classes(rows: pl.DataFrame, *, identified: bool = False) -> Classes:
    found = rows.group_by("group", "a", "b").agg(pl.len().alias("count"), pl.col("right").sum()).sort("group", "a", "b")
    group, count, right = (found[name].cast(pl.Int64).to_numpy() for name in ("group", "count", "right"))
    digests = np.stack([found[name].to_numpy() for name in "ab"]) if identified else None
    return Classes(group=group, count=count, right=right, digests=digests)


def _by_equations(texts: pl.LazyFrame, digests: pl.DataFrame) -> pl.DataFrame:
    """Return the digests of `distinct_key` of each text. Each distinct text is parsed once, because parsing is the slow part."""
    rows = digests.with_row_index("row").select(pl.col("row").first().over("a", "b"))["row"].to_numpy()
    is_first = rows == np.arange(rows.size)
    keys = {name: np.zeros(rows.size, dtype=np.uint64) for name in "ab"}
    start = 0
    for part in _parts(texts):
        here = np.flatnonzero(is_first[start : start + part.len()])
        found = pl.Series([distinct_key(text, "equations") for text in part.gather(here)], dtype=pl.String)
        for name, seed in zip("ab", _SEEDS, strict=True):
            keys[name][start + here] = found.hash(seed).to_numpy()
        start += part.len()
    return pl.DataFrame({name: values[rows] for name, values in keys.items()})


def _parts(texts: pl.LazyFrame) -> Iterator[pl.Series]:
    try:
        for batch in texts.collect_batches(chunk_size=_PART, maintain_order=True, engine="streaming"):
            yield from (part.to_series() for part in batch.iter_slices(_PART))
    except (OSError, PolarsError) as error:
        raise TableError(f"the table cannot be read: {error}\n  the file may be incomplete: make it again") from error
