"""Progress towards objectives, draw by draw."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from isocost.backtesting.objectives import describe, needed, progress_of, refuse_impossible
from isocost.backtesting.pool import Pool, pool_of
from isocost.errors import InputError
from isocost.policies.base import Coverage, KeptPerProblem, MixedGroups, Objective
from tests.backtesting.pools import per_draw, table

OUTCOMES = [False, True, True, None, False, True]


def gains(objective: Objective, pool: Pool) -> list[int]:
    progress = progress_of(objective, pool)
    return [progress.add(0, 0, draw) for draw in range(len(OUTCOMES))]


@pytest.fixture
def pool() -> Pool:
    made = pool_of(table({("a", "weak"): OUTCOMES}), given=per_draw({"weak": 1.0}))
    return replace(made, solution=np.array([[[0, 7, 7, 0, 0, 8]]]))


@pytest.mark.parametrize(
    ("objective", "expected"),
    [
        (Coverage(), [0, 1, 0, 0, 0, 0]),
        (KeptPerProblem(most=1), [0, 1, 0, 0, 0, 0]),
        (KeptPerProblem(most=4), [0, 1, 0, 0, 0, 1]),
        (MixedGroups(size=2), [0, 1, 0, 0, 0, 0]),
        (MixedGroups(size=3), [0, 0, 1, 0, 0, 0]),
        (MixedGroups(size=4), [0, 0, 0, 1, 0, 0]),
    ],
)
def test_gains_are_those_worked_out_by_hand(objective: Objective, expected: list[int], pool: Pool) -> None:
    assert gains(objective, pool) == expected


def test_a_group_of_equal_outcomes_is_not_mixed_whatever_is_ungraded() -> None:
    pool = pool_of(table({("a", "weak"): [True, None, True, True, None, False]}), given=per_draw({"weak": 1.0}))
    assert gains(MixedGroups(size=2), pool) == [0] * 6
    assert gains(MixedGroups(size=3), pool) == [0, 0, 0, 0, 0, 1]


def test_a_repeated_solution_is_not_new(pool: Pool) -> None:
    progress = progress_of(KeptPerProblem(most=4), pool)
    assert progress.is_new(0, 0, 1)
    progress.add(0, 0, 1)
    assert [progress.is_new(0, 0, draw) for draw in (2, 5)] == [False, True]


def test_targets_are_rounded_up_but_not_by_errors_of_floats() -> None:
    assert [needed(t, n) for t, n in ((0.3, 45), (0.35, 45), (0.35, 20), (0.3, 10), (1.0, 7), (2.5, 3), (0.28, 25))] == [
        14,
        16,
        7,
        3,
        7,
        8,
        7,
    ]


def test_targets_are_described() -> None:
    assert describe(Coverage(), 0.35) == "35% of problems covered"
    assert "of 4 at most" in describe(KeptPerProblem(most=4), 1.5)
    assert "mixed group of 8" in describe(MixedGroups(size=8), 0.5)


@pytest.mark.parametrize(
    ("objective", "target", "message"),
    [
        (Coverage(), 50.0, "targets: 50 is above 1, the share of all problems\n  write 50% as 0.5"),
        (MixedGroups(size=4), 1.5, "targets: 1.5 is above 1"),
        (KeptPerProblem(most=4), 5.0, "targets: 5 is above 4 solutions per problem"),
        (Coverage(), 0.0, "targets: each must be above 0, not 0"),
    ],
)
def test_a_target_that_no_draws_reach_is_refused(objective: Objective, target: float, message: str) -> None:
    with pytest.raises(InputError) as caught:
        refuse_impossible(objective, [0.5, target])
    assert message in str(caught.value)
    refuse_impossible(objective, [0.5, 1.0])
