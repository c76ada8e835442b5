"""Methods of a program's subclasses of plain types that receive the expected value are the plain type's own."""

import pytest

from isocost.graders.code.sandbox.bubblewrap import Sandbox

TEXT = "class S(str):\n    def {}(self, *a): return {}\ndef f(x): return S('no')"
# By method: a program, and tests that it must not pass.
CASES = {
    "removeprefix": (TEXT.format("removeprefix", "''"), "assert f(2).removeprefix('yes') == ''"),
    "removesuffix": (TEXT.format("removesuffix", "''"), "assert f(2).removesuffix('yes') == ''"),
    "replace": (TEXT.format("replace", "''"), "assert f(2).replace('yes', '') == ''"),
    "strip": (TEXT.format("strip", "''"), "assert f(2).strip('yes') == ''"),
    "lstrip": (TEXT.format("lstrip", "''"), "assert not f(2).lstrip('yes')"),
    "rstrip": (TEXT.format("rstrip", "''"), "assert not f(2).rstrip('yes')"),
    "split": (TEXT.format("split", "['', '']"), "assert f(2).split('yes') == ['', '']"),
    "rsplit": (TEXT.format("rsplit", "['', '']"), "assert f(2).rsplit('yes', 1) == ['', '']"),
    "partition": (TEXT.format("partition", "('', *a, '')"), "assert f(2).partition('yes') == ('', 'yes', '')"),
    "rpartition": (TEXT.format("rpartition", "('', *a, '')"), "assert f(2).rpartition('yes')[1] == 'yes'"),
    "translate": (TEXT.format("translate", "''"), "assert f(2).translate({ord(c): None for c in 'yes'}) == ''"),
    "bytes": ("class B(bytes):\n    def replace(self, *a): return b''\ndef f(x): return B(b'no')", "assert f(2).replace(b'y', b'') == b''"),
    "list.remove": (
        "class L(list):\n    def remove(self, x): pass\ndef f(x): return L()",
        "x = f(2)\nx.remove(4)\nassert x == []",
    ),
    "set.remove": ("class S(set):\n    def remove(self, x): pass\ndef f(x): return S()", "x = f(2)\nx.remove(4)\nassert not x"),
    "set.discard": (
        "class S(set):\n    def discard(self, x): self.clear()\ndef f(x): return S({5})",
        "x = f(2)\nx.discard(4)\nassert not x",
    ),
    "set.difference_update": (
        "class S(set):\n    def difference_update(self, *x): self.clear()\ndef f(x): return S({5})",
        "x = f(2)\nx.difference_update({4})\nassert not x",
    ),
    "dict.setdefault": (
        "class D(dict):\n    def setdefault(self, k, v): return v\ndef f(x): return D(a=5)",
        "assert f(2).setdefault('a', 4) == 4",
    ),
    "Counter.subtract": (
        "import collections\nclass C(collections.Counter):\n    def subtract(self, x): self.clear()\ndef f(x): return C('no')",
        "x = f(2)\nx.subtract('yes')\nassert not any(x.values())",
    ),
}


@pytest.mark.sandbox
@pytest.mark.parametrize("name", CASES)
def test_a_method_that_receives_the_expected_value_is_the_plain_types(sandbox: Sandbox, name: str) -> None:
    program, tests = CASES[name]
    assert sandbox.run(program, tests, seconds=10.0).startswith("failed: ")


@pytest.mark.sandbox
def test_methods_of_a_class_that_the_tests_name_and_other_methods_are_the_programs(sandbox: Sandbox) -> None:
    program = """
class Loose(list):
    def remove(self, x):
        if x in self: super().remove(x)
    def last(self): return self[-1]
    def copy(self): return 'copied'
def f(x): return Loose(x)
"""
    assert sandbox.run(program, "x = Loose([1, 2])\nx.remove(3)\nassert x == [1, 2]", seconds=10.0) == "passed"
    assert (
        sandbox.run(program, "x = f([1, 2])\nx.remove(2)\nassert x == [1] and x.last() == 1 and x.copy() == 'copied'", seconds=10.0)
        == "passed"
    )
    assert sandbox.run(program, "x = f([1, 2])\nx.append(3)\nassert x.last() == 3", seconds=10.0) == "passed"
