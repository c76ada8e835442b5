"""Uniform draws for what a policy reached: against curves worked out by hand, and by simulation for stopped draws."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from isocost.arrays import Floats
from isocost.policies.base import Coverage
from isocost.records import Outcome
from isocost.results.drawtable import DrawTable
from isocost.results.reached import Reached
from isocost.results.uniform import Bought, match_first_draws, match_posterior
from tests.results.tabled import Draw, draw


def written(folder: Path, draws: list[Draw], problems: int) -> DrawTable:
    return DrawTable.write(
        [pl.DataFrame(draws, schema_overrides={"cost_usd": pl.Float64})],
        folder / "samples.parquet",
        "flops",
        models=("weak",),
        problem_ids=[f"p{i}" for i in range(problems)],
        allocations={},
    )


def drawn(correct: list[list[bool]], cost: float = 2.0) -> list[Draw]:
    """One list of outcomes per problem."""
    return [
        draw("weak", f"p{i}", j, Outcome.CORRECT if right else Outcome.INCORRECT, cost_flops=cost)
        for i, outcomes in enumerate(correct)
        for j, right in enumerate(outcomes)
    ]


def bought(values: Floats, cost: float) -> Bought:
    return Bought(values=values, costs=np.full(values.size, cost), unit="flops")


# Of four problems the first draw solves one, the second another one, the third none.
CURVE = [[True, True, False], [False, True, True], [False, False, False], [False, False, False]]


@pytest.mark.parametrize(("reached", "draws"), [(0, 0.0), (1, 1.0), (2, 2.0), (3, None)])
def test_draws_are_those_at_which_the_curve_reaches_the_value(tmp_path: Path, reached: int, draws: float | None) -> None:
    table = written(tmp_path, drawn(CURVE), 4)
    values = (np.arange(4) < reached).astype(np.float64)
    own = Reached(table=table, objective=Coverage(), solutions=None)
    found = match_first_draws(own, bought(values, 1.0), "weak", np.ones(12, np.bool_))
    assert found is not None
    assert (found.draws, found.estimator, found.reach, found.at_reach) == (draws, "first draws", 3, 0.5)
    assert found.cost.value == (None if draws is None else 2.0 * draws)
    assert found.times.value == (None if draws is None else 2.0 * draws)
    assert found.cost.n == 4


def test_a_fraction_of_a_draw_is_a_share_of_the_problems(tmp_path: Path) -> None:
    table = written(tmp_path, drawn([[False, True], [False, True], [True, True], [False, False]]), 4)
    own = Reached(table=table, objective=Coverage(), solutions=None)
    found = match_first_draws(own, bought(np.array([1.0, 1.0, 0.0, 0.0]), 4.0), "weak", np.ones(8, np.bool_))
    assert found is not None
    assert found.draws == 1.5  # from 1 of 4 covered by one draw to 3 of 4 by two
    assert (found.cost.value, found.times.value) == (3.0, 0.75)


@pytest.mark.slow  # 40 bootstraps
def test_the_interval_holds_the_ratio_of_two_uniform_arms(tmp_path: Path) -> None:
    """A policy that is itself uniform with 3 draws costs as much as uniform does for the same."""
    generator, held = np.random.default_rng(0), 0
    for _ in range(40):
        rates = generator.beta(0.5, 1.0, 60)
        theirs, mine = (generator.random((60, k)) < rates[:, None] for k in (6, 3))
        table = written(tmp_path, drawn(theirs.tolist()), 60)
        own = Reached(table=table, objective=Coverage(), solutions=None)
        found = match_first_draws(own, bought(mine.any(axis=1).astype(float), 6.0), "weak", np.ones(360, np.bool_))
        assert found is not None
        high = float("inf") if found.times.high is None else found.times.high
        held += (found.times.low or 0.0) <= 1.0 <= high
    assert held >= 35


def test_draws_of_few_problems_are_no_uniform_arm(tmp_path: Path) -> None:
    table = written(tmp_path, drawn(CURVE), 40)
    own = Reached(table=table, objective=Coverage(), solutions=None)
    assert match_first_draws(own, bought(np.ones(40), 1.0), "weak", np.ones(12, np.bool_)) is None


def test_costs_that_are_not_known_match_nothing(tmp_path: Path) -> None:
    table = written(tmp_path, drawn(CURVE, cost=float("nan")), 4)
    own = Reached(table=table, objective=Coverage(), solutions=None)
    assert match_first_draws(own, bought(np.ones(4), 1.0), "weak", np.ones(12, np.bool_)) is None
    assert match_posterior(own, bought(np.ones(4), 1.0), "weak") is None


def test_the_posterior_holds_for_draws_that_stop_at_the_first_success(tmp_path: Path) -> None:
    """Drawn until solved, at most 8 times. The share of correct draws would say that uniform needs far fewer draws."""
    rates = np.random.default_rng(3).beta(0.6, 1.2, 300)
    outcomes = np.random.default_rng(4).random((300, 8)) < rates[:, None]
    stopped = [row[: row.argmax() + 1] if row.any() else row for row in outcomes]
    table = written(tmp_path, drawn([row.tolist() for row in stopped]), 300)
    own = Reached(table=table, objective=Coverage(), solutions=None)
    values = outcomes.any(axis=1).astype(np.float64)
    found = match_posterior(own, bought(values, 2.0 * float(np.mean([row.size for row in stopped]))), "weak")
    assert found is not None
    assert found.estimator == "posterior"
    assert found.draws == pytest.approx(8.0, rel=0.25)  # what uniform needs for the same is all 8 draws of every problem
    assert found.cost.low is not None
    assert found.cost.low < 16.0 < (found.cost.high or float("inf"))


def test_draws_that_say_nothing_match_nothing(tmp_path: Path) -> None:
    table = written(tmp_path, drawn([[True], [True]]), 2)
    own = Reached(table=table, objective=Coverage(), solutions=None)
    assert match_posterior(own, bought(np.ones(2), 1.0), "weak") is None
