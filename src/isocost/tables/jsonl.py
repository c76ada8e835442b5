"""Tables of samples as JSON lines. One pass checks them. Texts are not kept, and are read again when a query needs them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from isocost.encodings import LONGEST_MARK, kind_flaw, place_not_utf8
from isocost.errors import TableError
from isocost.nearest import misspelt
from isocost.tables.columns import COLUMNS, KNOWN, NEEDED, all_fit, fits, refuse, require
from isocost.tables.jsonobjects import read_object
from isocost.tables.notes import two_verdicts
from isocost.tables.outcomes import Verdicts, settle
from isocost.tables.source import Source, first_line, in_parts

_LINES, _CHARACTERS = 5_000, 1 << 24  # most lines or characters held as Python objects at once
_LONG = ("generation",)  # columns that are too large to keep in memory
_SLICE = 100_000  # rows per part of the kept columns


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """Some non-blank lines.

    Attributes:
        lines: Their numbers.
        rows: Their objects.
        plain: True if the fast parser read all of them. It rejects rare cases (lone surrogates, numbers of 4,300 digits).
    """

    lines: list[int]
    rows: list[dict[str, Any]]
    plain: bool


def scan_jsonl(path: str, wanted: Sequence[str]) -> tuple[Source, pl.LazyFrame]:
    """Return the wanted columns of the file, typed and checked, and the line of each row.

    The columns without `generation` are kept in memory, texts as categories. A query for `generation` reads the file again.

    Raises:
        TableError: The file cannot be read, a line is not an object or lacks a needed column, or a value is invalid in its column.
    """
    small = [name for name in wanted if name not in _LONG]
    coded = [pl.col(name).cast(pl.Categorical(pl.Categories.random())) for name in small if _target(name) == pl.String()]
    kept = [pl.DataFrame([_series(name, []) for name in small]).with_columns(coded)]
    lines = [np.empty(0, dtype=np.int64)]
    present: set[str] = set()
    verdicts = Verdicts()
    for part in _parts(path, verdicts):
        cells = _cells(part, wanted)
        present.update(_checked(part, cells, path))
        lines.append(np.array(part.lines))
        kept.append(_frame(cells, small).with_columns(coded))
    names = [name for name in wanted if name in present]
    frame = pl.concat(kept).select([name for name in small if name in present])
    notes = (*misspelt(sorted(present), [*KNOWN, *wanted]), *two_verdicts(verdicts.both, verdicts.filled))
    return Source(path=path, lines=np.concatenate(lines), notes=notes), _scanned(path, names, frame)


def _scanned(path: str, names: Sequence[str], small: pl.DataFrame) -> pl.LazyFrame:
    """Return a frame that serves kept columns from memory, and others by reading the file again."""

    def parts(columns: list[str]) -> Iterator[pl.DataFrame]:
        is_kept = all(name in small.columns for name in columns)
        return small.select(columns).iter_slices(_SLICE) if is_kept else _read_again(path, columns)

    return in_parts(pl.Schema({name: _target(name) for name in names}), parts)


def _read_again(path: str, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
    for part in _parts(path):
        cells = _cells(part, columns)
        _checked(part, cells, path)  # the file may have changed since the first pass
        yield _frame(cells, columns)


def _cells(part: _Part, names: Sequence[str]) -> dict[str, list[Any]]:
    return {name: [row.get(name) for row in part.rows] for name in names}


def _checked(part: _Part, cells: Mapping[str, list[Any]], path: str) -> set[str]:
    """Return the names that occur in a part. Columns are checked as a whole, and line by line only to find and report an error."""
    # Rows of one writer have the same keys, so a few shapes stand for thousands of rows.
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
        # JSON writes 1 for 1.0 and for true.
        python = float if target == pl.Float64() else bool
        values = [None if value is None else python(value) for value in values]
    return pl.Series(name, values, dtype=target)


def _target(name: str) -> pl.DataType:
    return COLUMNS.get(name, pl.String())


def _parts(path: str, verdicts: Verdicts | None = None) -> Iterator[_Part]:
    """Yield the non-blank lines of a file in parts, and count their verdicts."""
    lines: list[int] = []
    rows: list[dict[str, Any]] = []
    plain, characters = True, 0
    try:
        _refuse_other_kinds(path)
        with Path(path).open(encoding="utf-8-sig") as file:
            for line, text in enumerate(file, start=1):
                if not text.strip():
                    continue
                row, by_fast_parser = _read_row(text, f"{path}:{line}", verdicts)
                plain = plain and by_fast_parser
                lines.append(line)
                rows.append(row)
                characters += len(text)
                if len(rows) >= _LINES or characters >= _CHARACTERS:
                    yield _Part(lines=lines, rows=rows, plain=plain)
                    lines, rows, plain, characters = [], [], True, 0
    except UnicodeDecodeError as error:
        raise TableError(f"{place_not_utf8(Path(path))}, the text encoding of JSON\n  save it as UTF-8") from error
    except OSError as error:
        raise TableError(f"{path}: cannot be read: {first_line(error)}") from error
    if rows:
        yield _Part(lines=lines, rows=rows, plain=plain)


def _refuse_other_kinds(path: str) -> None:
    with Path(path).open("rb") as file:
        if flaw := kind_flaw(file.read(LONGEST_MARK), Path(path)):
            raise TableError(f"{path}: {flaw}")


def _read_row(text: str, where: str, verdicts: Verdicts | None) -> tuple[dict[str, Any], bool]:
    """Return the object of a line, and True if the fast parser read it."""
    row, by_fast_parser = read_object(text, where)
    if "outcome" in row:
        settle(row, where, verdicts)
    return row, by_fast_parser
