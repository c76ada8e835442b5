"""Values that cross between a program and its tests, and messages that no program of isocost writes."""

import copy
import enum
import importlib
import inspect
import json
import numbers
import os
import sys
import unittest
from collections.abc import Set
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isocost.graders.code.sandbox.inside.crossing.decoding import Decoder, Named
from isocost.graders.code.sandbox.inside.crossing.encoding import Encoder
from isocost.graders.code.sandbox.inside.crossing.peer import GoneError, Peer
from isocost.graders.code.sandbox.inside.crossing.pipes import write_frame
from isocost.graders.code.sandbox.inside.crossing.settings import TestSettings
from isocost.graders.code.sandbox.inside.crossing.table import Table, TamperedError

ATOMS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.binary() | st.complex_numbers(allow_nan=False)
    | st.text(st.characters(codec=None, exclude_categories=())) | st.decimals(allow_nan=False) | st.fractions() | st.datetimes()
)  # fmt: skip
HASHED = st.recursive(ATOMS, lambda inner: st.lists(inner, max_size=3).map(tuple) | st.frozensets(inner, max_size=3), max_leaves=8)
VALUES = st.recursive(
    HASHED,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(HASHED, inner, max_size=3)
        | st.sets(HASHED, max_size=3)
        | st.binary().map(bytearray)
    ),
    max_leaves=20,
)


def crossed(value: object) -> Any:
    """The value on the other side, by the text of a message."""
    encoder = Encoder(Table(tests=False))
    item = encoder.item(value)
    told = json.loads(json.dumps([item, encoder.finish()]))
    ears = Peer(reads=-1, writes=-1, tests=True)
    ears.begin()
    return Decoder(ears.table, ears, told[1]).item(told[0])


def is_same(one: Any, other: Any) -> bool:
    """Tell whether two values are equal and of equal types, all the way down."""
    if type(one) is not type(other) or one != other:
        return False
    if isinstance(one, list | tuple):
        return all(map(is_same, one, other))
    if isinstance(one, dict):
        return all(map(is_same, one, other)) and all(map(is_same, one.values(), other.values()))
    return True if isinstance(one, set | frozenset) else repr(one) == repr(other)


@given(VALUES)
def test_values_cross_with_their_types(value: object) -> None:
    assert is_same(crossed(value), value)


def test_sharing_and_cycles_cross() -> None:
    inner: list[Any] = [1]
    whole = {"a": inner, "b": (inner, [inner])}
    inner.append(whole)
    found = crossed(whole)
    assert found["a"] is found["b"][0] is found["b"][1][0]
    assert found["a"][1] is found


def test_depth_is_no_limit() -> None:
    deep: Any = ()
    for _ in range(20_000):
        deep = (deep,)
    found, depth = crossed(deep), 0
    while found:
        found, depth = found[0], depth + 1
    assert depth == 20_000


@pytest.mark.parametrize("value", [3, 1.5, "a", b"a", (1,), [1], {"a": 1}, {1}])
def test_a_subclass_crosses_as_its_plain_value(value: Any) -> None:
    lies = {"__eq__": lambda self, other: True, "__hash__": None, "__len__": lambda self: 7, "__bool__": lambda self: False}
    liar = type("Liar", (type(value),), lies)
    found = crossed(liar(value))
    assert isinstance(found, type(value))
    assert found == value
    assert found != "what was wanted"
    assert bool(found)


