"""The gain of the next draw, and the worth of a new problem."""

from __future__ import annotations

import numpy as np
import pytest

from isocost.forecasting import CurveForecast
from isocost.forecasting.joint import replicates
from isocost.forecasting.margins import Margin, margin
from isocost.forecasting.prices import Price
from isocost.policies.base import Coverage, MixedGroups, Objective
from tests.forecasting.piloting import pilot_of

FORECAST = CurveForecast(pilot_of([0] * 40 + [1] * 20 + [3] * 20 + [4] * 20))
DRAWN = replicates([FORECAST], np.random.default_rng(0))


def at(budget: float, objective: Objective, cost: float = 2.0) -> Margin:
    return margin(FORECAST, DRAWN, Price(alone=cost), budget, objective)


def test_the_gain_of_a_draw_is_the_slope_of_coverage() -> None:
    found = at(20.0, Coverage())
    rates = DRAWN.rates[:, :, 0]
    slope = (rates * (1 - rates) ** 10).mean() / 2.0
    assert (found.draws, found.per_cost.value) == (10.0, pytest.approx(slope))
    assert (found.per_cost.low or 0) < slope < (found.per_cost.high or 0)


def test_a_new_problem_gains_its_pass_rate() -> None:
    found = at(20.0, Coverage())
    assert (found.fresh_per_cost.value or 0) * 2.0 == pytest.approx((20 * 1 + 20 * 3 + 20 * 4) / 400, abs=0.03)


def test_more_draws_for_these_problems_gain_less_and_make_new_ones_worth_more() -> None:
    few, many = at(8.0, Coverage()), at(200.0, Coverage())
    assert (many.per_cost.value or 0) < (few.per_cost.value or 0)
    assert few.worth is not None
    assert many.worth is not None
    assert (many.worth.value or 0) > (few.worth.value or 0)


def test_at_its_worth_a_new_problem_gains_as_much_per_cost_as_more_draws() -> None:
    found = at(20.0, Coverage())
    assert found.worth is not None
    rates = DRAWN.rates[:, :, 0]
    covered, slope = (1 - (1 - rates) ** 10).mean(axis=1), (rates * (1 - rates) ** 10).mean(axis=1) / 2.0
    assert found.worth.value == pytest.approx(covered.mean() / slope.mean() - 20.0)


def test_a_few_replicates_in_which_more_draws_gain_nothing_open_the_interval_and_leave_the_value() -> None:
    """Nearly every problem is solved at once, so that in some replicates the next draw gains almost nothing."""
    forecast = CurveForecast(pilot_of([0] * 3 + [3] * 7 + [4] * 90))
    drawn = replicates([forecast], np.random.default_rng(0))
    found = margin(forecast, drawn, Price(alone=1.0), 200.0, Coverage())
    assert found.worth is not None
    low, value, high = found.worth.low or 0, found.worth.value or 0, found.worth.high
    assert low <= value
    assert high is None or value <= high
    gained = float(forecast.values(Coverage(), [200.0])[0][drawn.cells[:, :, 0]].mean())
    assert value == pytest.approx(gained / (found.per_cost.value or 0) - 200.0)


def test_the_next_purchase_of_mixed_groups_is_a_group() -> None:
    found = at(16.0, MixedGroups(4))
    rates = DRAWN.rates[:, :, 0]
    mixed = 1 - rates**4 - (1 - rates) ** 4
    assert found.per_cost.value == pytest.approx((mixed * (1 - mixed) ** 2).mean() / 8.0, rel=1e-3)


def test_where_more_draws_gain_nothing_any_price_is_worth_it() -> None:
    certain = CurveForecast(pilot_of([50] * 20, 50))
    drawn = replicates([certain], np.random.default_rng(0))
    # So many draws that the gain of one more is below what a float can hold.
    assert margin(certain, drawn, Price(alone=1.0), 1e7, Coverage()).worth is None
