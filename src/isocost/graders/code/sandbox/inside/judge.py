"""Run the tests of one program, in a process that executes no code of the program and ends with the tests.

The program is in another process (`sample`), forked before the tests were read. It is asked for results over a pipe and can only return
values. Only this process receives a token, and it proves a pass by returning the token after the last test.
"""

from __future__ import annotations

import os
import random
import re
import sys
import types
from typing import Any, Never

from .crossing.actions import could_pass_for_a_mock
from .crossing.decoding import Decoder
from .crossing.encoding import Encoder
from .crossing.peer import GoneError, Peer
from .crossing.pipes import write_frame
from .crossing.streams import TestStreams
from .crossing.table import TamperedError
from .names import Names, Reference, SolutionModule
from .pickles import limit_pickles

MEMORY, EXIT, TAMPERED, FAILED = "memory", "exit", "tampered", "failed: "
SERVER, READS, WRITES = 3, 4, 5  # file descriptors
_REASON = re.compile(r"memory|syntax|exit|failed: \w{0,60}", re.ASCII)  # the reasons why a program could not be defined
LONGEST_NAME = 60  # of an exception's class


class TestPeer(Peer):
    """The tests' end of the pipes. Once the program has broken the protocol, that is its result, whatever the tests do about it."""

    __test__ = False  # pytest collects classes of such names

    def __init__(self, *, reads: int = READS, writes: int = WRITES) -> None:
        super().__init__(reads=reads, writes=writes, tests=True)
        self.broken: str | None = None
        self._lacking: frozenset[str] = frozenset()  # names that the program uses and does not define
        self._names: dict[str, Any] = {}
        self._reference: Reference | None = None
        self._streams = TestStreams()
        self._limit = sys.getrecursionlimit()
        self._seeded = False

    def tampered(self, reason: str) -> BaseException:
        """Record that the program sent what no peer sends."""
        self.broken = self.broken or TAMPERED
        return TamperedError(reason)

    def gone(self) -> BaseException:
        """Record that the program ended."""
        self.broken = self.broken or EXIT
        return GoneError()

    def begin_tests(self, names: dict[str, Any], lacking: frozenset[str], reference: Reference) -> None:
        """Set the names of the tests, some of which the program may use."""
        self._names, self._lacking, self._reference = names, lacking, reference
        self.begin()

    def receive_problem(self) -> str:
        """Return the error that kept the program's process from being isolated; empty without one."""
        return self._receive().decode(errors="replace")

    def watch_random(self) -> None:
        """Hook random.seed, so that the program's random numbers follow the tests' wherever these set the seed."""
        usual = random.seed

        def seed(*arguments: Any, **named: Any) -> None:
            usual(*arguments, **named)
            self._seeded = True

        random.seed = seed

    def outgoing(self, message: dict[str, Any], encoder: Encoder) -> None:
        """Add the state that a program shares with its tests: streams, classes and functions that it names, recursion limit, seed."""
        self._streams.outgoing(message, encoder)
        if self._lacking and self._reference is not None:
            known = {
                name: value for name, value in self._names.items() if name in self._lacking and isinstance(value, type | types.FunctionType)
            }
            self._lacking -= known.keys()  # decided once, because it disassembles the code
            given = {name: encoder.item(value) for name, value in known.items() if self._reference.hands_over(name, value)}
            if given:
                message["given"] = given
        if sys.getrecursionlimit() - self.spared != self._limit:
            self._limit = message["limit"] = sys.getrecursionlimit() - self.spared
        if self._seeded:
            self._seeded = False
            message["random"] = encoder.item(random.getstate())

    def is_check(self, line: int, column: int) -> bool:
        """Return True if the tests raise an exception at this place on a condition."""
        return self._reference is not None and (line, column) in self._reference.checks

    def do(self, action: str, target: Any, arguments: list[Any], named: dict[str, Any]) -> Any:
        """Do what the program asks. It does not put an object of its own into a mock under a name that the tests use."""
        is_hidden = action == "set" and type(arguments[0]) is str and could_pass_for_a_mock(target, arguments[1])
        if is_hidden and (self._reference is None or re.search(rf"\b{re.escape(arguments[0])}\b", self._reference.tests)):
            raise AttributeError("not for programs")
        return super().do(action, target, arguments, named)

    def is_assertion(self, line: int) -> bool:
        """Return True if an assertion of the tests stands on this line."""
        return self._reference is not None and line in self._reference.assertions

    def incoming(self, message: dict[str, Any], decoder: Decoder) -> None:
        """Write the program's output where the tests read it."""
        self._streams.incoming(message)


class NotDefinedError(Exception):
    """Raised where the program could not be defined; the message is the reason."""


def run(reference: Reference, token: bytes, peer: TestPeer) -> Never:
    """Report the result of the program to the server, then end the process, whatever the tests left running."""
    try:
        reason = _why_not(reference, peer)
        write_frame(SERVER, token if reason is None else reason.encode())
    finally:  # if the process can report nothing any more, the server takes the closed socket for an exit
        os._exit(0)


def _why_not(reference: Reference, peer: TestPeer) -> str | None:
    """Return the reason why a program did not pass; None where it did."""
    try:
        run_tests(reference, peer)
    except NotDefinedError as error:
        return str(error) if _REASON.fullmatch(str(error)) else TAMPERED
    except MemoryError:
        return peer.broken or MEMORY
    except SystemExit as error:
        return peer.broken or (None if _says_success(error, reference.last_line) else EXIT)
    except BaseException as error:  # noqa: BLE001 - whatever the tests raise is the reason that is reported
        return peer.broken or failed(error)
    return peer.broken


def _says_success(error: SystemExit, last_line: int) -> bool:
    """Return True if the last statement of the tests exits with a code that says that they passed: `sys.exit(not r.wasSuccessful())`."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    is_last = traceback is not None and traceback.tb_frame.f_code.co_filename == "tests" and traceback.tb_frame.f_code.co_name == "<module>"
    is_last = is_last and traceback is not None and traceback.tb_lineno >= last_line
    return is_last and isinstance(error.code, int) and error.code == 0  # `raise SystemExit` without a code may be a check that failed


def run_tests(reference: Reference, peer: TestPeer) -> None:
    """Run the tests once the program is defined.

    Raises:
        NotDefinedError: the program could not be defined.
        BaseException: any exception of the tests.
    """
    defined = peer.receive_plain()
    if "failed" in defined:
        raise NotDefinedError(defined["failed"])
    names = Names(reference, peer, defined)
    peer.begin_tests(names, frozenset(defined["lacking"]), reference)
    sys.modules["solution"] = SolutionModule(names, peer)
    random.seed(0)  # a verdict must not depend on chance
    if "pickle" in reference.tests or "shelve" in reference.tests:
        limit_pickles()
    if "seed" in reference.tests:
        peer.watch_random()
    exec(compile(reference.tests, "tests", "exec", dont_inherit=True), names)  # noqa: S102 - in the sandbox


def failed(error: BaseException) -> str:
    """Return the reason for an exception: its class, whose name the program may have chosen."""
    return FAILED + re.sub(r"\W", "", type(error).__name__, flags=re.ASCII)[:LONGEST_NAME]
