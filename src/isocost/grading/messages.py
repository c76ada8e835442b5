"""Lines of JSON over the pipes of a process, read with a deadline."""

from __future__ import annotations

import json
import os
import select
import time
from collections import deque
from typing import IO, Any

Message = dict[str, Any]


class Messages:
    """Both pipes of a process, from the side that started it."""

    def __init__(self, to: IO[bytes], back: IO[bytes]) -> None:
        self._to, self._back = to, back
        self._waiting: deque[Message] = deque()
        self._torn: list[bytes] = []

    def send(self, message: Message) -> None:
        """Write a message; OSError where nobody can read it any more."""
        left = memoryview(json.dumps(message).encode() + b"\n")
        while left:
            left = left[os.write(self._to.fileno(), left) :]

    def receive(self, patience: float) -> Message | None:
        """The next message, or None if there is none for so many seconds.

        Raises:
            EOFError: there will be none, all that could write one has ended.
        """
        deadline = time.monotonic() + patience
        while not self._waiting:
            if not self._readable(max(0.0, deadline - time.monotonic())):
                return None
            data = os.read(self._back.fileno(), 1 << 16)
            if not data:
                raise EOFError
            self._take(data)
        return self._waiting.popleft()

    def close(self) -> None:
        """Close what is still open: the process is told by it to end."""
        self._to.close()
        self._back.close()

    def _readable(self, patience: float) -> bool:
        poll = select.poll()
        poll.register(self._back, select.POLLIN | select.POLLHUP)
        return bool(poll.poll(patience * 1000))

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
