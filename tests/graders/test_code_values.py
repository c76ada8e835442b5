"""Right programs, and what they exchange with their tests: values, changes in place, functions, iterators."""

import textwrap

import pytest

from isocost.graders.code.sandbox.bubblewrap import Sandbox

# By name: a program, and tests that it passes.
CASES = {
    "plain types": (
        """
        def f(x): return x
        """,
        r"""
        import math
        values = (None, True, False, 0, -1, 10**30, -(2**63), 2**63, 2**70, 1.5, -0.0, float('inf'),
            1e300, 'a', 'ü€😀', '\ud800', '\ud83d\ude00', b'', b'\0\xff', 3+4j, (), (1,), (1, (2, 3)),
            [], [1, [2]], {}, {1: [2]}, {'a': {'b': (1, 2)}}, set(), {1, 2}, frozenset(),
            frozenset({1, (2,)}), range(3), range(1, 9, 2), slice(1, 2), Ellipsis, NotImplemented,
            [None, True, 1, 1.0, '1'], 'x' * 100000, list(range(100000)),)
        for v in values:
            r = f(v)
            assert type(r) is type(v) and repr(r) == repr(v), (r, v)
        assert math.isnan(f(float('nan'))) and math.copysign(1, f(-0.0)) == -1
        assert f(bytearray(b'ab')) == bytearray(b'ab')
        assert len(f('\ud83d\ude00')) == 2
        """,
    ),
    "stdlib values": (
        """
        def f(x): return x
        """,
        """
        from decimal import Decimal
        from fractions import Fraction
        import datetime as dt, collections, uuid, pathlib, array
        tz = dt.timezone(dt.timedelta(hours=2))
        values = (Decimal('1.10'), Fraction(1, 3), dt.date(2020, 1, 2),
            dt.datetime(2020, 1, 2, 3, 4, 5, 6), dt.datetime(2020, 1, 2, tzinfo=tz), dt.time(1, 2),
            dt.timedelta(days=-1, seconds=3), tz, collections.Counter('aab'),
            collections.OrderedDict([(1, 2), (0, 1)]), collections.deque([1, 2], maxlen=2),
            uuid.UUID(int=5), pathlib.PurePosixPath('a/b'), pathlib.Path('/tmp'),
            array.array('i', [1, 2]),)
        for v in values:
            r = f(v)
            assert type(r) is type(v) and r == v and repr(r) == repr(v), (r, v)
        d = collections.defaultdict(int, {1: 2})
        r = f(d)
        assert r == d and r[7] == 0 and type(r) is collections.defaultdict
        assert f({1: 2}.keys()) == {1} and list(f({1: 2}.values())) == [2] and f({1: 2}.items()) == {(1, 2)}
        """,
    ),
    "in place": (
        """
        def f(x): x.append(3)
        def g(d): d['k'] = [1]; d.pop('z', None)
        def h(s): s.add(1)
        def sw(m): m[0][1], m[1][0] = m[1][0], m[0][1]
        def rev(x): x.reverse()
        def b(x): x += b'!'
        def q(x): x.appendleft(0)
        """,
        """
        a = [1]; f(a); assert a == [1, 3]; f(a); assert a == [1, 3, 3]
        d = {'z': 1}; g(d); assert d == {'k': [1]}
        s = set(); h(s); assert s == {1}
        m = [[1, 2], [3, 4]]; sw(m); assert m == [[1, 3], [2, 4]]
        row = [1, 2]; grid = [row, row]; f(row); assert grid == [[1, 2, 3]] * 2 and grid[0] is row
        rev(row); assert grid[1] == [3, 2, 1]
        ba = bytearray(b'a'); b(ba); assert ba == b'a!'
        from collections import deque
        dq = deque([1]); q(dq); assert list(dq) == [0, 1]
        """,
    ),
    "aliases": (
        """
        kept = []
        def keep(x): kept.append(x); return x
        def last(): return kept[-1]
        def push(v): kept[-1].append(v)
        def pair():
            a = []
            return a, a
        def cyc():
            a = [1]
            a.append(a)
            return a
        def same(a, b): return a is b
        """,
        """
        a = [1]
        assert keep(a) is a and last() is a
        push(5); assert a == [1, 5]
        a.append(6); assert last() == [1, 5, 6] and last() is a
        x, y = pair(); assert x is y; x.append(1); assert y == [1]
        c = cyc(); assert c[1] is c and c[0] == 1
        assert same(a, a) and not same([1], [1])
        e = []; e.append(e); assert same(e, e[0])
        """,
    ),
    "globals": (
        """
        counter = 0
        table = {}
        def inc():
            global counter
            counter += 1
            table[counter] = 1
        X = [1, 2]
        """,
        """
        inc(); inc()
        assert counter == 2 and table == {1: 1, 2: 1}
        X.append(3); assert X == [1, 2, 3]
        assert 'inc' in globals() and callable(globals()['inc'])
        """,
    ),
    "generators": (
        """
        def g(n):
            for i in range(n): yield i
        def inf():
            i = 0
            while True:
                yield i
                i += 1
        def co():
            t = 0
            while True:
                v = yield t
                if v is None: return t
                t += v
        def m(x): return map(str, x)
        def z(a, b): return zip(a, b)
        def take(it, n): return [next(it) for _ in range(n)]
        """,
        """
        import itertools, types
        assert list(g(3)) == [0, 1, 2] and sum(g(4)) == 6 and isinstance(g(1), types.GeneratorType)
        it = inf(); assert next(it) == 0 and next(it) == 1 and list(itertools.islice(it, 2)) == [2, 3]
        c = co(); next(c); assert c.send(3) == 3 and c.send(4) == 7
        try: c.send(None)
        except StopIteration as e: assert e.value == 7
        else: assert False
        assert list(m([1, 2])) == ['1', '2'] and dict(z('ab', [1, 2])) == {'a': 1, 'b': 2}
        assert set(map(tuple, z([1], [2]))) == {(1, 2)}
        assert take(iter([1, 2, 3]), 2) == [1, 2] and take((i * i for i in itertools.count()), 3) == [0, 1, 4]
        assert take(itertools.count(5), 1) == [5]
        x = g(1); assert next(x) == 0 and next(x, 'end') == 'end'
        inf().close()
        assert iter(it) is it
        """,
    ),
    "callables": (
        """
        import functools
        def ap(f, *a, **k): return f(*a, **k)
        def comp(*fs): return functools.reduce(lambda f, g: lambda x: f(g(x)), fs)
        def mp(f, x): return [f(i) for i in x]
        def srt(x, key): return sorted(x, key=key)
        def deco(fn):
            @functools.wraps(fn)
            def w(*a, **k):
                w.calls += 1
                return fn(*a, **k)
            w.calls = 0
            return w
        def memo(fn): return functools.lru_cache(None)(fn)
        def adder(n): return lambda x: x + n
        def curry(f):
            import inspect
            n = len(inspect.signature(f).parameters)
            def c(*a): return f(*a) if len(a) >= n else lambda *b: c(*a, *b)
            return c
        def retry(fn, n):
            for i in range(n):
                try: return fn()
                except ValueError: pass
            raise RuntimeError('no')
        """,
        """
        import operator, math
        assert ap(lambda x: x + 1, 1) == 2 and ap(max, [1, 5]) == 5 and ap(operator.add, 1, 2) == 3
        assert ap(str.upper, 'a') == 'A' and ap(int, '5') == 5 and ap(sorted, [2, 1], reverse=True) == [2, 1]
        assert ap(math.sqrt, 4) == 2
        assert comp(lambda x: x + 1, lambda x: x * 2)(5) == 11 and mp(abs, [-1]) == [1]
        assert srt(['bb', 'a'], len) == ['a', 'bb']
        assert srt([(1, 'b'), (2, 'a')], lambda t: t[1]) == [(2, 'a'), (1, 'b')]
        @deco
        def t(a, b=2):
            'doc'
            return a + b
        assert t(1) == 3 and t(1, b=5) == 6 and t.calls == 2 and t.__name__ == 't' and t.__doc__ == 'doc'
        seen = []
        @memo
        def sq(x):
            seen.append(x)
            return x * x
        assert sq(3) == 9 and sq(3) == 9 and seen == [3] and sq.cache_info().hits == 1
        assert adder(2)(3) == 5 and curry(lambda a, b, c: a + b + c)(1)(2)(3) == 6
        tries = []
        def flaky():
            tries.append(1)
            if len(tries) < 3: raise ValueError('x')
            return 'ok'
        assert retry(flaky, 5) == 'ok' and len(tries) == 3
        try: ap(lambda: 1 / 0)
        except ZeroDivisionError: pass
        else: assert False
        acc = []
        ap(acc.append, 3); assert acc == [3]
        assert ap(lambda l: l.append(1) or l, [0]) == [0, 1]
        class K:
            def __init__(self): self.n = 0
            def inc(self, k=1): self.n += k; return self.n
        k = K(); assert ap(k.inc) == 1 and ap(k.inc, k=4) == 5 and k.n == 5
        """,
    ),
    "recursion": (
        """
        def d(n): return 0 if n == 0 else 1 + d(n - 1)
        import sys
        def nest(n):
            r = []
            for _ in range(n): r = [r]
            return r
        def tup(n):
            r = ()
            for _ in range(n): r = (r,)
            return r
        """,
        """
        assert d(900) == 900
        try: d(10**5)
        except RecursionError: pass
        else: assert False
        sys = __import__('sys'); sys.setrecursionlimit(5000); assert d(3000) == 3000
        n = 0; x = nest(3000)
        while x: x = x[0]; n += 1
        assert n == 3000
        n = 0; x = tup(3000)
        while x: x = x[0]; n += 1
        assert n == 3000
        """,
    ),
    "large": (
        """
        def f(n): return list(range(n))
        def g(n): return 'x' * n
        def h(x): return sum(x)
        def d(n): return {i: str(i) for i in range(n)}
        """,
        """
        assert f(300000)[-1] == 299999 and len(g(5_000_000)) == 5000000
        assert h(list(range(200000))) == sum(range(200000)) and d(50000)[4] == '4'
        big = list(range(100000))
        for i in range(30): assert h(big) == 4999950000
        """,
    ),
    "views of memory": (
        """
        import array, ctypes
        def f(b): return memoryview(b)
        def g(): return memoryview(bytes(range(6))).cast('B', (2, 3)), memoryview(array.array('d', [1.5, 2]))[::-1], memoryview(b'')
        def h(view): return isinstance(view, memoryview) and bytes(view[1:])
        def fill(view): view[0] = 7
        def odd(): return memoryview((ctypes.c_int * 2)(1, 2))
        """,
        """
        assert f(b'ab') == b'ab' and f(bytearray(b'ab')) == b'ab' and f(b'ab') != b'ac' and isinstance(f(b'ab'), memoryview)
        assert f(b'ab').tobytes() == bytes(f(b'ab')) == b'ab' and f(b'abc')[1:] == b'bc' and len(f(b'ab')) == 2
        square, backwards, empty = g()
        assert square.tolist() == [[0, 1, 2], [3, 4, 5]] and backwards.tolist() == [2, 1.5] and empty == b''
        assert h(memoryview(b'abc')) == b'bc'
        data = bytearray(b'abc')
        fill(memoryview(data))
        assert data == b'\\x07bc' and len(odd()) == 2
        """,
    ),
    "sum shadow": (
        """
        def sum(a, b): return a + b
        """,
        """
        assert sum(10, 15) == 25
        """,
    ),
    "re": (
        """
        import re
        def f(x): return re.match('a(b)?', x)
        def p(): return re.compile('x+')
        def s(r, t): return r.sub('-', t)
        """,
        """
        import re
        assert f('ab') and not f('b') and f('ab').group(1) == 'b' and f('b') is None and bool(f('a')) is True
        assert f('ab').span() == (0, 2)
        assert p().findall('xxyx') == ['xx', 'x'] and s(re.compile('a'), 'bab') == 'b-b'
        """,
    ),
    "many calls": (
        """
        def f(x): return x + 1
        """,
        """
        for i in range(20000): assert f(i) == i + 1
        """,
    ),
    "sort key callback": (
        """
        def f(x, key): return sorted(x, key=key)
        """,
        """
        assert f(list(range(5000)), lambda v: -v) == list(range(4999, -1, -1))
        """,
    ),
    "heap/str join": (
        """
        import heapq
        def f(x):
            heapq.heapify(x)
            return [heapq.heappop(x) for _ in range(len(x))]
        """,
        """
        l = [3, 1, 2]
        assert f(l) == [1, 2, 3] and l == []
        """,
    ),
    "nonlocal state": (
        """
        def mk():
            n = 0
            def inc():
                nonlocal n
                n += 1
                return n
            return inc
        """,
        """
        a, b = mk(), mk()
        assert a() == 1 and a() == 2 and b() == 1
        """,
    ),
    "named arguments of any name": (
        """
        import asyncio
        def greet(name, target=None): return name, target
        def call(cb): return cb(self=1, name=2, target=3, action=4)
        def every(self, cls, name, target, action, method, arguments, named): return target
        async def later(name, target): return name + target
        class P:
            def __init__(self, name, cls, action): self.name, self.rest = name, (cls, action)
            def __call__(self, name, target): return name + target
            def m(self, name, target): return name - target
        """,
        """
        import asyncio
        assert greet(name='Bob') == ('Bob', None) and greet('a', target=9) == ('a', 9)
        assert call(lambda **named: sorted(named.items())) == [('action', 4), ('name', 2), ('self', 1), ('target', 3)]
        assert every(self=1, cls=2, name=3, target=4, action=5, method=6, arguments=7, named=8) == 4
        assert asyncio.run(later(name=1, target=2)) == 3
        p = P(name='p', cls=1, action=2)
        assert p.name == 'p' and p.rest == (1, 2) and p(name=1, target=2) == 3 and p.m(name=3, target=2) == 1
        """,
    ),
    "functions that call each other through two processes": (
        """
        def memoize(f):
            known = {}
            def g(n):
                if n not in known: known[n] = f(n)
                return known[n]
            return g
        class Link:
            def __init__(self, other): self.other = other
            @property
            def v(self): return self.other.v
            def __iter__(self): return iter(self.other)
            def __len__(self): return len(self.other)
            def m(self): return self.other.m()
        """,
        """
        import sys
        @memoize
        def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)
        assert fib(200) == 280571172992510140037611932413038677189525
        class Back:
            @property
            def v(self): return link.v
            def __iter__(self): return iter(link)
            def __len__(self): return len(link)
            def m(self): return link.m()
        link = Link(Back())
        for endless in (memoize(lambda n: link.m()), lambda n: link.v, lambda n: iter(link), lambda n: len(link), lambda n: link.m()):
            try: endless(0)
            except RecursionError: pass
            else: assert False
        limit = sys.getrecursionlimit()
        memoize(lambda n: sys.setrecursionlimit(3000))(0)
        assert limit == 1000 and sys.getrecursionlimit() == 3000
        @memoize
        def fact(n): return 1 if n < 2 else n * fact(n - 1)
        assert fact(500) % 499 == 0
        """,
    ),
    "facts of a function": (
        """
        def curry(f, *given):
            return f(*given) if len(given) >= f.__code__.co_argcount else lambda *more: curry(f, *given, *more)
        def checked(f):
            def g(*values):
                for name, value in zip(f.__code__.co_varnames, values):
                    if not isinstance(value, f.__annotations__.get(name, object)): raise TypeError(name)
                return f(*values)
            return g
        """,
        """
        def add(a: int, b: int, c=0) -> int: return a + b + c
        assert curry(lambda a, b, c: a + b + c)(1)(2, 3) == 6
        assert checked(add)(1, 2) == 3
        try: checked(add)(1, '2')
        except TypeError as error: assert str(error) == 'b'
        else: assert False
        """,
    ),
}


@pytest.mark.sandbox
@pytest.mark.parametrize("name", CASES)
def test_right_programs_pass(sandbox: Sandbox, name: str) -> None:
    program, tests = (textwrap.dedent(part) for part in CASES[name])
    assert sandbox.run(program, tests, seconds=20.0) == "passed"
