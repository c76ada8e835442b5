"""One replay: the cost of first reach, by hand."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import numpy as np

from isocost.backtesting.pool import pool_of
from isocost.backtesting.replay import replay, replay_fixed
from isocost.policies import load_policy
from isocost.policies.adaptive import Adaptive
from isocost.policies.base import Coverage, KeptPerProblem, Observation, Terms
from isocost.records import Allocation, Outcome
from tests.backtesting.pools import COSTS, per_draw, simulated, table

POOL = pool_of(
    table({("a", "weak"): [False, True], ("b", "weak"): [True, None], ("a", "strong"): [True, True], ("b", "strong"): [False, True]}),
    given=per_draw(COSTS),
)


class Rounds:
    """Buy one draw of each model for every problem per round, and keep what was observed."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.seen: list[Observation] = []
        self.rounds = 0

    def propose(self) -> list[Allocation]:
        if self.rounds == 2:
            return []
        self.rounds += 1
        pairs = [(p, m) for p in self.terms.problem_ids for m in self.terms.models]
        return [Allocation(problem_id=p, model=m, first_index=self.rounds - 1, count=1) for p, m in pairs]

    def observe(self, observations: Iterable[Observation]) -> None:
        self.seen += observations


def test_cost_is_counted_to_the_end_of_the_round() -> None:
    # Both problems are covered after three draws of the first round, which costs 8 in all.
    assert replay(Rounds, POOL, Coverage(), [1, 2], 0).tolist() == [8.0, 8.0]
    assert replay(Rounds, POOL, KeptPerProblem(most=4), [2, 3, 5], 0).tolist() == [8.0, 16.0, 16.0]


def test_a_policy_that_stops_before_has_not_reached_the_target() -> None:
    costs = replay(Rounds, POOL, KeptPerProblem(most=4), [5, 6], 0)
    assert costs[0] == 16.0
    assert np.isnan(costs[1])


def test_a_policy_observes_what_it_bought_and_nothing_else() -> None:
    made: list[Rounds] = []

    def make(terms: Terms) -> Rounds:
        made.append(Rounds(terms))
        return made[0]

    replay(make, POOL, KeptPerProblem(most=4), [6], 0)
    seen = {(o.problem_id, o.model, o.sample_index): o for o in made[0].seen}
    assert len(seen) == len(made[0].seen) == 8
    assert seen["b", "weak", 1].verdict.outcome is Outcome.UNGRADED
    assert [seen["a", "strong", i].verdict.correct for i in (0, 1)] == [True, True]
    assert {o.cost for o in made[0].seen if o.model == "strong"} == {3.0}
    terms = made[0].terms
    assert terms.available == {(p, m): 2 for p in "ab" for m in COSTS}
    assert dict(terms.expected) == dict(terms.worst) == COSTS
    assert terms.target == 4


def test_large_rounds_reach_targets_later_than_single_draws() -> None:
    pool = simulated(np.array([[0.2, 0.5], [0.6, 0.9], [0.0, 0.3]]), 12)
    one_by_one = replay(lambda terms: Adaptive(terms, growth=0.0, smallest=0.0), pool, Coverage(), [1, 2, 3], 0)
    at_once = replay(lambda terms: Adaptive(terms, smallest=1e9), pool, Coverage(), [1, 2, 3], 0)
    assert one_by_one[0] < one_by_one[1] < one_by_one[2]
    # Its first round takes every draw of weak, which solves two problems.
    assert at_once[:2].tolist() == [36.0, 36.0]
    assert (one_by_one <= at_once).all()


def test_a_budget_bounds_what_a_policy_buys() -> None:
    pool = simulated(np.array([[0.01, 0.01]] * 4), 50, seed=3)
    assert np.isnan(replay(lambda terms: Adaptive(terms), pool, Coverage(), [4], 0, budget=20.0)).all()


def test_uniform_is_counted_to_the_draw() -> None:
    found = {tuple(replay_fixed(POOL.of_models([0]), Coverage(), [1, 2], np.random.default_rng(s)).tolist()) for s in range(20)}
    # b is covered by its first draw, a by its second. The order of the problems is random, and the same in each round.
    assert found == {(2.0, 3.0), (1.0, 4.0)}


def test_several_models_take_turns_by_money() -> None:
    pool = simulated(np.eye(5)[:, :2], 30)
    assert np.isnan(replay_fixed(pool, Coverage(), [3], np.random.default_rng(0))).all()
    # Problem 0 needs weak, problem 1 needs strong: at most five draws of strong, and as much money on weak.
    assert replay_fixed(pool, Coverage(), [2], np.random.default_rng(0))[0] <= 2 * 15.0 + 3.0


def test_dart_aims_at_as_many_correct_draws_as_are_kept() -> None:
    pool = simulated(np.array([[0.9]] * 3), 40)
    assert not np.isnan(replay(partial(load_policy, "dart"), pool, KeptPerProblem(most=7), [21], 0)).any()
