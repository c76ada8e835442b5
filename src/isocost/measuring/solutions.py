"""Distinct correct solutions and distinct answers, identified by digests of their texts. No text is kept."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars.exceptions import PolarsError

from isocost.arrays import Bools, Ints
from isocost.errors import TableError
from isocost.measuring.draws import Draws, Numbers
from isocost.measuring.equationcache import SEEDS, Digests, EquationCache
from isocost.metrics.diversity import Level, distinct_key, owner_blocks
from isocost.tables.coding import collected

Counts = NDArray[np.int32]
Texts = Callable[[], Iterator[pl.Series]]
_PART = 20_000  # texts held in memory at once
_BLOCK = 100_000  # digests compared at once: grouping takes several times the memory of its rows
_COUNTS = pl.Schema({"group": pl.Int32(), "count": pl.Int32(), "right": pl.Int32()})


@dataclass(frozen=True, slots=True, kw_only=True)
class Classes:
    """Distinct texts of each group, ascending by group. A million draws may have as many, so numbers are of 4 bytes.

    Attributes:
        group: Group of each class, int32[classes].
        count: Draws of the group with this text, int32[classes].
        right: Correct draws among them, int32[classes].
        digests: Digests of the texts, uint64[2, classes], by which classes of two groups can be joined; None if not requested.
    """

    group: Counts
    count: Counts
    right: Counts
    digests: NDArray[np.uint64] | None = None

    def of(self, low: int, high: int) -> Classes:
        """Return the classes of groups low .. high - 1, numbered from 0."""
        start, stop = np.searchsorted(self.group, [low, high])
        return Classes(
            group=self.group[start:stop] - np.int32(low),
            count=self.count[start:stop],
            right=self.right[start:stop],
            digests=None if self.digests is None else self.digests[:, start:stop],
        )


def solutions(table: pl.LazyFrame, draws: Draws, level: Level, *, identified: bool = False) -> Classes:
    """Return distinct correct solutions, as `solutions_by_level` does for several levels."""
    return solutions_by_level(table, draws, [level], identified=identified)[level]


def solutions_by_level(
    table: pl.LazyFrame,
    draws: Draws,
    levels: Collection[Level],
    *,
    identified: bool = False,
    known: EquationCache | None = None,
    texts: Texts | None = None,
) -> dict[Level, Classes]:
    """Return distinct correct solutions at each level. Texts are hashed to 128 bits in parts as they are read, once for all levels.

    The levels `string` and `normalised` are hashed by polars. For `equations`, `distinct_key` parses each distinct text of a group once,
    which takes some tenths of a millisecond, if its equations are not `known`. Those of the others are added. A missing text counts as
    empty.

    Args:
        table: The table.
        draws: The same table, loaded.
        levels: What makes two solutions equal.
        identified: Keep the digests, 16 bytes per class.
        known: Equations that are known.
        texts: Reads the texts of the correct draws in parts, in the table's order, with less memory than polars, which reads ahead.

    Raises:
        TableError: The file behind the table cannot be read to its end, or has changed.
    """
    text, correct, group = pl.col("generation").fill_null(""), table.filter(pl.col("correct")), draws.group[draws.correct]
    # As str.split, whose whitespace has four more characters.
    words = text.str.replace_all(r"[\s\x1c-\x1f]+", " ").str.strip_chars(" ")
    exactly, by_words = not {"string", "equations"}.isdisjoint(levels), "normalised" in levels
    read = [pl.struct(_hashes(own)).alias(name) for name, own, is_needed in (("a", text, exactly), ("b", words, by_words)) if is_needed]
    hashed = collected(correct.select(read)) if read else pl.DataFrame()
    # The file was read once for the draws and is read again here: a writer in between would pair wrong rows.
    if read and hashed.height != group.size:
        raise TableError("the table has changed while it was read")
    found: dict[Level, Classes] = {}
    if by_words:
        found["normalised"] = _classes(hashed.drop_in_place("b").struct.unnest(), group, identified=identified)
    if not exactly:
        return found
    digests = hashed.drop_in_place("a").struct.unnest()
    if "string" in levels:
        found["string"] = _classes(digests, group, identified=identified)
    if "equations" in levels:
        first, keys = _first_equal(digests, group), np.stack([digests[name].to_numpy() for name in "ab"])
        del digests  # their memory is that of the digests by equations
        digests = _by_equations(texts or partial(_parts, correct.select("generation")), keys, first, known or EquationCache())
        found["equations"] = _classes(digests, group, identified=identified)
    return found


def answers(table: pl.LazyFrame, draws: Draws) -> Classes:
    """Return distinct answers among the graded draws. Draws without an answer are in no class.

    Raises:
        TableError: As `solutions`.
    """
    text = pl.col("predicted_answer")
    graded = table.filter(pl.col("correct").is_not_null())
    digests = collected(graded.select(*_hashes(text), text.is_not_null().alias("given")))
    if digests.height != int(draws.drawn.sum()):
        raise TableError("the table has changed while it was read")
    given = digests["given"].to_numpy()
    right = draws.correct[draws.graded][given]
    return _classes(digests.filter("given").drop("given"), draws.group[draws.graded][given], right)


def _hashes(text: pl.Expr) -> list[pl.Expr]:
    return [text.hash(seed).alias(name) for name, seed in zip("ab", SEEDS, strict=True)]


def _classes(digests: pl.DataFrame, group: Numbers, right: Bools | None = None, *, identified: bool = False) -> Classes:
    """Count equal digests of each group; without `right`, all draws are correct."""
    parts = [pl.DataFrame(schema={**_COUNTS, **(digests.schema if identified else {})})]
    for rows, own in _blocks(group):
        block = digests[rows].with_columns(group=own, right=np.ones(rows.size, dtype=np.bool_) if right is None else right[rows])
        found = block.group_by("group", "a", "b").agg(pl.len().alias("count"), pl.col("right").sum()).sort("group", "a", "b")
        parts.append(found.select(parts[0].columns).cast(_COUNTS))
    classes = pl.concat(parts)
    return Classes(
        group=classes["group"].to_numpy(),
        count=classes["count"].to_numpy(),
        right=classes["right"].to_numpy(),
        digests=np.stack([classes[name].to_numpy() for name in "ab"]) if identified else None,
    )


def _first_equal(digests: pl.DataFrame, group: Numbers) -> NDArray[np.uint32]:
    """Return the first row with the same group and digests as each row, uint32[rows]."""
    first = np.empty(digests.height, dtype=np.uint32)
    for rows, own in _blocks(group):
        block = digests[rows].with_columns(group=own, row=rows.astype(np.uint32))
        first[rows] = block.select(pl.col("row").first().over("group", "a", "b"))["row"].to_numpy()
    return first


def _by_equations(texts: Texts, keys: Digests, first: NDArray[np.uint32], known: EquationCache) -> pl.DataFrame:
    """Return the digests of `distinct_key` of each text, in the place of its own digests, `keys`.

    Only the first of equal texts is parsed, and only if its equations are not known, because parsing is the slow part.
    """
    new = np.flatnonzero(first == np.arange(first.size, dtype=np.uint32))
    found, equations = known.find(keys[:, new])
    keys[:, new[found]] = equations
    new = new[~found]
    # No text is read if all equations are known.
    start = 0
    for part in texts() if new.size else ():
        here = new[slice(*np.searchsorted(new, [start, start + part.len()]))]
        parsed = pl.Series([distinct_key(text, "equations") for text in part.gather(here - start).fill_null("")], dtype=pl.String)
        equations = np.stack([parsed.hash(seed).to_numpy() for seed in SEEDS])
        known.add(keys[:, here], equations)
        keys[:, here] = equations
        start += part.len()
    return pl.DataFrame({name: values[first] for name, values in zip("ab", keys, strict=True)})


def _blocks(group: Numbers) -> Iterator[tuple[Ints, Numbers]]:
    """Yield the rows of about `_BLOCK` draws at a time, ascending by group and then by row, with their groups. No group is divided."""
    order = np.argsort(group, kind="stable")
    ascending = group[order]
    for block in owner_blocks(ascending, _BLOCK):
        yield order[block], ascending[block]


def _parts(texts: pl.LazyFrame) -> Iterator[pl.Series]:
    try:
        for batch in texts.collect_batches(chunk_size=_PART, maintain_order=True, engine="streaming"):
            yield from (part.to_series() for part in batch.iter_slices(_PART))
    except (OSError, PolarsError) as error:
        raise TableError(f"the table cannot be read: {error}\n  the file may be incomplete: make it again") from error
