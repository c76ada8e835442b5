"""Tables of samples as Parquet files, scanned without loading them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from polars.exceptions import PolarsError

from isocost import paths
from isocost.errors import TableError
from isocost.nearest import misspelt
from isocost.tables.columns import COLUMNS, COUNTS, KNOWN, LEAST_COST, MAY_BE_NUMBERS, MOST_COST, NEVER_NULL, refuse, require
from isocost.tables.notes import two_verdicts
from isocost.tables.outcomes import Verdicts, settled
from isocost.tables.source import Source, first_line, in_parts

_HEAVY = 1 << 28  # bytes of a row group's column; polars holds whole row groups in memory, and several at once
_BATCH = 50_000  # rows read at once from files with larger row groups


def scan_parquet(path: str, wanted: Sequence[str]) -> tuple[Source, pl.LazyFrame]:
    """Return the wanted columns of the file, typed. Nothing is loaded yet.

    Raises:
        TableError: The file cannot be read, lacks a needed column, or a column holds invalid values.
    """
    source, verdicts = Source(path=path), Verdicts()
    try:
        lazy = paths.scan_parquet(Path(path))
        schema = lazy.collect_schema()
        # polars alone is faster, but holds whole row groups in memory.
        lazy = _by_batches(path, schema) if _heaviest(path) > _HEAVY else lazy
        lazy = settled(lazy, lambda: _typed(lazy, "correct", schema["correct"], source), source, verdicts)
        schema = lazy.collect_schema()
        require(schema.names(), path)
        columns = [_typed(lazy, name, schema[name], source) for name in wanted if name in schema]
    except (OSError, PolarsError, pa.ArrowException) as error:
        raise TableError(f"{path}: cannot be read as Parquet: {first_line(error)}") from error
    notes = (*misspelt(schema.names(), [*KNOWN, *wanted]), *two_verdicts(verdicts.both, verdicts.filled))
    return replace(source, notes=notes), lazy.select(columns)


def _typed(lazy: pl.LazyFrame, name: str, dtype: pl.DataType, source: Source) -> pl.Expr:
    """Return the column in the type of `COLUMNS`. A name outside `COLUMNS` is the user's own column, as text."""
    target = COLUMNS.get(name, pl.String())
    column = pl.col(name)
    if dtype == target:
        if target == pl.Float64():
            _refuse_first(lazy, name, ~_is_cost(column), source)
        if name in COUNTS:
            _refuse_first(lazy, name, column < 0, source)
        return column
    if target == pl.Boolean() and dtype.is_numeric():
        _refuse_first(lazy, name, (column != 0) & (column != 1), source)
        return column == 1
    number_may_be = name in MAY_BE_NUMBERS or name not in COLUMNS or target == pl.Float64()
    if target == pl.Int64() and dtype.is_integer():
        _refuse_first(lazy, name, ~column.is_between(0 if name in COUNTS else -(2**63), 2**63 - 1), source)
    elif target == pl.Float64() and dtype.is_numeric():
        _refuse_first(lazy, name, ~_is_cost(column.cast(pl.Float64)), source)
    elif not _casts_to_text(dtype, target, number_may_be=number_may_be):
        # A column of nulls has any type in Parquet, so it is valid as long as no value is there.
        _refuse_first(lazy, name, column.is_not_null(), source)
        if name in NEVER_NULL:
            raise refuse(source.at(0), name, None)
        return pl.lit(None, dtype=target).alias(name)
    return column.cast(target)


def _is_cost(column: pl.Expr) -> pl.Expr:
    return column.is_between(LEAST_COST, MOST_COST) | (column == 0)


def _casts_to_text(dtype: pl.DataType, target: pl.DataType, *, number_may_be: bool) -> bool:
    if isinstance(dtype, pl.Categorical | pl.Enum) and target == pl.String():
        return True
    return dtype.is_integer() and number_may_be


def _refuse_first(lazy: pl.LazyFrame, name: str, wrong: pl.Expr, source: Source) -> None:
    found = lazy.select(name).with_row_index("row").filter(wrong).head(1).collect(engine="streaming")
    if found.height:
        raise refuse(source.at(int(found["row"][0])), name, found[name][0])


def _heaviest(path: str) -> int:
    """Return the bytes of the largest column of a row group, uncompressed."""
    with Path(path).open("rb") as file:
        meta = pq.read_metadata(file)
    groups = [meta.row_group(i) for i in range(meta.num_row_groups)]
    return max((group.column(j).total_uncompressed_size for group in groups for j in range(group.num_columns)), default=0)


def _by_batches(path: str, schema: pl.Schema) -> pl.LazyFrame:
    """Return the file as a frame that is read page by page: slower, but with little memory for any size of row groups."""

    def parts(columns: list[str]) -> Iterator[pl.DataFrame]:
        with Path(path).open("rb") as file, pq.ParquetFile(file, pre_buffer=False, buffer_size=1 << 20) as parquet:
            yield from map(pl.DataFrame, parquet.iter_batches(batch_size=_BATCH, columns=columns))

    return in_parts(schema, parts)
