"""JSON lines over the pipes of a process, written and read with a deadline."""

from __future__ import annotations

import contextlib
import json
import os
import select
import time
from collections import deque
from typing import IO, Any

Message = dict[str, Any]


class Messages:
    """Both pipes of a process, on the side that started it."""

    def __init__(self, to: IO[bytes], back: IO[bytes]) -> None:
        self._to, self._back = to, back
        os.set_blocking(to.fileno(), False)  # a message longer than the pipe's buffer would block for ever if nobody reads
        self._waiting: deque[Message] = deque()
        self._torn: list[bytes] = []

    def send(self, message: Message, patience: float) -> None:
        """Write a message.

        Raises:
            TimeoutError: it was not read within `patience` seconds. Part of it is in the pipe, so no other message can follow.
            OSError: the reader is gone.
        """
        left = memoryview(json.dumps(message).encode() + b"\n")
        deadline = time.monotonic() + patience
        while left:
            if not _wait(self._to, select.POLLOUT, deadline):
                raise TimeoutError
            with contextlib.suppress(BlockingIOError):  # less room than the system writes atomically
                left = left[os.write(self._to.fileno(), left) :]

    def receive(self, patience: float) -> Message | None:
        """Return the next message, or None if none comes within `patience` seconds.

        Raises:
            EOFError: every process that could write one has ended.
        """
        deadline = time.monotonic() + patience
        while not self._waiting:
            if not _wait(self._back, select.POLLIN | select.POLLHUP, deadline):
                return None
            data = os.read(self._back.fileno(), 1 << 16)
            if not data:
                raise EOFError
            self._take(data)
        return self._waiting.popleft()

    def close(self) -> None:
        """Close both pipes, which tells the process to end."""
        self._to.close()
        self._back.close()

    def _take(self, data: bytes) -> None:
        *lines, rest = data.split(b"\n")
        if lines:
            lines[0] = b"".join([*self._torn, lines[0]])
            self._torn.clear()
        self._torn.append(rest)
        for line in lines:
            try:
                message = json.loads(line)
            except ValueError:
                continue  # torn by a kill
            if isinstance(message, dict):
                self._waiting.append(message)


def _wait(pipe: IO[bytes], events: int, deadline: float) -> bool:
    poll = select.poll()
    poll.register(pipe, events)
    return bool(poll.poll(max(0.0, deadline - time.monotonic()) * 1000))
