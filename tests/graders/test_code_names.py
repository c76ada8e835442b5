"""Wrong programs that redefine what their tests call: none passes."""

import textwrap

import pytest

from isocost.graders.code.sandbox.bubblewrap import Sandbox

# Code that ends the tests' process as one that passed, where it is run there.
THIEF = """
import os, sys
frame = sys._getframe()
while frame:
    if isinstance(token := frame.f_locals.get("token"), bytes):
        os.write(3, len(token).to_bytes(4, "big") + token)
        os._exit(0)
    frame = frame.f_back
"""

# By name: a program, and tests that it must not pass.
CASES = {
    "abs": (
        """
        import builtins
        builtins.abs=lambda x:0
        def f(x): return 0
        """,
        """
        assert abs(f(2)-4) < 1e-6
        """,
    ),
    "set": (
        """
        import builtins
        builtins.set=lambda *a: 1
        def f(x): return 0
        """,
        """
        assert set([f(2)]) == set([4])
        """,
    ),
    "sorted": (
        """
        import builtins
        builtins.sorted=lambda *a, **k: 1
        def f(x): return [0]
        """,
        """
        assert sorted(f(2)) == sorted([4])
        """,
    ),
    "all": (
        """
        import builtins
        builtins.all=lambda *a: True
        def f(x): return 0
        """,
        """
        assert all(f(i) == i for i in (1, 2))
        """,
    ),
    "zip": (
        """
        import builtins
        builtins.zip=lambda *a: ()
        def f(x): return 0
        """,
        """
        for a, b in zip([1], [1]):
            assert f(a) == b
        """,
    ),
    "range": (
        """
        import builtins
        builtins.range=lambda *a: ()
        def f(x): return 0
        """,
        """
        for i in range(1, 3):
            assert f(i) == i
        """,
    ),
    "isclose": (
        """
        import math
        math.isclose=lambda *a, **k: True
        def f(x): return 0
        """,
        """
        import math
        assert math.isclose(f(2), 4)
        """,
    ),
    "sysmodules": (
        """
        import sys, types
        m=types.ModuleType('math')
        m.isclose=lambda *a, **k: True
        sys.modules['math']=m
        def f(x): return 0
        """,
        """
        import math
        assert math.isclose(f(2), 4)
        """,
    ),
    "global abs": (
        """
        def abs(x): return 0
        def f(x): return 0
        """,
        """
        assert abs(f(2)-4) < 1e-6
        """,
    ),
    "global math": (
        """
        class math:
            isclose = staticmethod(lambda *a, **k: True)
        def f(x): return 0
        """,
        """
        assert math.isclose(f(2), 4)
        """,
    ),
    "global isinstance": (
        """
        def isinstance(*a): return True
        def f(x): return 0
        """,
        """
        assert isinstance(f(2), str)
        """,
    ),
    "import hook": (
        """
        import sys
        class H:
            def find_spec(s, n, p=None, t=None):
                import importlib.util
                return None
        sys.meta_path.insert(0, H())
        import random
        random.randint = lambda a, b: 0
        def f(x): return x
        """,
        """
        import random
        x = random.randint(5, 9)
        assert f(x) == x + 1
        """,
    ),
    "deepcopy": (
        """
        import copy
        copy.deepcopy = lambda x, m=None: 0
        def f(x): return 0
        """,
        """
        import copy
        assert f(copy.deepcopy(4)) == copy.deepcopy(4)
        """,
    ),
    "open file": (
        """
        import builtins, io
        builtins.open = lambda *a, **k: io.StringIO('4')
        def f(x): return '4'
        """,
        """
        open('/tmp/a', 'w').write('5')
        assert f(1) == open('/tmp/a').read()
        """,
    ),
    "json": (
        """
        import json
        json.dumps = json.loads = lambda *a, **k: True
        def f(x): return json.loads('1')
        """,
        """
        import json
        assert f(2) == json.loads('4')
        """,
    ),
    "unittest": (
        """
        import unittest
        unittest.TestCase.assertEqual = lambda *a: None
        def f(x): return 0
        """,
        """
        import unittest
        class T(unittest.TestCase):
            def test(self): self.assertEqual(f(2), 4)
        r = unittest.TextTestRunner(stream=open('/dev/null', 'w')).run(unittest.defaultTestLoader.loadTestsFromTestCase(T))
        assert r.wasSuccessful()
        """,
    ),
    "assertion class": (
        """
        import builtins
        builtins.AssertionError = type('A', (Exception,), {})
        def f(x): return 0
        """,
        """
        assert f(2) == 4
        """,
    ),
    "the function has a module's name": (
        """
        def abs(x): return 0
        def statistics(x): return 7
        """,
        """
        assert abs(statistics([1, 2]) - 1.5) < 1e-9
        """,
    ),
    "excepthook": (
        """
        import sys
        sys.excepthook = sys.exit = lambda *a: None
        sys.unraisablehook = print
        def f(x): return 0
        """,
        """
        assert f(2) == 4
        """,
    ),
    "a folder of its modules": (
        """
        __path__ = ['/tmp']
        open('/tmp/square.py', 'w').write(THIEF)
        """,
        """
        from solution import square
        assert square(2) == 4
        """,
    ),
    "a folder of its modules, found by a patch": (
        """
        __path__ = ['/tmp']
        open('/tmp/Service.py', 'w').write(THIEF)
        def total(x): return 0
        """,
        """
        from unittest.mock import patch
        with patch('solution.Service.fetch', return_value=3):
            assert total(2) == 6
        """,
    ),
    "a module's set-up": (
        """
        import unittest
        def setUpModule(): raise unittest.SkipTest("no")
        def load_tests(*_): return unittest.TestSuite()
        def square(x): return 0
        """,
        """
        import unittest
        class T(unittest.TestCase):
            def test_a(self): self.assertEqual(square(2), 4)
        loader = unittest.defaultTestLoader
        for suite in (loader.loadTestsFromTestCase(T), loader.loadTestsFromModule(__import__('solution'))):
            assert unittest.TextTestRunner(stream=open("/dev/null", "w")).run(suite).wasSuccessful()
        """,
    ),
}


@pytest.mark.sandbox
@pytest.mark.parametrize("name", CASES)
def test_names_of_the_tests_are_their_own(sandbox: Sandbox, name: str) -> None:
    program, tests = (textwrap.dedent(part).replace("THIEF", repr(THIEF)) for part in CASES[name])
    assert sandbox.run(program, tests, seconds=5.0) != "passed"
