"""Right programs, and what they do besides returning values: exceptions, streams, files, threads, names of modules."""

import textwrap

import pytest

from isocost.graders.code.sandbox.bubblewrap import Sandbox

# By name: a program, and tests that it passes.
CASES = {
    "printing": (
        """
        def f(): print('hello'); print('x', end=''); return 1
        def r(): return input('? ') + input()
        import sys
        def s(): return sys.stdin.readline()
        def w(): sys.stdout.write('w'); sys.stderr.write('e')
        """,
        r"""
        import io, contextlib, sys
        from unittest import mock
        assert f() == 1
        o = io.StringIO()
        with contextlib.redirect_stdout(o): f()
        assert o.getvalue() == 'hello\nx'
        with mock.patch('sys.stdout', new_callable=io.StringIO) as out:
            w(); w()
        assert out.getvalue() == 'ww'
        sys.stdin = io.StringIO('a\nb\nc\n')
        assert r() == 'ab' and s() == 'c\n' and s() == ''
        sys.stdin = sys.__stdin__
        with mock.patch('builtins.input', side_effect=['p', 'q']): assert r() == 'pq'
        with mock.patch('builtins.print') as pr: f()
        pr.assert_any_call('hello')
        """,
    ),
    "random seed": (
        """
        import random
        def f(): return random.randint(1, 10**9)
        """,
        """
        import random
        random.seed(5)
        a = f()
        random.seed(5)
        assert a == f() == random.Random(5).randint(1, 10**9)
        """,
    ),
    "files": (
        """
        def f(p): return open(p).read()
        def w(p): open(p, 'w').write('hey')
        """,
        """
        open('/tmp/a.txt', 'w').write('abc')
        assert f('/tmp/a.txt') == 'abc'
        w('b.txt')
        assert open('b.txt').read() == 'hey'
        """,
    ),
    "alarm": (
        """
        import time
        def f():
            try: time.sleep(0.05)
            finally: pass
            return 1
        def g(): return 2
        """,
        """
        import signal
        def h(s, fr): raise TimeoutError
        signal.signal(signal.SIGALRM, h)
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        try: f()
        except TimeoutError: pass
        else: assert False
        assert g() == 2 and g() == 2
        """,
    ),
    "threads": (
        """
        import threading
        class Counter:
            def __init__(self): self.n = 0; self.l = threading.Lock()
            def inc(self):
                with self.l: self.n += 1
        """,
        """
        import threading
        c = Counter()
        ts = [threading.Thread(target=c.inc) for _ in range(8)]
        [t.start() for t in ts]
        [t.join() for t in ts]
        assert c.n == 8
        """,
    ),
    "exceptions": (
        """
        class My(ValueError):
            def __init__(self, m, code=1): super().__init__(m); self.code = code
            def __str__(self): return 'my ' + self.args[0]
        class Plain(Exception): pass
        def f(x):
            if x == 1: raise ValueError('bad', 3)
            if x == 2: raise My('q', 7)
            if x == 3: raise Plain
            if x == 4: return {}['k']
            if x == 5: return int('z')
            if x == 6: open('/nonexistent')
            if x == 7: raise My('z') from KeyError('c')
            if x == 8: assert False, 'msg'
            if x == 9: 'ü'.encode('ascii')
            if x == 10: raise SystemExit(3)
            if x == 11: raise StopIteration(4)
            return x
        """,
        """
        def raises(n):
            try: f(n)
            except BaseException as e: return e
            assert False
        e = raises(1); assert type(e) is ValueError and e.args == ('bad', 3)
        e = raises(2)
        assert type(e) is My and isinstance(e, ValueError) and e.code == 7 and str(e) == 'my q'
        assert type(e).__name__ == 'My'
        assert type(raises(3)).__name__ == 'Plain' and isinstance(raises(3), Plain)
        e = raises(4); assert type(e) is KeyError and e.args == ('k',)
        assert 'invalid literal' in str(raises(5))
        e = raises(6); assert type(e) is FileNotFoundError and e.errno == 2 and e.filename == '/nonexistent'
        e = raises(7); assert isinstance(e.__cause__, KeyError)
        assert str(raises(8)) == 'msg'
        assert type(raises(9)) is UnicodeEncodeError
        assert raises(10).code == 3
        import unittest
        tc = unittest.TestCase()
        with tc.assertRaises(My): f(2)
        with tc.assertRaisesRegex(ValueError, 'bad'): f(1)
        try: f(2)
        except My as m: assert m.code == 7
        """,
    ),
    "async": (
        """
        import asyncio
        async def f(x):
            await asyncio.sleep(0.001)
            return x + 1
        async def g():
            for i in range(3): yield i
        class A:
            async def __aenter__(self): return 5
            async def __aexit__(self, *a): return False
        async def b(): raise KeyError('z')
        """,
        """
        import asyncio
        assert asyncio.run(f(1)) == 2
        async def main():
            assert await f(2) == 3
            assert await asyncio.gather(f(1), f(2)) == [2, 3]
            assert [x async for x in g()] == [0, 1, 2]
            async with A() as a: assert a == 5
            try: await b()
            except KeyError: pass
            else: assert False
        asyncio.run(main())
        assert asyncio.iscoroutinefunction(f)
        """,
    ),
    "exit in program": (
        """
        import sys
        def f():
            sys.exit(2)
        """,
        """
        try: f()
        except SystemExit as e: assert e.code == 2
        else: assert False
        """,
    ),
    "context": (
        """
        import contextlib
        class C:
            def __enter__(self): return self
            def __exit__(self, t, v, b): self.t = t; return t is ValueError
        @contextlib.contextmanager
        def cm(x): yield x + 1
        """,
        """
        with C() as c: pass
        with C() as c: raise ValueError('x')
        assert c.t is ValueError
        with cm(1) as v: assert v == 2
        """,
    ),
    "import": (
        """
        def f(): return 1
        def helper(): return 2
        def g(): return helper()
        """,
        """
        import solution
        from solution import f as ff
        assert solution.f() == 1 and ff() == 1
        from unittest import mock
        with mock.patch('solution.helper', lambda: 7): assert g() == 7
        assert g() == 2
        solution.helper = lambda: 8
        assert g() == 8
        """,
    ),
    "bytes of standard input and output": (
        """
        import sys
        def solve():
            first, *rest = sys.stdin.buffer.read().split()
            sys.stdout.buffer.write(b'%d\\n' % (int(first) + len(rest)))
        def lines(): return sys.stdin.buffer.readline(), [*sys.stdin.buffer]
        """,
        """
        import io, sys
        out = sys.stdout = io.TextIOWrapper(io.BytesIO(), encoding='utf-8')
        sys.stdin = io.TextIOWrapper(io.BytesIO(b'3 a b'), encoding='utf-8')
        solve()
        sys.stdin = io.TextIOWrapper(io.BytesIO('ü\\nx\\ny'.encode()), encoding='utf-8')
        assert lines() == ('ü\\n'.encode(), [b'x\\n', b'y'])
        sys.stdout = sys.__stdout__
        out.seek(0)
        assert out.read() == '5\\n'
        """,
    ),
    "the class of a function": (
        """
        def leave(kind, error, trace): return kind is ValueError
        def name(kind): return kind.__name__
        """,
        """
        import contextlib
        with contextlib.ExitStack() as stack:
            stack.push(leave)
            raise ValueError
        assert not hasattr(type(leave), '__exit__') and name(type(leave)) == 'function'
        """,
    ),
    "import of every name": (
        """
        def max(a, b): return a if a > b else b
        def f(x): return max(x, 4)
        """,
        """
        from solution import *
        assert f(2) == 4 and max(1, 2, 3) == 3
        """,
    ),
    "uses test names": (
        """
        def f(v): return Box(v)
        def g(v): return double(v)
        """,
        """
        class Box:
            def __init__(self, v): self.v = v
        def double(x): return 2 * x
        assert f(3).v == 3 and isinstance(f(3), Box) and g(4) == 8
        """,
    ),
    "contexts of exceptions": (
        """
        def f(x):
            try: {}[x]
            except KeyError: raise ValueError('x')
        def g(x):
            try: f(x)
            except ValueError as e: raise OSError('y') from e
        def h(x):
            try: f(x)
            except ValueError: raise OSError('y') from None
        def call(function):
            try: function()
            except ZeroDivisionError: raise OSError('z')
        def turn():
            one, other = ValueError(1), ValueError(2)
            one.__context__, other.__context__ = other, one
            raise one
        """,
        """
        def raised(function, x):
            try: function(x)
            except Exception as e: return e
        e = raised(f, 3)
        assert isinstance(e.__context__, KeyError) and e.__context__.args == (3,) and e.__cause__ is None and not e.__suppress_context__
        assert e.__context__.__context__ is None
        e = raised(g, 3)
        assert e.__cause__ is e.__context__ and isinstance(e.__cause__, ValueError) and isinstance(e.__cause__.__context__, KeyError)
        e = raised(h, 3)
        assert e.__cause__ is None and e.__suppress_context__ and isinstance(e.__context__, ValueError)
        assert isinstance(raised(call, lambda: 1 / 0).__context__, ZeroDivisionError)
        try: turn()
        except ValueError as e: assert e.__context__.__context__ is e
        """,
    ),
    "identity and weak references": (
        """
        import weakref
        class Cache:
            def __init__(self): self.d = weakref.WeakKeyDictionary()
            def put(self, k, v): self.d[k] = v
            def get(self, k): return self.d.get(k)
            def size(self): return len(self.d)
        def count(node):
            seen = set()
            while node and id(node) not in seen:
                seen.add(id(node))
                node = node.next
            return len(seen)
        class Own: pass
        live = weakref.WeakSet()
        def make():
            made = Own()
            live.add(made)
            return made
        def alive(): return len(live)
        """,
        """
        import gc, weakref
        class Node:
            def __init__(self, next=None): self.next = next
        head = last = Node()
        for _ in range(300): head = Node(head)
        assert count(head) == 301
        last.next = head
        assert count(head) == 301
        cache, keys = Cache(), [Node() for _ in range(300)]
        for i, k in enumerate(keys): cache.put(k, i)
        assert [cache.get(k) for k in keys] == list(range(300))
        del k, keys[:200]
        assert cache.size() == 100 and cache.get(keys[0]) == 200
        cache.put(Node(), 1)
        ref = weakref.ref(keys[0])
        keys.clear()
        assert cache.size() == 0 and ref() is None
        own = make()
        assert alive() == 1
        del own
        assert alive() == 0
        """,
    ),
}


@pytest.mark.sandbox
@pytest.mark.parametrize("name", CASES)
def test_right_programs_pass(sandbox: Sandbox, name: str) -> None:
    program, tests = (textwrap.dedent(part) for part in CASES[name])
    assert sandbox.run(program, tests, seconds=20.0) == "passed"
