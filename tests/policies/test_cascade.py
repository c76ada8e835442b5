"""The policy cascade: cheap models first, expensive ones for what is left."""

from __future__ import annotations

from collections import Counter

import pytest

from isocost.errors import BudgetError
from isocost.policies import load_policy
from isocost.policies.cascade import Cascade
from tests.policies.buying import Bought, buy, make_terms


def spent(bought: Bought, costs: dict[str, float]) -> dict[str, float]:
    counts = Counter(model for _, model, _ in bought.draws)
    return {model: counts[model] * cost for model, cost in costs.items()}


def test_the_cheapest_model_spends_its_share_and_the_next_one_sees_what_is_unsolved() -> None:
    costs = {"strong": 3.0, "weak": 1.0}
    terms = make_terms(10, costs, 60.0, shares={"strong": 0.5, "weak": 0.5})
    bought = buy(Cascade(terms), terms, lambda problem, model, _: model == "weak" and int(problem[1:]) < 4)
    models = [model for _, model, _ in bought.draws]
    assert models == sorted(models, key=lambda m: costs[m]), "weak first"
    assert spent(bought, costs) == {"weak": 30.0, "strong": 30.0}
    assert {p for p, model, _ in bought.draws if model == "strong"} == {f"p{i}" for i in range(4, 10)}


def test_money_that_a_stage_does_not_need_goes_on() -> None:
    costs = {"a": 1.0, "b": 2.0, "c": 4.0}
    terms = make_terms(4, costs, 100.0, available={(f"p{i}", "a"): 2 for i in range(4)})
    bought = buy(Cascade(terms), terms, lambda *_: False)
    assert spent(bought, costs) == {"a": 8.0, "b": 58.0, "c": 32.0}, "b has two thirds less 8, and c what is left of the last third"


def test_it_ends_when_all_are_solved() -> None:
    terms = make_terms(5, {"a": 1.0, "b": 2.0}, 100.0)
    bought = buy(Cascade(terms), terms, lambda problem, model, index: model == "a" and index == 1)
    assert len(bought.draws) == 10
    assert bought.solved() == set(terms.problem_ids)


def test_a_share_below_one_draw_is_passed_on() -> None:
    terms = make_terms(5, {"a": 4.0, "b": 5.0}, 11.0, shares={"a": 0.1, "b": 0.9})
    assert [model for _, model, _ in buy(Cascade(terms), terms, lambda *_: False).draws] == ["b", "b"]


def test_the_draws_of_a_pilot_count_in_the_share_of_their_model() -> None:
    costs = {"a": 1.0, "b": 2.0}
    terms = make_terms(4, costs, 40.0, piloted={(f"p{i}", m): 2 for i in range(4) for m in costs})
    assert spent(buy(Cascade(terms), terms, lambda *_: False), costs) == {"a": 12.0, "b": 4.0}


def test_realised_money_that_cheap_answers_leave_buys_more_draws() -> None:
    costs = {"a": 1.0, "b": 2.0}
    terms = make_terms(4, costs, 40.0, basis="realised", worst={"a": 4.0, "b": 8.0})
    bought = buy(Cascade(terms), terms, lambda *_: False, lambda problem, model, index: costs[model])
    paid = spent(bought, costs)
    assert 16.0 < paid["a"] <= 20.0
    assert 32.0 < sum(paid.values()) <= 40.0


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        ({"a": 0.5}, "the policy cascade needs a share for each of its models, a, b; got a"),
        ({"a": 0.6, "b": 0.6}, "the policy cascade needs positive shares that sum to at most 1, got a: 0.6, b: 0.6"),
        ({"a": 1.0, "b": 0.0}, "the policy cascade needs positive shares that sum to at most 1, got a: 1, b: 0"),
    ],
)
def test_wrong_shares_are_refused(shares: dict[str, float], message: str) -> None:
    with pytest.raises(BudgetError) as caught:
        load_policy("cascade", make_terms(2, {"a": 1.0, "b": 2.0}, 9.0, shares=shares))
    assert str(caught.value) == message


@pytest.mark.parametrize("name", ["cascade", "mixed"])
def test_one_model_or_no_budget_is_refused(name: str) -> None:
    with pytest.raises(BudgetError, match=f"^the policy {name} takes at least two models, got 1: a$"):
        load_policy(name, make_terms(2, {"a": 1.0}, 9.0))
    with pytest.raises(BudgetError, match=f"^the policy {name} spends shares of a budget; samples_per_problem is for the policy uniform$"):
        load_policy(name, make_terms(2, {"a": 1.0, "b": 1.0}, None))
