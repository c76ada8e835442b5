"""The source of a table's rows, and frames that are made in parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars.io.plugins import register_io_source


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file.

    Attributes:
        path: Its path.
        lines: For JSONL, the line of each row.
        notes: What a reader of its measures should know, a sentence each.
    """

    path: str
    lines: NDArray[np.int64] | None = None
    notes: tuple[str, ...] = ()

    def at(self, row: int) -> str:
        """Return the place of a row (counted from 0) for messages, counted from 1."""
        return f"{self.path}: row {row + 1}" if self.lines is None else f"{self.path}:{self.lines[row]}"


def in_parts(schema: pl.Schema, parts: Callable[[list[str]], Iterator[pl.DataFrame]]) -> pl.LazyFrame:
    """Return a table whose parts are made when a query needs them, and not kept.

    Args:
        schema: Its columns.
        parts: Yields some rows at a time of the given columns, in order. Their types are cast to the schema.
    """

    def batches(with_columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, _: int | None) -> Iterator[pl.DataFrame]:
        columns, left = with_columns or schema.names(), n_rows
        for part in parts(columns):
            frame = part.select(columns).cast({name: schema[name] for name in columns})
            if left is not None:
                frame = frame.head(left)
                # Counted before the filter: polars asks for this many rows of the source.
                left -= frame.height
            yield frame if predicate is None else frame.filter(predicate)
            if left == 0:
                return

    return register_io_source(batches, schema=schema, is_pure=True)


def first_line(error: BaseException) -> str:
    """Return the first line of a foreign error's message, without the path that our own message names."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return (str(error).splitlines() or [type(error).__name__])[0]
