"""YAML that a person wrote: plain data, the line of every key, and keys that stand twice, which plain YAML readers let pass."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from isocost.errors import StudyError

Keys = tuple[str | int, ...]

_DEEPEST, _LONGEST = 40, 100_000  # an alias may hold itself, and aliases of aliases may stand for more than a machine holds


@dataclass(frozen=True, slots=True, kw_only=True)
class YamlFile:
    """What a file holds.

    Attributes:
        data: Mappings, lists, numbers, texts and dates.
        lines: The line of every key and list item, by its path.
        repeated: (path, its first line, the line where it stands again) of keys that stand twice in one mapping.
    """

    data: Any
    lines: dict[Keys, int]
    repeated: tuple[tuple[Keys, int, int], ...]


def read_yaml(path: Path, shown: str, what: str) -> YamlFile:
    """Read a YAML file.

    Args:
        path: The file.
        shown: How messages name it.
        what: What it is, for messages: "study file".

    Raises:
        StudyError: the file is missing, cannot be read or is not YAML.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise StudyError([f"{shown}: no such {what}"]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise StudyError([f"{shown}: cannot be read: {error}"]) from error
    try:
        return parse_yaml(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f":{mark.line + 1}" if mark else ""
        raise StudyError([f"{shown}{where}: not YAML: {getattr(error, 'problem', error)}"]) from error


def read_value(text: str) -> object:
    """Read the value of a `KEY=VALUE` setting as YAML. No comment is cut off: a `#` there is part of a path.

    Raises:
        yaml.YAMLError: It is not YAML.
    """
    if re.search(r"(^|\s)#", text) and not text.lstrip().startswith(("'", '"', "[", "{")):
        return text.strip()
    return yaml.safe_load(text)


def parse_yaml(text: str) -> YamlFile:
    """The data of a YAML text, without running or importing anything that it names.

    Raises:
        yaml.YAMLError: it is not YAML.
    """
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        # Before the data is made: that puts merged keys (<<) among a mapping's own.
        lines: dict[Keys, int] = {}
        repeated: list[tuple[Keys, int, int]] = []
        if node is not None:
            _walk(node, (), lines, repeated)
        data = None if node is None else loader.construct_document(node)
    except RecursionError:
        raise yaml.YAMLError("sections within sections, too deep to be read") from None
    finally:
        loader.dispose()
    return YamlFile(data=data, lines=lines, repeated=tuple(dict.fromkeys(repeated)))


def _walk(node: yaml.Node, keys: Keys, lines: dict[Keys, int], repeated: list[tuple[Keys, int, int]]) -> None:
    if len(keys) > _DEEPEST or len(lines) > _LONGEST:
        return
    seen: dict[tuple[str, str], int] = {}
    for key, value, line in _children(node):
        path = (*keys, key if isinstance(key, int) else key.value)
        if not isinstance(key, int):
            if (key.tag, key.value) in seen:
                repeated.append((path, seen[key.tag, key.value], line))
            seen.setdefault((key.tag, key.value), line)
        lines[path] = line
        _walk(value, path, lines, repeated)


def _children(node: yaml.Node) -> Iterator[tuple[yaml.ScalarNode | int, yaml.Node, int]]:
    """Keys or positions with their values and lines. A key that is no plain word is left to the reader of the data."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                yield key, value, key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield index, value, value.start_mark.line + 1
