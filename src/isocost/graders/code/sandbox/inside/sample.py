"""Run one program and its tests, in a process made for it; this process never returns to what it was forked from.

That a program passed is believed because of a token that comes with the tests, after the program has been defined, and is said back after
the last of them. So a program that exits, prints, raises, closes or writes to whatever is open does not pass.

The program shares the interpreter with what judges it. So that it does not pass by rebinding what it finds there by name, in sys.modules
or in the frames above it, the judging is one function of built-in functions, all in its locals; the modules of the sandbox are emptied and
forgotten before the program is defined; the token is in no variable, but on the interpreter's stack; trace functions are taken away before
the tests.

What is not guarded, and cannot be in one interpreter: a program that speaks over the socket in the place of its judge, reads memory
(ctypes), sets a trace function while it is tested and jumps over the tests, changes what they hold (in their frames, in the garbage
collector's lists), or leaves a thread that does; and one whose results are equal to everything (`__eq__`) passes every `==`, here as
anywhere. From Python 3.13 on, the locals of a frame can be rebound from below it, too. Model output that does so is written against this
very grader.
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

READY, DEFINED, MEMORY, SYNTAX, EXIT = b"ready", b"defined", b"memory", b"syntax", b"exit"
FAILED = b"failed: "
TOKEN = 16  # bytes, before the tests
LONGEST_NAME = 60  # of an exception's class
NAME = "solution"  # not __main__: what a program does only when it is run as a script is not part of the answer


def run(program: str, server: socket.socket) -> Never:
    """Tell the server what became of the program, then end the process, whatever the program left running."""
    # Only what is built in: a function of Python can be given other code by whoever finds it.
    leave, execute, translate, number, untrace, unprofile = os._exit, exec, compile, int.from_bytes, sys.settrace, sys.setprofile
    try:
        server.setblocking(True)
        say, take, whole, length = server.sendall, server.recv, socket.MSG_WAITALL, TOKEN
        ready, defined, memory, syntax, left = (_framed(what) for what in (READY, DEFINED, MEMORY, SYNTAX, EXIT))
        header, failed, longest, plain, kind = TOKEN.to_bytes(4, "big"), FAILED, LONGEST_NAME, re.compile(r"\W", re.ASCII).sub, type
        memory_error, exit_error, any_error, bad = MemoryError, SystemExit, BaseException, (SyntaxError, ValueError, RecursionError)
        name, size = NAME, len
        names = _module()
        say(ready)
        _forget()
        try:
            try:
                code = translate(program, name, "exec", dont_inherit=True)
            except bad:  # ValueError: null bytes, half a character
                say(syntax)
                leave(0)
            execute(code, names)
            say(defined)
            count = number(take(4, whole), "big") - length
            untrace(None)
            unprofile(None)
            # The token is read first and waits on the stack until the tests have ended.
            say(
                (
                    header + take(length, whole),
                    execute(translate(take(count, whole).decode("utf-8", "surrogatepass"), "tests", "exec", dont_inherit=True), names),
                )[0]
            )
        except memory_error:
            say(memory)
        except exit_error:
            say(left)
        except any_error as error:  # the program's, whatever it is: it is the reason that is reported
            reason = failed + plain("", kind(error).__name__)[:longest].encode()
            say(size(reason).to_bytes(4, "big") + reason)
    finally:  # where nothing could be said any more, silence is taken for an exit
        leave(0)


def _framed(data: bytes) -> bytes:
    """As `frames.send` does it."""
    return len(data).to_bytes(4, "big") + data


def _module() -> dict[str, object]:
    """The names of the module that the program becomes."""
    random.seed(0)  # a verdict must not depend on how many samples were graded before
    module = ModuleType(NAME)
    sys.modules[NAME] = module  # dataclasses and pickle look a class's module up
    vars(builtins).update(exit=sys.exit, quit=sys.exit)  # as the module site does, which is left out
    return vars(module)


def _forget() -> None:
    """Empty the modules of the sandbox, this one included, and take them out of sys.modules."""
    package = __name__.partition(".")[0]
    mine = [name for name in sys.modules if name.partition(".")[0] == package]
    emptied = [vars(sys.modules.pop(name)) for name in mine]
    vars(sys.modules["__main__"]).pop("main", None)
    for names in emptied:
        names.clear()
