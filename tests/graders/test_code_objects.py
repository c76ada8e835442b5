"""Right programs, and objects that one side has of the other: classes and instances."""

import textwrap

import pytest

from isocost.graders.code.sandbox.bubblewrap import Sandbox

# By name: a program, and tests that it passes.
CASES = {
    "classes": (
        """
        import functools
        @functools.total_ordering
        class P:
            count = 0
            def __init__(self, x, y=0): self.x, self.y = x, y; P.count += 1
            def __eq__(self, o): return isinstance(o, P) and (self.x, self.y) == (o.x, o.y)
            def __lt__(self, o): return self.x < o.x
            def __hash__(self): return hash((self.x, self.y))
            def __add__(self, o): return P(self.x + o.x, self.y + o.y)
            def __mul__(self, k): return P(self.x * k, self.y * k)
            def __repr__(self): return f'P({self.x}, {self.y})'
            def __len__(self): return 2
            def __getitem__(self, i): return (self.x, self.y)[i]
            def __iter__(self): return iter((self.x, self.y))
            def __contains__(self, v): return v in (self.x, self.y)
            def __bool__(self): return bool(self.x or self.y)
            def __call__(self, z): return self.x + z
            @property
            def norm(self): return abs(self.x) + abs(self.y)
            @classmethod
            def make(cls, t): return cls(*t)
            @staticmethod
            def zero(): return P(0)
        class Q(P):
            pass
        def mk(): return Q(1, 2)
        """,
        """
        p = P(1, 2)
        assert p.x == 1 and p.y == 2 and p == P(1, 2) and p != P(1, 3) and not p == 5
        assert P(1) < P(2) and P(2) >= P(1) and sorted([P(2), P(1)])[0].x == 1
        assert p + P(1, 1) == P(2, 3) and p * 3 == P(3, 6)
        assert repr(p) == 'P(1, 2)' and str(p) == 'P(1, 2)' and f'{p}' == 'P(1, 2)'
        assert len(p) == 2 and p[0] == 1 and list(p) == [1, 2] and 2 in p and 7 not in p and tuple(p) == (1, 2)
        assert p and not P(0) and p(5) == 6 and p.norm == 3 and P.make((3, 4)).y == 4 and P.zero().x == 0
        assert isinstance(p, P) and isinstance(mk(), P) and type(mk()) is Q and issubclass(Q, P)
        assert type(mk()).__name__ == 'Q'
        assert len({P(1, 2), P(1, 2)}) == 1 and {P(1): 'a'}[P(1)] == 'a'
        p.x = 9; assert p.x == 9 and p.norm == 11
        p.new = [1]; p.new.append(2); assert p.new == [1, 2]
        del p.new; assert not hasattr(p, 'new') and hasattr(p, 'x') and getattr(p, 'zzz', 3) == 3
        assert vars(p) == {'x': 9, 'y': 2} and p.__dict__['x'] == 9
        n = P.count; P(1); assert P.count == n + 1
        a, b = p; assert (a, b) == (9, 2)
        import copy
        c = copy.deepcopy(p); c.x = 1; assert p.x == 9 and c == P(1, 2)
        try:
            p.nothing
        except AttributeError as e: assert 'nothing' in str(e)
        else: assert False
        try: p[9]
        except IndexError: pass
        else: assert False
        assert p.make is not None and callable(p) and callable(P) and 'x' in dir(p)
        """,
    ),
    "nodes": (
        """
        class Node:
            def __init__(self, v, next=None):
                self.v, self.next = v, next
        class L:
            def __init__(self): self.head = None
            def push(self, v): self.head = Node(v, self.head); return self
            def items(self):
                n = self.head
                while n:
                    yield n.v
                    n = n.next
        def total(n): return n.v + (total(n.next) if n.next else 0)
        """,
        """
        l = L().push(1).push(2); assert list(l.items()) == [2, 1]
        assert l.head.next.v == 1 and l.head.next.next is None and l.head is l.head
        n = Node(1); n.next = Node(2, Node(3)); assert total(n) == 6
        n.next.v = 10; assert total(n) == 14
        """,
    ),
    "namedtuple": (
        """
        from collections import namedtuple
        from typing import NamedTuple
        from dataclasses import dataclass, field
        P = namedtuple('P', 'x y')
        class T(NamedTuple):
            a: int
            b: str = 'q'
        @dataclass
        class D:
            x: int
            l: list = field(default_factory=list)
        @dataclass(frozen=True, order=True)
        class F:
            x: int
        def f(): return P(1, 2)
        """,
        """
        assert f() == (1, 2) and f().x == 1 and f()._asdict() == {'x': 1, 'y': 2} and isinstance(f(), tuple)
        assert P(1, 2) == f() and f()[1] == 2
        x, y = f(); assert y == 2
        assert T(1).b == 'q' and T(1) == (1, 'q')
        d = D(1); d.l.append(5); assert d == D(1, [5]) and repr(d) == 'D(x=1, l=[5])'
        assert F(1) < F(2) and len({F(1), F(1)}) == 1
        try: F(1).x = 2
        except Exception as e: assert type(e).__name__ == 'FrozenInstanceError'
        else: assert False
        """,
    ),
    "enum": (
        """
        import enum
        class C(enum.Enum):
            R = 1
            G = 2
        class I(enum.IntEnum):
            A = 1
            B = 2
        def f(): return C.R
        """,
        """
        assert f() is C.R and f() == C.R and C.R != C.G and C.R.value == 1 and C.R.name == 'R' and C(2) is C.G
        assert C['G'] is C.G
        assert len(C) == 2 and [c.name for c in C] == ['R', 'G'] and isinstance(f(), C) and {C.R: 1}[C.R] == 1
        assert I.A == 1 and I.A < I.B and I.B + 1 == 3 and I.A.name == 'A' and isinstance(I.A, int)
        """,
    ),
    "sub list": (
        """
        class S(list):
            def push(self, v): self.append(v)
            def append(self, v): super().append(v * 2)
            def peek(self): return self[-1]
        class D(dict):
            def __missing__(self, k): return k * 2
            def __getattr__(self, k): return self[k]
        class St(str):
            def shout(self): return self.upper() + '!'
        """,
        """
        s = S()
        s.push(1)
        s.append(2)
        assert s == [2, 4] and s.peek() == 4 and len(s) == 2 and isinstance(s, list)
        s.extend([7]); assert s.peek() == 7 and s == [2, 4, 7]
        d = D(a=1)
        assert d['a'] == 1 and d.a == 1 and d['zz'] == 'zzzz'
        d['b'] = 2
        assert d == {'a': 1, 'b': 2}
        assert St('a').shout() == 'A!' and St('a') == 'a'
        """,
    ),
    "test objects": (
        """
        def total(o): return o.a + o.m(2)
        def setx(o): o.x = 5; o.l.append(1)
        def isk(o): return type(o).__name__
        def eq(a, b): return a == b
        def ln(o): return len(o), o[0], list(o), (1 in o)
        def mk(cls): return cls(4)
        def tree(n): return 0 if n is None else n.v + tree(n.l) + tree(n.r)
        def srt(x): return sorted(x)
        def rd(f): return f.read().split()
        def rz(e): raise e
        """,
        """
        class O:
            def __init__(self, a): self.a = a; self.l = []
            def m(self, k): return self.a * k
            def __eq__(self, o): return self.a == o.a
            def __lt__(self, o): return self.a < o.a
            def __len__(self): return 1
            def __getitem__(self, i):
                if i: raise IndexError
                return 1
        o = O(2)
        assert total(o) == 6
        setx(o)
        assert o.x == 5 and o.l == [1] and isk(o) == 'O' and eq(O(1), O(1)) and not eq(O(1), O(2))
        assert ln(o) == (1, 1, [1], True) and mk(O).a == 4 and isinstance(mk(O), O)
        class N:
            def __init__(self, v, l=None, r=None): self.v, self.l, self.r = v, l, r
        assert tree(N(1, N(2), N(3))) == 6
        a, b = O(2), O(1); assert srt([a, b]) == [b, a] and srt([a, b])[0] is b
        import io
        assert rd(io.StringIO('a b')) == ['a', 'b']
        class E(Exception):
            def __init__(self, m, code): super().__init__(m); self.code = code
        try: rz(E('x', 3))
        except E as e: assert e.code == 3 and str(e) == 'x'
        else: assert False
        """,
    ),
    "abc": (
        """
        from abc import ABC, abstractmethod
        class Shape(ABC):
            @abstractmethod
            def area(self): ...
        class Sq(Shape):
            def __init__(self, s): self.s = s
            def area(self): return self.s ** 2
        """,
        """
        assert Sq(2).area() == 4 and isinstance(Sq(2), Shape)
        try: Shape()
        except TypeError: pass
        else: assert False
        """,
    ),
    "misc tests": (
        """
        import collections, functools, dataclasses, typing
        @dataclasses.dataclass
        class D:
            x: int
            y: 'D' = None
        def f(a, b=1): return a + b
        def g(n): return (str(i) for i in range(n))
        def h(x): return collections.Counter(x).most_common(1)
        def u(): return typing.List[int]
        class It:
            def __init__(s, n): s.n = n
            def __iter__(s): return s
            def __next__(s):
                if s.n == 0: raise StopIteration
                s.n -= 1
                return s.n
        class V:
            def __init__(s, v): s.v = v
            def __float__(s): return float(s.v)
            def __int__(s): return int(s.v)
            def __index__(s): return int(s.v)
            def __round__(s, n=0): return round(s.v, n)
            def __abs__(s): return abs(s.v)
            def __str__(s): return 'V%s' % s.v
        """,
        """
        import functools, itertools, collections.abc, math, json, dataclasses, operator
        assert functools.reduce(f, [1, 2, 3]) == 6 and list(map(f, [1, 2])) == [2, 3]
        assert list(itertools.starmap(f, [(1, 2)])) == [3] and sorted([3, 1], key=f) == [1, 3]
        assert ','.join(g(3)) == '0,1,2' and isinstance(g(1), collections.abc.Iterator) and h('aab') == [('a', 2)]
        assert isinstance(g(1), collections.abc.Generator)
        assert list(It(3)) == [2, 1, 0] and sum(It(4)) == 6 and 2 in It(3) and max(It(3)) == 2
        assert list(zip(It(2), 'ab')) == [(1, 'a'), (0, 'b')]
        assert math.isclose(V(1.5), 1.5) and int(V(2.7)) == 2 and [5, 6, 7][V(1)] == 6 and round(V(2.5), 1) == 2.5
        assert abs(V(-2)) == 2 and f'{V(1)}' == 'V1' and '%s' % V(2) == 'V2' and json.dumps(h('a')) == '[["a", 1]]'
        assert D(1).y is None and D(1, D(2)).y.x == 2 and D(1) == D(1) and D(1) != D(2)
        assert callable(f) and f(*[1], **{'b': 5}) == 6 and functools.partial(f, 1)(b=3) == 4
        assert operator.methodcaller('__str__')(V(3)) == 'V3'
        assert [x.v for x in (V(1), V(2))] == [1, 2] and str(f(1)) == '2' and f(a=1) == 2
        try: f()
        except TypeError as e: assert 'missing' in str(e)
        else: assert False
        try: V()
        except TypeError as e: assert 'missing' in str(e)
        else: assert False
        """,
    ),
    "unittest": (
        """
        def f(x): return x * 2
        class A:
            def __init__(self): self.l = []
            def add(self, v):
                if v < 0: raise ValueError('neg')
                self.l.append(v); return self
        """,
        """
        import unittest
        class T(unittest.TestCase):
            def setUp(self): self.a = A()
            def test_f(self):
                self.assertEqual(f(2), 4)
                self.assertListEqual(f([1]), [1, 1])
                self.assertAlmostEqual(f(0.1), 0.2)
            def test_a(self):
                self.assertEqual(self.a.add(1).add(2).l, [1, 2])
                with self.assertRaises(ValueError): self.a.add(-1)
                self.assertIsInstance(self.a, A)
                self.assertIs(self.a.add(1), self.a)
                self.assertCountEqual(self.a.l, [2, 1, 1])
        suite = unittest.defaultTestLoader.loadTestsFromTestCase(T)
        r = unittest.TextTestRunner(stream=open('/dev/null', 'w')).run(suite)
        assert r.wasSuccessful() and r.testsRun == 2
        """,
    ),
    "inspect": (
        """
        def f(a, b=2, *c, d: int = 4):
            'doc of f'
        class K:
            'doc of K'
        """,
        """
        import inspect
        assert list(inspect.signature(f).parameters) == ['a', 'b', 'c', 'd'] and f.__doc__ == 'doc of f'
        assert K.__doc__ == 'doc of K' and inspect.isfunction(f) and inspect.isclass(K) and f.__name__ == 'f'
        assert f.__defaults__ == (2,)
        """,
    ),
    "many objects": (
        """
        class P:
            def __init__(self, x): self.x = x
        """,
        """
        l = [P(i) for i in range(3000)]
        assert sum(p.x for p in l) == sum(range(3000))
        """,
    ),
    "type returned": (
        """
        def f(x): return type(x)
        class K: pass
        def g(): return K
        """,
        """
        assert f(1) is int and f('') == str and f(1).__name__ == 'int' and g() is K and isinstance(g()(), K)
        """,
    ),
    "bound eq": (
        """
        class A:
            def m(self): return 1
        def f(): return [print, len]
        """,
        """
        a = A()
        assert a.m() == 1 and a.m == a.m and f()[1]([1]) == 1
        """,
    ),
    "decorated class": (
        """
        import functools
        @functools.lru_cache
        def fib(n): return n if n < 2 else fib(n-1) + fib(n-2)
        class cached(object):
            def __init__(self, f): self.f = f
            def __get__(self, o, t): return self.f(o)
        class Z:
            @cached
            def v(self): return 4
            @functools.cached_property
            def w(self): return 5
        """,
        """
        assert fib(50) == 12586269025 and fib.cache_info().misses == 51 and Z().v == 4 and Z().w == 5
        """,
    ),
    "pickle": (
        """
        class P:
            def __init__(self, x): self.x = x
        def f(p):
            import pickle
            return pickle.loads(pickle.dumps(p)).x
        """,
        """
        assert f(P(3)) == 3
        """,
    ),
    "matrix": (
        """
        class M:
            def __init__(s, r): s.r = r
            def __matmul__(s, o): return M([[sum(a * b for a, b in zip(x, y)) for y in zip(*o.r)] for x in s.r])
            def __eq__(s, o): return s.r == o.r
            def __neg__(s): return M([[-a for a in x] for x in s.r])
            def __setitem__(s, k, v): s.r[k[0]][k[1]] = v
            def __getitem__(s, k): return s.r[k[0]][k[1]]
            def __rmul__(s, k): return M([[k * a for a in x] for x in s.r])
            def __iadd__(s, o): s.r[0][0] += o.r[0][0]; return s
        """,
        """
        m = M([[1, 2], [3, 4]])
        assert m @ M([[1, 0], [0, 1]]) == m and (-m).r == [[-1, -2], [-3, -4]]
        m[0, 1] = 9
        assert m[0, 1] == 9 and (2 * m).r[0] == [2, 18]
        k = m
        m += m
        assert m is k and m.r[0][0] == 2
        """,
    ),
}


@pytest.mark.sandbox
@pytest.mark.parametrize("name", CASES)
def test_right_programs_pass(sandbox: Sandbox, name: str) -> None:
    program, tests = (textwrap.dedent(part) for part in CASES[name])
    assert sandbox.run(program, tests, seconds=20.0) == "passed"
