"""The standard streams and their failures: closed, full, or the same file as the input."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from isocost.errors import InputError, StorageError


class Output:
    """Writes whole lines to a descriptor and counts them. Unbuffered, so that no write can fail after the last call."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor, self.lines = descriptor, 0

    def write(self, data: bytes) -> None:
        """Write all data.

        Raises:
            StorageError: the disk is full or cannot be written.
            InputError: the stream is closed.
            BrokenPipeError: the reader has gone.
        """
        left = memoryview(data)
        try:
            while left:
                written = os.write(self.descriptor, left)
                self.lines += bytes(left[:written]).count(b"\n")  # counted per write, so that an error can report how far it got
                left = left[written:]
        # Passed on unchanged: a reader that has gone is no failure of storage.
        except BrokenPipeError:
            raise
        except OSError as error:
            if error.errno == errno.EBADF:
                raise InputError("standard output: is closed, or not open for writing") from error
            raise StorageError(f"standard output: {error.strerror}\n  {self.lines:,} lines were written before it") from error


def prepare_streams() -> None:
    """Make the standard streams safe to write to, whatever the caller has closed and whatever characters they take.

    The descriptor of a closed stream would be given to the next file that is opened, such as a ledger, and whatever a library writes to
    the stream would go there. Characters that an encoding lacks are written as escapes.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest free one, which is this one
    if sys.stderr is None:  # libraries write to it without a check
        sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115 - for as long as the process lives
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def refuse_same_file(source: int, target: int, name: str) -> None:
    """Reject an output that is the file being read: writing would destroy the input.

    Raises:
        InputError: both descriptors refer to one file.
    """
    try:
        read, written = os.fstat(source), os.fstat(target)
    except OSError:
        return  # closed: the error is reported on the first read or write
    if stat.S_ISREG(read.st_mode) and os.path.samestat(read, written):
        raise InputError(f"{name}: is the input and the output at once\n  write to another file")


@contextlib.contextmanager
def opened(file: str) -> Iterator[int]:
    """Yield the descriptor of a file, or of standard input for `-`.

    Raises:
        InputError: the file cannot be read.
    """
    if file == "-":
        if sys.stdin is None:
            raise InputError("standard input: is closed; name a file, or feed it through a pipe")
        yield sys.stdin.fileno()
        return
    try:
        descriptor = os.open(file, os.O_RDONLY)
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror}") from error
    try:
        if Path(file).is_dir():
            raise InputError(f"{file}: is a folder, not a file of lines")
        yield descriptor
    finally:
        os.close(descriptor)
