"""Tests that cannot grade are no reference, whatever the program; tests that can fail are one."""

import pytest

from isocost.graders.code import CodeGrader

RIGHT, WRONG = "def f(x):\n    return x * x", "def f(x):\n    return 0"
TEST_CASE = """
import unittest as u
class T(u.TestCase):
    def test(self): self.assertEqual(f(2), 4)
"""


@pytest.fixture(scope="module")
def grader() -> CodeGrader:
    """A grader whose sandbox is warm for all tests of this file."""
    return CodeGrader()


@pytest.mark.sandbox
@pytest.mark.parametrize(
    "reference",
    [
        f"{TEST_CASE}u.main()",
        f"{TEST_CASE}u.main(exit=False, argv=['x'])",
        f"{TEST_CASE}def run():\n    u.main()\nrun()",
        f"{TEST_CASE}from unittest import TestCase, main\nmain()",
        f"{TEST_CASE}from unittest import main as run\nrun()",
        f"{TEST_CASE}from unittest import *\nmain()",
        f"{TEST_CASE}from unittest.main import main\nmain()",
        f"{TEST_CASE}import unittest\nunittest.main(verbosity=2)",
    ],
)
def test_tests_that_call_the_main_of_unittest_are_no_reference(grader: CodeGrader, reference: str) -> None:
    assert {grader.grade(reference, program).reason for program in (RIGHT, WRONG)} == {"bad_reference"}


@pytest.mark.sandbox
def test_a_main_of_the_tests_or_of_the_program_is_none_of_unittest(grader: CodeGrader) -> None:
    own = f"{TEST_CASE}from unittest import main\ndef main():\n    assert f(2) == 4\nmain()"
    assert grader.grade(own, RIGHT).correct
    assert grader.grade(own, WRONG).reason == "failed: AssertionError"
    program = f"{TEST_CASE}assert main(2) == 4"
    assert grader.grade(program, "def main(x):\n    return x * x").correct


@pytest.mark.sandbox
@pytest.mark.parametrize(
    "reference",
    [
        "import pytest\ndef test():\n    assert f(2) == 4\ntest()",
        "import numpy as np\nassert np.allclose(f(2), 4)",
        "from numpy.testing import assert_allclose\nassert_allclose(f(2), 4)",
        "def test():\n    import numpy\n    assert numpy.allclose(f(2), 4)\ntest()",
        "import sys\nsys.path.append('.')\nimport numpy\nassert f(2) == 4",
    ],
)
def test_tests_that_import_what_the_sandbox_lacks_are_no_reference(grader: CodeGrader, reference: str) -> None:
    assert {grader.grade(reference, program).reason for program in (RIGHT, WRONG)} == {"bad_reference"}


@pytest.mark.sandbox
@pytest.mark.parametrize(
    "reference",
    [
        "import doctest, solution\nr = doctest.testmod(solution)\nassert r.failed == 0 and r.attempted > 0",
        "import solution as s\nfrom doctest import testmod\nassert testmod(m=s) == (0, 1)",
        "import doctest, solution\nassert doctest.testmod(solution).failed == 0",
    ],
)
def test_doctests_of_the_program_are_no_reference(grader: CodeGrader, reference: str) -> None:
    tested = f'{RIGHT}\nf.__doc__ = ">>> f(2)\\\\n4"'
    assert {grader.grade(reference, program).reason for program in (RIGHT, tested)} == {"bad_reference"}


@pytest.mark.sandbox
def test_other_checks_beside_doctests_are_a_reference(grader: CodeGrader) -> None:
    reference = "import doctest, solution\nassert doctest.testmod(solution).failed == 0\nassert f(2) == 4"
    assert grader.grade(reference, RIGHT).correct
    assert grader.grade(reference, WRONG).reason == "failed: AssertionError"


@pytest.mark.sandbox
def test_imports_that_may_fail_or_are_the_programs(grader: CodeGrader) -> None:
    for reference in (
        "try:\n    import numpy\nexcept ImportError:\n    numpy = None\nassert f(2) == 4",
        "import sys\nopen('/tmp/own.py', 'w').write('four = 4')\nsys.path.insert(0, '/tmp')\nimport own\nassert f(2) == own.four",
        "import solution\nfrom solution import f as g\nassert g(2) == solution.f(2) == 4",
    ):
        assert grader.grade(reference, RIGHT).correct
        assert grader.grade(reference, WRONG).reason == "failed: AssertionError"
    assert grader.grade("assert f(2) == 4", "import numpy").reason == "failed: ModuleNotFoundError"


