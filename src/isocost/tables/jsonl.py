"""Tables of samples as one JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl

from isocost.errors import TableError
from isocost.tables.columns import COLUMNS, fits, refuse, require
from isocost.tables.source import Source, first_line

_PART = 20_000  # lines held as Python objects at once


def read_jsonl(path: str, wanted: Sequence[str]) -> tuple[Source, pl.DataFrame]:
    """The wanted columns that the file has, each in its type, and the line of each row.

    Raises:
        TableError: The file cannot be read, a line is no object or lacks a needed column, or a value does not fit its column.
    """
    parts: list[pl.DataFrame] = []
    lines: list[int] = []
    present: set[str] = set()
    rows = _objects(path)
    while part := list(islice(rows, _PART)):
        cells: dict[str, list[Any]] = {name: [] for name in wanted}
        for line, row in part:
            require(list(row), f"{path}:{line}")
            present.update(row)
            lines.append(line)
            for name in wanted:
                cells[name].append(_checked(row.get(name), name, name in row, f"{path}:{line}"))
        parts.append(pl.DataFrame([_series(name, values) for name, values in cells.items()]))
    frame = pl.concat(parts) if parts else pl.DataFrame([_series(name, []) for name in wanted])
    frame = frame.select([name for name in wanted if name in present])
    return Source(path=path, lines=lines), frame


def _checked(value: object, name: str, given: bool, where: str) -> object:
    if given and not fits(value, name):
        raise refuse(where, name, value)
    return value


def _series(name: str, values: list[Any]) -> pl.Series:
    target = COLUMNS.get(name, pl.String())
    if target == pl.String():
        values = [None if value is None else str(value) for value in values]
    return pl.Series(name, values, dtype=target)


def _objects(path: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line, object) of each line that is not blank."""
    try:
        with Path(path).open(encoding="utf-8") as file:
            for line, text in enumerate(file, start=1):
                if text.strip():
                    yield line, _object(text, f"{path}:{line}")
    except (OSError, UnicodeDecodeError) as error:
        raise TableError(f"{path}: cannot be read: {first_line(error)}") from error


def _object(text: str, where: str) -> dict[str, Any]:
    try:
        row = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TableError(f"{where}: not JSON: {first_line(error)}") from error
    if not isinstance(row, dict):
        raise TableError(f"{where}: not a JSON object")
    return row
