from __future__ import annotations

import pytest

from isocost.cli.arguments import key_values, whole_numbers
from isocost.errors import InputError


def test_values_of_options_are_read_as_in_a_study_file() -> None:
    assert key_values(["n=3", "x=1e-6", "flag=yes", "name=a b", "list=[1, 2]"], "--option") == {
        "n": 3,
        "x": 1e-6,
        "flag": True,
        "name": "a b",
        "list": [1, 2],
    }
    assert key_values(None, "--option") == {}


@pytest.mark.parametrize("value", ["a: b: c", "010", "[", "%x"])
def test_what_is_no_yaml_or_octal_is_text(value: str) -> None:
    assert key_values([f"path={value}"], "--option") == {"path": value}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["path"], "--option path: write it as KEY=VALUE"),
        (["=x"], "--option =x: write it as KEY=VALUE"),
        (["n=1", "n=2"], "--option n=2: n is given twice; give it once"),
    ],
)
def test_an_option_that_is_written_otherwise_is_refused(settings: list[str], message: str) -> None:
    with pytest.raises(InputError) as error:
        key_values(settings, "--option")
    assert str(error.value) == message


def test_a_list_of_whole_numbers_keeps_its_order() -> None:
    assert whole_numbers("10, 1,3", "--k") == [10, 1, 3]


@pytest.mark.parametrize("text", ["", "0", "1,,2", "-1", "1.5", "a", "1;2"])
def test_what_is_no_list_of_whole_numbers_above_0_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=f'^--k: "{text}" is not a list of whole numbers above 0\n  write it as --k 1,3,10$'):
        whole_numbers(text, "--k")
