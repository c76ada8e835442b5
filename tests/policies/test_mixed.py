"""The policy mixed: each model's part is what the policy uniform buys with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from isocost.errors import BudgetError
from isocost.policies import load_policy
from isocost.policies.base import Terms
from isocost.policies.mixed import Mixed
from tests.policies.buying import Draw, buy, make_terms


def cost_of(problem: str, model: str, index: int) -> float:
    return {"a": 1.0, "b": 3.0}[model] * (1 + (int(problem[1:]) + index) % 3) / 3


def uniform(terms: Terms, model: str, share: float, correct: Callable[[str, str, int], bool]) -> list[Draw]:
    alone = replace(
        terms, models=(model,), amount=share * (terms.amount or 0.0), piloted={k: v for k, v in terms.piloted.items() if k[1] == model}
    )
    return buy(load_policy("uniform", alone), alone, correct, cost_of).draws


@pytest.mark.parametrize("basis", ["planned", "realised"])
@pytest.mark.parametrize("shares", [{}, {"a": 0.2, "b": 0.8}, {"b": 0.3, "a": 0.4}])
@pytest.mark.parametrize("piloted", [{}, {("p1", "a"): 2, ("p1", "b"): 1}])
def test_each_model_draws_as_uniform_would_with_its_share(
    basis: str, shares: dict[str, float], piloted: dict[tuple[str, str], int]
) -> None:
    terms = make_terms(7, {"a": 1.0, "b": 3.0}, 100.0, basis=basis, shares=shares, piloted=piloted)
    found = buy(Mixed(terms), terms, lambda *_: True, cost_of).draws
    for model in terms.models:
        expected = uniform(terms, model, shares.get(model, 0.5), lambda *_: False)
        assert sorted(draw for draw in found if draw[1] == model) == sorted(expected)


def test_recorded_draws_that_are_exhausted_leave_the_money_to_other_problems() -> None:
    available = {("p0", "a"): 0, ("p1", "a"): 2, ("p0", "b"): 5}
    terms = make_terms(4, {"a": 1.0, "b": 1.0}, 40.0, available=available)
    taken = [(p, m) for p, m, _ in buy(Mixed(terms), terms, lambda *_: False).draws]
    assert [taken.count((f"p{i}", "a")) for i in range(4)] == [0, 2, 9, 9]
    assert [taken.count((f"p{i}", "b")) for i in range(4)] == [5, 5, 5, 5]


def test_a_table_smaller_than_the_budget_is_bought_whole() -> None:
    for basis in ("planned", "realised"):
        available = {(f"p{i}", m): 3 for i in range(4) for m in "ab"}
        terms = make_terms(4, {"a": 1.0, "b": 1.0}, 400.0, basis=basis, available=available)
        assert len(buy(Mixed(terms), terms, lambda *_: False).draws) == 24


def test_a_share_that_buys_nothing_is_refused_with_its_model() -> None:
    with pytest.raises(BudgetError) as caught:
        Mixed(make_terms(2, {"a": 1.0, "b": 4.0}, 6.0)).propose()
    first, advice = str(caught.value).split("\n")
    assert first == "0.5 of the money for model b: a budget of 3.0 FLOPs does not pay for one draw of model b at 4.0 FLOPs each"
    assert advice == "  raise the budget, or choose a cheaper model"
