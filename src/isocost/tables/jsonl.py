"""Tables of samples as one JSON object a line: checked in one pass; texts are read again when they are asked for, and never kept."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from pydantic_core import from_json

from isocost.digits import json_int
from isocost.errors import TableError
from isocost.tables.columns import COLUMNS, NEEDED, all_fit, fits, refuse, require
from isocost.tables.outcomes import settle
from isocost.tables.source import Source, first_line, in_parts

_LINES, _CHARACTERS = 5_000, 1 << 24  # held as Python objects at once, whichever is less; a line is taken whole
_LONG = ("generation",)
_SLICE = 100_000  # rows


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """Some lines that are not blank.

    Attributes:
        lines: Their numbers.
        rows: Their objects.
        plain: Whether the fast parser read all of them; it refuses what few files have (lone surrogates, numbers of 4,300 digits).
    """

    lines: list[int]
    rows: list[dict[str, Any]]
    plain: bool


def scan_jsonl(path: str, wanted: Sequence[str]) -> tuple[Source, pl.LazyFrame]:
    """The wanted columns that the file has, each in its type and checked, and the line of each row.

    Memory is that of the columns without `generation`, texts as categories. A query that asks for `generation` reads the file again.

    Raises:
        TableError: The file cannot be read, a line is no object or lacks a needed column, or a value does not fit its column.
    """
    small = [name for name in wanted if name not in _LONG]
    coded = [pl.col(name).cast(pl.Categorical(pl.Categories.random())) for name in small if _target(name) == pl.String()]
    kept = [pl.DataFrame([_series(name, []) for name in small]).with_columns(coded)]
    lines = [np.empty(0, dtype=np.int64)]
    present: set[str] = set()
    for part in _parts(path):
        cells = _cells(part, wanted)
        present.update(_checked(part, cells, path))
        lines.append(np.array(part.lines))
        kept.append(_frame(cells, small).with_columns(coded))
    names = [name for name in wanted if name in present]
    frame = pl.concat(kept).select([name for name in small if name in present])
    return Source(path=path, lines=np.concatenate(lines)), _scanned(path, names, frame)


def _scanned(path: str, names: Sequence[str], small: pl.DataFrame) -> pl.LazyFrame:
    """Columns of the file: those that were kept, from there; with others, by reading it again."""

    def parts(columns: list[str]) -> Iterator[pl.DataFrame]:
        is_kept = all(name in small.columns for name in columns)
        return small.select(columns).iter_slices(_SLICE) if is_kept else _read_again(path, columns)

    return in_parts(pl.Schema({name: _target(name) for name in names}), parts)


def _read_again(path: str, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
    for part in _parts(path):
        cells = _cells(part, columns)
        _checked(part, cells, path)  # it may have changed
        yield _frame(cells, columns)


def _cells(part: _Part, names: Sequence[str]) -> dict[str, list[Any]]:
    return {name: [row.get(name) for row in part.rows] for name in names}


def _checked(part: _Part, cells: Mapping[str, list[Any]], path: str) -> set[str]:
    """The names that stand in a part; column by column, and line by line only where that is not enough to say that all is well."""
    shapes = set(map(tuple, part.rows))
    present = {name for shape in shapes for name in shape}
    whole = part.plain and all(name in shape for shape in shapes for name in NEEDED)
    if not whole or not all(all_fit(values, name, given=name in present) for name, values in cells.items()):
        for line, row in zip(part.lines, part.rows, strict=True):
            require(list(row), f"{path}:{line}")
            for name in cells:
                if name in row and not fits(row[name], name):
                    raise refuse(f"{path}:{line}", name, row[name])
    return present


def _frame(cells: Mapping[str, list[Any]], names: Sequence[str]) -> pl.DataFrame:
    return pl.DataFrame([_series(name, cells[name]) for name in names])


def _series(name: str, values: list[Any]) -> pl.Series:
    target = _target(name)
    if target == pl.String() and int in set(map(type, values)):
        values = [None if value is None else str(value) for value in values]
    if target in (pl.Float64(), pl.Boolean()):
        python = float if target == pl.Float64() else bool
        values = [None if value is None else python(value) for value in values]
    return pl.Series(name, values, dtype=target)


def _target(name: str) -> pl.DataType:
    return COLUMNS.get(name, pl.String())


def _parts(path: str) -> Iterator[_Part]:
    """The lines of a file that are not blank, some at a time."""
    lines: list[int] = []
    rows: list[dict[str, Any]] = []
    plain, characters = True, 0
    try:
        with Path(path).open(encoding="utf-8-sig") as file:
            for line, text in enumerate(file, start=1):
                if not text.strip():
                    continue
                try:
                    row = from_json(text)
                except ValueError:
                    row, plain = _by_json(text, f"{path}:{line}"), False
                if not isinstance(row, dict):
                    raise TableError(f"{path}:{line}: not a JSON object")
                if "outcome" in row:
                    settle(row, f"{path}:{line}")
                lines.append(line)
                rows.append(row)
                characters += len(text)
                if len(rows) >= _LINES or characters >= _CHARACTERS:
                    yield _Part(lines=lines, rows=rows, plain=plain)
                    lines, rows, plain, characters = [], [], True, 0
    except (OSError, UnicodeDecodeError) as error:
        raise TableError(f"{path}: cannot be read: {first_line(error)}") from error
    if rows:
        yield _Part(lines=lines, rows=rows, plain=plain)


def _by_json(text: str, where: str) -> object:
    """What the standard library makes of a line that the fast parser refuses; what that accepts, it reads the same."""
    try:
        return json.loads(text, parse_int=json_int)
    except (ValueError, RecursionError) as error:
        raise TableError(f"{where}: not JSON: {first_line(error)}") from error
