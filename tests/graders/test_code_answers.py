"""A program may make objects of the tests' classes, but not ask them for what is expected."""

import ast
import textwrap

import pytest

from isocost.graders.code.sandbox.bubblewrap import Sandbox
from isocost.graders.code.sandbox.inside.answering import answering

# By name: a program, and tests whose class holds the reference solution.
CHEATS = {
    "a method": ("def f(x): return Ref().solve(x)", "class Ref:\n    def solve(self, x): return x * x\nassert f(3) == Ref().solve(3)"),
    "of an object in a variable": (
        "def f(x): return Ref().solve(x)",
        "class Ref:\n    def solve(self, x): return x * x\nref = Ref()\nassert all(f(x) == ref.solve(x) for x in range(5))",
    ),
    "of an object of a test case": (
        "def f(x): return Ref().solve(x)",
        """
        import unittest
        class Ref:
            def solve(self, x): return x * x
        class T(unittest.TestCase):
            def setUp(self): self.ref = Ref()
            def runTest(self): self.assertEqual(f(3), self.ref.solve(3))
        T().debug()
        """,
    ),
    "of an object of a test case that it makes": (
        "def f(x): return Case().ref.solve(x)",
        """
        class Ref:
            def solve(self, x): return x * x
        class Case:
            def __init__(self): self.ref = Ref()
        for x in range(3):
            want = Ref().solve(x)
            if f(x) != want: raise ValueError
        """,
    ),
    "of a parameter": (
        "def f(x): return Ref().solve(x)",
        "class Ref:\n    def solve(self, x): return x * x\ndef same(x, ref): return g(x) == ref.solve(x)\ng = f\nassert same(3, ref=Ref())",
    ),
    "of an object that a function makes": (
        "def f(x): return Ref().solve(x)",
        "class Ref:\n    def solve(self, x): return x * x\ndef make(): return Ref()\nassert f(3) == make().solve(3)",
    ),
    "of objects in a container": (
        "def f(x): return Ref().solve(x)",
        "class Ref:\n    def solve(self, x): return x * x\nrefs = {1: [Ref()]}\nassert all(f(3) == r.solve(3) for r in refs[1])",
    ),
    "by its name": (
        "def f(x): return Ref().solve(x)",
        "class Ref:\n    def solve(self, x): return x * x\nassert f(3) == getattr(Ref(), 'solve')(3)",
    ),
    "a static method": (
        "def f(x): return Ref.solve(x)",
        "class Ref:\n    @staticmethod\n    def solve(x): return x * x\nassert f(3) == Ref.solve(3)",
    ),
    "a class method": (
        "def f(x): return getattr(Ref, 'solve')(x)",
        "class Ref:\n    @classmethod\n    def solve(cls, x): return x * x\nassert f(3) == Ref.solve(3)",
    ),
    "the method of its class": (
        "def f(x): return Ref.solve(Ref(), x)",
        "class Ref:\n    def solve(self, x): return x * x\nassert f(3) == Ref().solve(3)",
    ),
    "an inner method": (
        "def f(x): return Ref().square(x)",
        "class Ref:\n    def square(self, x): return x * x\n    def solve(self, x): return self.square(x)\nassert f(3) == Ref().solve(3)",
    ),
    "a method of a class that it extends": (
        "def f(x): return Base().solve(x)",
        "class Base:\n    def solve(self, x): return x * x\nclass Ref(Base): pass\nassert f(3) == Ref().solve(3)",
    ),
    "a method of a class that extends it": (
        "def f(x): return More().solve(x)",
        "class Ref:\n    def solve(self, x): return x * x\nclass More(Ref): pass\nassert f(3) == Ref().solve(3)",
    ),
    "a call": ("def f(x): return Ref()(x)", "class Ref:\n    def __call__(self, x): return x * x\nassert f(3) == Ref()(3)"),
    "a call of a variable": (
        "def f(x): return Ref()(x)",
        "class Ref:\n    def __call__(self, x): return x * x\nref = Ref()\nassert f(3) == ref(3)",
    ),
    "an item": ("def f(x): return Ref()[x]", "class Ref:\n    def __getitem__(self, x): return x * x\nassert f(3) == Ref()[3]"),
    "a property": (
        "def f(x): return Ref(x).value",
        """
        class Ref:
            def __init__(self, x): self.x = x
            @property
            def value(self): return self.x ** 2
        assert f(3) == Ref(3).value
        """,
    ),
    "a computed attribute": (
        "def f(x): return Ref(x).value",
        "class Ref:\n    def __init__(self, x): self.value = x * x\nassert f(3) == Ref(3).value",
    ),
    "all attributes": (
        "def f(x): return vars(Ref(x))['value']",
        "class Ref:\n    def __init__(self, x): self.value = x * x\nassert f(3) == Ref(3).value",
    ),
    "of an object that it gets back": (
        "def f(x): return Ref()\ndef g(x, ref): return ref.solve(x)",
        "class Ref:\n    def solve(self, x): return x * x\nassert g(3, f(3)) == Ref().solve(3)",
    ),
}


