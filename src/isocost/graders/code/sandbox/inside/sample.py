"""Run one program and answer its tests, in a process made for it, which never returns to the server's code.

Nobody trusts this process: the program can change anything in it, and can then only return other values. The tests, and the token
that proves a pass, have never been in this process.
"""

from __future__ import annotations

import builtins
import random
import sys
import types
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from .crossing.decoding import Decoder
from .crossing.encoding import Encoder
from .crossing.peer import Peer
from .crossing.streams import ProgramStreams
from .judge import EXIT, MEMORY, failed

SYNTAX = "syntax"
WRITES, READS = 3, 4  # file descriptors
NAME = "solution"  # not __main__: code that runs only in a script is not part of the answer


class ProgramPeer(Peer):
    """The program's end of the pipes."""

    def __init__(self, *, reads: int = READS, writes: int = WRITES) -> None:
        super().__init__(reads=reads, writes=writes, tests=False)
        self.names: dict[str, Any] = {}
        self._streams = ProgramStreams()

    def define(self, names: dict[str, Any]) -> None:
        """Serve the module with these names."""
        self.names = names
        self.begin()

    def do(self, action: str, target: Any, arguments: list[Any], named: dict[str, Any]) -> Any:
        """Do what the tests ask, of an object or of the program's module."""
        if action == "name":
            return self.names[arguments[0]]
        if action == "rename":
            self.names[arguments[0]] = arguments[1]
            return None
        if action == "unname":
            del self.names[arguments[0]]
            return None
        if action == "globals":
            return [name for name in self.names if not name.startswith("_")]
        return super().do(action, target, arguments, named)

    def incoming(self, message: dict[str, Any], decoder: Decoder) -> None:
        """Apply what the tests changed in their own interpreter."""
        self._streams.incoming(message, decoder)
        for name, item in message.get("given", {}).items():
            self.names.setdefault(name, decoder.item(item))
        if "limit" in message:
            sys.setrecursionlimit(message["limit"] + self.spared)
        if "random" in message:
            random.setstate(decoder.item(message["random"]))

    def outgoing(self, message: dict[str, Any], encoder: Encoder) -> None:
        """Add the program's output."""
        self._streams.outgoing(message)

    def _functions(self) -> dict[str, int]:
        return {name: self.table.export(value) for name, value in self.names.items() if type(value) is types.FunctionType}

    def send_defined(self, code: types.CodeType, *, steady: bool) -> None:
        """Tell the tests that the program is defined, which built-in names it redefines, and which names it uses without defining them."""
        used = {name for part in _parts(code) for name in part.co_names}
        known = vars(builtins)
        shadows = [name for name in self.names if name in known and not name.startswith("__")]
        lacking = [name for name in used if name not in self.names and name not in known]
        functions = self._functions() if steady else {}
        self.send_plain({"shadows": shadows, "steady": steady, "functions": functions, "lacking": lacking})


class Program(BaseException):
    """Raised in the program's process, to unwind all frames of the server before the program is defined."""

    def __init__(self, source: str, peer: ProgramPeer) -> None:
        super().__init__()
        self.source, self.peer, self.names = source, peer, peer.names
        random.seed(0)  # a verdict must not depend on chance, and Python reseeds after a fork

    def serve(self, code: types.CodeType | None, error: BaseException | None) -> None:
        """Answer the tests until they end; if the program could not be defined, report the reason."""
        if code is None or error is not None:
            self.peer.send_plain({"failed": _reason(error, compiled=code is not None)})
        else:
            # A textual test for rebinding: "global" in a comment only costs the cache, while a missed one would give stale functions.
            self.peer.send_defined(code, steady="global" not in self.source)
            self.peer.serve()


def _reason(error: BaseException | None, *, compiled: bool) -> str:
    if isinstance(error, MemoryError):
        return MEMORY
    if not compiled and isinstance(error, SyntaxError | ValueError | RecursionError):  # ValueError: null bytes, a lone surrogate
        return SYNTAX
    return EXIT if error is None or isinstance(error, SystemExit) else failed(error)


def _parts(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _parts(constant)


def make_module() -> dict[str, Any]:
    """Make the module that a program becomes, and return its namespace."""
    module = sys.modules[NAME] = ModuleType(NAME)  # dataclasses and pickle look up a class's module
    return vars(module)
