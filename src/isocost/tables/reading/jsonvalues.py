"""Records of a JSON file with one value: an object, or a list of objects."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from isocost.encodings import place_not_utf8
from isocost.errors import TableError
from isocost.tables.jsonobjects import read_value
from isocost.tables.reading import base
from isocost.tables.reading.base import Record, Unread
from isocost.tables.source import first_line


def value_records(path: Path) -> Iterator[Record | Unread]:
    """Yield the object of the file, or each object of its list.

    Raises:
        TableError: The file cannot be read, is too large to be held in memory, or is not JSON.
    """
    try:
        if path.stat().st_size > base.LONGEST:
            raise TableError(f"{path}: is longer than {base.LONGEST:,} bytes, as one JSON value\n  write an object per line")
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TableError(f"{place_not_utf8(path)}, the text encoding of JSON\n  save it as UTF-8") from error
    except OSError as error:
        raise TableError(f"{path}: cannot be read: {first_line(error)}") from error
    value, _ = read_value(text, str(path))
    if isinstance(value, dict):
        yield Record(at=str(path), fields=value)
        return
    if not isinstance(value, list):
        raise TableError(f"{path}: holds neither an object nor a list of objects")
    for number, item in enumerate(value, start=1):
        at = f"{path}: item {number}"
        yield Record(at=at, fields=item) if isinstance(item, dict) else Unread(at=at, reason="not a JSON object")
