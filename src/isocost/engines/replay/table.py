"""Read the samples of one model from a table, only the columns that are needed, and check them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq

from isocost.encodings import utf8_flaw
from isocost.engines.replay.recorded import REASONS, Recorded
from isocost.engines.replay.texts import Texts
from isocost.errors import ModelError
from isocost.machine import release_freed
from isocost.paths import matching, open_file, scan_jsonl, scan_parquet

_NEEDED = {"problem_id": "", "model": "", "generation": " for the solutions", "num_generated_tokens": " for their cost"}
_PART = 10_000  # texts in memory at once
_MAY_BE_THERE = ("pool", "sample_index", "num_prompt_tokens", "finish_reason")


def read(table: Path, model: str, pool: str | None) -> Recorded:
    """Return the samples of one model and pool. Without a column `sample_index`, the rows of a problem are numbered in order.

    Raises:
        ModelError: the table cannot be read, lacks a column, does not contain the model, or contains an unusable row.
    """
    where = f"{table}, model {model!r}"
    try:
        found = _Table(table, model, pool)
        texts = []

        def each() -> Iterator[pl.Series]:
            for part in found.texts():
                texts.append(part.is_null())
                yield part

        stored = Texts.stored(each())
        release_freed()  # of the texts: the rows need as much again
        rows = _plain(found.rows().with_columns(is_lost=pl.concat(texts)))
        _refuse_bad_cells(rows, where)
        # By row last, so that of two equal samples the later one in the table is reported.
        rows = rows.with_row_index("row").sort("problem_id", "sample_index", "row")
        _refuse_repeated(rows, where)
        return _recorded(rows, stored.in_order(rows["row"].to_numpy().astype(np.int64)))
    except (OSError, pl.exceptions.PolarsError) as error:
        why = getattr(error, "strerror", None) or _first_flaw(table) or str(error).partition("\n")[0]
        raise ModelError(f"{table}: cannot be read as a table of samples: {why}") from error


def _first_flaw(table: Path) -> str:
    """Return the first line of a table in JSONL that is no JSON, with the reason; "" if there is none. Parsers of columns name no line."""
    files = sorted(table.rglob("*.jsonl")) if table.is_dir() else matching(table)
    for path in files if table.suffix.lower() != ".parquet" else ():
        with open_file(path) as file:
            for number, line in enumerate(file, start=1):
                try:
                    json.loads(line.decode("utf-8") if line.strip() else "null")
                except UnicodeDecodeError as error:
                    return f"{path}:{number}: {utf8_flaw(error)}"
                except (ValueError, RecursionError) as error:
                    return f"{path}:{number}: not JSON: {getattr(error, 'msg', error)}"
    return ""


class _Table:
    """The rows of one model and pool, in the order of the table; texts apart."""

    def __init__(self, table: Path, model: str, pool: str | None) -> None:
        self._is_parquet = table.suffix.lower() == ".parquet"
        self._files = sorted(table.rglob("*.parquet" if self._is_parquet else "*.jsonl")) if table.is_dir() else matching(table)
        scan = (scan_parquet if self._is_parquet else scan_jsonl)(*self._files)
        self._there = scan.collect_schema().names()
        for column, purpose in _NEEDED.items():
            if column not in self._there:
                raise ModelError(f"{table}: no column {column!r}; replay needs it{purpose}")
        self._named = ["model"]
        self._chosen = pl.col("model").cast(pl.String) == model
        if pool is not None and "pool" in self._there:
            self._named.append("pool")
            self._chosen &= pl.col("pool").cast(pl.String) == pool
        self._scan = scan
        if scan.select(self._named).filter(self._chosen).head(1).collect(engine="streaming").is_empty():
            names = scan.select(pl.col("model").drop_nulls().unique().sort()).collect()["model"].to_list()
            raise ModelError(f"{table}: no samples of model {model!r}" + (f" in pool {pool!r}" if pool else "") + f"; its models: {names}")

    def rows(self) -> pl.DataFrame:
        """All columns but the texts."""
        wanted = [column for column in (*_NEEDED, *_MAY_BE_THERE) if column in self._there and column != "generation"]
        rows = self._scan.select(wanted).filter(self._chosen)
        return rows.drop("model", "pool", strict=False).collect(engine="streaming")

    def texts(self) -> Iterator[pl.Series]:
        """The texts, a part at a time."""
        for part in self._parts(["generation", *self._named]):
            yield part.filter(self._chosen)["generation"].cast(pl.String)

    def _parts(self, columns: list[str]) -> Iterator[pl.DataFrame]:
        if not self._is_parquet:
            yield from self._scan.select(columns).collect_batches(chunk_size=_PART, maintain_order=True, engine="streaming")
            return
        for path in self._files:  # by pages: polars reads whole row groups, and several at once
            with path.open("rb") as file, pq.ParquetFile(file, pre_buffer=False, buffer_size=1 << 20) as parquet:
                yield from map(pl.DataFrame, parquet.iter_batches(batch_size=_PART, columns=columns))


def _plain(rows: pl.DataFrame) -> pl.DataFrame:
    """Return all columns in their final types. A value that has no such type becomes null."""
    if "sample_index" not in rows.columns:
        rows = rows.with_columns(pl.int_range(pl.len()).over("problem_id").alias("sample_index"))
    missing = [pl.lit(None).alias(column) for column in ("num_prompt_tokens", "finish_reason") if column not in rows.columns]
    rows = rows.with_columns(missing)
    # A missing reason counts as a complete solution: most published tables have no such column.
    reason = pl.col("finish_reason").cast(pl.String).replace("", None).fill_null("stop")
    return rows.select(
        pl.col("problem_id").cast(pl.String),
        "is_lost",
        _whole(rows, "sample_index"),
        _whole(rows, "num_prompt_tokens").fill_null(0),
        _whole(rows, "num_generated_tokens"),
        reason.cast(pl.Enum(REASONS), strict=False),
        reason.alias("named"),
    )


def _whole(rows: pl.DataFrame, column: str) -> pl.Expr:
    value = pl.col(column)
    # pandas writes integers with gaps as floats; 3.5 is an error, and becomes null.
    if rows.schema[column].is_float():
        value = pl.when(value == value.round()).then(value)
    return value.cast(pl.Int64, strict=False)


def _refuse_bad_cells(rows: pl.DataFrame, where: str) -> None:
    """Refuse the table if a row cannot be used, and name the first one."""
    counts = pl.col("sample_index", "num_prompt_tokens", "num_generated_tokens")
    empty = pl.any_horizontal(pl.col("problem_id", "sample_index", "num_generated_tokens", "finish_reason").is_null())
    no_text = pl.col("is_lost") & (pl.col("finish_reason") != "error").fill_null(True)
    bad = rows.lazy().with_row_index("row").filter(empty | no_text | pl.any_horizontal(counts < 0)).head(1).collect()
    if len(bad):
        raise ModelError(_complaint(bad.row(0, named=True), where))


def _complaint(row: Mapping[str, object], where: str) -> str:
    for column in ("problem_id", "sample_index"):
        if row[column] is None:
            return f"{where}, row {row['row']} of it: {column} is empty or cannot be read"
    where = f"{where}, sample {row['sample_index']} of problem {row['problem_id']!r}"
    if row["finish_reason"] is None:
        return f"{where}: finish_reason {row['named']!r} is none of {', '.join(REASONS)}"
    if row["is_lost"] and row["finish_reason"] != "error":
        return f"{where}: generation is empty"
    if row["num_generated_tokens"] is None:
        return f"{where}: num_generated_tokens is empty or no whole number"
    return f"{where}: sample_index or a number of tokens is below zero"


def _refuse_repeated(rows: pl.DataFrame, where: str) -> None:
    """Refuse the table if two rows have one problem and index, and name the first repeated one."""
    same = (pl.col("problem_id") == pl.col("problem_id").shift()) & (pl.col("sample_index") == pl.col("sample_index").shift())
    repeated = rows.lazy().select("row", "problem_id", "sample_index").filter(same).sort("row").head(1).collect()
    if len(repeated):
        _, problem, index = repeated.row(0)
        raise ModelError(f"{where}: sample {index} of problem {problem!r} occurs twice; name a pool, or renumber")


def _recorded(rows: pl.DataFrame, texts: Texts) -> Recorded:
    """Columns of rows in their order, each in one piece of memory of its own."""
    problems = rows["problem_id"].rle()
    lengths = problems.struct.field("len").to_numpy()
    return Recorded(
        problems=pl.Series(problems.struct.field("value").to_list(), dtype=pl.String),
        starts=np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]),
        # Most numbers of a table fit into two bytes.
        indices=rows["sample_index"].shrink_dtype().to_numpy(),
        prompt_tokens=rows["num_prompt_tokens"].shrink_dtype().to_numpy(),
        tokens=rows["num_generated_tokens"].shrink_dtype().to_numpy(),
        reason_numbers=rows["finish_reason"].to_physical().cast(pl.UInt8).to_numpy(),
        texts=texts,
    )
