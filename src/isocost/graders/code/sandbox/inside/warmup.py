"""Run a sample in the server before any other, so that forks inherit the protocol's code already specialised by the interpreter.

A process that specialises it itself copies the memory pages of that code, which takes longer than all that a small test asks.
"""

from __future__ import annotations

import contextlib
import os
from typing import Any

from .crossing.peer import GoneError
from .judge import TestPeer, run_tests
from .names import Reference
from .sample import ProgramPeer

_PROGRAM = """
def f(x, y=None):
    if isinstance(x, list):
        x.append(1)
    if y is not None:
        raise ValueError(y)
    return x
def g(x):
    return [(i, i / 2, str(i)) for i in range(x)]
"""
_TESTS = """
for i in range(40):
    assert f(i) == i and f(str(i)) == str(i) and f([i]) == [i, 1] and f((i, [i])) == (i, [i]) and f({i: 1.5}) == {i: 1.5}
    assert g(2) == [(0, 0.0, '0'), (1, 0.5, '1')]
    try:
        f(i, 'x')
    except ValueError:
        pass
def check(candidate):
    assert candidate(1) == 1
check(f)
"""


def warm_up() -> None:
    """Play the tests' part, then the program's, each with a forked process as the other side."""
    for tests_are_here in (True, False):
        questions, answers = os.pipe(), os.pipe()
        pid = os.fork()
        tests = (pid != 0) == tests_are_here
        mine = (answers[0], questions[1]) if tests else (questions[0], answers[1])
        for file in {*questions, *answers}.difference(mine):
            os.close(file)
        try:
            (_run_tests if tests else _run_program)(*mine)
        finally:
            if pid == 0:
                os._exit(0)
        for file in mine:
            os.close(file)
        os.waitpid(pid, 0)


def _run_tests(reads: int, writes: int) -> None:
    run_tests(Reference(tests=_TESTS), TestPeer(reads=reads, writes=writes))


def _run_program(reads: int, writes: int) -> None:
    peer = ProgramPeer(reads=reads, writes=writes)
    names: dict[str, Any] = {}
    peer.define(names)
    code = compile(_PROGRAM, "solution", "exec", dont_inherit=True)
    exec(code, names)  # noqa: S102 - the program above
    peer.send_defined(code, steady=True)
    with contextlib.suppress(GoneError):
        peer.serve()
