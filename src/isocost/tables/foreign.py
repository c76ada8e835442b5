"""Files of other tools in the place of a table: imported into a temporary table, so that every command reads them."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from pathlib import Path

from isocost.nearest import misspelt
from isocost.tables.columns import KNOWN
from isocost.tables.formats import PLAIN
from isocost.tables.imports import Importer, Row, Wishes
from isocost.tables.inputs import expand, kind_of
from isocost.tables.notes import doubts
from isocost.tables.reading import is_json_lines, is_parquet
from isocost.tables.remote import fetched, url_of
from isocost.tables.scores import refuse_unsettled
from isocost.tables.writing import write_table

_TABLES = (".parquet", ".jsonl", ".ndjson")
_NOTES: dict[str, list[str]] = {}  # by what the user calls the files; a scan returns a frame, which has no place for them


def local_copy(path: str) -> str:
    """Return a path, or for a URL the path of a copy that lasts as long as the process.

    Raises:
        TableError: The URL cannot be read.
        MissingExtraError: fsspec is not installed.
    """
    url = url_of(path)
    return path if url is None else str(fetched(url, Path(tempfile.mkdtemp(dir=_folder()))))


def foreign_files(path: Path) -> list[Path]:
    """Return the files to import where a path names files of other tools; none where it names a table of samples.

    A pattern that several files match names all of them, and a folder its files. A single file that is named as a table is imported only
    if it is known to be of another tool: what is wrong with it is what is wrong with a table.
    """
    files, _ = expand([path])
    if files != [path] or path.suffix.lower() not in _TABLES:
        return files
    kind = kind_of(files[0])
    if kind == PLAIN and not (is_parquet(files[0]) or is_json_lines(files[0])):
        return files  # CSV in a file of that name
    return [] if kind in (None, PLAIN) else files


def table_notes(path: str) -> list[str]:
    """Return what is doubtful in a table that was scanned, or in the files that were imported in its place, a sentence each."""
    return _NOTES.get(path, [])


def keep_notes(path: str, notes: Iterable[str]) -> None:
    """Keep notes on a table for `table_notes`."""
    _NOTES[path] = list(notes)


def imported(files: Collection[Path], own: Collection[str]) -> tuple[str, list[str]]:
    """Return the path of a temporary table with the samples of files, and what is doubtful in them, a sentence each.

    A record that gives no sample is refused, not left out.

    Args:
        files: The files.
        own: Fields of the files to take as columns of the user's own.

    Raises:
        TableError: A file cannot be read, a record of it gives no sample, or a score has values other than 0 and 1.
    """
    importer = Importer(Wishes(columns={name: name for name in own}), strict=True)
    path = Path(_folder()) / f"{abs(hash((tuple(files), tuple(own))))}.parquet"
    write_table(importer.rows(list(files)), path, own)
    refuse_unsettled(importer.account.values)
    account = importer.account
    return str(path), [*misspelt([*account.unknown, *importer.columns], KNOWN), *doubts(account)]


def ungraded_lines(files: Collection[Path]) -> str:
    """Return the path of temporary JSON lines with the samples of files, without their verdicts, as `isocost verify` reads them.

    Raises:
        TableError: As `imported`.
    """
    path = Path(_folder()) / "lines.jsonl"
    write_table(_without_verdicts(Importer(Wishes(), strict=True).rows(list(files))), path)
    return str(path)


def _without_verdicts(rows: Iterator[Row]) -> Iterator[Row]:
    # A verdict of the file beside another one of the grader would make the row contradict itself.
    return ({**row, "correct": None, "predicted_answer": None} for row in rows)


@cache
def _folder() -> str:
    """Return a folder that lasts as long as the process: a scan reads its file when the query runs."""
    folder = tempfile.mkdtemp(prefix="isocost-import-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
