"""YAML that a person wrote: plain data, the line of every key, and mistakes that YAML readers usually accept.

Values are read as in YAML 1.1, with these exceptions, which nobody intends:

- A number in base 60 (`190:20:30`), an invalid date (`2026-13-45`), `=` and `<<` as values, and a number of more than a thousand digits
  are text.
- `1e-6` is a number, although YAML 1.1 requires `1.0e-6`.
- The keys of a mapping are text if the caller wants it: `no:` is the name "no".

`no`, `1_000`, `0x10` and `2026-11-01` are read as in YAML 1.1. `YamlFile.plain` has the written text, for fields that expect text.
Size, nesting and the expansion of aliases are bounded, so that no file can exhaust memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from isocost.encodings import LONGEST_MARK, kind_flaw, place_not_utf8
from isocost.errors import StudyError
from isocost.paths import is_special_file

Keys = tuple[str | int, ...]

LONGEST = 1_000_000  # characters of a file
_MOST = 100_000  # values, with every alias expanded: ten lines of nested aliases can stand for billions
_DEEPEST = 50  # nested sections; the parser is recursive
_LONGEST_NUMBER = 1000  # characters; a longer number is text

_TAG = "tag:yaml.org,2002:"
_NO_PLAIN_DATA = ("binary", "omap", "pairs", "set")
_SIGNS, _DIGITS = "-+.", "0123456789"
_EXPONENT = re.compile(r"[-+]?(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)[eE][-+]?[0-9]+$")
_FLOAT = re.compile(_EXPONENT.pattern + r"|[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)$|[-+]?\.(?:inf|Inf|INF)$|\.(?:nan|NaN|NAN)$")
_OLD_FLOAT = re.compile(r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)[eE][-+][0-9]+$")  # floats by the stricter rule of YAML 1.1
_INT = re.compile(r"[-+]?(?:0b[0-1_]+|0x[0-9a-fA-F_]+|0[0-7_]+|0|[1-9][0-9_]*)$")
_OCTAL = re.compile(r"[-+]?0[0-7_]+$")


class TooMuchError(yaml.MarkedYAMLError):
    """YAML that is too long or too deep, expands to too many values, or contains itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """A value without quotes that is not read as text.

    Attributes:
        text: The written text.
        line: Its line.
    """

    text: str
    line: int

    @property
    def is_octal(self) -> bool:
        """True for `010`: 8 in YAML 1.1, and 10 in YAML 1.2."""
        return _OCTAL.match(self.text) is not None and self.text.strip("+-0_") != ""

    @property
    def was_text(self) -> bool:
        """True if YAML 1.1 reads it as text: `1e-6`."""
        return _EXPONENT.match(self.text) is not None and _OLD_FLOAT.match(self.text) is None


@dataclass(frozen=True, slots=True, kw_only=True)
class YamlFile:
    """The content of a YAML file.

    Attributes:
        data: Mappings, lists, numbers, texts and dates.
        lines: The line of every key and list item, by its path.
        repeated: (path, its first line, the line of the repetition) of keys that occur twice in one mapping.
        plain: By its path, every value without quotes that is not text.
    """

    data: Any
    lines: dict[Keys, int]
    repeated: tuple[tuple[Keys, int, int], ...]
    plain: dict[Keys, Plain]

    def line_of(self, keys: Keys) -> int:
        """Return the line of a key, or of the section that lacks it; 0 for the whole file."""
        return next((self.lines[keys[:n]] for n in range(len(keys), 0, -1) if keys[:n] in self.lines), 0)


def read_yaml(path: Path, shown: str, what: str) -> YamlFile:
    """Read a YAML file whose mappings have text as keys.

    Args:
        path: The file.
        shown: The file's name in messages.
        what: The kind of file, for messages: "study file".

    Raises:
        StudyError: the file is missing, cannot be read or is not YAML.
    """
    text = _read_text(path, shown, what)
    try:
        return parse_yaml(text, text_keys=True)
    except yaml.YAMLError as error:
        raise StudyError([describe(error, text, shown)]) from error


def _read_text(path: Path, shown: str, what: str) -> str:
    if is_special_file(path):  # opening a pipe would wait for a writer, and a device may have no end
        raise StudyError([f"{shown}: is not an ordinary file, but a pipe or a device; write the {what} into a file first"])
    if path.is_dir():
        raise StudyError([f"{shown}: is a folder, not a {what}"])
    try:
        with path.open("rb") as start:
            if flaw := kind_flaw(start.read(LONGEST_MARK), path):
                raise StudyError([f"{shown}: {flaw}"])
        with path.open(encoding="utf-8") as stream:
            # One character more shows that the file is too long without reading all of it.
            text = stream.read(LONGEST + 1)
    except FileNotFoundError:
        raise StudyError([f"{shown}: no such {what}"]) from None
    except UnicodeDecodeError as error:
        raise StudyError([f"{place_not_utf8(path, shown)}; save it as UTF-8"]) from error
    except OSError as error:
        raise StudyError([f"{shown}: cannot be read: {error.strerror or error}"]) from error
    if len(text) > LONGEST:
        raise StudyError(
            [f"{shown}: is longer than {LONGEST:,} characters\n  a {what} is a few pages; put problems into files of their own"]
        )
    return text


