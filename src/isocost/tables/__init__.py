"""Tables of samples: the one format in which draws are measured, imported and exchanged."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import polars as pl

from isocost.errors import TableError
from isocost.paths import is_special_file
from isocost.tables.checks import refuse_gaps_and_duplicates, refuse_mixed_units
from isocost.tables.columns import ALWAYS, COLUMNS, NEEDED
from isocost.tables.foreign import foreign_files, imported, keep_notes, local_copy, table_notes
from isocost.tables.jsonl import scan_jsonl
from isocost.tables.parquet import scan_parquet
from isocost.tables.reading import is_parquet
from isocost.tables.remote import names_urls

__all__ = ["COLUMNS", "NEEDED", "scan_table", "table_notes"]


def scan_table(path: str, columns: Collection[str] | None = None) -> pl.LazyFrame:
    """Check a table of samples and scan it. A row is a sample. Parquet, or one JSON object per line, whatever the name.

    Files of other tools are imported first, as `isocost import` does it; a pattern that several files match names all of them, a folder
    its files. A URL is copied first, through fsspec.

    Of a Parquet file, only the columns that identify a sample are read here. Of JSON lines everything is checked, and all but
    `generation` kept. Texts are read in parts when a query needs them.

    Args:
        path: The file.
        columns: Columns to read beside problem_id, model, pool, sample_index and correct, if the file has them. None is all in `COLUMNS`.
            A name outside `COLUMNS` is the user's own column and read as text.

    Returns:
        The columns in the order of `COLUMNS`, then the user's own; rows in the file's order. problem_id is a string, even if the file has
        integers. pool, if absent, is the model. sample_index may be absent. correct is null for an ungraded sample; the file may have 0
        and 1, or an `outcome` as `isocost verify` writes it.

    Raises:
        TableError: The file cannot be read or is empty; a needed column is missing; a value has the wrong type; a sample_index occurs
            twice in a pool and problem; correct and outcome disagree; or costs are in two units. It names the
            file and the line (JSONL) or row (Parquet), counted from 1.
    """
    # The user's own columns come last and are read as text, because nothing is known of them.
    own = [name for name in columns or () if name not in COLUMNS]
    wanted = [name for name in COLUMNS if columns is None or name in columns or name in ALWAYS] + own
    name, path = path, local_copy(path)
    with names_urls():
        return _scanned(name, path, own, wanted)


def _scanned(name: str, path: str, own: Sequence[str], wanted: Sequence[str]) -> pl.LazyFrame:
    """Scan a local file; `name` is what the user calls it."""
    if is_special_file(Path(path)):
        raise TableError(f"{path}: is not an ordinary file, and a table is read more than once\n  write it into a file first")
    notes: list[str] = []
    if files := foreign_files(Path(path)):
        path, notes = imported(files, own)
    source, lazy = scan_parquet(path, wanted) if is_parquet(Path(path)) else scan_jsonl(path, wanted)
    keep_notes(name, [*notes, *source.notes])
    refuse_gaps_and_duplicates(lazy, source)
    refuse_mixed_units(lazy, source)
    present = lazy.collect_schema().names()
    if "pool" not in present:
        lazy = lazy.with_columns(pool=pl.col("model"))
    return lazy.select([name for name in wanted if name in present or name == "pool"])
