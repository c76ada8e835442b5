"""Wrong programs that attack what judges them: none passes."""

import textwrap

import pytest

from isocost.graders.code.sandbox.bubblewrap import Sandbox

# By name: a program, and tests that it must not pass.
CASES = {
    "frames": (
        """
        import sys
        def f(x):
            fr = sys._getframe()
            while fr:
                for n in list(fr.f_globals):
                    if n in ('assert', 'check'): fr.f_globals[n] = lambda *a: None
                fr = fr.f_back
            return 0
        """,
        """
        def check(c):
            assert c(2) == 4
        check(f)
        """,
    ),
    "gc": (
        """
        import gc
        def f(x):
            for o in gc.get_objects():
                if isinstance(o, dict) and 'check' in o: o['check'] = print
                if isinstance(o, list) and len(o) == 1: o[0] = 0
            return 0
        """,
        """
        want = [4]
        def check(c):
            assert c(2) == want[0]
        check(f)
        """,
    ),
    "trace": (
        """
        import sys
        def f(x):
            def t(frame, e, a):
                return t
            sys.settrace(t)
            fr = sys._getframe().f_back
            try: fr.f_lineno = fr.f_lineno + 1
            except Exception: pass
            return 0
        """,
        """
        assert f(2) == 4
        x = 1
        """,
    ),
    "atexit": (
        """
        import atexit, os
        atexit.register(lambda: os._exit(0))
        def f(x): return 0
        """,
        """
        assert f(2) == 4
        """,
    ),
    "os._exit": (
        """
        import os
        def f(x): os._exit(0)
        """,
        """
        assert f(2) == 4
        """,
    ),
    "os._exit caught": (
        """
        import os
        def f(x): os._exit(0)
        """,
        """
        try:
            f(2)
        except BaseException:
            pass
        """,
    ),
    "thread": (
        r"""
        import threading, os, time
        def g():
            time.sleep(.05)
            for fd in range(3, 20):
                try: os.write(fd, b'\0\0\0\6passed')
                except OSError: pass
            os._exit(0)
        threading.Thread(target=g, daemon=True).start()
        def f(x):
            time.sleep(.2)
            return 0
        """,
        """
        assert f(2) == 4
        """,
    ),
    "signal": (
        """
        import signal, os
        def f(x):
            for pid in (1, 2, 3, 4, os.getppid(), 0):
                for s in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL, signal.SIGUSR1):
                    try: os.kill(pid, s)
                    except BaseException: pass
            return 0
        """,
        """
        assert f(2) == 4
        """,
    ),
    "token forged": (
        """
        import os
        def f(x):
            for fd in range(64):
                for m in (b'passed', b'{}', b'x' * 16, b'{"number":1,"raised":false,"values":[true],"nodes":[]}'):
                    try: os.write(fd, len(m).to_bytes(4, 'big') + m)
                    except OSError: pass
            os._exit(0)
        """,
        """
        assert f(2) == 4
        """,
    ),
    "pickle": (
        """
        class E:
            def __reduce__(self): return (exec, ('import builtins; builtins.abs = lambda x: 0',))
        def f(x): return E()
        """,
        """
        f(2)
        assert abs(-1) == 1 and f(2) == 4
        """,
    ),
    "ctypes": (
        """
        import ctypes, sys
        def f(x):
            one, two = 0, 4
            ctypes.memmove(id(two) + 24, id(one) + 24, 4)
            return 0
        """,
        """
        assert f(2) == 4
        """,
    ),
    "ctypes true": (
        """
        import ctypes
        def f(x):
            ctypes.memmove(id(False) + 24, id(True) + 24, 8)
            return 0
        """,
        """
        assert f(2) == 4
        """,
    ),
    "callback": (
        """
        def f(cb):
            g = getattr(cb, '__globals__', None)
            if g is not None: g['want'] = 0
            try: cb.__code__ = (lambda x: 0).__code__
            except Exception: pass
            return 0
        """,
        """
        want = 4
        assert f(lambda x: 4) == want
        """,
    ),
    "callback globals": (
        """
        def f(cb):
            try:
                cb.__globals__['want'] = 0
            except AttributeError: return 0
            return 0
        """,
        """
        want = 4
        def cb(x): return x
        assert f(cb) == want
        """,
    ),
    "setattr on expected": (
        """
        def f(o):
            try: o.__class__ = int
            except Exception: pass
            try: type(o).__eq__ = lambda s, o: True
            except Exception: pass
            return o
        """,
        """
        class Box:
            def __init__(self, v): self.v = v
            def __eq__(self, o): return self.v == o.v
        assert f(Box(1)) == Box(2)
        """,
    ),
    "rlimit": (
        """
        import resource
        for pid in (0, 1, 2):
            try: resource.prlimit(pid, resource.RLIMIT_NOFILE, (0, 0))
            except Exception: pass
        def f(x): return 0
        """,
        """
        assert f(2) == 4
        """,
    ),
    "frames of an exception": (
        """
        import sys
        def f(x):
            try: raise ValueError
            except ValueError as e:
                t = e.__traceback__.tb_frame
                while t:
                    t.f_globals.update(abs=lambda x: 0)
                    t = t.f_back
            return 0
        """,
        """
        assert abs(f(2) - 4) < 1e-6
        """,
    ),
    "codec": (
        """
        import sys, gc, types
        for o in gc.get_objects():
            if isinstance(o, types.FunctionType) and 'crossing' in (o.__module__ or ''):
                try: o.__code__ = (lambda *a, **k: True).__code__
                except Exception: pass
        def f(x): return 0
        """,
        """
        assert f(2) == 4
        """,
    ),
    "stopiteration": (
        """
        def f(x): raise StopIteration
        """,
        """
        assert all(map(lambda c: f(c[0]) == c[1], [(1, 1), (2, 2)]))
        """,
    ),
    "forged definition": (
        """
        import os
        for fd in range(3, 9):
            for m in (b'{"failed":""}', b'{"failed":"passed"}', b'{"failed":null}'):
                try: os.write(fd, len(m).to_bytes(4, 'big') + m)
                except OSError: pass
        def f(x): return 0
        """,
        """
        assert f(2) == 4
        """,
    ),
    "forged definition alone": (
        """
        import os
        m = b'{"failed":""}'
        os.write(3, len(m).to_bytes(4, 'big') + m)
        def f(x): return 0
        """,
        """
        assert f(2) == 4
        """,
    ),
    "skipped": (
        """
        import unittest
        def f(x): raise unittest.SkipTest('no')
        """,
        """
        import unittest
        class T(unittest.TestCase):
            def test(self): self.assertEqual(f(2), 4)
        r = unittest.TextTestRunner(stream=open('/dev/null', 'w')).run(unittest.defaultTestLoader.loadTestsFromTestCase(T))
        assert r.wasSuccessful()
        """,
    ),
    "skipped by a class of its own": (
        """
        import unittest
        class S(unittest.SkipTest): pass
        def f(x): raise S('no')
        """,
        """
        import unittest
        class T(unittest.TestCase):
            def test(self): self.assertEqual(f(2), 4)
        r = unittest.TextTestRunner(stream=open('/dev/null', 'w')).run(unittest.defaultTestLoader.loadTestsFromTestCase(T))
        assert r.wasSuccessful()
        """,
    ),
    "context of a function of the tests": (
        """
        def f(ask):
            try: ask()
            except ValueError as e: return e.__context__.args[0]
        """,
        """
        def ask():
            try: raise KeyError(4)
            except KeyError: raise ValueError
        assert f(ask) == 4
        """,
    ),
    "releases what it is lent": (
        """
        import sys
        def f(x, g):
            peer = sys._getframe(1)
            while peer and 'self' not in peer.f_locals or not hasattr(peer.f_locals.get('self'), 'table'): peer = peer.f_back
            table = peer.f_locals['self'].table
            table.released.update(range(0, 100, 2))
            g(x)
            return table.kept
        """,
        """
        assert f(2, lambda x: 4) == 4
        """,
    ),
}


@pytest.mark.sandbox
@pytest.mark.parametrize("name", CASES)
def test_no_program_reaches_its_judge(sandbox: Sandbox, name: str) -> None:
    program, tests = (textwrap.dedent(part) for part in CASES[name])
    assert sandbox.run(program, tests, seconds=5.0) != "passed"
