"""Policies simulated on known pass rates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest

from isocost.forecasting import DistinctLaw
from isocost.forecasting.prices import Price
from isocost.forecasting.simulated import Result, Simulation
from isocost.forecasting.values import pair_values
from isocost.passrates.grid import RATES
from isocost.policies.base import Coverage, KeptPerProblem, MixedGroups, Objective, Observation, Policy, Terms
from isocost.records import Allocation

NOTHING = DistinctLaw([], [], [], [])


class Once:
    """Buy `count` draws of the first model for every problem, once."""

    def __init__(self, terms: Terms, count: int) -> None:
        self.terms, self.count = terms, count
        self.seen: list[Observation] = []

    def propose(self) -> list[Allocation]:
        first, count, self.count = self.terms.piloted["0", self.terms.models[0]], self.count, 0
        return [
            Allocation(problem_id=p, model=self.terms.models[0], first_index=first, count=count) for p in self.terms.problem_ids if count
        ]

    def observe(self, observations: Iterable[Observation]) -> None:
        self.seen += observations


def value_of(result: Result) -> float:
    """The mean value of the only thing that is measured."""
    (value,) = result.values.values()
    return float(value.mean())


def simulation(objective: Objective, made: list[Once], count: int = 4) -> Simulation:
    def load(name: str, terms: Terms) -> Policy:
        made.append(Once(terms, count))
        return made[-1]

    return Simulation(models=("m",), prices={"m": Price(alone=2.0)}, pilot=4, objective=objective, together=NOTHING, load=load)


def test_the_pilot_is_observed_first_and_counted_in_money_and_draws() -> None:
    made: list[Once] = []
    results = simulation(Coverage(), made).run("once", 20.0, np.full((2, 30, 1), 0.5))
    assert len(results) == 2
    assert made[0].terms.amount == 20.0 * 30
    assert [o.sample_index for o in made[0].seen[:5]] == [0, 1, 2, 3, 0]
    assert all(o.cost == 2.0 for o in made[0].seen)
    assert results[0].draws.tolist() == [8.0]


def test_coverage_is_that_of_all_draws() -> None:
    rates = np.tile(np.linspace(0.01, 0.3, 300)[:, None], (8, 1, 1))
    results = simulation(Coverage(), []).run("once", 20.0, rates)
    assert np.mean([value_of(r) for r in results]) == pytest.approx((1 - (1 - rates[0]) ** 8).mean(), abs=0.02)


def test_mixed_groups_are_groups_of_the_draws_in_order() -> None:
    results = simulation(MixedGroups(4), []).run("once", 20.0, np.full((8, 300, 1), 0.9))
    assert np.mean([value_of(r) for r in results]) == pytest.approx(1 - (0.9**4 + 0.1**4) ** 2, abs=0.02)


def test_kept_solutions_follow_the_law_of_distinct_ones_and_repeats_are_not_new() -> None:
    made: list[Once] = []
    setting = simulation(KeptPerProblem(3), made)
    results = setting.run("once", 20.0, np.ones((8, 300, 1)))
    assert np.mean([value_of(r) for r in results]) == pytest.approx(setting.together.expected(8, 3)[-1, 8], abs=0.05)
    assert not all(o.new for o in made[0].seen)


@pytest.mark.parametrize("objective", [Coverage(), KeptPerProblem(2), MixedGroups(4)])
def test_simulated_draws_bring_the_sound_solutions_of_a_forecast(objective: Objective) -> None:
    models, unsound, rate = ("a", "b"), {"a": 0.4, "b": 0.1}, float(RATES[55])

    def load(name: str, terms: Terms) -> Policy:
        return Once(terms, 4)

    setting = Simulation(
        models=models,
        prices={model: Price(alone=1.0) for model in models},
        pilot=4,
        objective=objective,
        together=NOTHING,
        false_positive_rates=unsound,
        load=load,
    )
    results = setting.run("once", 20.0, np.full((8, 300, 2), rate))
    assert results[0].draws.tolist() == [8.0, 4.0]
    sound, correct = (
        float(np.mean([each[objective].mean() for each in of])) for of in ([r.values for r in results], [r.correct for r in results])
    )
    rates = tuple(unsound.values())
    assert sound == pytest.approx(pair_values(objective, 8, 4, setting.together, (rates[0], rates[1]))[55, 55], abs=0.03)
    assert correct == pytest.approx(pair_values(objective, 8, 4, setting.together)[55, 55], abs=0.03)


def test_policies_know_the_false_positive_rates_of_their_models() -> None:
    made: list[Once] = []
    setting = replace(simulation(Coverage(), made), models=("m", "n"), prices={name: Price(alone=1.0) for name in "mn"})
    replace(setting, false_positive_rates={"m": 0.2, "n": 0.1}).run("once", 20.0, np.full((1, 5, 2), 0.5), ("m",))
    assert made[0].terms.false_positive_rates == {"m": 0.2}


@pytest.mark.parametrize(("bound", "readings"), [(1, 8.0), (3, 4.0), (4, 2.0), (None, 1.0)])
def test_a_pilot_and_each_round_read_the_prompts_of_their_own_requests(bound: int | None, readings: float) -> None:
    setting = replace(simulation(Coverage(), []), prices={"m": Price(alone=2.0, per_request=bound)})
    (result,) = setting.run("once", 20.0, np.full((1, 30, 1), 0.5))
    assert result.draws.tolist() == [8.0]
    assert result.readings.tolist() == [readings]


def test_a_large_pool_is_simulated_on_some_of_its_problems() -> None:
    (result,) = simulation(Coverage(), []).run("once", 60.0, np.full((1, 1000, 1), 0.5))
    assert len(result.problems) == 300
    assert len(np.unique(result.problems)) == 300


def test_a_policy_of_one_model_pays_and_counts_the_pilot_of_the_others() -> None:
    setting = Simulation(
        models=("a", "b"),
        prices={"a": Price(alone=1.0), "b": Price(alone=3.0)},
        pilot=4,
        share=0.5,
        objective=Coverage(),
        together=NOTHING,
    )
    (result,) = setting.run("uniform", 18.0, np.full((1, 40, 2), 0.5), ("a",))
    # Half of the problems are piloted: 4 draws of b there cost 6 per problem, so 12 are left for a.
    assert result.draws.tolist() == [12.0, 2.0]


def test_few_draws_are_simulated_on_more_problems() -> None:
    setting = replace(simulation(Coverage(), [], count=1), prices={"m": Price(alone=2.0)}, pilot=1)
    (result,) = setting.run("once", 4.0, np.full((1, 1000, 1), 0.5))
    assert len(result.problems) == 1000


def test_a_draw_has_the_same_outcome_for_every_policy_and_seed_decides_it() -> None:
    made: list[Once] = []
    setting, rates = replace(simulation(Coverage(), made, 40), pilot=1), np.full((2, 50, 1), 0.3)
    long, longer, other = (
        each.run("once", 200.0, rates)
        for each in (setting, replace(setting, load=simulation(Coverage(), made, 60).load), replace(setting, seed=1))
    )
    assert long[0].draws.tolist() == [41.0]
    assert longer[0].draws.tolist() == [61.0]
    outcomes = [[(o.problem_id, o.sample_index, o.verdict.correct) for o in one.seen if o.sample_index < 41] for one in made]
    assert sorted(outcomes[0]) == sorted(outcomes[2])  # two runs per policy
    assert sorted(outcomes[0]) != sorted(outcomes[1])
    assert sorted(outcomes[0]) != sorted(outcomes[4])
    assert other[0].draws.tolist() == [41.0]


def test_what_else_is_measured_comes_from_the_same_draws() -> None:
    kept, mixed = KeptPerProblem(3), MixedGroups(4)
    setting = Simulation(
        models=("m",),
        prices={"m": Price(alone=1.0)},
        pilot=4,
        objective=Coverage(),
        also=(kept, mixed),
        together=NOTHING,
    )
    rates = np.full((8, 300, 1), 0.5)
    results = setting.run("uniform", 8.0, rates, ("m",))
    alone = [replace(setting, objective=each, also=()).run("uniform", 8.0, rates, ("m",)) for each in (kept, mixed)]
    for result, of_kept, of_mixed in zip(results, *alone, strict=True):
        assert list(result.values) == [Coverage(), kept, mixed]
        assert result.values[kept].tolist() == of_kept.values[kept].tolist()
        assert result.values[mixed].tolist() == of_mixed.values[mixed].tolist()


def test_labels_and_recorded_draws_are_those_of_the_simulated_problems() -> None:
    made: list[Once] = []
    labels = tuple(float(i) if i % 2 else None for i in range(400))
    setting = replace(simulation(Coverage(), made), labels=labels, available=np.arange(400)[:, None] + 3)
    (result,) = setting.run("once", 20.0, np.full((1, 400, 1), 0.5))
    terms = made[0].terms
    assert terms.labels == {str(i): float(p) for i, p in enumerate(result.problems.tolist()) if p % 2}
    assert terms.available == {(str(i), "m"): p + 3 for i, p in enumerate(result.problems.tolist())}
    assert terms.piloted["0", "m"] == min(4, int(result.problems[0]) + 3)


@pytest.mark.parametrize("policy", ["uniform", "first-hit", "adaptive"])
def test_policies_draw_no_more_than_is_recorded(policy: str) -> None:
    available = np.full((30, 1), 6)
    setting = Simulation(
        models=("m",),
        prices={"m": Price(alone=1.0)},
        pilot=4,
        objective=Coverage(),
        together=NOTHING,
        available=available,
    )
    (result,) = setting.run(policy, 20.0, np.full((1, 30, 1), 0.01), ("m",))
    assert 4 <= result.draws[0] <= 6
