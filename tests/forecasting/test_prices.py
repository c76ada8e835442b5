"""What draws cost per problem where those of a request share a prompt."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isocost.costs.expected import DrawCost
from isocost.forecasting.prices import Price
from isocost.policies.base import Terms
from isocost.policies.uniform import affordable_draws
from isocost.records import Cost


@given(draws=st.floats(0.0, 200.0), bound=st.one_of(st.none(), st.integers(1, 9)), pilot=st.integers(0, 9), share=st.floats(0.0, 1.0))
def test_the_cost_is_that_of_its_readings_and_generated_parts(draws: float, bound: int | None, pilot: int, share: float) -> None:
    price = Price(alone=5.0, prompt=4.0, per_request=bound, pilot=pilot, share=share)
    assert price.cost(draws) == pytest.approx(4.0 * price.readings(draws) + draws)
    assert price.readings(math.ceil(draws)) >= price.readings(draws) >= min(draws, 1.0) - 1e-12


@given(budget=st.floats(0.0, 1e6), alone=st.floats(1e-3, 1e3))
def test_draws_that_pay_their_own_prompts_cost_the_same_each(budget: float, alone: float) -> None:
    price = Price(alone=alone)
    assert price.draws(budget) == budget / alone
    assert price.cost(price.draws(budget)) == pytest.approx(budget)


@given(
    budget=st.floats(0.0, 1e4),
    prompt=st.floats(0.01, 10.0),
    each=st.floats(0.01, 10.0),
    bound=st.one_of(st.none(), st.integers(1, 20)),
    pilot=st.integers(0, 9),
    share=st.floats(0.0, 1.0),
)
def test_draws_and_cost_are_each_others_inverse(
    budget: float, prompt: float, each: float, bound: int | None, pilot: int, share: float
) -> None:
    price = Price(alone=prompt + each, prompt=prompt, per_request=bound, pilot=pilot, share=share)
    assert price.cost(price.draws(budget)) == pytest.approx(budget, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("bound", [1, 3, 4, None])
def test_the_cost_is_that_of_requests_counted_one_by_one(bound: int | None) -> None:
    price = Price(alone=5.0, prompt=4.0, per_request=bound)
    planned = DrawCost(
        prompt=Cost(flops=None, usd=4.0, seconds=None),
        draw=Cost(flops=None, usd=1.0, seconds=None),
        worst=Cost(flops=None, usd=9.0, seconds=None),
        shared=frozenset({"usd"}),
        tokens=1.0,
        tokens_are="declared",
        prompt_tokens=1.0,
        per_request=bound,
    )
    for draws in range(20):
        requests = math.ceil(draws / bound) if bound else min(draws, 1)
        assert price.cost(draws) == 4.0 * requests + draws
        assert price.cost(draws) == planned.of(draws=draws, readings=planned.readings(draws)).usd


@pytest.mark.parametrize(("pilot", "bound"), [(0, 4), (2, 4), (4, 4), (5, 3), (3, 1), (2, None)])
def test_a_forecast_counts_the_draws_that_a_plan_buys(pilot: int, bound: int | None) -> None:
    ids = tuple("abcdefgh")
    price = Price(alone=5.0, prompt=4.0, per_request=bound, pilot=pilot)
    for amount in range(200, 1200, 7):
        terms = Terms(
            problem_ids=ids,
            models=("m",),
            amount=float(amount),
            unit="usd",
            basis="planned",
            expected={"m": 5.0},
            worst={"m": 5.0},
            samples_per_problem=None,
            seed=0,
            piloted={(problem, "m"): pilot for problem in ids},
            prompt={"m": 4.0},
            per_request={} if bound is None else {"m": bound},
        )
        bought, _ = affordable_draws(terms, "m")
        assert bought / len(ids) == pytest.approx(price.draws(amount / len(ids)), abs=1 / len(ids))
