"""Costs as the option --cost gives them."""

from __future__ import annotations

import pytest

from isocost.costs.given import GivenCosts, given_costs
from isocost.errors import InputError


def test_an_amount_is_per_token_or_per_draw() -> None:
    assert given_costs(["a=b=0.5", "c=2"]) == GivenCosts(amounts={"a=b": 0.5, "c": 2.0}, per="token")
    assert given_costs(["org/a=2e-3/draw"]) == GivenCosts(amounts={"org/a": 0.002}, per="draw")
    assert given_costs([]) is None


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["a"], '"a" is not MODEL=AMOUNT'),
        (["=3"], '"=3" is not MODEL=AMOUNT'),
        (["a=x"], '"a=x" is not'),
        (["a=0"], '"a=0" is not'),
        (["a=inf/draw"], '"a=inf/draw" is not'),
        (["a=1/token/draw"], '"a=1/token/draw" is not'),
        (["a=1", "a=2"], '"a=2" is a second cost of its model'),
        (["a=1", "b=2/draw"], '"b=2/draw" has another unit'),
    ],
)
def test_anything_else_is_refused(texts: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message) as refused:
        given_costs(texts)
    assert "\n" not in refused.value.happened


def test_costs_are_those_of_the_table_s_models() -> None:
    given = GivenCosts(amounts={"weak": 1.0, "stronk": 3.0})
    with pytest.raises(InputError, match='no model "stronk"\n  did you mean "strong"'):
        given.check(["weak", "strong"])
    with pytest.raises(InputError, match='no cost for model "strong"'):
        GivenCosts(amounts={"weak": 1.0}).check(["weak", "strong"])
