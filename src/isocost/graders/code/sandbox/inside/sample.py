"""Run one program and its tests, in a process made for it; this process never returns to what it was forked from.

That a program passed is believed because of a token that comes with the tests, after the program has been defined, and is said back after
the last of them. So a program that exits, prints, raises, closes or writes to whatever is open does not pass. What is not guarded: a
program that, while it is tested, searches the interpreter that it shares with its tests can find the token there, or the expected values
(in the frames above it, in the garbage collector's lists); and one whose results are equal to everything (`__eq__`) passes every `==`, here
as anywhere. Model output that does so is written against this very grader.
"""

from __future__ import annotations

import builtins
import os
import random
import re
import socket
import sys
from types import ModuleType
from typing import Never

from .frames import receive, send

READY, DEFINED, MEMORY, SYNTAX, EXIT = b"ready", b"defined", b"memory", b"syntax", b"exit"
FAILED = b"failed: "
TOKEN = 16  # bytes, before the tests
LONGEST_TESTS = 64 << 20
LONGEST_NAME = 60  # of an exception's class
NAME = "solution"  # not __main__: what a program does only when it is run as a script is not part of the answer

# The program may replace what a module holds, and the builtins among them.
_exit, _compile, _execute = os._exit, compile, exec


def run(program: str, server: socket.socket) -> Never:
    """Tell the server what became of the program, then end the process, whatever the program left running."""
    try:
        send(server, READY)
        send(server, _outcome(program, server))
    finally:  # where nothing could be said any more, silence is taken for an exit
        _exit(0)


def _outcome(program: str, server: socket.socket) -> bytes:
    random.seed(0)  # a verdict must not depend on how many samples were graded before
    module = ModuleType(NAME)
    sys.modules[NAME] = module  # dataclasses and pickle look a class's module up
    vars(builtins).update(exit=sys.exit, quit=sys.exit)  # as the module site does, which is left out
    try:
        try:
            code = _compile(program, NAME, "exec", dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError):  # ValueError: null bytes, half a character
            return SYNTAX
        _execute(code, module.__dict__)
        send(server, DEFINED)
        tests = receive(server, LONGEST_TESTS)
        code = _compile(tests[TOKEN:].decode("utf-8", "surrogatepass"), "tests", "exec", dont_inherit=True)
        _execute(code, module.__dict__)
        return tests[:TOKEN]
    except MemoryError:
        return MEMORY
    except SystemExit:
        return EXIT
    except BaseException as error:  # noqa: BLE001 - the program's, whatever it is: it is the reason that is reported
        return FAILED + re.sub(r"\W", "", type(error).__name__, flags=re.ASCII)[:LONGEST_NAME].encode()
