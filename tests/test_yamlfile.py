import datetime as dt
import time

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from isocost.yamlfile import TooMuchError, dump_yaml, parse_yaml, trouble


def test_data_and_lines() -> None:
    file = parse_yaml("a: 1\nb:\n  - x\n  - {c: 2026-11-01}\n")
    assert file.data == yaml.safe_load("a: 1\nb:\n  - x\n  - {c: 2026-11-01}\n")
    assert file.lines == {("a",): 1, ("b",): 2, ("b", 0): 3, ("b", 1): 4, ("b", 1, "c"): 4}
    assert file.repeated == ()


@pytest.mark.parametrize(
    ("text", "repeated"),
    [
        ("a: 1\nb: 2\na: 3\n", [(("a",), 1, 3)]),
        ("{a: 1, a: 1}", [(("a",), 1, 1)]),
        ("x:\n  - a: 1\n    a: 2\n", [(("x", 0, "a"), 2, 3)]),
        ("a: 1\na: 2\na: 3\n", [(("a",), 1, 2), (("a",), 1, 3)]),
        ("1: x\n'1': y\n", []),
        ("base: &b {a: 1}\nother: {<<: *b, a: 2}\n", []),
        ("x: &b {a: 1}\ny: *b\n", []),
    ],
)
def test_keys_that_stand_twice(text: str, repeated: list[object]) -> None:
    assert list(parse_yaml(text).repeated) == repeated


def test_merged_keys_are_merged() -> None:
    assert parse_yaml("base: &b {a: 1, c: 3}\nother: {<<: *b, a: 2}\n").data["other"] == {"a": 2, "c": 3}


@pytest.mark.parametrize("text", ["a: [", "!!python/object/apply:os.getpid []", "[1]: 2", "[" * 3000])
def test_what_is_not_yaml_is_refused(text: str) -> None:
    with pytest.raises(yaml.YAMLError):
        parse_yaml(text)


BOMB = "\n".join(["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"] + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)])
MERGES = "m0: &m0 {a: 1}\n" + "\n".join(f"m{i}: &m{i} {{<<: [*m{i - 1}, *m{i - 1}]}}" for i in range(1, 60))
CHAIN = "a0: &a0 [x]\n" + "\n".join(f"a{i}: &a{i} [*a{i - 1}]" for i in range(1, 20_000))


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        (BOMB, 5, "more than 100,000 values"),
        (MERGES, 16, "more than 100,000 values"),
        ("x: &x {k: v}\ny:\n  - &y [*x" + ", *x" * 400 + "]\n  - [*y" + ", *y" * 400 + "]", 4, "more than 100,000 values"),
        ("a: &a [*a]", 1, "the alias *a refers to a section that contains it"),
        ("b: 1\na: &a\n  c:\n    - *a\n", 4, "the alias *a refers to a section that contains it"),
        ("a: &a\n  <<: *a\n", 2, "the alias *a refers to a section that contains it"),
        ("a: &a {? *a : 1}", 1, "the alias *a refers to a section that contains it"),
        (CHAIN, 49, "deeper than 50"),
        ("[" * 100_000, 1, "deeper than 50"),
        ("{a: " * 100_000, 1, "deeper than 50"),
        ("\n".join(" " * i + "a:" for i in range(1000)), 50, "deeper than 50"),
        ("- " * 1000 + "x", 1, "deeper than 50"),
        ("a: " + "x" * 1_000_001, 0, "longer than 1,000,000 characters"),
    ],
)
def test_what_stands_for_too_much_is_refused_at_its_line(text: str, line: int, why: str) -> None:
    started = time.process_time()
    with pytest.raises(TooMuchError) as refused:
        parse_yaml(text)
    said = trouble(refused.value, text)
    assert said[0] == line
    assert why in said[1]
    assert time.process_time() - started < 10


