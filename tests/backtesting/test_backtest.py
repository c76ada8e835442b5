"""Whole backtests: choice of the best uniform, unreached targets, intervals, and published numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from isocost.backtesting import Backtest, Line, backtest, buyers_of, load
from isocost.backtesting.buyers import LAW_KNOWN, RATES_KNOWN, fixed_buyer
from isocost.backtesting.pool import Pool
from isocost.costs.given import GivenCosts
from isocost.errors import InputError
from isocost.policies import FIXED, ONE_MODEL, POLICIES
from isocost.policies.base import Coverage, KeptPerProblem, MixedGroups, Objective
from tests.backtesting.pools import simulated

GAME24 = Path(__file__).parents[3] / "shared" / "data" / "pool_game24.parquet"


@pytest.fixture(scope="module")
def pool() -> Pool:
    generator = np.random.default_rng(0)
    weak = generator.beta(0.5, 1.2, 16)
    weak[0] = 0.0  # never solved, so that no draws reach a target of 1
    return simulated(np.stack([weak, np.sqrt(weak)], axis=1), 12)


@pytest.fixture(scope="module")
def found(pool: Pool) -> Backtest:
    return backtest(pool, buyers_of(["adaptive"], pool), Coverage(), [0.9, 0.5, 1.0], seeds=3, resamples=3)


def line(found: Backtest, target: int, name: str) -> Line:
    return next(each for each in found.targets[target].lines if each.name == name)


def test_lines_are_policies_then_bounds_and_targets_ascend(found: Backtest) -> None:
    assert [of.target for of in found.targets] == [0.5, 0.9, 1.0]
    for of in found.targets:
        assert [each.name for each in of.lines] == ["uniform", "adaptive", LAW_KNOWN, RATES_KNOWN]
    assert (found.draws, found.problems, found.unit) == (16 * 2 * 12, 16, "cost")


def test_knowledge_pays(found: Backtest) -> None:
    costs = [line(found, 0, name).cost.value or 0.0 for name in (RATES_KNOWN, LAW_KNOWN, "uniform")]
    assert costs == sorted(costs)
    adaptive = line(found, 0, "adaptive")
    assert adaptive.ratio.value == pytest.approx((line(found, 0, "uniform").cost.value or 0.0) / (adaptive.cost.value or 1.0))
    assert adaptive.ratio.low is not None
    assert adaptive.ratio.high is not None
    assert adaptive.ratio.low < (adaptive.ratio.value or 0.0) < adaptive.ratio.high
    assert line(found, 0, "uniform").minus_other.value == pytest.approx(-(adaptive.minus_uniform.value or 0.0))


def test_a_target_that_all_draws_do_not_reach_is_reported_as_unreached(found: Backtest, pool: Pool) -> None:
    last = found.targets[2]
    assert last.needed > last.possible
    assert last.best_uniform is None
    for each in last.lines:
        assert (each.unreached, each.cost.value, each.ratio.value) == (1.0, pytest.approx(pool.total), None)


def test_a_model_that_never_reaches_a_target_is_no_best_uniform() -> None:
    # weak costs less than one draw of strong even where it draws all it has.
    pool = simulated(np.array([[0.0, 1.0]] * 9 + [[1.0, 1.0]]), 10, costs={"weak": 0.001, "strong": 1.0})
    of = backtest(pool, buyers_of([], pool), Coverage(), [0.1, 1.0], seeds=3, resamples=3).targets
    assert [each.best_uniform for each in of] == ["weak", "strong"]
    assert of[1].lines[0].cost.value == 10.0  # of a table that costs 100.1


def test_seeds_that_do_not_reach_a_target_count_the_whole_table() -> None:
    pool = simulated(np.array([[0.05, 0.9]] * 8), 4, seed=1)
    weak = backtest(pool, [fixed_buyer("uniform", (0,))], Coverage(), [0.5], seeds=3, resamples=3)
    assert weak.targets[0].possible == 8 * (pool.correct.any(axis=(1, 2)).mean())
    assert weak.targets[0].lines[0].unreached == 1.0
    assert weak.targets[0].lines[0].cost.value == pytest.approx(pool.total)


def test_other_policies_beside_do_not_change_a_number(pool: Pool, found: Backtest) -> None:
    alone = backtest(pool, buyers_of([], pool), Coverage(), [0.5, 0.9, 1.0], seeds=3, resamples=3)
    for t in range(3):
        for name in ("uniform", LAW_KNOWN, RATES_KNOWN):
            assert (line(alone, t, name).cost, line(alone, t, name).ratio) == (line(found, t, name).cost, line(found, t, name).ratio)


def test_progress_counts_all_replays(pool: Pool) -> None:
    done: list[int] = []
    backtest(pool, buyers_of([], pool), KeptPerProblem(most=2), [0.5], seeds=3, resamples=2, tick=done.append)
    assert done == [1, 2, 3, 4, 5]


@pytest.mark.slow
def test_the_interval_of_a_ratio_holds_the_ratio_of_the_population() -> None:
    """The ratio of two prices of the same draws is known: with problems drawn anew, intervals hold it about as often as they should."""
    held = 0
    for seed in range(30):
        generator = np.random.default_rng(seed)
        rates = generator.beta(0.6, 1.0, 40)
        pool = simulated(np.stack([rates, rates], axis=1), 30, seed=seed, costs={"cheap": 1.0, "dear": 2.0})
        buyers = [fixed_buyer("uniform", (0,)), fixed_buyer("other", (1,))]
        ratio = line(backtest(pool, buyers, Coverage(), [0.5], seeds=8, resamples=20), 0, "other").ratio
        held += (ratio.low or 0.0) <= 0.5 <= (ratio.high or 0.0)
    assert held >= 24


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["adaptiv"], 'no policy "adaptiv"'),
        (["adaptive", "adaptive"], "names a policy twice"),
        ([""], 'no policy ""'),
    ],
)
def test_policies_that_there_are_not_are_refused(names: list[str], message: str, pool: Pool) -> None:
    with pytest.raises(InputError, match=message):
        buyers_of(names, pool)


@pytest.mark.slow
@pytest.mark.skipif(not GAME24.exists(), reason="shared data is absent")
def test_bounds_on_game24_are_the_known_ones() -> None:
    """200 seeds: ratios of docs/method.md."""
    costs = {"gpt4-answer-only": 20.0, "gpt4-steps": 75.0}
    pool = load(GAME24, Coverage(), given=GivenCosts(amounts=costs, per="draw")).pool
    found = backtest(pool, buyers_of([], pool), Coverage(), [0.3, 0.35, 0.4], seeds=200, resamples=2)
    for name, known in {LAW_KNOWN: (1.74, 2.01, 2.31), RATES_KNOWN: (13.1, 14.3, 16.6)}.items():
        ratios = [line(found, t, name).ratio.value for t in range(3)]
        np.testing.assert_allclose(ratios, known, rtol=0.07)


@pytest.mark.parametrize("objective", [Coverage(), KeptPerProblem(most=2), MixedGroups(size=3)])
def test_every_policy_can_be_replayed_for_every_objective(objective: Objective, pool: Pool) -> None:
    of = backtest(pool, buyers_of(list(POLICIES), pool), objective, [0.4], seeds=2, resamples=2).targets[0]
    assert [each.name for each in of.lines] == [*POLICIES, LAW_KNOWN, RATES_KNOWN]
    assert {each.name: len(each.models) for each in of.lines if len(each.models) == 1} == dict.fromkeys(ONE_MODEL, 1)
    # The others stop at correct draws, which complete no group.
    assert [each.unreached for each in of.lines if each.name in {*FIXED, "adaptive", LAW_KNOWN, RATES_KNOWN}] == [0.0] * 5


def test_policies_of_several_models_are_refused_where_there_is_one(pool: Pool) -> None:
    with pytest.raises(InputError, match="cascade draws from several models, and the table has one: weak"):
        buyers_of(["cascade"], pool.of_models([0]))