NEVER = {
    "a runner whose result is dropped": f"{TEST_CASE}u.TextTestRunner().run(u.defaultTestLoader.loadTestsFromTestCase(T))",
    "doctest": "import doctest\ndoctest.testmod()",
    "never called": "import sys\nsys.path.append('.')\ndef test_f():\n    assert f(2) == 4",
    "never called, imported": "import sys\nfrom solution import f\nsys.path.append('.')\ndef test_f():\n    assert f(2) == 4",
    "never called, of a module": "import solution as s\nprint('tests')\ng = s.f\ndef test_f():\n    assert g(2) == 4",
    "never called, printed": "print('tests')\nclass TestF:\n    f = staticmethod(f)\n    def test_f(self):\n        assert self.f(2) == 4",
    "not awaited": "async def test():\n    assert f(2) == 4\ntest()",
    "a tuple": "assert (f(2) == 4, 'not 4')",
    "a tuple in a function": "def test():\n    assert (f(2) == 4, 'not 4')\ntest()",
    "a comparison": "def test():\n    f(2) == 4\n    not f(3) != 9\n    f(1) == 1 and f(0) == 0\ntest()",
    "caught": "try:\n    assert f(2) == 4\nexcept Exception as error:\n    print(error)",
    "a thread": "import threading\ndef test():\n    assert f(2) == 4\nt = threading.Thread(target=test)\nt.start()\nt.join()",
    "of themselves": "x = 4\nassert x == 4",
}


@pytest.mark.sandbox
@pytest.mark.parametrize("name", NEVER)
def test_tests_that_never_fail_are_no_reference(grader: CodeGrader, name: str) -> None:
    assert {grader.grade(NEVER[name], program).reason for program in (RIGHT, WRONG)} == {"bad_reference"}


# By name: tests, a program that passes them, and one that does not.
ABLE = {
    "of a result": (
        f"{TEST_CASE}r = u.TextTestRunner().run(u.defaultTestLoader.loadTestsFromTestCase(T))\nassert r.wasSuccessful()",
        RIGHT,
        WRONG,
    ),
    "any exception": ("try:\n    f(2)\nexcept Exception:\n    pass\nelse:\n    assert False", "def f(x): raise ValueError", WRONG),
    "an exception": ("try:\n    f(2)\n    assert False\nexcept ValueError:\n    pass", "def f(x): raise ValueError", WRONG),
    "no exception": ("f(2)", WRONG, "def f(x): raise ValueError"),
    "callable": ("from solution import f\nassert callable(f)", RIGHT, "f = 4"),
    "None": ("assert f(2) is None", "def f(x): pass", WRONG),
    "false": ("assert not f(2)", WRONG, RIGHT),
    "a builtin of the program": ("assert sum([1, 2]) == 3", "def sum(x): return 3", "def sum(x): return 4"),
    "a comparison and an assertion": ("f(3) == 9\nassert (f(1), 'x')\nassert f(2) == 4", RIGHT, WRONG),
    "a comparison or a call": ("def fail():\n    raise AssertionError\nf(2) == 4 or fail()", RIGHT, WRONG),
    "output": (
        "import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()) as out:\n    f(2)\nassert out.getvalue() == '4\\n'",
        "def f(x): print(x * x)",
        WRONG,
    ),
    "exit before the end": ("import sys\nif f(2) != 4:\n    sys.exit(0)\nassert f(3) == 9", RIGHT, WRONG),
    "exit with the result": (
        f"{TEST_CASE}import sys\nr = u.TextTestRunner().run(u.defaultTestLoader.loadTestsFromTestCase(T))\n"
        "sys.exit(0 if r.wasSuccessful() else 1)",
        RIGHT,
        WRONG,
    ),
    "exit of the program": ("import sys\nassert f(2) == 4\nsys.exit(0)", RIGHT, "import sys\ndef f(x): sys.exit(0)"),
    "a function's result is kept": ("def run():\n    assert f(2) == 4\n    return True\npassed = run()", RIGHT, WRONG),
    "a list of results": ("def check(x, y):\n    assert f(x) == y\ndone = [check(*c) for c in [(2, 4), (3, 9)]]", RIGHT, WRONG),
    "a decorator that runs it": ("def case(test):\n    test()\n@case\ndef one():\n    assert f(2) == 4", RIGHT, WRONG),
    "a mark at its beginning": ("\ufeffassert f(2) == 4", RIGHT, WRONG),
    "exit on failure": (f"{TEST_CASE}import sys\nif f(2) != 4:\n    sys.exit(1)", RIGHT, WRONG),
}


@pytest.mark.sandbox
@pytest.mark.parametrize("name", ABLE)
def test_tests_that_can_fail_are_a_reference(grader: CodeGrader, name: str) -> None:
    reference, right, wrong = ABLE[name]
    assert grader.grade(reference, right).correct
    assert grader.grade(reference, wrong).outcome == "incorrect"


@pytest.mark.sandbox
def test_a_reference_is_checked_once(grader: CodeGrader, monkeypatch: pytest.MonkeyPatch) -> None:
    reference = "assert f(2) == 4 != 5"
    assert grader.grade(reference, RIGHT).correct
    asked: list[str] = []

    def run(program: str, tests: str, **named: object) -> str:
        asked.append(program)
        return "passed"

    monkeypatch.setattr(grader._sandbox, "run", run)
    again = "def f(x): return x ** 2"
    assert grader.grade(reference, again).correct
    assert asked == [again]
