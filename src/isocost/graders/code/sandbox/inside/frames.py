"""Messages over a socket: four bytes of length, then the data. Every wait has a deadline, so neither peer can block the other."""

from __future__ import annotations

import socket
import time

_LENGTH = 4


class BrokenFrameError(Exception):
    """Raised where the peer closed the socket or announced a message longer than allowed."""


def send(peer: socket.socket, data: bytes, *, deadline: float | None = None) -> None:
    """Send a message.

    Args:
        peer: The socket.
        data: The bytes to send.
        deadline: By `time.monotonic`; None waits without limit.

    Raises:
        TimeoutError: the deadline passed.
        OSError: the peer is gone.
    """
    _wait_until(peer, deadline)
    peer.sendall(len(data).to_bytes(_LENGTH, "big") + data)


def receive(peer: socket.socket, longest: int, *, deadline: float | None = None) -> bytes:
    """Return the next message.

    Raises:
        BrokenFrameError: the peer is gone, or announces more than `longest` bytes.
        TimeoutError: the deadline passed.
    """
    length = int.from_bytes(_exactly(peer, _LENGTH, deadline), "big")
    if length > longest:
        raise BrokenFrameError(f"{length} bytes announced")
    return _exactly(peer, length, deadline)


def _exactly(peer: socket.socket, count: int, deadline: float | None) -> bytes:
    data = bytearray()
    while len(data) < count:
        _wait_until(peer, deadline)
        try:
            piece = peer.recv(min(count - len(data), 1 << 20))
        except ConnectionError as error:
            raise BrokenFrameError("gone") from error
        if not piece:
            raise BrokenFrameError("gone")
        data += piece
    return bytes(data)


def _wait_until(peer: socket.socket, deadline: float | None) -> None:
    left = None if deadline is None else deadline - time.monotonic()
    if left is not None and left <= 0:  # else a peer that sends one byte at a time would extend the wait with each
        raise TimeoutError
    peer.settimeout(left)