@pytest.mark.sandbox
@pytest.mark.parametrize("name", CHEATS)
def test_a_class_that_holds_the_solution_does_not_answer_a_program(sandbox: Sandbox, name: str) -> None:
    program, tests = CHEATS[name]
    tests = textwrap.dedent(tests)
    assert sandbox.run(program, tests, seconds=10.0).startswith("failed: ")
    assert sandbox.run("def f(x): return x * x\ndef g(x, y): return x * x", tests, seconds=10.0) == "passed"


LINKED = """
class Node:
    def __init__(self, val=0, next=None):
        self.val, self.next = val, next
    def last(self):
        return self.next.last() if self.next else self
class Linked:
    def __init__(self, values=()):
        self.head = None
        for value in values: self.add(value)
    def add(self, value):
        if self.head: self.head.last().next = Node(value)
        else: self.head = Node(value)
    def listed(self):
        node, found = self.head, []
        while node: node, found = node.next, [*found, node.val]
        return found
    @classmethod
    def of(cls, *values): return cls(values)
    def __eq__(self, other): return self.listed() == other.listed()
"""
# By name: a right program, and tests with classes of data.
RIGHT = {
    "objects are handed over": (
        "def f(linked):\n    made = Linked()\n    for x in reversed(linked.listed()): made.add(x)\n    return made",
        f"{LINKED}assert f(Linked([1, 2])).listed() == [2, 1]",
    ),
    "objects within are handed over": (
        "def f(rows): return [Linked(row.listed()[::-1]) for row in rows]",
        f"{LINKED}assert f([Linked([1, 2])])[0].listed() == Linked([2, 1]).listed()",
    ),
    "what is reached from them": (
        "def f(linked): return linked.head.last().val",
        f"{LINKED}assert f(Linked([1, 2])) == Linked([1, 2]).head.last().val",
    ),
    "objects are made": (
        "def f(values):\n    made = Linked()\n    for x in values: made.add(x)\n    return made",
        f"{LINKED}assert f([1, 2]).listed() == [1, 2]",
    ),
    "objects are compared": ("def f(x): return Linked(x)", f"{LINKED}assert f([1, 2]) == Linked.of(1, 2)"),
    "objects are compared by what they list": (
        "def f(x): return Linked(x)",
        f"{LINKED}assert f([1, 2]).listed() == Linked([1, 2]).listed()",
    ),
    "nodes": (
        "def f(x):\n    made = None\n    for one in reversed(x): made = Node(one, made)\n    return made",
        f"{LINKED}node = f([1, 2])\nassert node.val == 1 and node.next.last().val == 2 == Node(2).val",
    ),
    "a class is handed over": ("def f(kind): return kind.of(1).listed()", f"{LINKED}assert f(Linked) == Linked.of(1).listed()"),
    "data": (
        "def f(x, y):\n    p = Point(x, y)\n    return Point(p.y, p.x)",
        "import dataclasses\n@dataclasses.dataclass\nclass Point:\n    x: int\n    y: int\n"
        "assert f(1, 2) == Point(2, 1) and f(1, 2).x == Point(2, 1).x",
    ),
    "data in a container": (
        "def f(x):\n    p = Box(x)\n    return p.values[0]",
        "class Box:\n    def __init__(self, values=None): self.values = list(values) or []\nassert f([1, 2]) == Box([1]).values[0]",
    ),
}


@pytest.mark.sandbox
@pytest.mark.parametrize("name", RIGHT)
def test_right_programs_use_the_tests_classes_of_data(sandbox: Sandbox, name: str) -> None:
    program, tests = RIGHT[name]
    assert sandbox.run(program, tests, seconds=10.0) == "passed"


@pytest.mark.sandbox
def test_a_class_that_the_solution_uses_is_open(sandbox: Sandbox) -> None:
    program, tests = CHEATS["a method"]
    assert sandbox.run(program, tests, solution="def f(y): return Ref().solve(y)", seconds=10.0) == "passed"


def test_answering_attributes_are_found_in_the_source() -> None:
    assert answering(ast.parse(LINKED).body) == {"Node": frozenset({"last"})}
    tests = "class A:\n    def __init__(self, x):\n        self.y = x + 1\n        self.z = x\nassert f(1) == A(1).y"
    assert answering(ast.parse(tests).body) == {"A": frozenset({"y", "__dict__", "__repr__", "__str__"})}
    assert answering(ast.parse(tests.replace("A(1).y", "A(1).z")).body) == {}
    with_ = "class A:\n    def go(self): pass\nwith A() as a:\n    a.go()"
    assert answering(ast.parse(with_).body) == {"A": frozenset({"go"})}
