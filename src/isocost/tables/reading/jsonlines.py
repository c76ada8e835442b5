"""Records of JSON lines. A line that is no object is passed on as unread: runs that were killed leave a torn last line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from isocost.errors import TableError
from isocost.tables.jsonobjects import read_object
from isocost.tables.reading import base
from isocost.tables.reading.base import Record, Unread
from isocost.tables.source import first_line


def line_records(path: Path) -> Iterator[Record | Unread]:
    """Yield the object of each line that is not blank.

    Raises:
        TableError: The file cannot be read.
    """
    try:
        with path.open("rb") as file:
            number = 0
            while whole := file.readline(base.LONGEST + 1):
                if len(whole) > base.LONGEST:
                    raise TableError(f"{path}:{number + 1}: is longer than {base.LONGEST:,} bytes\n  the file may be damaged")
                for line in whole.splitlines():  # a carriage return alone ends a line too: no JSON text has one inside
                    number += 1
                    if line.strip():
                        yield _record(line, path, number)
    except OSError as error:
        raise TableError(f"{path}: cannot be read: {first_line(error)}") from error


def _record(line: bytes, path: Path, number: int) -> Record | Unread:
    at = f"{path}:{number}"
    try:
        text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        return Record(at=at, fields=read_object(text, at)[0])
    except UnicodeDecodeError:
        return Unread(at=at, reason="not UTF-8")
    except TableError as error:
        # Without the place and the parser's own words, which differ from line to line.
        return Unread(at=at, reason=error.happened.removeprefix(f"{at}: ").partition(":")[0])
