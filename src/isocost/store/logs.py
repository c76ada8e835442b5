"""Logs: files to which whole entries are appended as JSON lines."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from io import FileIO
from pathlib import Path
from typing import Any, BinaryIO

from isocost.errors import StorageError
from isocost.store.files import storage_errors

Row = dict[str, Any]


class Log:
    """An append-only JSONL file. Each entry has a `key` and is committed whole: it is there or it is not."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, *entries: Mapping[str, Any], sync: bool = True) -> None:
        """Append entries in one write.

        Args:
            entries: What to append.
            sync: Wait until they are on the disk. Without it they survive the process being killed, not the machine losing power.

        Raises:
            StorageError: the disk is full or cannot be written; the log keeps its former entries.
        """
        data = "".join([json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries]).encode("utf-8", "surrogatepass")
        with storage_errors(self.path):
            if not self.path.parent.exists():
                self.path.parent.mkdir(parents=True, exist_ok=True)
            # Unbuffered: what a full disk refused must not be written after all when the file is closed.
            with self.path.open("ab+", buffering=0) as file:
                before = _drop_torn_line(file)
                try:
                    left = memoryview(data)
                    while left:
                        left = left[file.write(left) :]
                    if sync:
                        os.fsync(file.fileno())
                except BaseException:  # Ctrl-C too leaves no half of a line
                    with contextlib.suppress(OSError):
                        os.truncate(self.path, before)
                    raise

    def entries(self) -> Iterator[Row]:
        """The entries in the order they were appended; a torn last line is cut off the file first.

        Raises:
            StorageError: a line is damaged.
        """
        for number, (_, line) in enumerate(self.lines(), start=1):
            yield self._parse(line, f"{self.path}:{number}")

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Where each line begins, and the line; a torn last one is cut off the file first."""
        if not self.path.exists():
            return
        with self.path.open("rb+") as file:
            _drop_torn_line(file)
            file.seek(0)
            offset = 0
            for line in file:
                yield offset, line
                offset += len(line)

    def entry_at(self, offset: int) -> Row:
        """The entry whose line begins there."""
        with self.path.open("rb") as file:
            file.seek(offset)
            return self._parse(file.readline(), f"{self.path}, byte {offset}")

    def peek(self) -> Iterator[Row]:
        """The entries of a log that somebody else is writing: nothing is cut off, and a line that is not whole yet is passed over."""
        if self.path.exists():
            with self.path.open("rb") as file:
                for line in file:
                    with contextlib.suppress(ValueError):
                        yield json.loads(line.decode("utf-8", "surrogatepass"))

    def _parse(self, line: bytes, where: str) -> Row:
        try:
            entry: Row = json.loads(line.decode("utf-8", "surrogatepass"))
        except ValueError as error:
            raise StorageError(f"{where}: damaged line ({error})\n  restore the file, or remove it to redo it") from None
        return entry


def _drop_torn_line(file: BinaryIO | FileIO) -> int:
    """Cut off what stands behind the last newline; the length of the file."""
    size = end = file.seek(0, os.SEEK_END)
    step = 1  # nearly always the last byte is the newline
    while end:
        start = max(0, end - step)
        file.seek(start)
        newline = (file.read(end - start) or b"").rfind(b"\n")
        if newline >= 0:
            end = start + newline + 1
            break
        end, step = start, 65536
    if end != size:
        file.truncate(end)
        file.seek(end)
    return end
