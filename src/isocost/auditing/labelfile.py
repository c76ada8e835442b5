"""`audits/labels.jsonl`, read strictly: people's labels are expensive, and none is skipped without an error."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

from isocost.amounts import quantity
from isocost.encodings import utf8_flaw
from isocost.errors import StorageError
from isocost.jsonkeys import RepeatedKeyError, refuse_repeated_keys
from isocost.paths import read_bytes
from isocost.records import Label, LabelVerdict
from isocost.store import atomic_write
from isocost.store.fields import short
from isocost.store.logs import is_checked, is_sound

_OPENING = b'{"at": "'  # of every line that a label book writes
_FIELDS = {field.name for field in fields(Label)}
_TEXTS = ("at", "labeller", "sample_id")
_OPTIONAL = ("reason", "note")


def read_labels(path: Path) -> list[Label]:
    """Return the labels in the order of the file; none where there is no file.

    Blank lines are skipped, and so is a last line that a kill cut off. A complete last line without a line feed is read.

    Raises:
        StorageError: the file cannot be read, a line is no label or was changed after it was written (the message names it), or labels are
            missing that were saved.
    """
    return _read(path)[0]


def next_number(path: Path) -> int:
    """Return the number of the next line: one more than that of any line, and than there are lines. Raises as `read_labels` does."""
    labels, last = _read(path)
    return max(len(labels), last) + 1


def _read(path: Path) -> tuple[list[Label], int]:
    """Return the labels, and the largest number of a line."""
    saved = _saved(path)  # before the labels: another process may save one meanwhile
    labels: list[Label] = []
    last = 0
    damaged: list[tuple[int, str]] = []
    lines = _content(path).split(b"\n")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            text = line.decode("utf-8", "surrogatepass")  # a note may contain a lone surrogate
            row = json.loads(text)
            refuse_repeated_keys(text, row)
        except RepeatedKeyError as error:
            damaged.append((number, f"is ambiguous: {error}"))
            continue
        except (ValueError, RecursionError) as error:
            # Only the last line may be torn: each write ends with a line feed, so one before it was damaged otherwise.
            if number < len(lines) or not _torn(line):
                damaged.append((number, f"is {utf8_flaw(error)}" if isinstance(error, UnicodeDecodeError) else "cannot be read as JSON"))
            continue
        own, flaw = _numbered(row, last)
        if flaw := _unchecked(line, row) or flaw or _flaw(row):
            damaged.append((number, flaw))
        else:
            labels.append(Label(**row))
            last = max(last, own)
    if damaged:
        raise _damage(path, damaged)
    if len(labels) < saved:
        raise StorageError(
            f"{path}: has {len(labels):,} of the {quantity(saved, 'line')} that were saved\n"
            f"  a label is never lost silently: restore the file from a copy; to do without the others, remove {count_file(path)}"
        )
    return labels, last


def count_file(path: Path) -> Path:
    """Return the file of the run directory that has the number of labels: lines that are cut off are missed, and so is a lost folder."""
    return path.parents[1] / "labels.json"


def keep_count(path: Path, number: int, root: Path) -> None:
    """Write how many lines are saved.

    Raises:
        StorageError: the file cannot be written.
    """
    with atomic_write(count_file(path), root) as temporary:
        temporary.write_text(json.dumps({"lines": number}) + "\n", encoding="utf-8")


def _saved(path: Path) -> int:
    """Return how many lines were saved; 0 where it is not known."""
    try:
        found = json.loads(read_bytes(count_file(path)))["lines"]
    except (OSError, ValueError, RecursionError, KeyError, TypeError):  # of an earlier version, or damaged: the lines have checksums
        return 0
    return found if type(found) is int else 0


def _numbered(row: Any, last: int) -> tuple[int, str]:
    """Drop the number of a line, and return it with the reason why it cannot follow the numbers before it; lines without one have 0."""
    number = row.pop("number", None) if isinstance(row, dict) else None
    if number is None:
        return 0, ""
    if type(number) is not int or number < 1:
        return 0, "is not a label: number is no line's"
    return number, "" if number > last else f"is out of order: it was written as line {number:,}, before those above it, or is a copy"


def _unchecked(line: bytes, row: Any) -> str:
    """Return the reason why a line is not as it was written, and drop its checksum; lines of earlier versions have none."""
    if not isinstance(row, dict) or row.pop("check", None) is None:
        return ""
    written = line.removesuffix(b"\r") + b"\n"
    return "" if is_checked(written) and is_sound(written) else "was changed after it was written"


def end_last_line(path: Path) -> None:
    """Add the line feed that a complete last line lacks, so that it is not taken for one that was cut off.

    Raises:
        OSError: the file cannot be written.
    """
    end = _content(path).rpartition(b"\n")[2]
    try:
        row = json.loads(end.decode("utf-8", "surrogatepass"))
        _numbered(row, 0)
        whole = bool(end.strip()) and not (_unchecked(end, row) or _flaw(row))
    except (ValueError, RecursionError):
        whole = False
    if whole:
        with path.open("ab") as file:
            file.write(b"\n")


def _content(path: Path) -> bytes:
    try:
        return read_bytes(path)
    except (FileNotFoundError, NotADirectoryError):
        return b""
    except OSError as error:
        why = "is a folder, not a file" if path.is_dir() else f"cannot be read: {error.strerror or error}"
        raise StorageError(f"{path}: {why}\n  it must contain the human labels: restore the file, or move the other one away") from error


def _torn(line: bytes) -> bool:
    """Return True if it is the beginning of a label's line: these contain no control characters."""
    return _OPENING.startswith(line[: len(_OPENING)]) and min(line) >= ord(" ")


def _flaw(row: Any) -> str:
    """Return the reason why a row is no label; "" where it is one."""
    if not isinstance(row, dict):
        return "is not a label: not an object"
    # An unknown field is an error: a newer version may give it a meaning, and it would be lost here.
    if unknown := sorted(row.keys() - _FIELDS):
        return f"is not a label: unknown field {short(unknown[0])}"
    if missing := [name for name in _TEXTS if not isinstance(row.get(name), str)]:
        return f"is not a label: {missing[0]} is not a text"
    if row.get("verdict") not in get_args(LabelVerdict):
        return f"is not a label: verdict {short(row.get('verdict'))} is not one of {', '.join(get_args(LabelVerdict))}"
    if wrong := [name for name in _OPTIONAL if not isinstance(row.get(name), str | None)]:
        return f"is not a label: {wrong[0]} is not a text"
    return "" if row.get("text_hash") is None or type(row["text_hash"]) is int else "is not a label: text_hash is not a whole number"


def _damage(path: Path, damaged: list[tuple[int, str]]) -> StorageError:
    (first, why), (last, _) = damaged[0], damaged[-1]
    others = len(damaged) - 1
    more = "" if not others else f"; so is line {last}" if others == 1 else f"; so are {others:,} more lines, the last is {last}"
    return StorageError(
        f"{path}:{first}: this line {why}{more}\n"
        f"  a label is never skipped: restore the file from a copy, or correct or delete {'these lines' if others else 'the line'}"
        " (without the key check, a corrected line is taken as it is)"
    )
