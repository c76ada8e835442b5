"""Logs: files of JSON lines to which whole entries are appended."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import zlib
from collections.abc import Callable, Iterator, Mapping
from io import FileIO
from pathlib import Path
from typing import Any, BinaryIO

from isocost.encodings import utf8_flaw
from isocost.errors import StorageError
from isocost.jsonkeys import RepeatedKeyError, refuse_repeated_keys
from isocost.paths import is_special_file
from isocost.store.fields import Kind, flaw_of
from isocost.store.files import make_folder, storage_errors, sync_folder
from isocost.store.kinds import ANY

Row = dict[str, Any]
_CHECK = b', "check": "'  # precedes the checksum at the end of a line; it cannot occur inside a text, where quotes are escaped
_ENCODER = json.JSONEncoder(ensure_ascii=False)
_CHANGED = "was changed after it was written"
_CHECKED = len(_CHECK) + 8 + len(b'"}\n')


class Log:
    """An append-only JSONL file. Each entry is committed whole: it is complete or absent.

    Args:
        path: The file. It is never opened through a symbolic link. The folders above it may be links.
        kind: The fields of its lines, and the remedy for damaged ones.
        guard: Called before each write. It stops the write by raising.
        makes_folder: Create the folder if it is missing.
        root: A folder above it that is not created, as in `make_folder`.
        checked: End each line with a checksum, which reveals edits.
    """

    def __init__(
        self,
        path: Path,
        kind: Kind = ANY,
        *,
        guard: Callable[[], None] = lambda: None,
        makes_folder: bool = True,
        checked: bool = False,
        root: Path | None = None,
    ) -> None:
        self.path, self.kind, self._root = path, kind, root
        self._guard, self._makes_folder, self._checked = guard, makes_folder, checked
        self._end: int | None = None  # length of the file, for a log with one writer, once it was read or written

    def append(self, *entries: Mapping[str, Any], sync: bool = True) -> None:
        """Append entries in one write.

        Args:
            entries: The entries.
            sync: Wait until they are on the disk. Without it they survive a kill of the process, but not a power loss.

        Raises:
            StorageError: the disk is full or cannot be written, or another process changed a log that has one writer. The log keeps its
                former entries.
        """
        ended = _with_check if self._checked else _with_newline
        # One buffer and one write, so that a kill leaves at most one incomplete line.
        data = b"".join([ended(_ENCODER.encode(entry).encode("utf-8", "surrogatepass")) for entry in entries])
        self._guard()
        with storage_errors(self.path):
            if self._makes_folder and not self.path.parent.exists():
                make_folder(self.path.parent, self._root)
            # Unbuffered: bytes that a full disk refused must not be written later, when the file is closed.
            self._refuse_changed()
            with self._opened(os.O_RDWR | os.O_CREAT | os.O_APPEND) as file:
                # A line after an incomplete one would be lost with it.
                before = _drop_torn_line(file)
                try:
                    left = memoryview(data)
                    while left:
                        left = left[file.write(left) :]
                    if sync:
                        os.fsync(file.fileno())
                except BaseException:  # Ctrl-C must not leave half a line either
                    with contextlib.suppress(OSError):
                        os.ftruncate(file.fileno(), before)
                    raise
                # A new file: its name must survive power loss too.
                if not before:
                    sync_folder(self.path.parent)
                self._end = before + len(data)

    def _refuse_changed(self) -> None:
        """Check that a log with one writer has the length that this object left: entries after a cut could not be read.

        Raises:
            StorageError: the log was removed, cut, replaced or appended to.
        """
        if not self.kind.one_writer or self._end is None:
            return
        size = self.path.stat().st_size if self.path.exists() else 0
        if size != self._end:
            how = "was removed" if not self.path.exists() else "was changed"
            raise StorageError(f"{self.path}: {how} while the run was working: {size:,} bytes, not {self._end:,}\n  {self.kind.remedy}")

    def entries(self) -> Iterator[Row]:
        """Yield the entries in the order of writing. An incomplete last line is cut off the file first.

        Raises:
            StorageError: a line is damaged, or is there twice although its kind never is.
        """
        first: dict[bytes, int] = {}  # by digest: a line may be long
        for number, (_, line) in enumerate(self.lines(), start=1):
            if self.kind.unique and (before := first.setdefault(hashlib.blake2b(line).digest(), number)) != number:
                raise self.damaged(number, f"is a copy of line {before}")
            yield self.parse(line, number)

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Yield the offset of each line, and the line. An incomplete last line is cut off the file first.

        Raises:
            StorageError: the file cannot be read.
        """
        if not self.path.exists() and not self.path.is_symlink():
            return
        with self._reading(), self._opened(os.O_RDWR, buffered=True) as file:
            _drop_torn_line(file)
            file.seek(0)
            offset = 0
            for line in file:
                yield offset, line
                offset += len(line)
            self._end = offset

    def line_at(self, offset: int) -> bytes:
        """Return the line at an offset."""
        with self._reading(), self.path.open("rb") as file:
            file.seek(offset)
            return file.readline()

    def peek(self) -> Iterator[Row]:
        """Yield the entries of a log that another process may be writing. Nothing is cut off, and invalid lines are skipped."""
        if is_special_file(self.path):
            return
        with contextlib.suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError), self.path.open("rb") as file:
            for line in file:
                with contextlib.suppress(ValueError, RecursionError):
                    entry = json.loads(line.decode("utf-8", "surrogatepass"))
                    if isinstance(entry, dict):
                        yield entry

    def parse(self, line: bytes, number: int) -> Row:
        """Parse a line and check its fields.

        Raises:
            StorageError: the line is damaged.
        """
        entry = self.parse_json(line, number)
        if flaw := flaw_of(entry, self.kind.fields):
            raise self.damaged(number, flaw)
        return entry  # type: ignore[no-any-return]  # an object, or it had a flaw

    def parse_json(self, line: bytes, number: int) -> Any:
        """Parse a line without checking its fields.

        Raises:
            StorageError: the line is not JSON, has a key twice, or its checksum does not match.
        """
        line = with_own_end(line)
        if is_checked(line) and not is_sound(line):
            raise self.damaged(number, _CHANGED)
        try:
            text = line.decode("utf-8", "surrogatepass")
            entry = json.loads(text)
            # Rows are left out for speed: texts of models make up most of them, and their totals are compared with the ledger.
            if not self.kind.rows:
                refuse_repeated_keys(text, entry)
        except UnicodeDecodeError as error:
            raise self.damaged(number, utf8_flaw(error)) from None
        except RepeatedKeyError as error:
            raise self.damaged(number, str(error)) from None
        except (ValueError, RecursionError) as error:
            raise self.damaged(number, f"is not JSON: {error}") from None
        if isinstance(entry, dict) and entry.pop("check", None) is not None and not is_checked(line):
            raise self.damaged(number, _CHANGED)  # by a program that spaces JSON otherwise: the checksum is of the text as it was
        return entry

    def doubled_lines(self) -> int:
        """Return the number of lines of the first half of the file if the second half is a copy of it, else 0."""
        with self._reading(), self.path.open("rb") as file:
            content = file.read()
        half = len(content) // 2
        return content.count(b"\n", 0, half) if content[:half] == content[half:] else 0

    def damaged(self, number: int, why: str) -> StorageError:
        """Return the error for a line that cannot be used, with its remedy."""
        return StorageError(f"{self.path}:{number}: damaged line: {why}\n  {self.kind.remedy.format(line=number, path=self.path)}")

    def _opened(self, flags: int, *, buffered: bool = False) -> Any:
        descriptor = os.open(self.path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
        return os.fdopen(descriptor, "rb+", buffering=-1 if buffered else 0)

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        if is_special_file(self.path):  # opening a pipe would wait for a writer
            raise StorageError(f"{self.path}: is not an ordinary file, but a pipe or a device\n  restore the file from a copy")
        try:
            yield
        except OSError as error:
            why = "is a folder, not a file" if self.path.is_dir() else f"cannot be read: {error.strerror or error}"
            if error.errno == errno.ELOOP:
                why = "is a symbolic link; put the file itself there"
            raise StorageError(f"{self.path}: {why}\n  restore the file from a copy") from error


def _with_check(line: bytes) -> bytes:
    body = line[:-1]  # without the brace
    return b'%b%b%08x"}\n' % (body, _CHECK, zlib.crc32(body))


def _with_newline(line: bytes) -> bytes:
    return line + b"\n"


def with_own_end(line: bytes) -> bytes:
    """Return a line as it was written where an editor or a copy has changed its end alone."""
    return line[:-2] + b"\n" if line.endswith(b"\r\n") else line


def is_checked(line: bytes) -> bool:
    """Return True if a line ends with a checksum. Lines of earlier versions do not."""
    return line[-_CHECKED : -_CHECKED + len(_CHECK)] == _CHECK


def is_sound(line: bytes) -> bool:
    """Return True if the checksum of a line matches its text."""
    return b"%08x" % zlib.crc32(memoryview(line)[:-_CHECKED]) == line[-_CHECKED + len(_CHECK) : -3]


def _drop_torn_line(file: BinaryIO | FileIO) -> int:
    """Cut off the text after the last newline, and return the length of the file. A whole line that lacks only its newline gets it."""
    size = end = file.seek(0, os.SEEK_END)
    step = 1  # one byte first: the last byte is nearly always the newline
    while end:
        start = max(0, end - step)
        file.seek(start)
        newline = (file.read(end - start) or b"").rfind(b"\n")
        if newline >= 0:
            end = start + newline + 1
            break
        end, step = start, 65536
    if end != size:
        file.seek(end)
        if _is_whole(file.read(size - end) or b""):  # as an editor or a copy leaves it: its draws were paid
            file.seek(size)
            file.write(b"\n")
            return size + 1
        file.truncate(end)
        file.seek(end)
    return end


def _is_whole(line: bytes) -> bool:
    """Return True if a line without its newline is an entry: no part of an object is an object."""
    try:
        return isinstance(json.loads(line.decode("utf-8", "surrogatepass")), dict)
    except (ValueError, RecursionError):
        return False
