"""Bounds against enumeration, by hand, and against the policy that they bound."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from isocost.backtesting.bounds import KnownLaw, KnownRates, Learned, greedy, novelty
from isocost.backtesting.pool import pool_of
from isocost.backtesting.replay import replay
from isocost.passrates import Law, Posterior, fixed_prior, law_prior
from isocost.policies.adaptive import Adaptive
from isocost.policies.base import Coverage, KeptPerProblem, MixedGroups, Objective
from tests.backtesting.pools import per_draw, simulated, table
from tests.matrices import first_fast

RATES = np.array([[0.0, 0.5], [0.2, 0.1], [1.0, 0.9]])


def test_the_known_law_weighs_each_problem_by_its_likelihood() -> None:
    law = KnownLaw(RATES)
    weights = (1 - RATES[:, 0]) ** 2 * RATES[:, 1]  # two failures of the first model, one success of the second
    for power in ((1, 0), (3, 0), (0, 2)):
        value = weights @ (RATES[:, 0] ** power[0] * (1 - RATES[:, 0]) ** power[1]) / weights.sum()
        assert law.moment(0, (0, 2, 1, 0), 0, power) == pytest.approx(value, rel=1e-12)


def test_the_law_of_a_posterior_gives_its_moments() -> None:
    posterior = Posterior(law_prior(Law(marginals=((0.3, 0.8), (0.3, 0.6)), correlation=0.8)), 2)
    learned = Learned(posterior)
    assert learned.moment(3, (0, 4, 1, 0), 1, (2, 1)) == learned.moment(0, (0, 4, 1, 0), 1, (2, 1))
    assert 0.0 < learned.moment(0, (0, 9, 0, 0), 0, (1, 0)) < learned.moment(0, (0, 1, 0, 0), 0, (1, 0)) < 0.3


def test_with_every_rate_known_the_highest_rate_per_cost_is_bought_first() -> None:
    pool = simulated(np.array([[1.0, 1.0], [0.0, 1.0], [0.0, 0.0]]), 5)
    costs = greedy(KnownRates(pool.rates), pool, Coverage(), [1, 2, 3], np.random.default_rng(0))
    assert costs[:2].tolist() == [1.0, 4.0]  # weak solves the first, strong the second
    assert np.isnan(costs[2])  # nothing is spent on what is known to be impossible


def test_groups_are_bought_whole() -> None:
    pool = simulated(np.array([[0.5], [0.5]]), 8)
    costs = greedy(KnownRates(pool.rates), pool, MixedGroups(size=4), [1, 2], np.random.default_rng(0))
    assert set(costs % 4) == {0.0}


def test_solutions_are_new_as_often_as_in_the_pool() -> None:
    pool = pool_of(table({("a", "weak"): [True] * 4}), given=per_draw({"weak": 1.0}))
    alike = replace(pool, solution=np.array([[[1, 1, 2, 1]]]))
    assert novelty(alike, KeptPerProblem(most=3)).tolist() == [1.0, 0.5, 0.0]
    assert novelty(pool, KeptPerProblem(most=3)).tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("objective", first_fast([Coverage(), KeptPerProblem(most=2), MixedGroups(size=3)]))
def test_greedy_on_a_fixed_prior_costs_what_the_adaptive_policy_with_it_does(objective: Objective) -> None:
    prior = fixed_prior(0.3, 2.0)
    rates = np.random.default_rng(5).beta(0.5, 0.9, (12, 2))
    pool, learned = simulated(rates, 24, seed=5), Learned(Posterior(prior, 2))
    found = []
    for seed in range(25):
        shuffled = pool.shuffled(np.random.default_rng(seed))
        bound = greedy(learned, shuffled, objective, [6], np.random.default_rng(seed))
        policy = replay(lambda terms: Adaptive(terms, prior, growth=0.0, smallest=0.0), shuffled, objective, [6], seed)
        found.append((bound[0], policy[0]))
    bounds, policies = np.array(found).T
    # Ties are settled in different orders, so single replays differ.
    assert abs(np.mean(bounds - policies)) < 3 * np.std(bounds - policies) / np.sqrt(25) + 1e-9
    assert np.mean(policies) == pytest.approx(np.mean(bounds), rel=0.2)
