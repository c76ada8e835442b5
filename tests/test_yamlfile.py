import pytest
import yaml

from isocost.yamlfile import parse_yaml


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


def test_aliases_cannot_fill_the_machine() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"] + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    assert len(parse_yaml("\n".join(lines)).lines) < 200_000
    itself = parse_yaml("a: &a [*a]\n").data
    assert itself["a"][0] is itself["a"]
