"""Records of CSV and TSV. All values are texts; an empty cell is a missing value."""

from __future__ import annotations

import csv
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from isocost.encodings import place_not_utf8
from isocost.errors import TableError
from isocost.tables.reading import base
from isocost.tables.reading.base import Record, Unread
from isocost.tables.source import first_line

_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars", ",": "commas"}


def separated_records(path: Path) -> Iterator[Record | Unread]:
    """Yield a record per row. The first row names the columns.

    Raises:
        TableError: The file cannot be read, its columns are separated by another character, or a name occurs twice.
    """
    separator = "\t" if path.suffix.lower() == ".tsv" else ","
    csv.field_size_limit(min(base.LONGEST, sys.maxsize))  # the default, 131,072 characters, is shorter than some solutions
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            # strict: without it a stray quote swallows the rest of the file as one value.
            reader = csv.reader(file, delimiter=separator, strict=True)
            names = _names(next(reader, []), path, separator)
            for cells in reader:
                at = f"{path}:{reader.line_num}"
                if len(cells) == len(names):
                    yield Record(at=at, fields={name: cell or None for name, cell in zip(names, cells, strict=True)})
                elif cells:
                    yield Unread(at=at, reason="another number of cells than the header")
    except UnicodeDecodeError as error:
        raise TableError(f"{place_not_utf8(path)}\n  save it as UTF-8") from error
    except csv.Error as error:
        raise TableError(f"{path}:{reader.line_num}: is not CSV: {first_line(error)}") from error
    except OSError as error:
        raise TableError(f"{path}: cannot be read: {first_line(error)}") from error


def _names(header: list[str], path: Path, separator: str) -> list[str]:
    names = [name.strip() for name in header]
    if len(names) == 1:
        for other, word in _SEPARATORS.items():
            if other != separator and other in names[0]:
                raise TableError(
                    f"{path}: its columns are separated by {word}, not by {_SEPARATORS[separator]}\n"
                    f"  {'name it .tsv' if other == chr(9) else 'save it with commas'}"
                )
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise TableError(f'{path}:1: column "{repeated[0][:80]}" occurs twice; keep one')
    return names
