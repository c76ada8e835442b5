"""Parsing of what is asked of a pilot."""

from __future__ import annotations

import pytest

from isocost.errors import InputError
from isocost.predicting import rates_of


def test_rates_are_by_model_and_the_last_equals_sign_separates() -> None:
    assert rates_of(["weak=0.07", "a=b=0", "strong=1e-3"]) == {"weak": 0.07, "a=b": 0.0, "strong": 0.001}


@pytest.mark.parametrize(
    ("texts", "why"),
    [
        (["weak"], "is not MODEL=RATE"),
        (["=0.1"], "is not MODEL=RATE"),
        (["weak=7%"], "is not MODEL=RATE"),
        (["weak=1"], "a rate of at least 0 and below 1"),
        (["weak=-0.1"], "a rate of at least 0 and below 1"),
        (["weak=nan"], "a rate of at least 0 and below 1"),
        (["weak=0.1", "weak=0.2"], '"weak=0.2" is a second rate of its model'),
    ],
)
def test_another_form_or_a_second_rate_is_refused(texts: list[str], why: str) -> None:
    with pytest.raises(InputError, match=why):
        rates_of(texts)
