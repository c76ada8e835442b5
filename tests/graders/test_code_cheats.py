"""Wrong programs whose results are made to look right: none passes."""

import textwrap

import pytest

from isocost.graders.code.sandbox.bubblewrap import Sandbox

# By name: a program, and tests that it must not pass.
CASES = {
    "eq all": (
        """
        class E:
            __eq__ = lambda s, o: True
            __ne__ = lambda s, o: False
            __hash__ = lambda s: 1
        def f(x): return E()
        """,
        """
        assert f(2) == 4
        """,
    ),
    "eq all reversed": (
        """
        class E:
            __eq__ = lambda s, o: True
            __ne__ = lambda s, o: False
        def f(x): return E()
        """,
        """
        assert 4 == f(2)
        """,
    ),
    "eq not ne": (
        """
        class E:
            __eq__ = lambda s, o: True
            __ne__ = lambda s, o: False
        def f(x): return E()
        """,
        """
        assert not (f(2) != 4)
        """,
    ),
    "eq in list": (
        """
        class E:
            __eq__ = lambda s, o: True
        def f(x): return [E(), (E(),)]
        """,
        """
        assert f(2) == [1, (2,)]
        """,
    ),
    "int sub": (
        """
        class I(int):
            def __eq__(s, o): return True
            __hash__ = int.__hash__
        def f(x): return I(0)
        """,
        """
        assert f(2) == 4
        """,
    ),
    "str sub": (
        """
        class S(str):
            def __eq__(s, o): return True
            __hash__ = str.__hash__
        def f(x): return S('no')
        """,
        """
        assert f(2) == 'yes'
        """,
    ),
    "list sub": (
        """
        class L(list):
            def __eq__(s, o): return True
        def f(x): return L()
        """,
        """
        assert f(2) == [4]
        """,
    ),
    "dict sub": (
        """
        class D(dict):
            def __eq__(s, o): return True
        def f(x): return D()
        """,
        """
        assert f(2) == {4: 1}
        """,
    ),
    "float sub": (
        """
        class F(float):
            def __sub__(s, o): return 0.0
            __rsub__=__sub__
            def __lt__(s,o): return True
        def f(x): return F(9)
        """,
        """
        assert abs(f(2) - 4) < 1e-6
        """,
    ),
    "sub": (
        """
        class E:
            def __sub__(s, o): return 0.0
            __rsub__=__sub__
        def f(x): return E()
        """,
        """
        assert abs(f(2) - 4) < 1e-6
        """,
    ),
    "lt": (
        """
        class E:
            def __lt__(s, o): return True
            __gt__=__le__=__ge__=__lt__
        def f(x): return E()
        """,
        """
        assert f(2) < 4
        """,
    ),
    "contains": (
        """
        class E:
            def __contains__(s, o): return True
        def f(x): return E()
        """,
        """
        assert 4 in f(2)
        """,
    ),
    "helper class lies": (
        """
        class Any:
            def __eq__(s, o): return True
        class Stack:
            def pop(self): return Any()
        """,
        """
        s = Stack()
        assert s.pop() == 4
        """,
    ),
    "class itself": (
        """
        class Stack:
            def pop(self): return self
            def __eq__(s, o): return True
        """,
        """
        s = Stack()
        assert s.pop() == 4
        """,
    ),
    "class sub": (
        """
        class Meta(type):
            def __eq__(c, o): return True
            __hash__ = type.__hash__
        class f(metaclass=Meta):
            def __init__(self, x): pass
        """,
        """
        assert f(2) == 4
        """,
    ),
    "bool": (
        """
        class B:
            def __bool__(s): return True
            def __eq__(s, o): return True
        def f(x): return B()
        """,
        """
        assert f(2) is True or f(2) == True
        """,
    ),
    "str": (
        """
        class B:
            def __eq__(s, o): return True
            def __str__(s): return 'x'
        def f(x): return B()
        """,
        """
        assert str(f(2)) == 'yes'
        """,
    ),
    "len": (
        """
        class B:
            def __len__(s): return 0
            def __eq__(s, o): return True
        def f(x): return B()
        """,
        """
        assert len(f(2)) == 3
        """,
    ),
    "property lies": (
        """
        class R:
            @property
            def value(self):
                class E:
                    def __eq__(s, o): return True
                return E()
        def f(x): return R()
        """,
        """
        assert f(2).value == 4
        """,
    ),
    "generator of liars": (
        """
        class E:
            def __eq__(s, o): return True
        def f(x):
            yield E()
        """,
        """
        assert list(f(2)) == [4]
        """,
    ),
    "dict key": (
        """
        class E:
            def __eq__(s, o): return True
            def __hash__(s): return hash(4)
        def f(x): return {E(): E()}
        """,
        """
        assert f(2)[4] == 4
        """,
    ),
    "class for a function": (
        """
        class f:
            def __init__(self, x): pass
            def __sub__(self, o): return 0.0
            __rsub__ = __sub__
        """,
        """
        assert abs(f(2) - 4) < 1e-6
        """,
    ),
    "claims to be int": (
        """
        class E:
            __class__ = int
            def __eq__(s, o): return True
            def __lt__(s, o): return False
        def f(x): return E()
        """,
        """
        assert isinstance(f(2), int) and f(2) == 4
        """,
    ),
    "reflected": (
        """
        class E:
            def __radd__(s, o): return 4
            __add__ = __radd__
        def f(x): return E()
        """,
        """
        assert 0 + f(2) == 4
        """,
    ),
    "hash and eq of key": (
        """
        class S(str):
            def __hash__(s): return hash('want')
            def __eq__(s, o): return True
        def f(x): return S('no')
        """,
        """
        assert {'want': 1}[f(2)] == 1
        """,
    ),
    "iter lies": (
        """
        class E:
            def __iter__(s): return iter([E()])
            def __eq__(s, o): return True
        def f(x): return E()
        """,
        """
        assert [*f(2)] == [4]
        """,
    ),
    "set member": (
        """
        class E:
            def __eq__(s, o): return True
            def __hash__(s): return hash(4)
        def f(x): return {E()}
        """,
        """
        assert 4 in f(2)
        """,
    ),
    "spec of a mock": (
        """
        class B:
            args = ()
            kwargs = {}
        class S:
            def bind(self, *a, **k): return B()
        def greet(n):
            print._spec_signature = S()
            print('x')
        """,
        """
        from unittest.mock import patch
        with patch('builtins.print') as p:
            greet('Bob')
        p.assert_called_once_with('Hello, Bob!')
        """,
    ),
    "spec of a mock handed over": (
        """
        class B:
            args = ()
            kwargs = {}
        class S:
            def bind(self, *a, **k): return B()
        def each(n, cb):
            cb._spec_signature = S()
            cb('x'); cb('y')
        """,
        """
        from unittest.mock import Mock, call
        cb = Mock()
        each([1, 2], cb)
        cb.assert_has_calls([call(1), call(2)])
        assert cb.call_count == 2
        """,
    ),
    "tables of an enumeration": (
        """
        def next_color(c):
            for m in (type(c)._value2member_map_, type(c)._member_map_):
                for k in list(m): m[k] = c
            return c
        """,
        """
        from enum import Enum
        class Color(Enum):
            RED = 1
            BLUE = 2
            GREEN = 3
        assert next_color(Color.RED) == Color(2)
        assert next_color(Color.BLUE) == Color(3)
        assert next_color(Color.GREEN) == Color['RED']
        """,
    ),
    "values of an enumeration": (
        """
        def code(c):
            for m in type(c): m._value_ = 7
            return 7
        """,
        """
        from enum import Enum
        class Color(Enum):
            RED = 1
            BLUE = 2
        assert code(Color.RED) == Color.BLUE.value
        assert code(Color.BLUE) == Color.RED.value
        """,
    ),
    "compare": (
        """
        from decimal import Decimal
        class D(Decimal):
            def compare(self, o): return Decimal(0)
        def f(x): return D(1)
        """,
        """
        from decimal import Decimal
        assert f(2).compare(Decimal(4)) == 0
        """,
    ),
    "child of a mock": (
        """
        class S:
            def assert_called_once_with(self, *given): pass
        def f(m, x): m.save = S()
        """,
        """
        from unittest.mock import Mock
        m = Mock()
        f(m, 2)
        m.save.assert_called_once_with(4)
        """,
    ),
    "child of a mock, a list": (
        """
        class S(list):
            def assert_called_once_with(self, *given): pass
        def f(m, x): m.save = S()
        """,
        """
        from unittest.mock import create_autospec
        class Store:
            def save(self, x): pass
        m = create_autospec(Store)
        f(m, 2)
        m.save.assert_called_once_with(4)
        """,
    ),
    "calls of a mock": (
        """
        def f(log, x):
            log.error("boom")
            for calls in (log.error.mock_calls, log.error.call_args_list): calls.clear()
            return 4
        """,
        """
        from unittest.mock import Mock
        log = Mock()
        try: f(log, 2)
        except AttributeError: pass
        assert log.error.mock_calls == [] == log.error.call_args_list
        """,
    ),
    "calls of a mock by its attributes": (
        """
        def f(log, x):
            log.error("boom")
            vars(log)["method_calls"].clear()
        """,
        """
        from unittest.mock import Mock
        log = Mock()
        try: f(log, 2)
        except (AttributeError, TypeError): pass
        assert log.method_calls == []
        """,
    ),
    "arguments of a call of a mock": (
        """
        def f(log, x):
            log.error(text="boom")
            log.error.call_args[1]["text"] = "fine"
        """,
        """
        from unittest.mock import Mock
        log = Mock()
        try: f(log, 2)
        except AttributeError: pass
        log.error.assert_called_once_with(text="fine")
        """,
    ),
    "members of a list that are passed over": (
        """
        class L(list):
            def __iter__(self): return iter(())
            __reversed__ = __iter__
        def f(n): return L([7] * n)
        """,
        """
        r = f(3)
        assert isinstance(r, list) and len(r) == 3
        for x, want in zip(r, [0, 1, 4]): assert x == want
        """,
    ),
    "members of a dict that are passed over": (
        """
        class D(dict):
            def items(self): return ()
            keys = values = __iter__ = items
        def f(n): return D({i: 7 for i in range(n)})
        """,
        """
        r = f(3)
        assert len(r) == 3
        for part in (r, r.keys(), r.values(), r.items()):
            for x in part: assert x in (0, 1, 2, 4, (0, 0), (1, 1), (2, 4))
        """,
    ),
    "characters that are passed over": (
        """
        class S(str):
            def __iter__(self): return iter(())
        def f(n): return S("x" * n)
        """,
        """
        r = f(3)
        assert len(r) == 3
        for x, want in zip(r, "abc"): assert x == want
        """,
    ),
}


@pytest.mark.sandbox
@pytest.mark.parametrize("name", CASES)
def test_no_result_decides_about_itself(sandbox: Sandbox, name: str) -> None:
    program, tests = (textwrap.dedent(part) for part in CASES[name])
    assert sandbox.run(program, tests, seconds=5.0) != "passed"