class Always:
    """Says yes to whatever it is asked."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 1

    def __lt__(self, other: object) -> bool:
        return True

    def __sub__(self, other: object) -> float:
        return 0.0

    def __contains__(self, other: object) -> bool:
        return True


def test_an_object_is_compared_with_nothing_of_the_tests() -> None:
    found = crossed(Always())
    assert found != 4
    assert not found == 4  # noqa: SIM201 - both directions
    assert not [found] == [4]  # noqa: SIM201
    for wrong in (lambda: found < 4, lambda: found - 4, lambda: 4 in found):
        with pytest.raises(TypeError):
            wrong()


@pytest.mark.parametrize(
    "nodes",
    [
        [["known", 2]], [["known", "x"]], [["known", None]], [["nothing"]], [["exec", "1"]], [[]], [None], [4], [{}],
        [["shared", 2, "list", None, None, []]],  # a number of the tests' own
        [["shared", 1, "object", None, None, []]], [["shared", True, "list", None, None, []]],
        [["shared", 1, "list", [1], None, []], ["tuple", []]],
        [["object", 2, None]], [["object", 1, [1]], ["type", "builtins", "int"]],
        [["value", 1, [1], 4], ["type", "builtins", "int"]],
        [["error", 0, [1], [], [], None], ["type", "builtins", "int"]], [["error", 0, None, [], [], None]],
        [["routine", "os", "system"]], [["error", 0, [1], [], [], None], ["type", "unittest.case", "SkipTest"]],
        [["made", "eval", ["1"]]], [["made", "range", ["x"]]], [["made", "date", [0, 0, 0]]],
        [["tuple", [[0]]]], [["int", "zz"]], [["str", "zz"]], [["singleton", "x"]],
    ],
)  # fmt: skip
def test_a_message_that_no_peer_writes_is_found_out(nodes: list[Any]) -> None:
    reads, writes = os.pipe()
    peer = Peer(reads=reads, writes=-1, tests=True)
    write_frame(writes, json.dumps({"number": 1, "raised": False, "values": [[0]], "nodes": nodes}).encode())
    with pytest.raises(TamperedError):
        peer._receive_values()
    os.close(reads)
    os.close(writes)


@pytest.mark.parametrize("claimed", [("unittest.case", "SkipTest"), ("builtins", "int")])
def test_an_exception_does_not_pass_for_one_that_programs_may_not_raise(claimed: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    class Boom(Exception):  # noqa: N818 - a name of a program
        pass

    def described(encoder: Encoder, kind: type) -> list[Any]:
        node = usual(encoder, kind)
        node[2]["real"] = claimed
        return node

    usual = Encoder._class
    monkeypatch.setattr(Encoder, "_class", described)
    assert not isinstance(crossed(Boom("no")), getattr(importlib.import_module(claimed[0]), claimed[1]))


HINT = ["made", "Signature", [[1], [2], [1], [3]]]


@pytest.mark.parametrize(
    "hint",
    [
        ["plain", "x"],
        ["typing", "List", [5]],
        ["typing", "get_type_hints"],
        ["typing", "sys"],
        ["eval", "1"],
        ["plain", [6], [5]],
        ["literal"],
        [],
        [1],
    ],
)
def test_no_text_is_evaluated_for_an_annotation(hint: list[Any]) -> None:
    peer = Peer(reads=-1, writes=-1, tests=True)
    nodes = [
        HINT,
        ["tuple", []],
        ["tuple", []],
        ["tuple", [[4]]],
        ["tuple", hint],
        ["tuple", ["plain", "__import__('os')"]],
        ["object", 1, None],
    ]
    try:
        found = Decoder(peer.table, peer, nodes).item([0]).return_annotation
    except Exception:  # noqa: BLE001 - any error means that no peer wrote this message
        return
    assert found in ("x", inspect.Parameter.empty)


@pytest.mark.parametrize(("limit", "after"), [(0, 0), (10_000, 10_000), (640, None), (-1, None), (True, None), ("0", None)])
def test_a_program_only_raises_the_limit_of_digits(limit: object, after: int | None) -> None:
    before = sys.get_int_max_str_digits()
    try:
        TestSettings().incoming({"digits": limit})
        assert sys.get_int_max_str_digits() == (before if after is None else after)
    finally:
        sys.set_int_max_str_digits(before)


def test_a_class_claims_only_what_is_harmless(monkeypatch: pytest.MonkeyPatch) -> None:
    class Claimed:
        pass

    def described(encoder: Encoder, kind: type) -> list[Any]:
        node = usual(encoder, kind)
        node[2]["claims"] = ["Enum", "int", "Set", "Number", "SkipTest", "Hashable"]
        return node

    usual = Encoder._class
    monkeypatch.setattr(Encoder, "_class", described)
    found = crossed(Claimed())
    assert isinstance(found, enum.Enum)
    assert issubclass(type(found), enum.Enum)
    assert not isinstance(found, int | Set | numbers.Number | unittest.SkipTest | enum.Flag)


@pytest.mark.parametrize("data", [b"", b"[]", b"1", b"{", b"\xff", b"[" * 100_000, b'{"nodes": 1}', b'{"nodes": [[1]]}', b"9" * 5000])
def test_what_is_no_message_is_found_out(data: bytes) -> None:
    reads, writes = os.pipe()
    write_frame(writes, data) if len(data) < 60_000 else None
    os.close(writes)
    with pytest.raises((TamperedError, GoneError)):
        Peer(reads=reads, writes=-1, tests=True)._receive_values()
    os.close(reads)


@pytest.mark.parametrize("name", ["__globals__", "__defaults__", "__closure__", "__self__", "__func__", "__class__", "__dict__"])
def test_a_program_does_not_reach_behind_a_function_of_the_tests(name: str) -> None:
    peer = Peer(reads=-1, writes=-1, tests=True)
    function = eval("lambda: want", {"want": 4})  # noqa: S307 - with globals of its own
    with pytest.raises(AttributeError, match="not for programs"):
        peer.do("get", function, [name], {})
    assert peer.do("get", function, ["__name__"], {}) == "<lambda>"
    assert not hasattr(peer.do("get", function, ["__code__"], {}), "co_consts")
    assert peer.do("get", function, ["__annotations__"], {}) is not function.__annotations__
    assert peer.do("call", function, [], {}) == 4


def test_a_program_does_not_change_classes_and_frames_of_the_tests() -> None:
    peer = Peer(reads=-1, writes=-1, tests=True)
    generator = (i for i in range(3))
    for target, name in ((Always, "__eq__"), (Always, "new"), (generator, "gi_frame"), (copy, "copy"), (Always(), "__class__")):
        with pytest.raises(AttributeError, match="not for programs"):
            peer.do("set", target, [name, None], {})
    with pytest.raises(AttributeError, match="not for programs"):
        peer.do("get", generator, ["gi_frame"], {})
    assert peer.do("special", generator, ["__next__"], {}) == 0


@pytest.mark.parametrize(
    "node",
    [
        ["type", "builtins", "eval"], ["type", "os", "system"], ["type", "builtins", "type"], ["type", "builtins", "function"],
        ["type", "builtins", "code"], ["type", "ctypes", "CDLL"], ["type", "subprocess", "Popen"], ["type", "nowhere", "int"],
        ["module", "os"], ["module", "unittest.__main__"], ["module", "isocost"],
    ],
)  # fmt: skip
def test_a_program_hands_over_nothing_that_reaches_the_interpreter(node: list[str]) -> None:
    peer = Peer(reads=-1, writes=-1, tests=True)
    found = Decoder(peer.table, peer, [node]).item([0])
    assert type(found) is Named
    assert not callable(found)


@pytest.mark.parametrize("action", ["call", "get", "special", "copy", "signature", "exec"])
@pytest.mark.parametrize(
    "nodes", [[["type", "builtins", "list"]], [["module", "os"]], [["shared", 1, "list", None, None, []]], [["object", 1, None]], []]
)
def test_a_program_asks_only_of_what_it_was_given(action: str, nodes: list[Any]) -> None:
    reads, writes = os.pipe()
    peer = Peer(reads=reads, writes=-1, tests=True)
    values = [[0] if nodes else "text", "append"]
    write_frame(writes, json.dumps({"ask": action, "number": 1, "values": values, "names": [], "named": [], "nodes": nodes}).encode())
    message, decoder = peer._receive_values()
    with pytest.raises(TamperedError):
        peer._answer(message, decoder)
    os.close(reads)
    os.close(writes)
