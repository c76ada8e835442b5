"""`audits/labels.jsonl`, read strictly: people's labels are dear, and none is passed over in silence."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

from isocost.errors import StorageError
from isocost.records import Label, LabelVerdict

_OPENING = b'{"at": "'  # of every line that a label book writes
_FIELDS = {field.name for field in fields(Label)}
_TEXTS = ("at", "labeller", "sample_id")
_OPTIONAL = ("reason", "note")
_ROOM = 40  # characters of what a line holds, in a message


def read_labels(path: Path) -> list[Label]:
    """What people said, in the order of the file; nothing where there is no file.

    A last line that a kill cut off in the middle is passed over, and so are blank lines. One that lacks nothing but its end is read.

    Raises:
        StorageError: It is no file that can be read, or a line is no label; it names the line.
    """
    labels: list[Label] = []
    damaged: list[tuple[int, str]] = []
    lines = _content(path).split(b"\n")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line.decode("utf-8", "surrogatepass"))
        except (ValueError, RecursionError):
            if number < len(lines) or not _torn(line):
                damaged.append((number, "cannot be read as JSON"))
            continue
        if flaw := _flaw(row):
            damaged.append((number, flaw))
        else:
            labels.append(Label(**row))
    if damaged:
        raise _damage(path, damaged)
    return labels


def end_last_line(path: Path) -> None:
    """Give a last line that lacks nothing but its end that end, so that nobody takes it for one that was cut off.

    Raises:
        OSError: The file cannot be written.
    """
    end = _content(path).rpartition(b"\n")[2]
    try:
        whole = bool(end.strip()) and not _flaw(json.loads(end.decode("utf-8", "surrogatepass")))
    except (ValueError, RecursionError):
        whole = False
    if whole:
        with path.open("ab") as file:
            file.write(b"\n")


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return b""
    except OSError as error:
        why = "is a folder, not a file" if path.is_dir() else f"cannot be read: {error.strerror or error}"
        raise StorageError(f"{path}: {why}\n  it should hold what people labelled: restore the file, or move away what is there") from error


def _torn(line: bytes) -> bool:
    """Whether it is the beginning of a line of ours: a label book writes no control characters."""
    return _OPENING.startswith(line[: len(_OPENING)]) and min(line) >= ord(" ")


def _flaw(row: Any) -> str:
    """Why it is no label; "" where it is one."""
    if not isinstance(row, dict):
        return "is no label: not an object"
    if unknown := sorted(row.keys() - _FIELDS):
        return f"is no label: unknown field {_short(unknown[0])}"
    if missing := [name for name in _TEXTS if not isinstance(row.get(name), str)]:
        return f"is no label: {missing[0]} is not a text"
    if row.get("verdict") not in get_args(LabelVerdict):
        return f"is no label: verdict {_short(row.get('verdict'))} is none of {', '.join(get_args(LabelVerdict))}"
    if wrong := [name for name in _OPTIONAL if not isinstance(row.get(name), str | None)]:
        return f"is no label: {wrong[0]} is not a text"
    return ""


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= _ROOM else text[: _ROOM - 1] + "…"


def _damage(path: Path, damaged: list[tuple[int, str]]) -> StorageError:
    (first, why), (last, _) = damaged[0], damaged[-1]
    others = len(damaged) - 1
    more = "" if not others else f"; so is line {last}" if others == 1 else f"; so are {others:,} more lines, the last is {last}"
    return StorageError(
        f"{path}:{first}: this line {why}{more}\n"
        f"  no label is passed over in silence: restore the file from a copy, or mend or delete {'these lines' if others else 'the line'}"
    )
