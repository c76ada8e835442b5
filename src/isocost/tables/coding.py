"""Repeated texts as small integers, and texts by their hashes, which make counts over millions of rows fast."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars.exceptions import PolarsError

from isocost.arrays import Ints
from isocost.errors import TableError
from isocost.tables.source import first_line

_PART = 10_000  # hashes that are Python objects at once; an object takes four times the 16 bytes that are kept


def collected(lazy: pl.LazyFrame) -> pl.DataFrame:
    """Collect a frame in parts, with rows in the order of the source.

    Raises:
        TableError: The file behind it cannot be read to its end.
    """
    try:
        # Streaming, so that a table need not fit in memory.
        return lazy.collect(engine="streaming")
    except (OSError, PolarsError) as error:
        raise TableError(f"the table cannot be read: {first_line(error)}\n  the file may be incomplete: make it again") from error


def coded(lazy: pl.LazyFrame, texts: Mapping[str, str], others: list[str]) -> pl.DataFrame:
    """Collect columns of a frame with texts as categories. Each column has categories of its own.

    Args:
        lazy: The frame.
        texts: Text columns: name in the result, name in the frame.
        others: Columns to take unchanged.
    """
    as_categories = [pl.col(column).cast(pl.Categorical(pl.Categories.random())).alias(name) for name, column in texts.items()]
    return collected(lazy.select(*as_categories, *others))


def codes(column: pl.Series) -> tuple[Ints, list[str]]:
    """Return a column of categories as numbers 0, 1, ... in order of first appearance, and their texts. The column has no null."""
    # polars' own codes need not follow the order of appearance, so they are replaced.
    values = column.unique(maintain_order=True)
    physical = values.to_physical().to_numpy().astype(np.int64)
    place = np.zeros(int(physical.max(initial=-1)) + 1, dtype=np.int64)
    place[physical] = np.arange(physical.size)
    return place[column.to_physical().to_numpy()], values.cast(pl.String).to_list()


def combined(first: Ints, second: Ints) -> Ints:
    """Return one number per pair of numbers: 0, 1, ... in ascending order of the pairs."""
    width = int(second.max(initial=0)) + 1
    return distinct(first * width + second)[1]  # cannot overflow: both factors are at most the number of rows


def distinct(keys: Ints) -> tuple[Ints, Ints]:
    """Return the distinct values of int[rows] (all at least 0), ascending, and each row's index. Sorts only if the values are sparse."""
    top = int(keys.max(initial=-1)) + 1
    if top > 8 * keys.size + 1024:  # a table of flags over the range would be larger than a sort is slow
        values, owner = np.unique(keys, return_inverse=True)
        return values.astype(np.int64), owner.reshape(-1).astype(np.int64)
    present = np.zeros(top, dtype=np.bool_)
    present[keys] = True
    return np.flatnonzero(present), (np.cumsum(present, dtype=np.int64) - 1)[keys]


def hash_numbers(hashes: Iterable[bytes]) -> NDArray[np.uint64]:
    """Return the first 16 bytes of each hash as two numbers, uint64[hashes, 2]. The order of the numbers is that of the bytes."""
    left, parts = iter(hashes), [b""]
    while some := b"".join(each[:16] for each in islice(left, _PART)):
        parts.append(some)
    # Big-endian, so that the numbers sort as the bytes do and the order is the same on any machine.
    return np.frombuffer(b"".join(parts), dtype=">u8").reshape(-1, 2).astype(np.uint64)


def hash_ranks(hashes: Iterable[bytes]) -> Ints:
    """Return the place of each hash among all of them in ascending order, int[hashes]."""
    numbers = hash_numbers(hashes)
    found = np.empty(len(numbers), dtype=np.int64)
    found[np.lexsort(numbers.T[::-1])] = np.arange(len(numbers))
    return found
