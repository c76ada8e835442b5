"""Recorded pools: what a table becomes, and which tables are refused."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from isocost.backtesting.bounds import novelty
from isocost.backtesting.objectives import progress_of
from isocost.backtesting.pool import pool_of
from isocost.costs.given import GivenCosts
from isocost.errors import InputError, TableError
from isocost.policies.base import KeptPerProblem
from tests.backtesting.pools import COSTS, per_draw, table

UNEQUAL = {("a", "weak"): [True, False, None], ("a", "strong"): [False], ("b", "weak"): [False, False], ("b", "strong"): [True]}


def test_rows_become_draws_of_their_pair() -> None:
    pool = pool_of(table(UNEQUAL), given=per_draw(COSTS))
    assert (pool.problems, pool.models) == (("a", "b"), ("weak", "strong"))
    assert pool.drawn.tolist() == [[3, 1], [2, 1]]
    assert pool.correct[0, 0].tolist() == [True, False, False]
    assert pool.graded[0, 0].tolist() == [True, True, False]
    assert pool.rates.tolist() == [[0.5, 0.0], [0.0, 1.0]]
    assert pool.total == 5 * 1.0 + 2 * 3.0
    assert (pool.unit, pool.labels) == ("cost", (None, None))


def test_a_shuffled_pool_has_the_same_draws_and_its_empty_places_last() -> None:
    pool = pool_of(table(UNEQUAL), given=per_draw(COSTS))
    orders = {pool.shuffled(np.random.default_rng(seed)).graded[0, 0].tobytes() for seed in range(30)}
    assert len(orders) == 3  # three places for the ungraded draw
    for seed in range(30):
        shuffled = pool.shuffled(np.random.default_rng(seed))
        assert (shuffled.cost > 0).sum(axis=2).tolist() == pool.drawn.tolist()
        assert not shuffled.cost[np.arange(3) >= pool.drawn[:, :, None]].any()
        assert shuffled.correct.sum(axis=2).tolist() == pool.correct.sum(axis=2).tolist()


def test_a_problem_that_is_chosen_twice_becomes_two_problems() -> None:
    twice = pool_of(table(UNEQUAL), given=per_draw(COSTS)).of_problems(np.array([1, 1, 0]))
    assert twice.problems == ("b#0", "b#1", "a#2")
    assert twice.drawn.tolist() == [[2, 1], [2, 1], [3, 1]]


def test_a_draw_costs_its_cost_or_else_its_tokens() -> None:
    tokens = table({("a", "weak"): [True, False]}, num_generated_tokens=[5, 7])
    assert (pool_of(tokens).cost.tolist(), pool_of(tokens).unit) == ([[[5.0, 7.0]]], "tokens")
    priced = tokens.with_columns(cost=pl.Series([0.1, 0.2]), cost_unit=pl.lit("usd"))
    assert (pool_of(priced).cost.tolist(), pool_of(priced).unit) == ([[[0.1, 0.2]]], "usd")
    by_draw = pool_of(priced, given=per_draw({"weak": 2.0}))
    assert (by_draw.cost.tolist(), by_draw.unit) == ([[[2.0, 2.0]]], "cost")
    by_token = pool_of(priced, given=GivenCosts(amounts={"weak": 2.0}))
    assert (by_token.cost.tolist(), by_token.unit) == ([[[10.0, 14.0]]], "priced tokens")


def test_solutions_are_equal_at_a_level() -> None:
    texts = ["1 + 1 = 2 so 2", "First, 1+1=2. It is 2", "1 + 1 = 2  so 2", "wrong"]
    told_apart = table({("a", "weak"): [True, True, True, False]}, generation=texts)
    found = {
        level: pool_of(told_apart, given=per_draw({"weak": 1.0}), distinct=level).solution[0, 0, :3].tolist()
        for level in ("string", "normalised", "equations", None)
    }
    assert [len(set(numbers)) for numbers in found.values()] == [3, 2, 1, 3]


def test_a_correct_draw_that_was_cut_off_is_no_solution() -> None:
    cut = table({("a", "weak"): [True, True, False]}, generation=["x", "y", "z"], finish_reason=["length", None, "stop"])
    pool = pool_of(cut, given=per_draw({"weak": 1.0}), distinct="string")
    progress = progress_of(KeptPerProblem(2), pool)
    assert [progress.is_new(0, 0, draw) for draw in range(2)] == [False, True]
    assert [progress.add(0, 0, draw) for draw in range(3)] == [0, 1, 0]
    assert novelty(pool, KeptPerProblem(1)).tolist() == [0.5]


def test_a_label_is_one_number_per_problem() -> None:
    levels = table(
        {("a", "weak"): [True, False], ("b", "weak"): [True], ("c", "weak"): [False]}, level=["Level 3", "Level 3", None, "-1.5"]
    )
    assert pool_of(levels, given=per_draw({"weak": 1.0}), label="level").labels == (3.0, None, -1.5)


ONE = {("a", "weak"): [True, False]}


@pytest.mark.parametrize(
    ("samples", "costs", "label", "message"),
    [
        (table({**UNEQUAL, ("c", "weak"): [True]}), COSTS, None, 'no draw of model "strong" for problem "c"'),
        (table({("a", "weak"): [False, None]}), {"weak": 1.0}, None, "no draw of the table is correct"),
        (table(ONE), None, None, "neither the column cost nor num_generated_tokens"),
        (table(ONE, num_generated_tokens=[1, None]), None, None, "column num_generated_tokens is empty for 1 draws"),
        (table(ONE, cost=[0.0, 0.0]), None, None, 'all draws of model "weak" cost 0'),
        (table(ONE), {"waek": 1.0}, None, 'no model "waek"'),
        (table(UNEQUAL), {"weak": 1.0}, None, 'no cost for model "strong"'),
        (table(ONE, level=["1", "2"]), {"weak": 1.0}, "level", 'problem "a" has several values'),
        (table(ONE, level=["hard", "hard"]), {"weak": 1.0}, "level", '"hard" is not a number'),
    ],
)
def test_what_cannot_be_replayed_is_refused(samples: pl.DataFrame, costs: dict[str, float] | None, label: str | None, message: str) -> None:
    with pytest.raises((TableError, InputError), match=message) as refused:
        pool_of(samples, given=per_draw(costs) if costs else None, label=label)
    assert refused.value.happened.count("\n") == 0
