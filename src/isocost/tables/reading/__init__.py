"""Files of samples as records, whatever tool wrote them: JSON lines, JSON, CSV, Parquet, YAML, inspect's archives.

The kind of a file is recognised by its first bytes; the suffix decides where they leave a choice. What the fields of a record mean is left
to `isocost.tables.formats`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from isocost.encodings import kind_flaw
from isocost.errors import TableError
from isocost.paths import is_special_file
from isocost.tables.reading.archives import archive_records
from isocost.tables.reading.base import Record, Unread
from isocost.tables.reading.jsonlines import line_records
from isocost.tables.reading.jsonvalues import value_records
from isocost.tables.reading.parquetrows import parquet_records
from isocost.tables.reading.separated import separated_records
from isocost.tables.reading.yamlvalues import yaml_records
from isocost.tables.source import first_line

__all__ = ["Record", "Unread", "is_json_lines", "is_parquet", "records_of"]

_START = 1 << 16  # bytes that decide the kind of a file
_PARQUET = b"PAR1"
_FIELD = re.compile(rb"\"?[A-Za-z_][\w .-]*\"?")
_YAML_KEY = re.compile(rb"[\w\"' -]+:(?:\s|$)")

Reader = Callable[[Path], Iterator[Record | Unread]]


def records_of(path: Path) -> Iterator[Record | Unread]:
    """Yield the records of a file in its order, and what could not be read as a record, with the reason.

    Raises:
        TableError: The file cannot be read, is empty, is cut off, or is of a kind that isocost does not read.
    """
    return _reader(path)(path)


def is_json_lines(path: Path) -> bool:
    """Return True if a file is read line by line as JSON.

    Raises:
        TableError: As `records_of`.
    """
    return _reader(path) is line_records


def is_parquet(path: Path) -> bool:
    """Return True if a file begins as Parquet does, or is named so and begins with no JSON: damage of Parquet is then named as such."""
    try:
        with path.open("rb") as file:
            start = file.read(_START)
    except OSError:
        start = b""
    named = path.suffix.lower() == ".parquet" and not start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")
    return start.startswith(_PARQUET) or named


def _reader(path: Path) -> Reader:
    if is_special_file(path):
        raise TableError(f"{path}: is not an ordinary file, and a table is read more than once\n  write it into a file first")
    try:
        with path.open("rb") as file:
            start = file.read(_START)
    except OSError as error:
        raise TableError(f"{path}: cannot be read: {first_line(error)}") from error
    if not start.strip():
        raise TableError(f"{path}: is empty")
    if start.startswith(_PARQUET):
        return parquet_records
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return archive_records
    if flaw := kind_flaw(start, path):
        raise TableError(f"{path}: {flaw}")
    return _text_reader(start.removeprefix(b"\xef\xbb\xbf").lstrip(), path)


def _text_reader(text: bytes, path: Path) -> Reader:
    suffix = path.suffix.lower()
    line = text.partition(b"\n")[0].strip()
    if suffix in {".csv", ".tsv"} and not _is_object(line):
        return separated_records
    if suffix in {".jsonl", ".ndjson"} and (text.startswith((b"{", b"[")) or not _is_header(line)):
        return line_records
    if text.startswith(b"["):
        return value_records
    if text.startswith(b"{"):
        # An object over several lines begins with a line that is no object. One on a single line reads as a line.
        return line_records if line.endswith(b"}") or len(line) > _START // 2 else value_records
    if suffix in {".yaml", ".yml"} or _YAML_KEY.match(line):
        return yaml_records
    if b"," in line:
        return separated_records
    raise TableError(f"{path}: is no kind of file that isocost reads\n  it reads JSON lines, JSON, CSV, Parquet, YAML and inspect's .eval")


def _is_object(line: bytes) -> bool:
    """Return True if a line is an object of JSON, as the header of a CSV file never is."""
    if not line.startswith(b"{"):
        return False
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _is_header(line: bytes) -> bool:
    """Return True if a line reads as the header of a CSV file: names of fields alone."""
    return b"," in line and all(_FIELD.fullmatch(name.strip()) for name in line.split(b","))
