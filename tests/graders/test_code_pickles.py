"""Pickles of a program make values in the tests' process, and nothing else."""

import pytest

from isocost.graders.code.sandbox.bubblewrap import Sandbox
from isocost.graders.code.sandbox.inside import pickles

REDUCED = "import pickle\nclass X:\n    def __reduce__(self): return {}\ndef ser(x): return pickle.dumps(X())\n"
CASES = {
    "evaluates": (REDUCED.format("(eval, (\"__import__('unittest.mock').mock.ANY\",))"), "assert pickle.loads(ser([1])) == [1]"),
    "executes": (REDUCED.format("(exec, ('import builtins; builtins.abs = len',))"), "pickle.loads(ser(1))\nassert abs(-4) == 4"),
    "a class that equals everything": (
        "import pickle\nfrom unittest import mock\ndef ser(x): return pickle.dumps(type(mock.ANY)())",
        "assert pickle.loads(ser([1])) == [1]",
    ),
    "a class of its making": (REDUCED.format("(type, ('E', (), {'__eq__': max}))"), "assert pickle.loads(ser([1])) == [1]"),
    "its own class": (
        "import pickle\nclass E:\n    def __eq__(self, other): return True\ndef ser(x): return pickle.dumps(E())",
        "assert pickle.loads(ser([1])) == [1]",
    ),
    "a function of the tests": (
        "def ser(x): return b'csolution\\nwant\\n(K\\x02tR.'",
        "def want(x): return x * x\nassert pickle.loads(ser(2)) == want(2)",
    ),
    "by a file": (REDUCED.format("(eval, ('[1]',))"), "import io\nassert pickle.load(io.BytesIO(ser([1]))) == [1]"),
    "by an unpickler": (REDUCED.format("(eval, ('[1]',))"), "import io\nassert pickle.Unpickler(io.BytesIO(ser([1]))).load() == [1]"),
    "by a name": (REDUCED.format("(eval, ('[1]',))"), "from pickle import loads\nassert loads(ser([1])) == [1]"),
    "a type that no name of the tests has": (
        "def ser(x): return b'\\x80\\x04csolution\\npickle.loads.__class__\\n.'",
        "assert callable(pickle.loads(ser(1)))",
    ),
    "a module of its own": (
        "open('/tmp/own.py', 'w').write('f = list')\ndef ser(x): return b'cown\\nf\\n(tR.'",
        "import sys\nsys.path.append('/tmp')\nassert pickle.loads(ser([])) == []",
    ),
}


@pytest.mark.sandbox
@pytest.mark.parametrize("name", CASES)
def test_a_pickle_of_a_program_does_not_reach_into_its_tests(sandbox: Sandbox, name: str) -> None:
    program, tests = CASES[name]
    assert sandbox.run(program, f"import pickle\n{tests}", seconds=10.0).startswith("failed: ")


RIGHT = """
import pickle
assert pickle.loads(ser([1, 'a', None])) == [1, 'a', None]
for protocol in range(6):
    import array, collections, dataclasses, datetime, decimal, enum, fractions, pathlib, types, uuid
    @dataclasses.dataclass
    class P:
        x: int
    class E(enum.Enum):
        A = 1
    class S:
        __slots__ = ('x',)
    s = S()
    s.x = 3
    values = [
        {1.5: (2, {3}, frozenset('a'))}, b'ab', bytearray(b'ab'), 2j, range(3), collections.OrderedDict(a=1), collections.Counter('aab'),
        collections.defaultdict(list, a=[1]), collections.deque([1], 3), datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc),
        datetime.timedelta(1), decimal.Decimal('1.5'), fractions.Fraction(1, 2), pathlib.PurePosixPath('/a'), uuid.UUID(int=4),
        types.SimpleNamespace(a=1), P(2), E.A, slice if protocol else 1, array.array('i', [1, 2]),
    ]
    assert pickle.loads(pickle.dumps(values, protocol)) == values
    assert isinstance(pickle.loads(pickle.dumps(ValueError('a'), protocol)), ValueError)
    assert protocol < 2 or pickle.loads(pickle.dumps(s, protocol)).x == 3
"""


@pytest.mark.sandbox
def test_plain_values_and_objects_of_the_tests_are_loaded(sandbox: Sandbox) -> None:
    assert sandbox.run("import pickle\ndef ser(x): return pickle.dumps(x)", RIGHT, seconds=10.0) == "passed"


def test_the_state_of_a_class_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    class Point:
        pass

    monkeypatch.setattr(pickles.Unpickler, "find_class", lambda self, module, name: {"P": Point, "list": list}[name])
    for written in (
        b"csolution\nP\n(N}V__eq__\ncbuiltins\nlist\nstb.",
        b"csolution\nP\n)R(N}V__class__\ncbuiltins\nlist\nstb.",
    ):
        with pytest.raises((pickles.pickle.UnpicklingError, IndexError)):
            pickles.loads(written)
    assert "__eq__" not in vars(Point)
    assert pickles.loads(b"csolution\nP\n)R}Vx\nI4\nsb.").x == 4
