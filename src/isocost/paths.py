"""Paths, taken literally: a path that exists is never a pattern, a URL or an option.

polars takes a path as a glob pattern, expands `~` and reads `scheme:` as a URL, so a file in a folder `x[1]` would be looked for in `x1`.
A file that is already open has no name to interpret. All of isocost reads Parquet and JSONL with polars through these functions.
"""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Sequence
from io import BufferedReader
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:  # reading logs does not need polars
    import polars as pl


def stamp_of(path: Path) -> tuple[int, int] | None:
    """Return size and time of change (nanoseconds) of a file or folder; None if nothing is there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def open_file(path: Path) -> BufferedReader:
    """Open a file to read its bytes. A pipe or a device is refused: who opened it would wait for ever, or read without an end.

    Raises:
        OSError: It cannot be opened, or is no ordinary file.
    """
    if is_special_file(path):
        raise OSError("is not an ordinary file, but a pipe or a device")
    return path.open("rb")


def read_bytes(path: Path) -> bytes:
    """Read a file that `open_file` opens.

    Raises:
        OSError: It cannot be read, or is no ordinary file.
    """
    with open_file(path) as file:
        return file.read()


def read_parquet(path: Path, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """Read a Parquet file, or some of its columns.

    Raises:
        OSError: The file cannot be opened.
        polars.exceptions.PolarsError: It is not a Parquet file, or lacks a column.
    """
    import polars as pl

    with open_file(path) as file:
        return pl.read_parquet(file, columns=None if columns is None else list(columns))


def parquet_columns(path: Path) -> list[str]:
    """Return the names of the columns of a Parquet file.

    Raises:
        OSError: The file cannot be opened.
        polars.exceptions.PolarsError: It is not a Parquet file.
    """
    import polars as pl

    with path.open("rb") as file:
        return list(pl.read_parquet_schema(file))


def parquet_metadata(path: Path) -> dict[str, str]:
    """Return the metadata in the footer of a Parquet file.

    Raises:
        OSError: The file cannot be opened.
        ValueError: It is not a Parquet file.
    """
    import polars as pl
    from polars.exceptions import PolarsError

    try:
        with open_file(path) as file:
            return pl.read_parquet_metadata(file)
    except PolarsError as error:
        raise ValueError(str(error)) from error


def scan_parquet(*paths: Path) -> pl.LazyFrame:
    """Scan one Parquet file or several, one after the other. The files stay open for as long as the frame is used.

    Raises:
        OSError: A file cannot be opened.
        polars.exceptions.PolarsError: A file is not a Parquet file. Most faults are found when the frame is collected.
    """
    import polars as pl

    with contextlib.ExitStack() as stack:
        files: list[IO[bytes]] = [stack.enter_context(open_file(path)) for path in paths]
        return pl.scan_parquet(files)


def scan_jsonl(*paths: Path) -> pl.LazyFrame:
    """Scan one JSONL file or several, with a schema inferred from all lines. The files stay open for as long as the frame is used.

    Raises:
        OSError: A file cannot be opened.
        polars.exceptions.PolarsError: A line is not a JSON object. Most faults are found when the frame is collected.
    """
    import polars as pl

    with contextlib.ExitStack() as stack:
        files: list[IO[bytes]] = [stack.enter_context(open_file(path)) for path in paths]
        return pl.scan_ndjson(files, infer_schema_length=None)


def matching(path: Path) -> list[Path]:
    """Return the path itself if it exists, else the sorted files that match it as a glob pattern; the path itself if there are none.

    Folders above the pattern are taken literally.
    """
    if path.exists():
        return [path]
    above = next((parent for parent in path.parents if parent.exists()), Path())
    pattern = str(path.relative_to(above))
    try:
        found = sorted(above.glob(pattern)) if any(sign in pattern for sign in "*?[") else []
    except ValueError:  # an invalid pattern such as a**b
        found = []
    return found or [path]


def from_home(base: Path, name: str) -> Path:
    """Resolve a path against `base`. A leading `~` is the home folder, unless `base` contains a file of that name."""
    # No file has a name with a NUL, and the system would refuse it with an error that names nothing.
    literal = base / (name := name.replace("\0", "\N{SYMBOL FOR NULL}"))
    if not name.startswith("~") or literal.exists():
        return literal
    try:
        return base / Path(name).expanduser()
    except RuntimeError:  # no such user
        return literal


def real_path(path: Path) -> Path:
    """Return a path without symbolic links. `Path.resolve` raises a RuntimeError for a link to itself; its reader names it better."""
    return Path(os.path.realpath(path))


def is_special_file(path: Path) -> bool:
    """Return whether something is there that is neither a file nor a folder, such as a pipe: who opened it would wait for ever."""
    return path.exists() and not path.is_file() and not path.is_dir()


def shell_word(path: Path) -> str:
    """Format a path as one word of a command, on one line, safe for shells and option parsers.

    A name with control characters is written as `$'...'` with escapes, which bash, zsh and ksh read.
    """
    text = f"./{path}" if str(path).startswith("-") else str(path)
    if text.isprintable():
        return shlex.quote(text)
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return "$'" + "".join(each if each.isprintable() else "".join(f"\\{byte:03o}" for byte in os.fsencode(each)) for each in escaped) + "'"
