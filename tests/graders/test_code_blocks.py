"""`with` blocks on objects of the program: checks in them fail, other exceptions are the program's to suppress."""

import ast
import textwrap

import pytest

from isocost.graders.code.sandbox.bubblewrap import Sandbox
from isocost.graders.code.sandbox.inside.checks import conditional_raises
from isocost.graders.code.sandbox.inside.crossing import blocks

SUPPRESSING = """
import contextlib
class Wrong(Exception): pass
@contextlib.contextmanager
def ignored(*kinds):
    try: yield 'entered'
    except BaseException as error:
        if not isinstance(error, kinds or BaseException): raise
class Ignored:
    async def __aenter__(self): return 'entered'
    async def __aexit__(self, *a): return True
@contextlib.contextmanager
def swapped():
    try: yield
    except Exception: raise ValueError
class Swapped(Ignored):
    async def __aexit__(self, *a): raise ValueError
def f(x):
    if x < 0: raise ValueError
    return 0
"""
CHECKS = {
    "raise": "with ignored():\n    if f(2) != 4: raise RuntimeError('wrong')",
    "raise in a helper": "def check():\n    if f(2) != 4: raise RuntimeError\nwith ignored():\n    check()",
    "raise behind a return": "def check():\n    if f(2) == 4: return\n    raise RuntimeError\nwith ignored():\n    check()",
    "raise of its own": "class Bad(Exception): pass\nwith ignored():\n    if f(2) != 4: raise Bad",
    "raise in a match": "with ignored():\n    match f(2):\n        case 4: pass\n        case _: raise RuntimeError",
    "raise in an else": "with ignored():\n    try: f(2)\n    except ValueError: pass\n    else: raise RuntimeError",
    "exit": "import sys\nwith ignored():\n    if f(2) != 4: sys.exit(1)",
    "exit by raise": "with ignored():\n    if f(2) != 4: raise SystemExit",
    "in a stack": "from contextlib import *\nwith ExitStack() as s:\n    s.enter_context(ignored())\n    if f(2) != 4: raise RuntimeError",
    "async": """
        import asyncio
        async def run():
            async with Ignored():
                if f(2) != 4: raise RuntimeError
        asyncio.run(run())
    """,
    "nested": "one = ignored()\nwith ignored():\n    with one:\n        if f(2) != 4: raise RuntimeError",
    "assertion": "with ignored():\n    assert f(2) == 4",
    "assertion that cannot be decided": "with ignored():\n    assert f(2) < '5'",
    "message of an assertion": "with ignored():\n    assert f(2) == 4, f(2).missing",
    "assertion in a helper": "def check():\n    assert len(f(2)) == 4\nwith ignored():\n    check()",
    "exception of the program in an assertion": "with ignored():\n    assert f(-2) == 4",
    "method that asserts": """
        import unittest
        class T(unittest.TestCase):
            def test(self):
                with ignored():
                    self.assertLess(f(2), '5')
        T('test').debug()
    """,
    "while": "with ignored():\n    got = f(2)\n    while got != 4: raise ValueError",
    "for": "with ignored():\n    for wrong in [x for x in [f(2)] if x != 4]: raise ValueError",
    "another exception in its place": "try:\n    with swapped(): assert f(2) == 4\nexcept ValueError: pass",
    "another exception in its place, async": """
        import asyncio
        async def run():
            try:
                async with Swapped(): assert f(2) == 4
            except ValueError: pass
        asyncio.run(run())
    """,
}
SUPPRESSED = {
    "raise": "with ignored(ValueError) as e:\n    assert e == 'entered'\n    raise ValueError",
    "raise on a condition": "for bad in (True, False):\n    with ignored(ValueError):\n        if bad: raise ValueError",
    "raise in a loop without a condition": "with ignored(ValueError):\n    while True:\n        f(2)\n        raise ValueError",
    "raise in a loop over constants": "with ignored(ValueError):\n    for k in [1]:\n        f(k)\n        raise ValueError",
    "raise in a loop around it": "for x in (1, 2):\n    with ignored(ValueError):\n        f(x)\n        raise ValueError",
    "another exception in its place": "try:\n    with swapped(): f(2) + 'x'\nexcept ValueError: pass\nelse: assert False",
    "raise after a call": "with ignored(ValueError):\n    f(2)\n    raise ValueError",
    "an exception of the program": "with ignored(Wrong):\n    if f(2) != 4: raise Wrong",
    "of the program": "with ignored(ValueError):\n    if f(2) == 0: f(-1)",
    "of the library": "with ignored(ValueError):\n    int(f(2) and 1 or 'x')",
    "exit": "import sys\nwith ignored(SystemExit):\n    sys.exit(1)",
    "async": """
        import asyncio
        async def run():
            async with Ignored() as e:
                if e: raise ValueError
        asyncio.run(run())
    """,
}


@pytest.mark.sandbox
@pytest.mark.parametrize("name", CHECKS)
def test_a_program_does_not_suppress_a_check(sandbox: Sandbox, name: str) -> None:
    assert sandbox.run(SUPPRESSING, textwrap.dedent(CHECKS[name]), seconds=10.0).startswith(("failed: ", "exit"))


@pytest.mark.sandbox
@pytest.mark.parametrize("name", SUPPRESSED)
def test_a_program_suppresses_other_exceptions(sandbox: Sandbox, name: str) -> None:
    assert sandbox.run(SUPPRESSING, textwrap.dedent(SUPPRESSED[name]), seconds=10.0) == "passed"


def test_a_raise_on_a_condition_is_found_in_the_source() -> None:
    source = (
        "raise A\nif x:\n    raise B\ndef f():\n    raise C\ndef g():\n    if x:\n        return\n    raise D\nfor x in y:\n    raise E"
    )
    assert conditional_raises(ast.parse(source).body) == {(3, 4), (9, 4)}
    assert conditional_raises(ast.parse("with x:\n    while y:\n        raise A\n    for z in y: raise B").body) == {(3, 8), (4, 16)}


def test_an_exception_without_traceback_is_no_check() -> None:
    class Link:
        tests, asked = True, 1

        def ask(self, action: str, target: object, /, *arguments: object, **named: object) -> object:
            return True

        def is_check(self, line: int, column: int) -> bool:
            return True

        def is_assertion(self, line: int) -> bool:
            return True

    assert blocks.leave(Link(), object(), None, (AssertionError, AssertionError(), None))
