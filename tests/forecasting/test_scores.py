"""Scores of forecasts on recorded draws."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from isocost.forecasting import CurveForecast, Pilot
from isocost.forecasting.scores import kept_curve, scores
from isocost.metrics.coverage import coverage_curve
from isocost.policies.base import Coverage, KeptPerProblem, MixedGroups
from tests.forecasting.piloting import pilot_of

RECORDED = Pilot(
    model="m",
    problem_ids=("a", "b", "c"),
    successes=np.array([3, 2, 0]),
    draws=np.array([5, 4, 5]),
    solution_problem=np.array([1, 0, 0]),
    solution_count=np.array([2, 2, 1]),
)


@pytest.mark.parametrize("most", [1, 2, 3])
def test_kept_solutions_of_recorded_draws_are_those_of_all_orders(most: int) -> None:
    found = kept_curve(RECORDED, [1, 3, 4], most, np.random.default_rng(0))
    draws = {0: "xxy..", 1: "xx..", 2: "....."}
    for k, value in zip((1, 3, 4), found, strict=True):
        exact = [np.mean([min(most, len(set(order[:k]) - {"."})) for order in permutations(texts)]) for texts in draws.values()]
        assert value == pytest.approx(np.mean(exact), abs=0.06)


def test_a_score_is_the_unbiased_estimate_beside_the_forecast() -> None:
    forecast = CurveForecast(pilot_of([1, 1, 0], 2))
    found = scores(forecast, RECORDED, [2, 4, 5], Coverage())
    assert [(one.measure, one.k) for one in found] == [("coverage", 2), ("coverage", 4), ("distinct", 2), ("distinct", 4)]
    assert found[0].outcome == pytest.approx(coverage_curve([5, 4, 5], [3, 2, 0], [2]).mean())
    expected = forecast.coverage([2], outcomes=True)[0]
    assert (found[0].forecast.low, found[0].forecast.high) == (expected.low, expected.high)
    low, high = found[0].forecast.low or 0.0, found[0].forecast.high or 0.0
    assert found[0].inside == (low <= found[0].outcome <= high)


def test_the_objective_is_scored_too() -> None:
    forecast = CurveForecast(pilot_of([1, 1, 0], 2))
    kept = [one for one in scores(forecast, RECORDED, [3], KeptPerProblem(2)) if one.measure == "kept_per_problem"]
    assert [one.k for one in kept] == [3]
    (mixed,) = [one for one in scores(forecast, RECORDED, [3], MixedGroups(3)) if one.measure == "mixed_groups"]
    # All three wrong: C(2, 3) = 0 of C(5, 3), and so on; all right: C(3, 3) of C(5, 3).
    shares = [1 - 0 - 1 / 10, 1 - 0 - 0, 1 - 1]
    assert mixed.outcome == pytest.approx(np.mean(shares))


def test_nothing_recorded_is_no_score() -> None:
    assert scores(CurveForecast(pilot_of([1, 0], 2)), pilot_of([], []), [1], Coverage()) == []


def test_an_outcome_far_from_the_forecast_is_outside() -> None:
    forecast = CurveForecast(pilot_of([0] * 100, 4))
    (found,) = [one for one in scores(forecast, pilot_of([60] * 100, 100), [64], Coverage()) if one.measure == "coverage"]
    assert (found.inside, found.outcome) == (False, pytest.approx(1.0))
