"""The lines of a stream as bytes. Files that are not lines of JSON are recognised by their first bytes and refused."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from pathlib import Path

from isocost.errors import InputError
from isocost.paths import shell_word

READ = 1 << 20  # bytes requested at a time; a pipe returns what it has
_MAGIC = {  # the first bytes of other kinds of file: the kind, and the command that converts it to lines of JSON
    b"PAR1": ("is a Parquet table", ""),
    b"\xff\xfe\0\0": ("is UTF-32 text", "iconv -f UTF-32 -t UTF-8 {}"),
    b"\0\0\xfe\xff": ("is UTF-32 text", "iconv -f UTF-32 -t UTF-8 {}"),
    b"\xff\xfe": ("is UTF-16 text", "iconv -f UTF-16 -t UTF-8 {}"),
    b"\xfe\xff": ("is UTF-16 text", "iconv -f UTF-16 -t UTF-8 {}"),
    b"\x1f\x8b": ("is compressed", "gzip -dc {}"),
    b"\x28\xb5\x2f\xfd": ("is compressed", "zstd -dc {}"),
}


def raw_lines(file: int, name: str) -> Iterator[list[bytes]]:
    """Yield lines without their ends, as many at a time as are available; the last one may lack its end.

    Args:
        file: The descriptor to read from.
        name: The stream's name in errors.

    Raises:
        InputError: it cannot be read, or is a file of another kind.
    """
    torn: list[bytes] = []
    first, number = True, 0
    # Read without Python's buffer: a thread still waiting at exit would hold its lock, and the interpreter would hang.
    while data := _read(file, name):
        if first:
            _refuse_other_files(data, name)
        first = False
        *whole, rest = data.split(b"\n")
        if whole:
            whole[0] = b"".join([*torn, whole[0]])
            torn.clear()
        torn.append(rest)
        if whole:
            if not number:
                _refuse_one_value(whole[0], name)
            number += len(whole)
            yield whole
    if last := b"".join(torn):
        if not number:
            _refuse_one_value(last, name)
        yield [last]


def _read(file: int, name: str) -> bytes:
    try:
        return os.read(file, READ)
    except OSError as error:
        closed = "is closed" if error.errno == errno.EBADF else f"cannot be read: {error.strerror}"
        raise InputError(f"{name}: {closed}") from error


def _refuse_other_files(data: bytes, name: str) -> None:
    for magic, (what, command) in _MAGIC.items():
        if data.startswith(magic):
            remedy = f"\n  {command.format(_argument(name))} | isocost verify -" if command else ""
            raise InputError(f"{name}: {what}; verify reads JSON lines{remedy}")


def _refuse_one_value(line: bytes, name: str) -> None:
    """Refuse a list, on one line or several, and an object that continues after its first line."""
    text = line.removeprefix(b"\xef\xbb\xbf").strip()
    if text == b"{" or re.match(rb"\[\s*(?:\{|$)", text):
        # The message gives the command that converts the file, because both forms are common.
        over = "one JSON list on one line" if len(text) > 1 and text.endswith(b"]") else "one JSON value over several lines"
        query = "'.[]'" if text.startswith(b"[") else "."
        raise InputError(f"{name}: is {over}; verify reads JSON lines\n  jq -c {query} {_argument(name)} | isocost verify -")


def _argument(name: str) -> str:
    return "FILE" if name == "stdin" else shell_word(Path(name))