def describe(error: yaml.YAMLError, text: str, shown: str) -> str:
    """Return the message for a file that is not YAML, which messages call `shown`, with the line of the error."""
    line, why = trouble(error, text)
    kind = "" if isinstance(error, TooMuchError) or why.startswith("not UTF-8") else "not YAML: "
    return f"{shown}{f':{line}' if line else ''}: {kind}{why}"


def trouble(error: yaml.YAMLError, text: str) -> tuple[int, str]:
    """Return the line of an error, 0 if unknown, and its cause as one line."""
    if isinstance(error, yaml.reader.ReaderError):
        code = error.character if isinstance(error.character, int) else ord(error.character)
        line = text.count("\n", 0, error.position) + 1
        if 0xDC80 <= code <= 0xDCFF:  # stands for a byte that is not UTF-8
            start = text.rfind("\n", 0, error.position) + 1
            before = text[start : error.position].encode("utf-8", "surrogateescape")
            return line, f"not UTF-8, at byte {len(before) + 1}"
        return line, f"the character U+{code:04X} is not allowed in it"
    mark = getattr(error, "problem_mark", None)
    why = getattr(error, "problem", None) or str(error)
    why = "an anchor is given twice" if why == "second occurrence" else why
    return (mark.line + 1 if mark else 0), " ".join(str(why).split())[:200]


def parse_yaml(text: str, *, text_keys: bool = False) -> YamlFile:
    """Return the data of a YAML text. Nothing that it names is run or imported.

    Args:
        text: The text.
        text_keys: Read all keys as text.

    Raises:
        yaml.YAMLError: the text is not YAML, or exceeds a bound.
    """
    if len(text) > LONGEST:
        raise TooMuchError(None, None, f"longer than {LONGEST:,} characters")
    loader = _Loader(text)
    loader.text_keys = text_keys
    lines: dict[Keys, int] = {}
    plain: dict[Keys, Plain] = {}
    repeated: list[tuple[Keys, int, int]] = []
    try:
        node = loader.get_single_node()
        data = None
        if node is not None:
            # Before the data is made, because that moves merged keys (<<) into the mapping itself.
            _walk(node, (), lines, repeated)
            data = _unshared(loader.construct_document(node))
            _collect_plain(node, (), plain)
    except RecursionError:
        raise TooMuchError(None, None, "sections within sections, too deep to be read") from None
    finally:
        loader.dispose()
    return YamlFile(data=data, lines=lines, repeated=tuple(dict.fromkeys(repeated)), plain=plain)


def parse_value(text: str) -> YamlFile:
    """Parse the value of a `KEY=VALUE` setting. No comment is cut off: a `#` there is part of a path.

    Raises:
        yaml.YAMLError: the value is not YAML, or exceeds a bound.
    """
    if re.search(r"(^|\s)#", text) and not text.lstrip().startswith(("'", '"', "[", "{")):
        return YamlFile(data=text.strip(), lines={}, repeated=(), plain={})
    return parse_yaml(text, text_keys=True)


