"""Built-in names mean the program's only where its tests use no other name of it."""

import pytest

from isocost.graders.code.sandbox.bubblewrap import Sandbox

# Wrong programs define these and use them nowhere.
REDEFINED = """
def any(*a, **k): return True
all = isinstance = hasattr = any
def abs(*a): return 0
len = round = set = str = sorted = int = abs
def zip(*a): return ()
range = enumerate = map = zip
"""
WRONG = f"{REDEFINED}\ndef f(x): return None\nclass Solver:\n    def f(self, x): return None\n"
RIGHT = "def f(x): return [x] * x\nclass Solver:\n    def f(self, x): return [x] * x\n"
# By name: tests of the programs above.
TESTS = {
    "an import": "from solution import f\nassert all(f(x) == [x] * x for x in (1, 2))",
    "an import by another name": "from solution import f as g\nassert any(g(x) == [x] * x for x in (1, 2))",
    "an import in a function": "def run():\n    from solution import f\n    assert len(f(2)) - 2 == 0 and isinstance(f(2), list)\nrun()",
    "an import of a class": "from solution import Solver\ns = Solver()\nassert sorted(s.f(2)) == sorted([2, 2])",
    "an import of all": "from solution import *\nfor x in range(3):\n    assert f(x) == [x] * x",
    "the module": "import solution\nassert abs(len(solution.f(3)) - 3) < 1",
    "the module by its name": "import importlib\nm = importlib.import_module('solution')\nassert str(m.f(2)) == str([2, 2])",
    "the module of the tests": "import sys\nm = sys.modules[__name__]\nassert all(m.f(x) == [x] * x for x in (1, 2))",
    "globals": "assert all(globals()['f'](x) == [x] * x for x in (1, 2))",
    "evaluated": "assert all(eval('f(x)', {'f': f, 'x': x}) == [x] * x for x in (1, 2))",
    "executed": "exec('assert all(f(x) == [x] * x for x in (1, 2))')",
    "a parameter of its name": "def run(f):\n    assert set(f(2)) == set([2])\nrun(f)",
    "a loop of its name": "for x, y in zip((1, 2), ([1], [2, 2])):\n    assert f(x) == y\nfor f in []:\n    pass",
    "a wrapper of its name": "f = lambda x, f=f: f(x)\nassert all(f(x) == [x] * x for x in (1, 2))",
    "a branch of its name": "if 1 > 2:\n    f = None\nassert all(f(x) == [x] * x for x in (1, 2))",
    "a class body": "class T:\n    f = staticmethod(f)\nassert all(T.f(x) == [x] * x for x in (1, 2))",
    "unittest": (
        "import unittest\nfrom solution import f\nclass T(unittest.TestCase):\n"
        "    def test(self): self.assertTrue(all(f(x) == [x] * x for x in (1, 2)))\n"
        "r = unittest.TextTestRunner(stream=open('/dev/null', 'w')).run(unittest.defaultTestLoader.loadTestsFromTestCase(T))\n"
        "assert r.wasSuccessful()"
    ),
}


@pytest.mark.sandbox
@pytest.mark.parametrize("name", TESTS)
def test_a_built_in_name_is_the_tests_beside_another_of_the_program(sandbox: Sandbox, name: str) -> None:
    assert sandbox.run(WRONG, TESTS[name], seconds=10.0).startswith("failed: ")
    assert sandbox.run(RIGHT, TESTS[name], seconds=10.0) == "passed"


@pytest.mark.sandbox
@pytest.mark.parametrize(
    ("tests", "program"),
    [
        ("try:\n    assert f(2) == 4\nexcept ValueError:\n    pass", "def f(x): return 0\nValueError = AssertionError"),
        ("try:\n    assert sum(2, 2) == 4\nexcept KeyError:\n    pass", "def sum(x, y): return 0\nKeyError = AssertionError"),
        ("assert all(sum(x, 2) == x + 2 for x in (1, 2))", "def sum(x, y): return 0\ndef all(x): return True"),
        ("if f(2) != 4:\n    exit(1)", "def f(x): return 0\ndef exit(*x): pass"),
        ("import solution\nif solution.f(2) != 4:\n    quit(1)", "def f(x): return 0\nquit = print"),
        ("for x in range(1, 3):\n    assert sum(x, 2) == x + 2", "def sum(x, y): return 0\ndef range(*x): return ()"),
    ],
)
def test_exceptions_and_tools_of_tests_are_the_tests(sandbox: Sandbox, tests: str, program: str) -> None:
    assert sandbox.run(program, tests, seconds=10.0) != "passed"


@pytest.mark.sandbox
@pytest.mark.parametrize(
    ("tests", "program"),
    [
        # a helper of the program with the name of a function that its tests call
        ("from solution import f\nassert max(f([3, 1])) == 3", "def max(a, b): return a if a > b else b\ndef f(x): return x"),
        ("assert max(f([3, 1])) == 3", "def max(a, b): return a if a > b else b\ndef f(x): return x"),
        # tests of a function with a built-in name, by itself and by the module
        ("assert sum(10, 15) == 25\nassert abs(sum(1, 2) - 3) < 1e-6", "def sum(a, b): return a + b"),
        ("CASES = [(1, 2, 3)]\ndef run():\n    for a, b, c in CASES:\n        assert sum(a, b) == c\nrun()", "def sum(a, b): return a + b"),
        ("from solution import sum\nassert sum(1, 2) == 3", "def sum(a, b): return a + b"),
        ("from solution import sum as add\nassert add(1, 2) == 3", "def sum(a, b): return a + b"),
        ("from solution import *\nassert sum(1, 2) == 3", "def sum(a, b): return a + b"),
        ("import solution\nassert solution.sum(1, 2) == 3 == solution.f(3)", "def sum(a, b): return a + b\ndef f(x): return x"),
        ("assert len('ab') == 7", "def len(x): return 7"),
        ("assert max(1, 2) == 'b' and min(1, 2) == 'a'", "def max(a, b): return 'b'\ndef min(a, b): return 'a'"),
    ],
)
def test_right_programs_with_built_in_names_pass(sandbox: Sandbox, tests: str, program: str) -> None:
    assert sandbox.run(program, tests, seconds=10.0) == "passed"


@pytest.mark.sandbox
def test_a_built_in_name_that_the_solution_calls_is_its_helper(sandbox: Sandbox) -> None:
    solution = "def max(a, b): return a if a > b else b\ndef f(x, y): return [max(x, y)]\n"
    tests = "assert max(f(3, 1)) == 3"
    assert sandbox.run("def max(x, y=0): return 3\ndef f(x, y): return [y]", tests, solution=solution, seconds=10.0) != "passed"
    assert sandbox.run(solution, tests, solution=solution, seconds=10.0) == "passed"
    both = "def sum(n): return n and n + sum(n - 1)\ndef f(x): return x"
    assert sandbox.run(both, "assert sum(3) == 6 and f(2) == 2", solution=both, seconds=10.0) == "passed"


@pytest.mark.sandbox
def test_a_built_in_name_that_the_program_lacks_is_no_attribute_of_its_module(sandbox: Sandbox) -> None:
    tests = "import solution\nassert solution.f(2) == 2\nassert not hasattr(solution, 'abs') and not hasattr(solution, 'g')"
    assert sandbox.run("def f(x): return x", tests, seconds=10.0) == "passed"
