"""Names that tests look up outside of themselves, by their source alone."""

import ast

import pytest

from isocost.graders.code.sandbox.inside.scopes import ANYTHING, looked_up, uses_module


@pytest.mark.parametrize(
    ("tests", "names"),
    [
        ("assert f(2) == 4", {"f"}),
        ("def run(f):\n    assert f(2) == 4\nrun(f)", {"f"}),
        ("def run(f):\n    assert f(2) == 4\nrun(lambda x: g(x))", {"g"}),
        ("f(2)\nfor f in rows: pass", {"f", "rows"}),
        ("f = wrap(f)", {"f", "wrap"}),
        ("if slow:\n    f = 1\nf(2)", {"slow", "f"}),
        ("if slow:\n    f = 1\nelse:\n    f = 2\nf(2)", {"slow"}),
        ("if slow:\n    raise x\nelse:\n    f = 2\nf(2)", {"slow", "x"}),
        ("for x in rows:\n    f = x\nf(2)", {"rows", "f"}),
        ("for x in [1, 2]:\n    f = x\nf(2)", set()),
        ("for x in range(3):\n    f = x\nf(2)", {"range"}),
        ("while f: f = 0", {"f"}),
        ("try:\n    import fast as f\nexcept ImportError:\n    f = None\nf", {"ImportError"}),
        ("try:\n    f = g\nexcept NameError as e:\n    e\nf, e", {"g", "NameError", "f", "e"}),
        ("try:\n    f = 1\nexcept NameError:\n    raise\nf", {"NameError"}),
        ("try:\n    pass\nfinally:\n    f = 1\nf", set()),
        ("with box() as f: f\nf", {"box"}),
        ("f = 1\ndel f\nf", {"f"}),
        ("x = 1\nx += f", {"f"}),
        ("f += 1", {"f"}),
        ("(f := 1)\nf", set()),
        ("[f for f in rows if f]\nf", {"rows", "f"}),
        ("{k: v for k, v in rows for rows in k}", {"rows"}),
        ("match v:\n    case P(x=n): n\n    case {**rest}: rest\n    case [*more]: more", {"v", "P"}),
        ("from math import *\nassert isclose(f(2), 4)", {"f"}),
        ("from solution import *\nassert f(2)", {"f"}),
        ("import os.path\nos.path", set()),
        # functions run where they are first read
        ("def run():\n    f(DATA)\nDATA = 1\nrun()", {"f"}),
        ("def run():\n    f(DATA)\nrun()\nDATA = 1", {"f", "DATA"}),
        ("def run():\n    f(help_(2))\ndef help_(x): return x\nrun()", {"f"}),
        ("def run():\n    f()\nrun()\ndef f(): pass", {"f"}),
        ("def one(): two()\ndef two(): f()\none()", {"f"}),
        ("def again(n): again(n - 1)\nagain(1)", set()),
        ("def run(x=f, *y: g): y", {"f", "g"}),
        ("def run():\n    global f\n    f = 1\nrun()\nf", set()),
        ("def run():\n    f = 1\n    def inner():\n        nonlocal f\n        f += 1\n    inner()\nrun()", set()),
        ("@mark\ndef run(): f()", {"mark", "f"}),
        ("async def run():\n    async with f() as a: a\n    async for b in g(): b\nrun()", {"f", "g"}),
        # a class body has its own names, which its methods do not see
        ("class T:\n    f = f", {"f"}),
        ("class T:\n    f = 1\n    g = f", set()),
        ("class T:\n    f = 1\n    def test(self): return f\nT", {"f"}),
        ("class T:\n    def test(self): f(DATA)\nDATA = 1\nT().test()", {"f"}),
        ("class T(Base):\n    class In:\n        def test(self): f()", {"Base", "f"}),
        # text that is evaluated
        ("assert eval('f(2)') == 4", {"eval", "f"}),
        ("exec(text)", {"exec", "text", ANYTHING}),
        ("eval('(')", {"eval"}),
        ("globals()['f'](2)", {"globals", ANYTHING}),
        ("vars()['f'](2)\nvars(x)", {"vars", "x", ANYTHING}),
    ],
)
def test_names_that_are_read_before_they_are_certainly_bound(tests: str, names: set[str]) -> None:
    assert looked_up(ast.parse(tests).body) == names


def test_what_is_nested_too_deeply_may_read_anything() -> None:
    deep: ast.expr = ast.Constant(1)
    for _ in range(20_000):
        deep = ast.UnaryOp(ast.USub(), deep)
    assert looked_up([ast.Expr(deep)]) == {ANYTHING}
    while isinstance(deep, ast.UnaryOp):  # else its end would be as deep
        deep = deep.operand


@pytest.mark.parametrize(
    ("tests", "is_used"),
    [
        ("import solution", True),
        ("import solution as s", True),
        ("def run():\n    from solution import f", True),
        ("from solution import *", False),
        ("import importlib\nm = importlib.import_module('solution')", True),
        ("m = __import__('solution')", True),
        ("from unittest.mock import patch\nwith patch('solution.now', None): pass", True),
        ("import sys\nm = sys.modules['solution']", True),
        ("import sys\nm = sys.modules[__name__]", True),
        ("import sys, unittest\nunittest.defaultTestLoader.loadTestsFromModule(sys.modules[__name__])", False),
        ("assert reversed('solution') == 'noitulos'", False),
        ("import solutions", False),
    ],
)
def test_uses_of_the_program_as_a_module(tests: str, is_used: bool) -> None:
    assert uses_module(ast.parse(tests).body) is is_used
