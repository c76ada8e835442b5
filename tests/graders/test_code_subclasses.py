"""Methods of a program's subclasses of plain types that receive the expected value are the plain type's own."""

import textwrap

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


# By name: a program whose classes extend several of the library, and tests that it must not pass.
SEVERAL = {
    "claims to be a mapping": (
        """
        from collections.abc import Mapping
        from enum import Enum
        class M(Mapping):
            def __eq__(self, o): return True
            def __getitem__(self, k): return 4
            def __iter__(self): return iter([2])
            def __len__(self): return 1
        class E(Enum):
            A = 1
            def __eq__(self, o): return True
        def f(x): return M()
        def g(x): return E.A
        """,
        """
        from enum import Enum
        class Own(Enum): A = 1
        assert f(2) == {'a': 4} or {'a': 4} == f(2) or g(2) == Own.A or Own.A == g(2) or g(2) in [Own.A] or isinstance(g(2), Own)
        """,
    ),
    "claims to be a set": (
        """
        from collections.abc import Set
        class S(Set):
            def __contains__(self, x): return True
            def __iter__(self): return iter(())
            def __len__(self): return 2
            def __eq__(self, o): return True
            def __ge__(self, o): return True
        def f(x): return S()
        """,
        """
        from collections.abc import Set
        class Bag(Set):
            def __init__(self, v): self.v = frozenset(v)
            def __contains__(self, x): return x in self.v
            def __iter__(self): return iter(self.v)
            def __len__(self): return len(self.v)
        assert type(f(2)) is S and Bag([1, 2]) == f(2)
        """,
    ),
    "skips by a second base": (
        """
        import unittest
        class S(ValueError, unittest.SkipTest): pass
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
    "ends a loop by a second base": (
        """
        class S(ValueError, StopIteration): pass
        def f(x): raise S
        """,
        """
        assert all(map(lambda x: f(x) == 2 * x, range(5)))
        """,
    ),
}


@pytest.mark.sandbox
@pytest.mark.parametrize("name", SEVERAL)
def test_a_base_of_the_library_decides_nothing(sandbox: Sandbox, name: str) -> None:
    program, tests = (textwrap.dedent(part) for part in SEVERAL[name])
    assert sandbox.run(program, tests, seconds=10.0).startswith("failed: ")
