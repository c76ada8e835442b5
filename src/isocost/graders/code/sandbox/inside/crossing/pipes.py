"""Messages over a pipe: four bytes of length, then the data."""

from __future__ import annotations

import os

_LENGTH = 4
_PIECE = 1 << 16  # bytes that a pipe holds


class ClosedError(Exception):
    """The other side closed the pipe."""


class TooLongError(Exception):
    """The other side announced more than it may say."""


def write_frame(file: int, data: bytes) -> None:
    """Send a message by a file descriptor.

    Raises:
        ClosedError: nobody reads it.
    """
    left = memoryview(len(data).to_bytes(_LENGTH, "big") + data)
    try:
        while left:
            left = left[os.write(file, left) :]
    except BrokenPipeError as error:
        raise ClosedError from error


def read_frame(file: int, longest: int, buffer: bytearray) -> bytes:
    """Read the next message of a file descriptor.

    Args:
        file: The descriptor.
        longest: Bytes of a message at most.
        buffer: What has come already, of it and of later ones; it is kept there should a signal handler of the tests interrupt.

    Raises:
        ClosedError: there is none.
        TooLongError: it announces more than `longest` bytes.
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
