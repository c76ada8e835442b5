from __future__ import annotations

from typing import Any

import pytest

from isocost.errors import StudyError
from isocost.settings import apply_settings, set_by


def applied(raw: dict[str, Any], *settings: str) -> dict[str, Any]:
    apply_settings(raw, settings)
    return raw


def test_a_setting_replaces_one_value_and_leaves_its_neighbours() -> None:
    raw = {"sampling": {"temperature": 0.7, "top_k": 0}, "seed": 0}
    assert applied(raw, "sampling.temperature=1.0") == {"sampling": {"temperature": 1.0, "top_k": 0}, "seed": 0}


def test_sections_on_the_way_are_made() -> None:
    assert applied({}, "budgets.low.amount=5") == {"budgets": {"low": {"amount": 5}}}


def test_of_two_settings_of_a_key_the_later_holds() -> None:
    assert applied({}, "seed=1", "seed=2") == {"seed": 2}


def test_a_name_that_looks_like_a_number_is_text() -> None:
    assert applied({}, "name=010") == {"name": "010"}


def test_what_follows_the_first_equals_sign_is_the_value() -> None:
    assert applied({}, 'name="a=b"') == {"name": "a=b"}


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("seed", "write it as key.key=value"),
        ("=1", "write it as key.key=value"),
        ("seed.x=1", '"seed" is not a section'),
        ("name={a: 1, a: 2}", ": a occurs twice; keep one"),
        ("name=[", "the value is not YAML"),
    ],
)
def test_a_setting_that_cannot_be_applied_is_named(setting: str, message: str) -> None:
    with pytest.raises(StudyError) as error:
        apply_settings({"seed": 0}, [setting])
    assert str(error.value).startswith(f"--set {setting}")
    assert message in str(error.value)


def test_the_keys_that_were_set_are_known() -> None:
    assert set_by(["seed=1", "budgets.low.amount=5", "a=b=c"]) == {("seed",), ("budgets", "low", "amount"), ("a",)}
