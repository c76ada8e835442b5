"""Standard input and output that tests have replaced: a program prints into the stream that the test reads."""

from __future__ import annotations

import builtins
import contextlib
import io
import sys
from collections.abc import Iterator
from typing import Any

from .decoding import Decoder
from .encoding import Encoder
from .settings import ProgramSettings, TestSettings

_OUTPUTS = ("stdout", "stderr")
_FUNCTIONS = ("input", "print")
_MOST_PARTS = 1000  # of an output that are told apart


class TestStreams:
    """The tests' side: sends what has been replaced, and writes the program's output."""

    __test__ = False  # pytest collects classes of such names

    def __init__(self) -> None:
        self._usual = {name: getattr(sys, name) for name in (*_OUTPUTS, "stdin")}
        self._functions = {name: getattr(builtins, name) for name in _FUNCTIONS}
        self._start = 0
        self._settings = TestSettings()

    def outgoing(self, message: dict[str, Any], encoder: Encoder) -> None:
        """Add the streams and functions that are replaced at this moment, and the settings that have changed."""
        self._settings.outgoing(message, encoder)
        replaced: dict[str, Any] = {name: True for name in _OUTPUTS if getattr(sys, name) is not self._usual[name]}
        if sys.stdin is not self._usual["stdin"]:
            with contextlib.suppress(AttributeError, OSError, ValueError):  # an input that cannot be read twice
                self._start = sys.stdin.tell()
                text = sys.stdin.read()
                sys.stdin.seek(self._start)
                replaced["stdin"] = encoder.item(text)
        for name, usual in self._functions.items():
            if getattr(builtins, name) is not usual:
                replaced[name] = encoder.item(getattr(builtins, name))
        if replaced:
            message["streams"] = replaced

    def incoming(self, message: dict[str, Any]) -> None:
        """Write the program's output, and skip the input that it read."""
        self._settings.incoming(message)
        for name, parts in message.get("printed", {}).items():
            if name in _OUTPUTS and isinstance(parts, list) and all(isinstance(part, str) for part in parts):
                stream = getattr(sys, name)
                for part in ["".join(parts)] if isinstance(stream, io.IOBase) else parts:
                    stream.write(part)
        if isinstance(message.get("read"), int) and sys.stdin is not self._usual["stdin"]:
            sys.stdin.seek(self._start + message["read"])


class _Text(io.StringIO):
    """A text stream that can also be read and written as bytes: `sys.stdin.buffer.read()`."""

    def __init__(self, text: str | None = None) -> None:
        super().__init__(text)
        self._parts: list[str] = []

    def write(self, text: str) -> int:
        """Write, and note the text: a mock of a stream tells its calls apart."""
        if len(self._parts) < _MOST_PARTS:
            self._parts.append(text)
        return super().write(text)

    def take(self) -> list[str]:
        """Return what has been written since the last call, as it was written if that is still known, and remove it."""
        text, parts = self.getvalue(), self._parts
        self._parts = []
        self.seek(0)
        self.truncate()
        return parts if "".join(parts) == text else [text]

    @property
    def buffer(self) -> Any:
        return _Bytes(self)


class _Bytes:
    """A byte view of a text stream, with which it shares its position."""

    def __init__(self, text: io.StringIO) -> None:
        self._text = text

    def read(self, size: int = -1) -> bytes:
        return self._text.read(size).encode()

    def readline(self, size: int = -1) -> bytes:
        return self._text.readline(size).encode()

    def readlines(self) -> list[bytes]:
        return [*self]

    def write(self, data: Any) -> int:
        self._text.write(bytes(data).decode())
        return len(data)

    def flush(self) -> None:
        self._text.flush()

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")


class ProgramStreams:
    """The program's side: replaces the streams that the tests have replaced, while the tests wait."""

    def __init__(self) -> None:
        self._usual: dict[str, Any] = {}
        self._settings = ProgramSettings()

    def incoming(self, message: dict[str, Any], decoder: Decoder) -> None:
        """Replace the streams that the tests have replaced, and restore the others; apply the settings that have changed."""
        self._settings.incoming(message, decoder)
        replaced = message.get("streams", {})
        if not replaced and not self._usual:
            return
        for name in (*_OUTPUTS, "stdin", *_FUNCTIONS):
            place: Any = builtins if name in _FUNCTIONS else sys
            if name in replaced:
                self._usual.setdefault(name, getattr(place, name))
                value = decoder.item(replaced[name])
                setattr(place, name, _Text(None if value is True else value) if place is sys else value)
            elif name in self._usual:
                setattr(place, name, self._usual.pop(name))

    def outgoing(self, message: dict[str, Any]) -> None:
        """Add the output since the last message, and the number of characters read."""
        self._settings.outgoing(message)
        for name in self._usual:
            stream = getattr(sys, name, None)
            if not isinstance(stream, _Text):
                continue
            if name == "stdin":
                message["read"] = stream.tell()
            elif stream.getvalue():
                message.setdefault("printed", {})[name] = stream.take()
