"""Run one program and answer its tests, in a process made for it; this process never returns to what it was forked from.

Nothing here is trusted by anybody: the program can change all of it, and then only says other values. The tests, and the token that says
that they passed, have never been in this process.
"""

from __future__ import annotations

import builtins
import os
import random
import socket
import sys
import types
from collections.abc import Iterator
from types import ModuleType
from typing import Any, Never

from .crossing.decoding import Decoder
from .crossing.encoding import Encoder
from .crossing.peer import Peer
from .crossing.streams import ProgramStreams
from .judge import EXIT, MEMORY, failed

SYNTAX = "syntax"
NAME = "solution"  # not __main__: what a program does only when it is run as a script is not part of the answer


class ProgramPeer(Peer):
    """The program's end of the socket."""

    def __init__(self, connection: socket.socket, names: dict[str, Any]) -> None:
        super().__init__(connection, tests=False)
        self._names = names
        self._streams = ProgramStreams()

    def do(self, action: str, target: Any, arguments: list[Any], named: dict[str, Any]) -> Any:
        """Do what the tests ask: of an object, or of the program's module."""
        if action == "name":
            return self._names[arguments[0]]
        if action == "rename":
            self._names[arguments[0]] = arguments[1]
            return None
        if action == "globals":
            return [name for name in self._names if not name.startswith("_")]
        return super().do(action, target, arguments, named)

    def incoming(self, message: dict[str, Any], decoder: Decoder) -> None:
        """Take over what the tests changed in their own interpreter."""
        self._streams.incoming(message, decoder)
        for name, item in message.get("given", {}).items():
            self._names.setdefault(name, decoder.item(item))
        if "limit" in message:
            sys.setrecursionlimit(message["limit"])
        if "random" in message:
            random.setstate(decoder.item(message["random"]))

    def outgoing(self, message: dict[str, Any], encoder: Encoder) -> None:
        """Add what was printed."""
        self._streams.outgoing(message)

    def say_defined(self, code: types.CodeType) -> None:
        """Tell the tests that the program is there, which built-in names it redefines and which of its names it does not define."""
        used = {name for part in _parts(code) for name in part.co_names}
        known = vars(builtins)
        self.say_plainly(
            {
                "shadows": [name for name in self._names if name in known],
                "lacking": [name for name in used if name not in self._names and name not in known],
            }
        )


def run(program: str, connection: socket.socket, problem: str) -> Never:
    """Define the program, then answer its tests until they end; of a process that could not be shut in, only say the problem."""
    leave = os._exit
    try:
        names = _module()
        peer = ProgramPeer(connection, names)
        peer.say_plainly({"problem": problem})
        if problem:
            leave(1)
        hidden, code, error = _hide(), None, None
        try:
            code = compile(program, "solution", "exec", dont_inherit=True)
            exec(code, names)  # noqa: S102 - in the sandbox
        except BaseException as raised:  # the program's, whatever it is: it is the reason that is reported
            error = raised
        for space, kept in hidden:
            space.update(kept)
        if code is None or error is not None:
            peer.say_plainly({"failed": _reason(error, compiled=code is not None)})
        else:
            peer.say_defined(code)
            peer.serve()
    finally:
        leave(0)


def _reason(error: BaseException | None, *, compiled: bool) -> str:
    if isinstance(error, MemoryError):
        return MEMORY
    if not compiled and isinstance(error, SyntaxError | ValueError | RecursionError):  # ValueError: null bytes, half a character
        return SYNTAX
    return EXIT if error is None or isinstance(error, SystemExit) else failed(error)


def _parts(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _parts(constant)


def _module() -> dict[str, Any]:
    """The names of the module that the program becomes."""
    random.seed(0)  # a verdict must not depend on chance; a fork of its own seeds it anew
    module = ModuleType(NAME)
    sys.modules[NAME] = module  # dataclasses and pickle look a class's module up
    return vars(module)


def _hide() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Take the sandbox's modules out of sys.modules and empty them, so that a program finds the standard library only.

    Returns:
        What was emptied, each with what it held: the module of the conversation needs it back. It is no guard: a program may know it all.
    """
    package = __name__.partition(".")[0]
    mine = [name for name in sys.modules if name.partition(".")[0] == package]
    spaces = [vars(module) for module in (*map(sys.modules.pop, mine), sys.modules["__main__"])]
    hidden = [(space, dict(space)) for space in spaces]
    for space in spaces:
        for name in [name for name in space if not name.startswith("__")]:
            del space[name]
    return hidden
