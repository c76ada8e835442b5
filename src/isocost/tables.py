"""Tables of samples: the one format in which draws are measured, imported and exchanged."""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import polars as pl
from polars.exceptions import PolarsError

from isocost.errors import TableError

NEEDED = ("problem_id", "model", "correct")
COLUMNS: dict[str, pl.DataType] = {
    "problem_id": pl.String(),
    "model": pl.String(),
    "pool": pl.String(),
    "sample_index": pl.Int64(),
    "generation": pl.String(),
    "num_prompt_tokens": pl.Int64(),
    "num_generated_tokens": pl.Int64(),
    "finish_reason": pl.String(),
    "expected_answer": pl.String(),
    "predicted_answer": pl.String(),
    "correct": pl.Boolean(),
}
_ALWAYS = (*NEEDED, "pool", "sample_index")
_MAY_BE_NUMBERS = ("problem_id", "expected_answer", "predicted_answer")


def read_table(path: str, columns: Collection[str] | None = None) -> pl.DataFrame:
    """Read and check a table of samples, Parquet (`.parquet`) or one JSON object a line (`.jsonl`, `.ndjson`); one row a sample.

    Args:
        path: The file.
        columns: Columns to load beside problem_id, model, pool, sample_index and correct, where the file has them; None loads all that
            `COLUMNS` names. Texts are most of a large table: leave `generation` out where counts are enough.

    Returns:
        The columns in the order of `COLUMNS`, rows in the file's order. problem_id is a string, also where the file has integers; pool, if
        absent, is the model; sample_index, if absent, is the row's place among those of its model, pool and problem; correct is null where
        a sample was not graded.

    Raises:
        TableError: The file cannot be read or is empty; a needed column is missing; a value has the wrong type; or a sample_index occurs
            twice in a pool and problem. It names the file and the line (JSONL) or row (Parquet), counted from 1.
    """
    wanted = [name for name in COLUMNS if columns is None or name in columns or name in _ALWAYS]
    suffix = Path(path).suffix.lower()
    if suffix == ".parquet":
        source, cells = _parquet(path, wanted)
    elif suffix in {".jsonl", ".ndjson"}:
        source, cells = _jsonl(path, wanted)
    else:
        raise TableError(f"{path}: not a table of samples by its name\n  a table ends in .parquet or .jsonl")
    frame = pl.DataFrame([_column(name, values, source) for name, values in cells.items()])
    if frame.is_empty():
        raise TableError(f"{path}: the table is empty")
    frame = _with_defaults(frame)
    _refuse_duplicates(frame, source)
    return frame.select([name for name in COLUMNS if name in frame.columns])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """Where rows come from: a file, and for JSONL the line of each row."""

    path: str
    lines: tuple[int, ...] | None = None

    def at(self, row: int) -> str:
        return f"{self.path}: row {row + 1}" if self.lines is None else f"{self.path}:{self.lines[row]}"


_Cells = Mapping[str, pl.Series | list[Any]]


def _parquet(path: str, wanted: list[str]) -> tuple[_Source, _Cells]:
    try:
        present = list(pl.read_parquet_schema(path))
        _require(present, path)
        frame = pl.read_parquet(path, columns=[name for name in wanted if name in present])
    except (OSError, PolarsError) as error:
        raise TableError(f"{path}: cannot be read as Parquet: {_first_line(error)}") from error
    return _Source(path=path), {name: frame[name] for name in frame.columns}


def _jsonl(path: str, wanted: list[str]) -> tuple[_Source, _Cells]:
    cells: dict[str, list[Any]] = {name: [] for name in wanted}
    lines: list[int] = []
    present: set[str] = set()
    for line, row in _objects(path):
        _require(list(row), f"{path}:{line}")
        present.update(row)
        lines.append(line)
        for name in wanted:
            cells[name].append(row.get(name))
    return _Source(path=path, lines=tuple(lines)), {name: values for name, values in cells.items() if name in present}


def _objects(path: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line, object) of each line that is not blank."""
    try:
        with Path(path).open(encoding="utf-8") as file:
            for line, text in enumerate(file, start=1):
                if text.strip():
                    yield line, _object(text, f"{path}:{line}")
    except (OSError, UnicodeDecodeError) as error:
        raise TableError(f"{path}: cannot be read: {_first_line(error)}") from error


def _object(text: str, where: str) -> dict[str, Any]:
    try:
        row = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TableError(f"{where}: not JSON: {_first_line(error)}") from error
    if not isinstance(row, dict):
        raise TableError(f"{where}: not a JSON object")
    return row


def _require(present: list[str], where: str) -> None:
    missing = [name for name in NEEDED if name not in present]
    if not missing:
        return
    near = [match for name in missing for match in difflib.get_close_matches(name, present, n=1, cutoff=0.5)]
    hint = f'did you mean "{near[0]}"? ' if near else ""
    raise TableError(f"{where}: missing column {', '.join(missing)}\n  {hint}needed: {', '.join(NEEDED)}")


def _column(name: str, values: pl.Series | list[Any], source: _Source) -> pl.Series:
    """A column in the type that `COLUMNS` gives it."""
    target = COLUMNS[name]
    if isinstance(values, pl.Series):
        if values.dtype == target and not (name in _ALWAYS and name != "correct" and values.null_count()):
            return values
        values = values.to_list()
    for row, value in enumerate(values):
        if not _fits(value, name):
            meaning = {pl.Boolean(): "true, false or null", pl.Int64(): "a whole number"}.get(target, "text")
            raise TableError(f"{source.at(row)}: {name} must be {meaning}, found {json.dumps(value, default=str)[:80]}")
    if target == pl.String():
        values = [None if value is None else str(value) for value in values]
    return pl.Series(name, values, dtype=target)


def _fits(value: object, name: str) -> bool:
    if value is None:
        return name == "correct" or name not in _ALWAYS
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if COLUMNS[name] == pl.Boolean():
        return isinstance(value, bool)
    if name == "sample_index":
        return is_whole and 0 <= cast(int, value) < 2**63
    if COLUMNS[name] == pl.Int64():
        return is_whole and abs(cast(int, value)) < 2**63
    return isinstance(value, str) or (is_whole and name in _MAY_BE_NUMBERS)


def _with_defaults(frame: pl.DataFrame) -> pl.DataFrame:
    if "pool" not in frame.columns:
        frame = frame.with_columns(pool=pl.col("model"))
    if "sample_index" not in frame.columns:
        frame = frame.with_columns(sample_index=pl.int_range(pl.len(), dtype=pl.Int64).over("model", "pool", "problem_id"))
    return frame


def _refuse_duplicates(frame: pl.DataFrame, source: _Source) -> None:
    # Two models of a study may be the same weights under two names; then they share a pool.
    again = frame.select(again=~pl.struct("model", "pool", "problem_id", "sample_index").is_first_distinct())["again"]
    if not again.any():
        return
    row = int(again.arg_true()[0])
    pool, problem, index = frame.select("pool", "problem_id", "sample_index").row(row)
    raise TableError(
        f'{source.at(row)}: sample_index {index} occurs twice in pool "{pool}", problem "{problem}"\n'
        "  number the samples of a pool and problem 0, 1, 2, ..., or leave the column out"
    )


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