def test_aliases_within_bounds_are_written_out_and_share_nothing() -> None:
    data = parse_yaml("a: &a {x: [1]}\nb: *a\nc: {<<: *a, y: 2}\n").data
    assert data == {"a": {"x": [1]}, "b": {"x": [1]}, "c": {"x": [1], "y": 2}}
    data["b"]["x"].append(2)
    assert data["a"] == {"x": [1]}
    assert data["c"]["x"] == [1]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("190:20:30", "190:20:30"),
        ("-1:30", "-1:30"),
        ("1:30.5", "1:30.5"),
        ("2026-13-45", "2026-13-45"),
        ("2026-11-01", dt.date(2026, 11, 1)),
        ("=", "="),
        ("<<", "<<"),
        ("9" * 5000, "9" * 5000),
        ("0x" + "f" * 5000, "0x" + "f" * 5000),
        ("1." + "0" * 5000, "1." + "0" * 5000),
        ("1e-6", 1e-6),
        ("-2E5", -2e5),
        ("1.5e6", 1.5e6),
        ("1.5e+6", 1.5e6),
        (".5", 0.5),
        ("1_000", 1000),
        ("0x1F", 31),
        ("0b101", 5),
        ("0o10", "0o10"),
        ("08", "08"),
        ("yes", True),
        ("Off", False),
        ("y", "y"),
        ("~", None),
        (".inf", float("inf")),
        ("0x_", "0x_"),
        ("1e", "1e"),
        ("'1e-6'", "1e-6"),
    ],
)
def test_plain_values(text: str, read: object) -> None:
    assert parse_yaml(f"a: {text}").data == {"a": read}
    assert parse_yaml(f"[{text}]").data == [read]


def test_values_that_yaml_reads_otherwise_than_as_text_are_kept_as_written() -> None:
    file = parse_yaml("base: &b {a: 010, b: yes}\nnext: {<<: *b, b: text, c: [1e5, '1e5', x, 1_0]}\n")
    written = {keys: (plain.text, plain.is_octal, plain.was_text) for keys, plain in file.plain.items()}
    assert written == {
        ("base", "a"): ("010", True, False),
        ("base", "b"): ("yes", False, False),
        ("next", "a"): ("010", True, False),
        ("next", "c", 0): ("1e5", False, True),
        ("next", "c", 3): ("1_0", False, False),
    }


def test_keys_are_text_where_that_is_wanted() -> None:
    text = "{no: 1, 1:30: 2, 007: 3, 2026-01-01: 4, null: 5, 1e5: 6, =: 7}"
    assert list(parse_yaml(text, text_keys=True).data) == ["no", "1:30", "007", "2026-01-01", "null", "1e5", "="]
    assert parse_yaml("{1: a, '1': b}", text_keys=True).repeated == ((("1",), 1, 1),)


@pytest.mark.parametrize(
    "tag", ["bool maybe", "timestamp x", "binary ééé", "set {a, b}", "omap [a: 1]", "null [1]", "map [1]", "seq {a: 1}"]
)
def test_a_tag_that_does_not_fit_is_no_fault_of_ours(tag: str) -> None:
    with pytest.raises(yaml.YAMLError):
        parse_yaml(f"a: !!{tag}")


@pytest.mark.parametrize("text", ["a: 1\nb: \x00", "a: 1\nb: \x1b[0m"])
def test_a_character_that_may_not_stand_there_is_named_with_its_line(text: str) -> None:
    with pytest.raises(yaml.YAMLError) as refused:
        parse_yaml(text)
    line, why = trouble(refused.value, text)
    assert line == 2
    assert why.startswith("the character U+00")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=12,
    )
)
@example(["1e5", "1e-6", "no", "1:30", "=", "<<", "2026-01-01", "010", "0o7", "9" * 5000, "1_0", "~", ""])
def test_what_is_dumped_is_read_back(data: object) -> None:
    assert parse_yaml(dump_yaml(data)).data == data
