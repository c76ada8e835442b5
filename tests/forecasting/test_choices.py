"""Choices at a budget, and paired differences."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from isocost.forecasting import DistinctLaw
from isocost.forecasting.choices import Choice, Market
from isocost.forecasting.joint import replicates
from isocost.forecasting.prices import Price
from isocost.forecasting.simulated import Simulation
from isocost.forecasting.values import pair_values
from isocost.passrates import Law
from isocost.policies.base import Coverage, KeptPerProblem, MixedGroups, Objective
from isocost.records import Estimate
from tests.forecasting.piloting import two_models

LAW = Law(marginals=((0.301, 0.826), (0.316, 0.653)), correlation=0.8, impossible=0.05)
COSTS = {"weak": 1.0, "strong": 3.0}
PRICES = {model: Price(alone=cost) for model, cost in COSTS.items()}
TOGETHER = DistinctLaw([], [], [], [])


def market(objective: Objective, problems: int = 100, seed: int = 1) -> Market:
    forecasts, _ = two_models(LAW, problems, seed)
    return Market(forecasts, replicates(forecasts, np.random.default_rng(0)), PRICES, objective, TOGETHER)


def choice(samples: list[float], name: str = "a") -> Choice:
    mean = float(np.mean(samples))
    value = Estimate(value=mean, low=mean, high=mean, n=100)
    alone: dict[str, float] = {name: 1.0}
    return Choice(name=name, shares=alone, models=(name,), draws=alone, readings=alone, value=value, samples=np.array(samples), moved=0.0)


@pytest.mark.parametrize("objective", [Coverage(), KeptPerProblem(4), MixedGroups(4)])
def test_a_model_alone_is_its_own_forecast_and_its_replicates_centre_there(objective: Objective) -> None:
    forecasts, _ = two_models(LAW, 100, seed=1)
    found = Market(forecasts, replicates(forecasts, np.random.default_rng(0)), PRICES, objective, TOGETHER).model("strong", 48.0)
    assert found.draws == {"strong": 16.0}
    assert found.value == forecasts[1].of(objective, [16.0])[0]
    scale = 4.0 if isinstance(objective, KeptPerProblem) else 1.0
    assert found.samples.mean() == pytest.approx(found.value.value, abs=0.02 * scale)


@pytest.mark.parametrize("objective", [Coverage(), KeptPerProblem(4), MixedGroups(4)])
def test_a_choice_of_models_with_false_positives_is_worth_what_their_sound_solutions_are(objective: Objective) -> None:
    forecasts, _ = two_models(LAW, 40, seed=1)
    drawn, rates = replicates(forecasts, np.random.default_rng(0)), (0.3, 0.1)
    for forecast, rate in zip(forecasts, rates, strict=True):
        forecast.false_positive_rate = rate
    some = Market(forecasts, drawn, PRICES, objective, TOGETHER)
    alone, both = some.model("weak", 48.0), some.pair("weak", "strong", 48.0)
    assert alone.value == forecasts[0].of(objective, [48.0])[0]
    table = pair_values(objective, 24.0, 8.0, TOGETHER, rates)
    assert (both.samples - both.moved).tolist() == table[drawn.cells[:, :, 0], drawn.cells[:, :, 1]].mean(axis=1).tolist()
    plain = Market([each.of_correct() for each in forecasts], drawn, PRICES, objective, TOGETHER)
    for name in ("weak", "strong"):
        assert (some.model(name, 48.0).value.value or 1) < (plain.model(name, 48.0).value.value or 0)
        assert (some.margin(name, 48.0).fresh_per_cost.value or 1) < (plain.margin(name, 48.0).fresh_per_cost.value or 0)


@pytest.mark.parametrize("objective", [Coverage(), KeptPerProblem(4), MixedGroups(4)])
def test_a_mixture_gives_each_model_half_of_the_money(objective: Objective) -> None:
    both = market(objective).pair("weak", "strong", 48.0)
    assert both.draws == {"weak": 24.0, "strong": 8.0}
    assert (both.value.low or 0) < (both.value.value or 0) < (both.value.high or 0)


def test_paired_differences_are_narrower_than_unpaired_ones() -> None:
    some = market(Coverage())
    weak, strong = some.model("weak", 48.0), some.model("strong", 48.0)
    found = some.difference(weak, strong)
    assert found.value.value == pytest.approx((weak.value.value or 0) - (strong.value.value or 0))
    assert found.error < np.hypot(weak.samples.std(), strong.samples.std())


def test_the_number_that_settles_a_difference_has_a_power_of_four_in_five() -> None:
    some = market(Coverage())
    number = len(some.drawn.cells)
    spread = np.random.default_rng(1).standard_normal(number)
    spread = (spread - spread.mean()) / spread.std(ddof=1)
    found = some.difference(choice((0.52 + 0.05 * spread).tolist()), choice([0.5] * number, "b"))
    assert found.error == pytest.approx(0.05)
    assert not found.is_settled
    # At n problems the standard error is .05 sqrt(100 / n), and .02 must be 1.645 + .842 of them.
    assert found.settled_by == pytest.approx(100 * (2.486 * 0.05 / 0.02) ** 2, rel=0.002)


def test_an_interval_extends_to_the_difference_of_the_posteriors_alone() -> None:
    some = market(Coverage())
    number = len(some.drawn.cells)
    spread = np.linspace(-0.01, 0.01, number)
    moved, still = replace(choice((0.6 + spread).tolist()), moved=0.04), choice([0.5] * number, "b")
    found = some.difference(moved, still).value
    assert found.value == pytest.approx(0.1)
    assert (found.low, found.high) == (pytest.approx(0.051, abs=1e-3), pytest.approx(0.109, abs=1e-3))


def test_no_difference_is_settled_by_no_number() -> None:
    some = market(Coverage())
    number = len(some.drawn.cells)
    same = some.difference(choice([0.5] * number), choice([0.5] * number, "b"))
    assert (same.value.value, same.settled_by, same.is_settled) == (0.0, None, False)


def test_a_clear_difference_is_settled() -> None:
    some = market(Coverage())
    number = len(some.drawn.cells)
    values = np.random.default_rng(2).normal(0.7, 0.01, number)
    found = some.difference(choice(values.tolist()), choice([0.5] * number, "b"))
    assert found.is_settled
    assert found.settled_by is not None
    assert found.settled_by < 100


def test_a_policy_is_simulated_against_the_best_model_and_beats_both() -> None:
    some = market(Coverage(), problems=60)
    simulation = Simulation(models=("weak", "strong"), prices=PRICES, pilot=4, objective=Coverage(), together=TOGETHER)
    weak, strong = some.model("weak", 48.0), some.model("strong", 48.0)
    policy = some.policy("adaptive", 48.0, simulation.run("adaptive", 48.0, some.drawn.rates))
    assert (policy.value.value or 0) > max(weak.value.value or 0, strong.value.value or 0)
    spent = sum(COSTS[model] * draws for model, draws in policy.draws.items())
    assert 44 < spent <= 48 + 1e-6
    difference = some.difference(policy, weak)
    assert (difference.value.low or 0) < (difference.value.value or 0) < (difference.value.high or 0)
    # The interval of the policy has the spread of the best model and that of the gain over it.
    best = weak if (weak.value.value or 0) > (strong.value.value or 0) else strong
    assert policy.samples.std() > best.samples.std()


def test_policies_are_compared_run_by_run() -> None:
    """Two policies of one model: their difference has less luck than either one's gain, and none against itself."""
    some = market(Coverage(), problems=200)
    simulation = Simulation(models=("weak", "strong"), prices=PRICES, pilot=4, objective=Coverage(), together=TOGETHER)
    uniform, first = (
        some.policy(name, 48.0, simulation.run(name, 48.0, some.drawn.rates, ("strong",)), ("strong",)) for name in ("uniform", "first-hit")
    )
    assert uniform.runs is not None
    assert first.runs is not None
    gains = (first.runs - uniform.runs).mean(axis=1)
    found = some.difference(first, uniform)
    assert found.error == pytest.approx(gains.std(ddof=1) * np.sqrt(9 / 8 * 7 / 5), rel=0.25)  # the spread of Student's t with 7
    assert found.error < first.samples.std()
    assert some.difference(first, first).error == pytest.approx(0.0, abs=1e-12)


@pytest.mark.slow
def test_the_luck_of_simulated_problems_counts_as_far_as_they_are_all() -> None:
    def error(problems: int) -> float:
        some, generator = market(Coverage(), problems), np.random.default_rng(4)
        found = [some._predictive(generator.standard_normal((8, 300)) * 0.3).var() for _ in range(40)]
        return float(np.sqrt(np.mean(found)))

    # Eight runs do not tell luck and pass rates apart, so that some of the luck stays.
    assert 0.1**0.5 * error(300) < error(3000) < 0.65 * error(300)
