"""The record of a YAML file, as Large Language Monkeys writes one per problem."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import yaml

from isocost.encodings import place_not_utf8
from isocost.errors import TableError
from isocost.tables.reading import base
from isocost.tables.reading.base import Record
from isocost.tables.source import first_line

# libyaml is a hundred times faster on the ten thousand samples of a file; it is left out of some builds of PyYAML.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def yaml_records(path: Path) -> Iterator[Record]:
    """Yield the mapping of the file.

    Raises:
        TableError: The file cannot be read, is not YAML or holds something other than a mapping.
    """
    try:
        if path.stat().st_size > base.LONGEST:
            raise TableError(f"{path}: is longer than {base.LONGEST:,} bytes, as one YAML document")
        value = yaml.load(path.read_bytes(), Loader=_Loader)
    except OSError as error:
        raise TableError(f"{path}: cannot be read: {first_line(error)}") from error
    except yaml.reader.ReaderError as error:
        why = place_not_utf8(path) or f"{path}: is not YAML: {first_line(error)}"
        raise TableError(why) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        raise TableError(f"{path}{line}: is not YAML: {getattr(error, 'problem', None) or first_line(error)}") from error
    if not isinstance(value, dict):
        raise TableError(f"{path}: holds no YAML mapping")
    yield Record(at=str(path), fields=value)
