"""Messages over a pipe: four bytes of length, then the data."""

from __future__ import annotations

import os

_LENGTH = 4
_PIECE = 1 << 16  # bytes that a pipe holds


class ClosedError(Exception):
    """Raised where the other side closed the pipe."""


class TooLongError(Exception):
    """Raised where the other side announced a message longer than allowed."""


def write_frame(file: int, data: bytes) -> None:
    """Write a message to a file descriptor.

    Raises:
        ClosedError: the other side closed the pipe.
    """
    left = memoryview(len(data).to_bytes(_LENGTH, "big") + data)
    try:
        while left:
            # A pipe takes part of a long message at a time, and a signal may interrupt the write.
            left = left[os.write(file, left) :]
    except BrokenPipeError as error:
        raise ClosedError from error


def read_frame(file: int, longest: int, buffer: bytearray) -> bytes:
    """Read the next message from a file descriptor.

    Args:
        file: The descriptor.
        longest: The maximum length of a message in bytes.
        buffer: Bytes of this and later messages that were already read. They stay in it if a signal handler of the tests interrupts.

    Raises:
        ClosedError: the pipe is closed.
        TooLongError: the message is longer than `longest`.
    """
    _fill(file, buffer, _LENGTH)
    length = int.from_bytes(buffer[:_LENGTH], "big")
    if length > longest:
        raise TooLongError(f"{length} bytes announced")
    _fill(file, buffer, _LENGTH + length)
    data = bytes(memoryview(buffer)[_LENGTH : _LENGTH + length])
    del buffer[: _LENGTH + length]
    return data


def _fill(file: int, buffer: bytearray, count: int) -> None:
    while len(buffer) < count:
        try:
            piece = os.read(file, _PIECE)
        except ConnectionError as error:  # no other OSError: a signal handler of the tests may raise TimeoutError here
            raise ClosedError from error
        if not piece:
            raise ClosedError
        buffer += piece
