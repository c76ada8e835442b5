"""Where the rows of a table come from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars.io.plugins import register_io_source


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file, and for JSONL the line of each row."""

    path: str
    lines: NDArray[np.int64] | None = None

    def at(self, row: int) -> str:
        """The place of a row, counted from 0, for people, counted from 1."""
        return f"{self.path}: row {row + 1}" if self.lines is None else f"{self.path}:{self.lines[row]}"


def in_parts(schema: pl.Schema, parts: Callable[[list[str]], Iterator[pl.DataFrame]]) -> pl.LazyFrame:
    """A table whose parts are made when a query asks for them, and not kept.

    Args:
        schema: Its columns.
        parts: Makes these columns of it, some rows at a time, in order; whatever types they come in, they are cast.
    """

    def batches(with_columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, _: int | None) -> Iterator[pl.DataFrame]:
        columns, left = with_columns or schema.names(), n_rows
        for part in parts(columns):
            frame = part.select(columns).cast({name: schema[name] for name in columns})
            if left is not None:
                frame = frame.head(left)
                left -= frame.height
            yield frame if predicate is None else frame.filter(predicate)
            if left == 0:
                return

    return register_io_source(batches, schema=schema, is_pure=True)


def first_line(error: BaseException) -> str:
    """Shorten the message of a foreign error, without the path that our own message names."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return (str(error).splitlines() or [type(error).__name__])[0]
