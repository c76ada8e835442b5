"""Write a table of samples as Parquet or as JSON lines, a part at a time."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from isocost.errors import StorageError
from isocost.tables.columns import ALWAYS, COLUMNS
from isocost.tables.source import first_line

PART = 5_000  # rows in memory at once: some MB at some kB each


def write_table(rows: Iterable[dict[str, Any]], path: Path, own: Iterable[str] = ()) -> None:
    """Write rows to a file that appears only once it is complete.

    A column that is null in all rows is left out: readers take an absent column as unknown, and a null one as a gap in the data.

    Args:
        rows: Rows with all `COLUMNS`, and the columns of the user's own.
        path: The file; JSON lines if it ends in .jsonl or .ndjson, else Parquet.
        own: Names of the columns of the user's own.

    Raises:
        StorageError: The disk is full or cannot be written.
    """
    schema = {**COLUMNS, **{name: pl.String() for name in own if name not in COLUMNS}}
    try:
        with tempfile.TemporaryDirectory(prefix=".import-", dir=path.absolute().parent) as folder:
            whole, found = Path(folder) / "whole", Path(folder) / "found"
            present = _write_parts(rows, whole, schema)
            names = [name for name in schema if name in present or name in ALWAYS]
            _write_lines(whole, found, names) if path.suffix.lower() in {".jsonl", ".ndjson"} else _write_parquet(whole, found, names)
            found.replace(path)
    except OSError as error:
        raise StorageError(f"{path}: cannot be written: {first_line(error)}") from error


def _write_parts(rows: Iterable[dict[str, Any]], path: Path, schema: dict[str, pl.DataType]) -> set[str]:
    """Write all columns, and return the names of those with a value."""
    present: set[str] = set()
    left = iter(rows)
    with path.open("wb") as file, pq.ParquetWriter(file, pl.DataFrame(schema=schema).to_arrow().schema, compression="zstd") as writer:
        while part := list(islice(left, PART)):
            frame = pl.DataFrame(part, schema=schema)
            present |= {name for name in schema if frame[name].null_count() < frame.height}
            writer.write_table(frame.to_arrow())
    return present


def _batches(path: Path, names: list[str]) -> Iterator[pa.RecordBatch]:
    with path.open("rb") as file, pq.ParquetFile(file, pre_buffer=False) as parquet:
        yield from parquet.iter_batches(batch_size=PART, columns=names)


def _write_parquet(source: Path, path: Path, names: list[str]) -> None:
    with path.open("wb") as file, pq.ParquetWriter(file, _schema(source, names), compression="zstd") as writer:
        for batch in _batches(source, names):
            writer.write_batch(batch.select(names))


def _schema(path: Path, names: list[str]) -> pa.Schema:
    with path.open("rb") as file, pq.ParquetFile(file) as parquet:
        return pa.schema([parquet.schema_arrow.field(name) for name in names])


def _write_lines(source: Path, path: Path, names: list[str]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for batch in _batches(source, names):
            for row in batch.select(names).to_pylist():
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
