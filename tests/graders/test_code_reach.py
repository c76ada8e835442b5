"""Wrong programs that use what the tests hand over, or what the tests do with an object of theirs: none passes."""

import textwrap

import pytest

from isocost.graders.code.sandbox.bubblewrap import Sandbox

# What a program can find of its own process: its end of the pipes, and what answers there.
PEER = """
import sys
frame = sys._getframe()
while 'made' not in frame.f_globals: frame = frame.f_back
peer = frame.f_globals['made'][0].peer
actions = type(peer).__mro__[1].do.__globals__['perform'].__globals__['_ACTIONS']
class Name(str):
    def startswith(self, *a): return False
    def endswith(self, *a): return False
"""
ORACLE = """
known, used = [], 0
def play(i): return known[i] if i < len(known) else True
def f(x):
    global used
    if not used:
        while True:
            asked = []
            def guess(y):
                asked.append(y)
                return play(len(asked) - 1)
            try:
                ask(guess)
            except AssertionError:
                while len(known) < len(asked) - 1: known.append(True)
                known.append(False)
            else:
                break
    used += 1
    return play(used - 1)
"""
# By name: a program, and tests that it must not pass.
CASES = {
    "tries its guesses on check": (
        ORACLE.replace("ask(guess)", "check(guess)"),
        """
        def check(candidate):
            assert candidate(4) is True
            assert candidate(5) is False
            assert candidate(7) is False
            assert candidate(8) is True
        check(f)
        """,
    ),
    "tries its guesses on a function within": (
        ORACLE.replace("ask(guess)", "cases(guess)()"),
        """
        def cases(candidate):
            def run():
                for x, want in ((4, True), (5, False), (6, False)):
                    if candidate(x) is not want: raise AssertionError
            return run
        cases(f)()
        """,
    ),
    "tries its guesses on a test case": (
        """
        def f(x):
            global f
            for guess in range(99):
                f = lambda x: guess
                try: T('test').debug()
                except AssertionError: continue
                return guess
        """,
        """
        import unittest
        class T(unittest.TestCase):
            def test(self): self.assertEqual(f(2), 4)
        T('test').debug()
        """,
    ),
    "asks what is expected": (
        """
        def f(x): return expected(x)
        """,
        """
        def expected(x): return x * x + 1
        for i in range(5): assert f(i) == expected(i)
        """,
    ),
    "asks a lambda what is expected": (
        """
        def f(x): return expected(x)
        """,
        """
        expected = lambda x: x * x + 1
        assert [f(i) for i in range(5)] == [expected(i) for i in range(5)]
        """,
    ),
    "sets defaults by a name that lies": (
        PEER
        + """
def f(g):
    try: peer.ask('set', g, Name('__defaults__'), (9,))
    except AttributeError: pass
    return 9
""",
        """
        def default(x=4): return x
        assert f(default) == default()
        """,
    ),
    "takes globals by a name that lies": (
        PEER
        + """
def f(g):
    try:
        peer.ask('set', g, Name('__dict__'), {'__globals__': 1})
        peer.ask('get', g, Name('__globals__'))['want'] = 9
    except AttributeError: pass
    return 9
""",
        """
        want = 4
        def default(x=4): return x
        f(default)
        assert f(default) == want
        """,
    ),
    "evaluates annotations in the tests": (
        PEER
        + """
def evil(x): pass
evil.__annotations__ = {'x': "__import__('builtins').__dict__.__setitem__('abs', lambda *a: 0)"}
def fail(*a): raise AttributeError
actions['signature'] = fail
def f(g):
    try: peer.ask('signature', g).from_callable(evil, eval_str=True, globals={})
    except AttributeError: pass
    return 9
""",
        """
        def handed(x): return x
        f(handed)
        assert abs(f(handed) - 4) < 1
        """,
    ),
    "answers for a mock": (
        """
        def f(cb):
            try: cb.assert_called_once_with = lambda *a: None
            except AttributeError: pass
        """,
        """
        from unittest.mock import Mock
        cb = Mock()
        f(cb)
        cb.assert_called_once_with(3)
        """,
    ),
    "makes a mock equal to all": (
        """
        def f(cb):
            try: cb.configure_mock(**{'__eq__.side_effect': lambda *a: True})
            except AttributeError: pass
            return cb
        """,
        """
        from unittest.mock import MagicMock
        assert f(MagicMock()) == 4
        """,
    ),
    "answers for a method": (
        """
        def f(q):
            try: q.ok = lambda: True
            except AttributeError: pass
        """,
        """
        class Q:
            done = False
            def ok(self): return self.done
        q = Q()
        f(q)
        assert q.ok()
        """,
    ),
    "answers for a method by the attributes": (
        """
        def f(q): vars(q).update(ok=lambda: vars(q) != {})
        """,
        """
        class Q:
            def __init__(self): self.done = False
            def ok(self): return self.done
        q = Q()
        f(q)
        assert q.ok()
        """,
    ),
    "keeps a with from failing": (
        """
        class W:
            def __enter__(self): return 5
            def __exit__(self, *a): return True
        def f(x): return W()
        """,
        """
        with f(2) as y: assert y == 4
        """,
    ),
    "keeps a generator's with from failing": (
        """
        import contextlib
        @contextlib.contextmanager
        def f(x):
            try: yield 5
            except BaseException: pass
        """,
        """
        def test():
            with f(2) as y: assert y == 4
        test()
        """,
    ),
    "keeps a with of unittest from failing": (
        """
        class W:
            def __enter__(self): return 5
            def __exit__(self, *a): return True
        def f(x): return W()
        """,
        """
        import contextlib, unittest
        with contextlib.ExitStack() as stack:
            unittest.TestCase().assertEqual(stack.enter_context(f(2)), 4)
        """,
    ),
    "keeps an async with from failing": (
        """
        class W:
            async def __aenter__(self): return 5
            async def __aexit__(self, *a): return True
        def f(x): return W()
        """,
        """
        import asyncio
        async def test():
            async with f(2) as y: assert y == 4
        asyncio.run(test())
        """,
    ),
    "a counter is asked with what is expected": (
        """
        from collections import Counter
        class C(Counter):
            def __getitem__(self, key): return 1
            def __missing__(self, key): return 1
            def __iter__(self): return iter(())
        def f(x): return C()
        """,
        """
        from collections import Counter
        assert f('abc') == Counter('abc')
        """,
    ),
    "a counter takes all away": (
        """
        from collections import Counter
        class C(Counter):
            def __getitem__(self, key): return 10**9
        def f(x): return C()
        """,
        """
        from collections import Counter
        assert not Counter('abc') - f('abc')
        """,
    ),
    "a text starts with anything": (
        """
        class S(str):
            def startswith(self, *a): return True
            endswith = startswith
        def f(x): return S('no')
        """,
        """
        assert f(2).startswith('yes') or f(2).endswith('yes')
        """,
    ),
    "a set is a part of anything": (
        """
        class S(set):
            def issubset(self, *a): return True
            issuperset = isdisjoint = issubset
        def f(x): return S({9})
        """,
        """
        assert f(2).issubset({4}) or f(2).issuperset({4}) or f(2).isdisjoint({9})
        """,
    ),
    "an object that holds many values": (
        """
        class E:
            def __init__(self): self.__dict__.update({f'x{i}': i for i in range(9)})
            def __eq__(self, o): return True
        def f(x): return E()
        """,
        """
        assert f(2) == 4 or 4 in [f(2)]
        """,
    ),
    "an object that holds what equals all": (
        """
        class X:
            def __eq__(self, o): return True
        class E(X):
            def __init__(self, x): self.x = x
        def f(x): return E(X())
        def g(x): return E([X()])
        """,
        """
        assert f(2) == 4 or g(2) == [4] or not f(2) != 4
        """,
    ),
    "an object that learns what is expected": (
        """
        seen = [0]
        class E:
            def __init__(self): self.x = seen[-1]
            def __eq__(self, o):
                seen.append(o)
                self.x = o
                return True
            def __ne__(self, o): return not self == o
        def f(x): return E()
        """,
        """
        for _ in range(3): f(2) == 4, f(2) != 4, f(2) in [4]
        assert f(2) == 4
        """,
    ),
    "operators of a plain value whose class nobody asks for": (
        """
        class I(int):
            def __sub__(self, o): return 0
            __rsub__ = __sub__
            def __eq__(self, o): return True
            __hash__ = int.__hash__
        def f(x): return I(9)
        """,
        """
        assert f(2) - 4 == 0 or 4 - f(2) == 0 or f(2) == f(3) + 1
        """,
    ),
    "a comparison of a plain value with one of the tests": (
        """
        class I(int):
            def __eq__(self, o): return True
            def __lt__(self, o): return True
            __hash__ = int.__hash__
        """,
        """
        assert I(9) == 4 or I(9) < 4 or 4 == I(9)
        """,
    ),
    "a getter of the tests' makes another": (
        """
        def f(people, key):
            type(key)('__init__.__globals__')(people[0])['want'][:] = []
            return []
        """,
        """
        import operator
        class P:
            def __init__(self, age): self.age = age
        want = [3]
        assert f([P(3)], key=operator.attrgetter('age')) == want
        """,
    ),
    "a mock makes a mock equal to all": (
        """
        def f(cb): return type(cb)(**{'__eq__.return_value': True})
        """,
        """
        from unittest.mock import MagicMock
        assert f(MagicMock()) == 4
        """,
    ),
    "a formatter reads by names": (
        """
        def f(form, box): return form.format('{0.__init__.__globals__[want]}', box)
        """,
        """
        import string
        class Box:
            def __init__(self): pass
        want = 4
        assert f(string.Formatter(), Box()) == '4'
        """,
    ),
    "says what a mock was called with": (
        """
        def f(cb):
            cb.called, cb.call_count, cb.call_args = True, 1, ((4,),)
        """,
        """
        from unittest.mock import Mock
        cb = Mock()
        f(cb)
        assert cb.called and cb.call_count == 1 and cb.call_args == ((4,),)
        """,
    ),
    "says what a mock returns": (
        """
        def f(cb):
            cb.return_value = 0
            return 0
        """,
        """
        from unittest.mock import Mock
        cb = Mock(return_value=4)
        assert f(cb) == cb(2)
        """,
    ),
    "answers for a static method": (
        """
        def f(checker): checker.right = lambda x: True
        """,
        """
        class Checker:
            @staticmethod
            def right(x): return x == 4
        checker = Checker()
        result = f(checker)
        assert checker.right(result)
        """,
    ),
    "answers for a class method": (
        """
        def f(checker): checker.right = lambda x: True
        """,
        """
        class Checker:
            @classmethod
            def right(cls, x): return x == 4
        checker = Checker()
        result = f(checker)
        assert checker.right(result)
        """,
    ),
    "a set says again what it is given": (
        """
        class S(set):
            def intersection(self, other): return other
            def symmetric_difference(self, other): return set()
        def f(x): return S()
        """,
        """
        want = {1, 2}
        assert f(2).intersection(want) == want or not f(2).symmetric_difference(want)
        """,
    ),
    "a text has everything in it": (
        """
        class S(str):
            def find(self, part): return 0
            def count(self, part): return 1
        def f(x): return S()
        """,
        """
        assert f(2).find('yes') != -1 or f(2).count('yes')
        """,
    ),
    "a class that equals everything": (
        """
        from unittest.mock import ANY
        f = type(ANY)
        """,
        """
        assert f() == 4
        """,
    ),
}


@pytest.mark.sandbox
@pytest.mark.parametrize("name", CASES)
def test_no_program_passes_by_what_it_is_handed(sandbox: Sandbox, name: str) -> None:
    program, tests = (textwrap.dedent(part) for part in CASES[name])
    assert sandbox.run(program, tests, seconds=10.0).startswith("failed: ")


@pytest.mark.sandbox
def test_a_program_is_handed_what_the_solution_uses(sandbox: Sandbox) -> None:
    tests = "def double(x): return 2 * x\nassert f(3) == double(3)"
    program = "def f(x): return double(x)"
    assert sandbox.run(program, tests, seconds=10.0) == "failed: NameError"
    assert sandbox.run(program, tests, solution="def f(y): return double(y)", seconds=10.0) == "passed"