def dump_yaml(data: object) -> str:
    """Return YAML that `parse_yaml` reads as the same data, with keys in their order."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True)


class _Loader(yaml.SafeLoader):
    """Counts the expanded values while nodes are composed, and reads values as this module's docstring says."""

    text_keys = False

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._sizes: dict[int, int] = {}  # by id of a complete node: the number of values it expands to
        self._depths: dict[int, int] = {}
        self._level = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Compose the node of the next event.

        Raises:
            yaml.YAMLError: the node is nested too deeply, expands to too many values, or contains itself.
        """
        event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call]
        is_alias = isinstance(event, yaml.AliasEvent)
        self._level += 1
        if self._level > _DEEPEST:
            raise _refused(event, f"sections within sections, deeper than {_DEEPEST}")
        node = super().compose_node(parent, index)
        self._level -= 1
        if node is None:
            return node
        if not is_alias:
            self._measure(node)
        elif isinstance(event, yaml.AliasEvent) and id(node) not in self._sizes:
            raise _refused(event, f"the alias *{event.anchor} refers to a section that contains it")
        if self._sizes[id(node)] > _MOST:
            raise _refused(event, f"more than {_MOST:,} values, aliases written out")
        if self._level + self._depths[id(node)] > _DEEPEST:
            raise _refused(event, f"sections within sections, deeper than {_DEEPEST}")
        return node

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """Compose a mapping. Its keys become text if `text_keys` is set."""
        node = super().compose_mapping_node(anchor)
        for key, _ in node.value:
            if self.text_keys and isinstance(key, yaml.ScalarNode) and key.tag != f"{_TAG}merge":
                key.tag = f"{_TAG}str"
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """Construct the data of a node.

        Raises:
            yaml.YAMLError: a value does not fit its tag.
        """
        try:
            return super().construct_object(node, deep=deep)
        except (ValueError, OverflowError, LookupError, AttributeError, TypeError) as error:  # `!!int x`, `!!bool x`, `!!timestamp x`
            kind = node.tag.removeprefix(_TAG)
            raise yaml.constructor.ConstructorError(None, None, f"a value is not what its tag says: {kind}", node.start_mark) from error

    def _measure(self, node: yaml.Node) -> None:
        inner: list[yaml.Node] = []
        if isinstance(node, yaml.MappingNode):
            inner = [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            inner = node.value
        self._sizes[id(node)] = 1 + sum(self._sizes[id(part)] for part in inner)
        self._depths[id(node)] = 1 + max((self._depths[id(part)] for part in inner), default=0)

    def _number(self, node: yaml.ScalarNode) -> object:
        if len(node.value) > _LONGEST_NUMBER or not node.value.strip("_+-"):
            return node.value
        try:
            if node.tag == f"{_TAG}int":
                return self.construct_yaml_int(node)
            return self.construct_yaml_float(node)
        except ValueError:  # matches the pattern and is no number, such as 0x_
            return node.value

    def _text(self, node: yaml.ScalarNode) -> str:
        return str(node.value)

    def _day(self, node: yaml.ScalarNode) -> object:
        try:
            return self.construct_yaml_timestamp(node)
        except (ValueError, OverflowError):
            return node.value


class _Dumper(yaml.SafeDumper):
    """Quotes texts that YAML 1.1 or 1.2 would read as another type."""


def _refused(event: yaml.Event, why: str) -> TooMuchError:
    mark: Any = event.start_mark
    return TooMuchError(None, None, why, mark)


def _resolvers() -> dict[str, list[tuple[str, re.Pattern[str]]]]:
    changed = {f"{_TAG}{kind}" for kind in ("int", "float", "value")}
    kept = {
        first: [(tag, pattern) for tag, pattern in found if tag not in changed]
        for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    for first in _SIGNS + _DIGITS:
        # First, because the first pattern that matches decides.
        kept[first] = [(f"{_TAG}int", _INT), (f"{_TAG}float", _FLOAT), *kept.get(first, [])]
    return kept


_Loader.yaml_implicit_resolvers = _resolvers()
_Loader.yaml_constructors = {
    tag: make for tag, make in yaml.SafeLoader.yaml_constructors.items() if tag not in {f"{_TAG}{kind}" for kind in _NO_PLAIN_DATA}
}
_Loader.add_constructor(f"{_TAG}int", _Loader._number)
_Loader.add_constructor(f"{_TAG}float", _Loader._number)
_Loader.add_constructor(f"{_TAG}timestamp", _Loader._day)
_Loader.add_constructor(f"{_TAG}merge", _Loader._text)  # `<<` as a value
_Dumper.add_implicit_resolver(f"{_TAG}float", _EXPONENT, list(_SIGNS + _DIGITS))


def _walk(node: yaml.Node, keys: Keys, lines: dict[Keys, int], repeated: list[tuple[Keys, int, int]]) -> None:
    seen: dict[tuple[str, str], int] = {}
    for key, value in _children(node):
        path = (*keys, key if isinstance(key, int) else key.value)
        line = (value if isinstance(key, int) else key).start_mark.line + 1
        if not isinstance(key, int):
            if (key.tag, key.value) in seen:
                repeated.append((path, seen[key.tag, key.value], line))
            seen.setdefault((key.tag, key.value), line)
        lines[path] = line
        _walk(value, path, lines, repeated)


def _collect_plain(node: yaml.Node, keys: Keys, plain: dict[Keys, Plain]) -> None:
    """Find the values that are not text, after merged keys were moved into their mapping. Of repeated keys, the last counts."""
    last = {key if isinstance(key, int) else key.value: value for key, value in _children(node)}
    if isinstance(node, yaml.ScalarNode) and node.tag != f"{_TAG}str" and node.style is None:
        plain[keys] = Plain(text=node.value, line=node.start_mark.line + 1)
    for key, value in last.items():
        _collect_plain(value, (*keys, key), plain)


def _unshared(data: Any) -> Any:
    """Copy data recursively, so that a value behind an alias can be changed in one place."""
    if isinstance(data, dict):
        return {key: _unshared(value) for key, value in data.items()}
    return [_unshared(value) for value in data] if isinstance(data, list) else data


def _children(node: yaml.Node) -> Iterator[tuple[yaml.ScalarNode | int, yaml.Node]]:
    """Yield keys or positions with their values. A key that is not a scalar is left to the constructor."""
    if isinstance(node, yaml.MappingNode):
        yield from ((key, value) for key, value in node.value if isinstance(key, yaml.ScalarNode))
    elif isinstance(node, yaml.SequenceNode):
        yield from enumerate(node.value)
