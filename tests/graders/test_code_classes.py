"""Right programs, and classes: of the tests, of the program, and both an object and its class in one message."""

import textwrap

import pytest

from isocost.graders.code.sandbox.bubblewrap import Sandbox

# By name: a program, and tests that it passes.
CASES = {
    "an object and its class for the program": (
        """
        def f(x, kind): return isinstance(x, kind) and type(x) is kind
        def kept(parts, kinds): return [type(part) for part in parts] == kinds
        def keyed(table): return [type(key) is kind for key, kind in table.items()]
        def named(*, x, kind): return type(x) is kind
        """,
        """
        class A: pass
        class B(A): pass
        assert f(A(), A)
        assert kept([B(), B(), A()], [B, B, A])
        class C: pass
        assert keyed({C(): C}) == [True]
        class D: pass
        assert named(x=D(), kind=D)
        class E(list): pass
        assert f(E([1]), E)
        class F(tuple): pass
        assert f(F((1, 2)), F)
        class G(A): pass
        assert f((G(), 1), tuple) and kept([(G(),)], [tuple]) and f(G(), G)
        """,
    ),
    "an object and its class for the tests": (
        """
        class A: pass
        class B(A): pass
        def pair(): return A(), A
        def listed(): return [B(), B, A]
        class C: pass
        def keyed(): return {C(): C, 'c': C}
        class D(dict): pass
        def extended(): return D(a=1), D
        class E(A): pass
        def bases(): return A(), E(), E, A
        class F:
            def __init__(self): self.kind = F
        def nested(): return [[F()], [F().kind]]
        """,
        """
        x, kind = pair()
        assert type(x) is kind
        x, kind, base = listed()
        assert type(x) is kind and issubclass(kind, base) and isinstance(x, base)
        table = keyed()
        assert all(kind is table['c'] for kind in table.values()) and type([*table][0]) is table['c']
        x, kind = extended()
        assert x == {'a': 1} and type(x) is kind
        a, e, kind, base = bases()
        assert type(a) is base and type(e) is kind and issubclass(kind, base)
        [[x], [kind]] = nested()
        assert type(x) is kind
        """,
    ),
    "an exception and its class": (
        """
        class Wrong(Exception): pass
        class Worse(Wrong): pass
        def pair(): return Wrong('x'), Wrong
        def three(): return [Worse(1), Worse, Wrong]
        def failing(): raise ExceptionGroup('several', [Worse(2), Wrong(Worse)])
        def f(error, kind): return isinstance(error, kind)
        """,
        """
        error, kind = pair()
        assert type(error) is kind and issubclass(kind, Exception) and error.args == ('x',)
        error, kind, base = three()
        assert type(error) is kind and isinstance(error, base)
        try:
            failing()
        except* Wrong as group:
            assert type(group.exceptions[0]) is group.exceptions[1].args[0]
        class Own(ValueError): pass
        assert f(Own('x'), Own)
        """,
    ),
    "a member and its enum": (
        """
        import enum
        class Color(enum.Enum):
            RED = 1
        class Size(enum.IntEnum):
            BIG = 2
        def pair(): return Color.RED, Color
        def sized(): return [Size.BIG, Size]
        def f(member, kind): return member in kind and kind(member.value) is member
        """,
        """
        member, kind = pair()
        assert member is kind.RED and type(member) is kind
        member, kind = sized()
        assert member == 2 and kind.BIG == member
        import enum
        class Own(enum.Enum):
            A = 1
        assert f(Own.A, Own)
        """,
    ),
    "enumerations and abstract classes": (
        """
        from enum import Enum, IntEnum
        from abc import ABC
        from collections.abc import Mapping
        class Color(Enum): RED = 1
        class Level(IntEnum): LOW = 1
        class Shape(ABC): pass
        class Square(Shape): pass
        class M(Mapping):
            def __getitem__(self, k): return {'a': 1}[k]
            def __iter__(self): return iter('a')
            def __len__(self): return 1
        class Plain: pass
        def kinds(x): return isinstance(x, Enum), isinstance(x, ABC), isinstance(x, IntEnum)
        """,
        """
        from enum import Enum, IntEnum
        from abc import ABC
        from collections.abc import Mapping, Sequence
        assert isinstance(Color.RED, Enum) and issubclass(Color, Enum) and not isinstance(Color.RED, IntEnum)
        assert isinstance(Level.LOW, IntEnum) and issubclass(Level, Enum) and Level.LOW == 1
        assert Color.RED.__class__ is Color and type(Color.RED) is Color
        assert issubclass(Shape, ABC) and isinstance(Square(), ABC) and isinstance(Square(), Shape)
        assert isinstance(M(), Mapping) and not isinstance(M(), Sequence) and dict(M()) == {'a': 1}
        assert not isinstance(Plain(), (ABC, Enum, Mapping)) and not issubclass(Plain, Enum)
        class Own(Enum): A = 1
        class Base(ABC): pass
        assert isinstance(Own.A, Enum) and not isinstance(Color.RED, Own) and not isinstance(Own.A, Color)
        assert kinds(Own.A) == (True, False, False) and kinds(Base()) == (False, True, False) and kinds(Level.LOW) == (True, False, True)
        """,
    ),
    "exceptions of several kinds": (
        """
        class Bad(ValueError, TypeError): pass
        class Base(KeyError): pass
        class Missing(Base, AttributeError): pass
        class Closed(OSError, ValueError): pass
        def f(kind): raise kind('x')
        """,
        """
        for kind, bases in {Bad: (ValueError, TypeError), Missing: (KeyError, AttributeError, Base), Closed: (OSError, ValueError)}.items():
            for base in bases:
                try: f(kind)
                except base as e: assert all(isinstance(e, one) for one in bases) and not isinstance(e, ImportError) and e.args == ('x',)
                else: assert False
        """,
    ),
    "annotations of signatures": (
        """
        from typing import *
        import inspect
        class N: pass
        def f(x: int, y: Optional[str], k: dict[str, list[int]], n: N, z: Callable[[int, str], bool],
              l: 'List[N]', m: List['N']) -> List[int]: pass
        def g(a: Any, b: int | None, c: Tuple[int, ...], d: Literal['a', 1], e: Callable[..., int], l: ValueError, p: List[N]) -> None: pass
        def names(h):
            found = inspect.signature(h)
            return [str(p.annotation) for p in found.parameters.values()] + [str(found.return_annotation)]
        """,
        """
        import inspect
        from typing import *
        def hints(function):
            found = inspect.signature(function)
            return [*(p.annotation for p in found.parameters.values()), found.return_annotation]
        empty = inspect.Parameter.empty
        assert hints(f) == [int, Optional[str], dict[str, list[int]], empty, Callable[[int, str], bool], 'List[N]', empty, List[int]]
        assert hints(g) == [Any, int | None, Tuple[int, ...], Literal['a', 1], Callable[..., int], ValueError, empty, None]
        def h(x: int, y: List[int], z: 'int', **k: Optional[float]) -> dict[str, int]: pass
        assert names(h) == ["<class 'int'>", 'typing.List[int]', 'int', 'typing.Optional[float]', 'dict[str, int]']
        """,
    ),
}

