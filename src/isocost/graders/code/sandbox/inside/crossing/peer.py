"""One end of the pipes between a program and its tests."""

from __future__ import annotations

import _thread  # threading would run hooks of its own in each fork
import json
import sys
from typing import Any

from .actions import is_allowed, may_stop, perform, without_handles
from .decoding import Decoder
from .encoding import Encoder
from .mirrors import ask_by
from .pipes import ClosedError, TooLongError, read_frame, write_frame
from .table import Table, TamperedError

LONGEST = 1 << 28  # bytes of a message
_FRAMES = 6  # of this package, at least, for a function that the other side calls from one that this side called
_SPARE = 40  # frames of this package, at most, that send a request and its answer
_write = json.JSONEncoder(check_circular=False, separators=(",", ":")).encode
_read = json.JSONDecoder().decode


class GoneError(BaseException):
    """Raised where the other process has ended or closed its pipe. A BaseException, so that tests do not catch it as an expected one."""


class Peer:
    """A peer that asks the other side and answers it. While it waits for an answer, it does what the other side asks.

    Args:
        reads: The file descriptor that the other side writes to.
        writes: The file descriptor that it reads.
        tests: True on the side of the tests, which trusts no message.
    """

    def __init__(self, *, reads: int, writes: int, tests: bool) -> None:
        self.tests = tests
        self.named: set[type] = set()  # classes of the program that the tests name
        self.table = Table(tests=tests)
        self._reads, self._writes = reads, writes
        self._buffer = bytearray()
        self._lock = _thread.RLock()
        self.asked = 0
        self.spared = 0  # frames that calls into each other have added to the recursion limit

    def begin(self) -> None:
        """Make the proxies of this process ask through this peer."""
        ask_by(self)

    def ask(self, action: str, target: object, /, *arguments: object, **named: object) -> Any:
        """Return the result of an action on an object of the other side.

        Raises:
            GoneError: the other side is gone.
            TamperedError: it sent what no peer sends.
            BaseException: any exception of the action there.
        """
        _have_frames(_SPARE)  # a RecursionError in the middle of a message would look like a broken protocol
        with self._lock:
            self.asked += 1
            number = self.asked
            self._send_values({"ask": action, "number": number}, [target, *arguments], named)
            while True:
                message, decoder = self._receive_values()
                if "ask" in message:
                    self._answer(message, decoder)
                elif message["number"] == number:
                    result = decoder.item(message["values"][0])
                    break  # an answer with another number belongs to a request that an alarm interrupted
        if message["raised"]:
            if isinstance(result, StopIteration | StopAsyncIteration) and not may_stop(action, arguments):
                raise RuntimeError("a function raised StopIteration") from result
            raise result
        return result

    def function(self, number: object) -> Any:
        """Return the proxy of a function, by the number that the other side sent."""
        try:
            return Decoder(self.table, self, [["object", number, None]]).item([0])
        except TamperedError as error:
            raise self.tampered(str(error)) from error

    def serve(self) -> None:
        """Answer requests until the other side is gone."""
        while True:
            message, decoder = self._receive_values()
            if "ask" in message:
                self._answer(message, decoder)

    def release(self, number: int) -> None:
        """Record that a proxy no longer exists; the next message tells the other side."""
        if number not in self.table.proxies:
            self.table.released.add(number)

    def is_check(self, line: int, column: int) -> bool:
        """Return True if the tests raise an exception at this place on a condition."""
        return False

    def is_assertion(self, line: int) -> bool:
        """Return True if an assertion of the tests stands on this line."""
        return False

    def send_plain(self, message: dict[str, Any]) -> None:
        """Send a message without values."""
        self._send(_write(message).encode())

    def receive_plain(self) -> dict[str, Any]:
        """Return the next message, one without values."""
        return self._parsed(self._receive())

    def outgoing(self, message: dict[str, Any], encoder: Encoder) -> None:
        """Add this side's other state to a message."""

    def incoming(self, message: dict[str, Any], decoder: Decoder) -> None:
        """Apply the other side's other state from a message."""

    def do(self, action: str, target: Any, arguments: list[Any], named: dict[str, Any]) -> Any:
        """Do what the other side asks.

        Raises:
            AttributeError: the tests do not allow it.
            BaseException: any exception of the action.
        """
        if self.tests and not is_allowed(action, target, arguments):
            raise AttributeError("not for programs")
        done = perform(action, target, arguments, named)
        return without_handles(arguments[0], done) if self.tests and action == "get" else done

    def _answer(self, message: dict[str, Any], decoder: Decoder) -> None:
        if self.tests and not self.table.is_mine(message["nodes"], message["values"][0]):
            raise self.tampered("asked of nothing that it was given")
        target, *arguments = decoder.items(message["values"])
        named = dict(zip(message["names"], decoder.items(message["named"]), strict=True))
        raised = False
        limit = sys.getrecursionlimit()
        self.spared += _FRAMES
        sys.setrecursionlimit(limit + _FRAMES)
        try:
            result = self.do(message["ask"], target, arguments, named)
        except (GoneError, TamperedError):
            raise
        except BaseException as error:  # noqa: BLE001 - any exception is raised again on the other side
            result, raised = error, True
        finally:
            self.spared -= _FRAMES
            if sys.getrecursionlimit() == limit + _FRAMES:  # else the call has set another
                sys.setrecursionlimit(limit)
        del target, arguments, named  # else these references would keep unused containers in the table
        try:
            self._send_values({"number": message["number"], "raised": raised}, [result], {})
        except (RecursionError, MemoryError, TypeError, ValueError, AttributeError) as error:  # a value that cannot be written
            self._send_values({"number": message["number"], "raised": True}, [type(error)(*error.args)], {})

    def _send_values(self, message: dict[str, Any], values: list[Any], named: dict[str, Any]) -> None:
        encoder = Encoder(self.table)
        for number in self.table.changed():
            encoder.update(number)
        message["values"] = [encoder.item(value) for value in values]
        if named or "ask" in message:
            message["names"], message["named"] = [*named], encoder.items([*named.values()])
        self.outgoing(message, encoder)
        message["nodes"] = encoder.finish()
        if self.tests:
            message["dropped"] = self.table.drop_unused()
        if self.table.released:
            message["released"] = [*self.table.released]
            self.table.released.clear()
        self._send(_write(message).encode())

    def _receive_values(self) -> tuple[dict[str, Any], Decoder]:
        message = self._parsed(self._receive())
        try:
            for number in message.get("released", ()):
                self.table.forget(number)
            decoder = Decoder(self.table, self, message["nodes"])
            for number in message.get("dropped", ()) if not self.tests else ():
                self.table.forget(number)
            self.incoming(message, decoder)
        except (GoneError, MemoryError):
            raise
        except Exception as error:  # any error means that no peer wrote this message
            raise self.tampered(repr(error)) from error
        return message, decoder

    def _parsed(self, data: bytes) -> dict[str, Any]:
        try:
            message = _read(data.decode())
        except (ValueError, RecursionError) as error:
            raise self.tampered(str(error)) from error
        if not isinstance(message, dict):
            raise self.tampered("no object")
        return message

    def tampered(self, reason: str) -> BaseException:
        """Return the exception for a message that no peer sends."""
        return TamperedError(reason)

    def gone(self) -> BaseException:
        """Return the exception for a closed pipe."""
        return GoneError()

    def _send(self, data: bytes) -> None:
        if len(data) > LONGEST:
            raise MemoryError("the values are too large to be handed over")
        try:
            write_frame(self._writes, data)
        except ClosedError as error:
            raise self.gone() from error

    def _receive(self) -> bytes:
        try:
            return read_frame(self._reads, LONGEST, self._buffer)
        except ClosedError as error:
            raise self.gone() from error
        except TooLongError as error:
            raise self.tampered(str(error)) from error


def _have_frames(number: int) -> None:
    """Raise RecursionError if fewer frames are left below the recursion limit."""
    if number:
        _have_frames(number - 1)
