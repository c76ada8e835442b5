"""Right programs in styles that models write: operators of named tuples, context managers, dataclasses, times, what modules define."""

import textwrap

import pytest

from isocost.graders.code.sandbox.bubblewrap import Sandbox

# By name: a program, and tests that it passes.
CASES = {
    "a class of a module is the function": (
        """
        import itertools, queue
        from itertools import permutations
        from functools import partial as f
        g = itertools.accumulate
        q = queue.Queue
        """,
        """
        assert list(g([1, 2, 3])) == [1, 3, 6] and list(permutations([1, 2])) == [(1, 2), (2, 1)]
        assert f(sorted, reverse=True)([1, 3, 2]) == [3, 2, 1]
        line = q(); line.put(3); assert line.get() == 3 and line.empty()
        """,
    ),
    "abstract classes of the library by the program's import": (
        """
        from collections.abc import Iterable
        from numbers import Number
        def f(x): return [x]
        """,
        """
        assert isinstance(f(2), Iterable) and not isinstance(f, Iterable) and isinstance(f(2)[0], Number)
        """,
    ),
    "times with zones": (
        """
        import datetime as d, zoneinfo
        class Zone(d.tzinfo):
            def utcoffset(self, when): return d.timedelta(hours=2)
            def dst(self, when): return d.timedelta(0)
            def tzname(self, when): return 'Z'
        def f(): return d.datetime(2020, 1, 1, tzinfo=d.timezone.utc)
        def g(): return d.datetime(2020, 1, 1, 2, tzinfo=Zone())
        def h(): return d.time(1, tzinfo=Zone())
        """,
        """
        import datetime
        utc = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)
        assert f() == utc == g() and g().hour == 2 and g().utcoffset() == datetime.timedelta(hours=2)
        assert h().utcoffset() == datetime.timedelta(hours=2)
        """,
    ),
    "a context manager that deals with an exception": (
        """
        from contextlib import contextmanager, asynccontextmanager
        @contextmanager
        def suppress(*kinds):
            try: yield
            except kinds: pass
        @contextmanager
        def renamed():
            try: yield
            except KeyError as error: raise ValueError('no key') from error
        @asynccontextmanager
        async def quiet():
            try: yield
            except ValueError: pass
        class Log:
            said = []
            def __enter__(self): return self
            def __exit__(self, kind, error, traceback):
                Log.said.append(kind and kind.__name__)
                return kind is ValueError
        def positive(x): assert x > 0
        """,
        """
        import asyncio
        with suppress(ValueError, KeyError): raise KeyError(3)
        with suppress(AssertionError): positive(-1)
        try:
            with renamed(): {}['x']
        except ValueError as error: assert str(error) == 'no key'
        else: raise AssertionError
        async def main():
            async with quiet(): raise ValueError
        asyncio.run(main())
        with Log(): raise ValueError
        with Log() as log: pass
        assert log.said == ['ValueError', None]
        try:
            with suppress(ValueError): raise TypeError('t')
        except TypeError as error: assert error.args == ('t',)
        else: raise AssertionError
        """,
    ),
    "functions of dataclasses": (
        """
        import dataclasses
        from dataclasses import dataclass, field
        @dataclass(frozen=True, order=True)
        class P:
            x: int
            y: int = 0
            tags: list = field(default_factory=list)
        @dataclass
        class Line:
            a: P
            b: P = None
        """,
        """
        import dataclasses
        p = P(1)
        assert dataclasses.asdict(p) == {'x': 1, 'y': 0, 'tags': []} and dataclasses.astuple(p) == (1, 0, [])
        assert dataclasses.replace(p, x=3) == P(3) > p and [f.name for f in dataclasses.fields(P)] == ['x', 'y', 'tags']
        assert dataclasses.asdict(Line(P(1), P(2)))['b']['x'] == 2 and dataclasses.is_dataclass(p)
        assert dataclasses.fields(P)[0].default is dataclasses.MISSING and dataclasses.fields(P)[1].default == 0
        """,
    ),
    "operators of classes that extend plain types": (
        """
        from typing import NamedTuple
        from decimal import Decimal
        import functools
        class V(NamedTuple):
            x: int
            y: int
            def __add__(self, o): return V(self.x + o.x, self.y + o.y)
            def __mul__(self, k): return V(self.x * k, self.y * k)
            __rmul__ = __mul__
            def __lt__(self, o): return abs(self.x) < abs(o.x)
        class Mod7(int):
            def __new__(cls, v): return super().__new__(cls, v % 7)
            def __add__(self, o): return Mod7(int(self) + int(o))
            __radd__ = __add__
        class M(list):
            def __matmul__(self, o): return M([[sum(a * b for a, b in zip(r, c)) for c in zip(*o)] for r in self])
            def __iadd__(self, o):
                for r, s in zip(self, o):
                    for i, v in enumerate(s): r[i] += v
                return self
        class Word(str):
            def __eq__(self, o): return self.lower() == o.lower()
            def __hash__(self): return hash(self.lower())
            def __contains__(self, o): return o.lower() in self.lower()
        class Money(Decimal):
            def shown(self): return f'{self:.2f} EUR'
        def pair(): return V(1, 2)
        """,
        """
        from decimal import Decimal
        assert V(1, 2) + V(3, 4) == V(4, 6) == (4, 6) and V(1, 2) * 3 == 3 * V(1, 2) == (3, 6) and pair() + pair() == (2, 4)
        assert V(-1, 0) < V(2, 0) and sorted([V(-3, 0), V(2, 0)])[0].x == 2 and V(1, 2) == (1, 2) and {V(1, 2): 1}[(1, 2)] == 1
        assert Mod7(5) + Mod7(4) == 2 and Mod7(5) + 3 == 1 and 3 + Mod7(5) == 1 and sum([Mod7(5), Mod7(5)]) == 3
        assert M([[1, 2]]) @ M([[3], [4]]) == [[11]]
        m = n = M([[1]]); m += [[2]]; assert m is n and n == [[3]]
        assert Word('Ab') == Word('aB') and Word('Ab') != Word('c') and Word('Ab') == 'Ab' and Word('Ab').upper() == 'AB'
        assert Money('1.5') == Decimal('1.5') and Money('1.5').shown() == '1.50 EUR' and Money(2) * 2 == 4 and Money(1) < Money(2)
        """,
    ),
    "objects that equal the value that they hold": (
        """
        from collections import UserDict, UserList, UserString
        class Money:
            def __init__(self, amount): self.amount = amount
            def __eq__(self, o): return self.amount == (o.amount if isinstance(o, Money) else o)
            def __ne__(self, o): return not self == o
            def __hash__(self): return hash(self.amount)
        class Stack:
            def __init__(self): self.items = []
            def push(self, x): self.items.append(x)
            def __eq__(self, o): return self.items == o
        class Strict:
            def __init__(self, x): self.x = x
            def __eq__(self, o): return isinstance(o, Strict) and self.x == o.x
        def f(): return UserList([1, 2]), UserDict(a=1), UserString('ab')
        """,
        """
        assert Money(3) == 3 and 3 == Money(3) and Money(3) != 4 and not Money(3) == 4 and not Money(3) != 3 and Money(3) == Money(3)
        assert Money(3) in [3] and 3 in {Money(3)} and [Money(3)] == [3] and {3: 1}[Money(3)] == 1 and Money('3') != 3
        s = Stack(); assert s == []; s.push(1); s.push(2); assert s == [1, 2] and s != [1]
        assert Strict(3) != 3 and Strict(3) == Strict(3) and f() == ([1, 2], {'a': 1}, 'ab') and f()[0] != [1]
        """,
    ),
    "classes that say what they extend": (
        """
        class A:
            def who(self): return 'A'
        class B(A):
            def who(self): return 'B' + super().who()
        class C(A):
            def who(self): return 'C' + super().who()
        class D(B, C): pass
        class E(KeyError): pass
        """,
        """
        assert D().who() == 'BCA' and [k.__name__ for k in D.__mro__] == ['D', 'B', 'C', 'A', 'object'] and D.__bases__ == (B, C)
        assert A.__bases__ == (object,) and A.__mro__ == (A, object) and LookupError in E.__mro__
        assert E.__bases__ == (KeyError,) and issubclass(E, LookupError) and isinstance(D(), C) and not issubclass(A, B)
        """,
    ),
    "groups of exceptions": (
        """
        class Own(ExceptionGroup): pass
        def f(): raise ExceptionGroup('several', [ValueError(1), ExceptionGroup('inner', [TypeError(2)])])
        """,
        """
        seen = []
        try: f()
        except* ValueError as group: seen += group.exceptions[0].args
        except* TypeError as group: seen += group.exceptions[0].exceptions[0].args
        assert seen == [1, 2]
        """,
    ),
    "signatures": (
        """
        import inspect
        def f(a, /, b, *rest, c=(1, [2]), d=None, **more): return 0
        def count(g): return len(inspect.signature(g).parameters)
        def default(g): return inspect.signature(g).parameters['y'].default
        """,
        """
        import inspect
        found = inspect.signature(f)
        assert str(found) == '(a, /, b, *rest, c=(1, [2]), d=None, **more)' and found.parameters['c'].default == (1, [2])
        assert found.bind(1, 2).arguments == {'a': 1, 'b': 2}
        assert count(lambda x, y=3: 0) == 2 and default(lambda x, y=[3]: 0) == [3]
        """,
    ),
    "attributes of objects that the tests hand over": (
        """
        def f(node):
            node.seen = node._mark = True
            node._count += 1
            node.value = lambda: 3
            return node._hidden() + node._asdict()['x'] if hasattr(node, '_asdict') else node._hidden()
        """,
        """
        class Node:
            value = None
            def __init__(self): self._count = 1
            def _hidden(self): return 4
        node = Node()
        assert f(node) == 4 and node.seen and node._mark and node._count == 2 and node.value() == 3
        """,
    ),
    "classes and functions of the tests": (
        """
        def build(values):
            root = None
            for value in reversed(values): root = Node(value, root)
            return root
        def doubled(x): return twice(x)
        """,
        """
        class Node:
            def __init__(self, value, next=None):
                assert value is not None
                self.value, self.next = value, next
        def twice(x): return 2 * x
        assert build([1, 2]).next.value == 2 and isinstance(build([1]), Node) and doubled(3) == 6
        """,
    ),
    "a counter of its own": (
        """
        from collections import Counter
        class Bag(Counter):
            def size(self): return sum(self.values())
            def __add__(self, other): return Bag({k: self[k] + other[k] for k in {*self, *other}})
        """,
        """
        from collections import Counter
        bag = Bag('aab')
        assert bag == Counter('aab') == bag and bag.size() == 3 and bag['a'] == 2 and bag['z'] == 0 and bag != Counter('ab')
        assert (bag + Bag('z')).size() == 4 and bag - Counter('a') == Counter('ab')
        """,
    ),
    "settings of the interpreter": (
        """
        import argparse, os, sys
        sys.set_int_max_str_digits(0)
        os.environ['OWN'] = 'kept'
        def read(path):
            with open(path) as file: return file.read()
        def env(name): return os.environ.get(name)
        def main():
            parser = argparse.ArgumentParser()
            parser.add_argument('--n', type=int)
            return parser.parse_args().n
        def divide(a, b): return a / b
        def power(n): return 10 ** n
        def digits(n): return len(str(10 ** n))
        """,
        """
        import os, sys, tempfile
        from decimal import Decimal, localcontext
        from unittest.mock import patch
        with tempfile.TemporaryDirectory() as folder:
            before = os.getcwd()
            os.chdir(folder)
            open('a.txt', 'w').write('hello')
            assert read('a.txt') == 'hello'
            os.chdir(before)
            try: read('a.txt')
            except FileNotFoundError: pass
            else: assert False
        with patch.dict(os.environ, {'MODE': 'x'}): assert env('MODE') == 'x'
        assert env('MODE') is None and env('OWN') == 'kept'
        with patch('sys.argv', ['p', '--n', '3']): assert main() == 3
        with localcontext() as context:
            context.prec = 5
            assert divide(Decimal(1), Decimal(3)) == Decimal('0.33333')
        assert divide(Decimal(1), Decimal(3)) != Decimal('0.33333')
        assert len(str(power(5000))) == 5001
        sys.set_int_max_str_digits(1000)
        try: digits(5000)
        except ValueError: pass
        else: assert False
        """,
    ),
    "writes and wrappers": (
        """
        import functools, sys
        def greet(n): print('Hello, ' + n); sys.stdout.write('x')
        def wrap(function):
            @functools.wraps(function)
            def wrapped(*given): return function(*given)
            return wrapped
        """,
        """
        from unittest.mock import patch
        import io, contextlib
        with patch('sys.stdout') as out: greet('Bob')
        assert [call.args for call in out.write.call_args_list] == [('Hello, Bob',), ('\\n',), ('x',)]
        with contextlib.redirect_stdout(io.StringIO()) as out:
            for _ in range(1000): greet('Bob')
        assert out.getvalue() == 'Hello, Bob\\nx' * 1000
        def g(x): return x
        g.tag, g.seen = 5, []
        h = wrap(g)
        assert h(2) == 2 and h.tag == 5 and h.seen is g.seen and h.__name__ == 'g' and h.__wrapped__ is g
        """,
    ),
    "objects of the program in mocks, and tables of enumerations": (
        """
        class Subject:
            def __init__(self): self.observers = []
            def attach(self, observer):
                observer.watched = self
                self.observers.append(observer)
            def notify(self, event):
                for observer in self.observers: observer.update(event)
        def parse(kind, value): return kind._value2member_map_.get(value)
        """,
        """
        import enum
        from unittest.mock import Mock
        class Color(enum.Enum):
            RED = 1
        observer, subject = Mock(), Subject()
        subject.attach(observer)
        subject.notify('e')
        observer.update.assert_called_once_with('e')
        assert parse(Color, 1) is Color.RED and parse(Color, 2) is None
        """,
    ),
}


@pytest.mark.sandbox
@pytest.mark.parametrize("name", CASES)
def test_right_programs_pass(sandbox: Sandbox, name: str) -> None:
    program, tests = (textwrap.dedent(part) for part in CASES[name])
    assert sandbox.run(program, tests, seconds=20.0) == "passed"