# Tests of `def f(x): return x * x`, with names of the program in class bodies; with `return 0` they fail.
BODIES = {
    "attribute": """
        class T:
            r = f(2)
        assert T.r == 4
        """,
    "TestCase": """
        import unittest
        class T(unittest.TestCase):
            F = staticmethod(f)
            length = len('abc')
            def test(self): self.assertEqual(self.F(2), 4)
        r = unittest.TestResult()
        unittest.defaultTestLoader.loadTestsFromTestCase(T).run(r)
        assert r.testsRun == 1 and r.wasSuccessful()
        """,
    "nested, in functions": """
        def test(y):
            class T:
                class U:
                    r = [f(x) for x in range(y)]
                    s = f(y) + g(y)
                z = y
            return T
        def g(x): return 1
        assert test(3).U.r == [0, 1, 4] and test(3).U.s == 10
        """,
    "in exec": """
        names = globals()
        exec('class T:\\n    r = f(2)', names)
        assert names['T'].r == 4
        """,
    "dataclass": """
        import dataclasses
        @dataclasses.dataclass
        class T:
            x: int = f(3)
            y: list = dataclasses.field(default_factory=lambda: [f(1)])
        assert T() == T(9, [1])
        """,
    "rebound, and patched": """
        import solution
        from unittest import mock
        class S:
            before = f(2)
        with mock.patch('builtins.len', lambda x: 7):
            class T:
                n = len([])
        solution.f = lambda x: 3
        class U:
            after = f(2)
        try:
            class V:
                x = missing
        except NameError as error:
            assert 'missing' in str(error)
        else:
            assert False
        assert (S.before, T.n, U.after) == (4, 7, 3)
        """,
}


@pytest.mark.sandbox
@pytest.mark.parametrize("name", BODIES)
def test_a_class_body_uses_names_of_the_program(sandbox: Sandbox, name: str) -> None:
    tests = textwrap.dedent(BODIES[name])
    assert sandbox.run("def f(x): return x * x", tests, seconds=20.0) == "passed"
    assert sandbox.run("def f(x): return 0", tests, seconds=20.0) == "failed: AssertionError"


@pytest.mark.sandbox
def test_tests_change_builtins_by_attribute(sandbox: Sandbox) -> None:
    tests = "usual = __builtins__.input\n__builtins__.input = lambda prompt='': '4'\nassert f() == 4 and input() == '4'\ninput = usual"
    assert sandbox.run("def f(): return int(input())", tests, seconds=20.0) == "passed"
    assert sandbox.run("def f(): return 0", tests, seconds=20.0) == "failed: AssertionError"


@pytest.mark.sandbox
def test_a_class_body_uses_builtins_of_the_tests(sandbox: Sandbox) -> None:
    tests = "class T:\n    r = sorted([f(2), 1])\nassert T.r == [1, 4]"
    assert sandbox.run("def f(x): return x * x\ndef sorted(x): return 0", tests, seconds=20.0) == "passed"
    assert sandbox.run("def f(x): return 0\ndef sorted(x): return [1, 4]", tests, seconds=20.0) == "failed: AssertionError"
    own = "class T:\n    r = sum(10, 15)\nassert T.r == 25"
    assert sandbox.run("def sum(x, y): return x + y", own, seconds=20.0) == "passed"


@pytest.mark.sandbox
@pytest.mark.parametrize("name", CASES)
def test_right_programs_pass(sandbox: Sandbox, name: str) -> None:
    program, tests = (textwrap.dedent(part) for part in CASES[name])
    assert sandbox.run(program, tests, seconds=20.0) == "passed"
