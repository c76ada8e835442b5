"""The budget at which one model overtakes another."""

from __future__ import annotations

import numpy as np
import pytest

from isocost.forecasting import CurveForecast
from isocost.forecasting.joint import Replicates, replicates
from isocost.forecasting.overtaking import REACH, overtaking
from isocost.forecasting.prices import Price
from isocost.policies.base import Coverage
from tests.forecasting.piloting import pilot_of

PRICES = {"weak": Price(alone=1.0), "strong": Price(alone=3.0)}


def pair(weak: list[int], strong: list[int]) -> tuple[CurveForecast, CurveForecast, Replicates]:
    first, second = CurveForecast(pilot_of(weak, 4, "weak")), CurveForecast(pilot_of(strong, 4, "strong"))
    return first, second, replicates([first, second], np.random.default_rng(0))


def test_a_model_that_solves_more_problems_overtakes_one_that_is_cheap() -> None:
    # Weak solves a third of the problems always, strong two thirds half of the time.
    first, second, drawn = pair([4] * 40 + [0] * 80, [2] * 80 + [0] * 40)
    found = overtaking((first, second), drawn, PRICES, Coverage())
    assert found is not None
    assert (found.ahead, found.behind, found.absent) == ("strong", "weak", 0.0)
    # Strong covers about 2/3 (1 - 1/2^k) at 3 k, which is 1/3 at k = 1.
    assert 2.0 < found.cost < 5.0
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.cost <= found.high
    assert found.reach == REACH * 4 * 1.0


def test_the_order_of_the_pair_does_not_matter() -> None:
    first, second, drawn = pair([4] * 40 + [0] * 80, [2] * 80 + [0] * 40)
    assert overtaking((first, second), drawn, PRICES, Coverage()) == overtaking((second, first), drawn, PRICES, Coverage())


def test_a_cheap_model_that_is_as_able_leads_from_the_first_draw() -> None:
    first, second, drawn = pair([0, 1, 2, 4] * 30, [0, 1, 2, 4] * 30)
    found = overtaking((first, second), drawn, PRICES, Coverage())
    assert found is not None
    assert (found.ahead, found.cost) == ("weak", 0.0)


def test_a_lead_that_is_not_certain_has_no_upper_end() -> None:
    first, second, drawn = pair([0, 0, 0, 1] * 5, [0, 0, 1, 0] * 5)
    found = overtaking((first, second), drawn, {"weak": Price(alone=1.0), "strong": Price(alone=1.01)}, Coverage())
    assert found is not None
    assert found.absent > 0.2
    assert found.high is None


def test_equal_curves_have_no_leader() -> None:
    first = CurveForecast(pilot_of([0, 1, 2, 4] * 10, 4, "weak"))
    second = CurveForecast(pilot_of([0, 1, 2, 4] * 10, 4, "strong"))
    drawn = replicates([first], np.random.default_rng(0))
    twice = Replicates(
        models=("weak", "strong"),
        problem_ids=drawn.problem_ids,
        places=drawn.places,
        cells=np.repeat(drawn.cells, 2, axis=2),
        impossible=drawn.impossible,
        correlation=None,
    )
    assert overtaking((first, second), twice, {"weak": Price(alone=1.0), "strong": Price(alone=1.0)}, Coverage()) is None


@pytest.mark.parametrize("costs", [{"weak": 1.0, "strong": 3.0}, {"weak": 1000.0, "strong": 3000.0}])
def test_the_unit_of_costs_does_not_matter(costs: dict[str, float]) -> None:
    first, second, drawn = pair([4] * 40 + [0] * 80, [2] * 80 + [0] * 40)
    found = overtaking((first, second), drawn, {model: Price(alone=cost) for model, cost in costs.items()}, Coverage())
    assert found is not None
    assert found.cost / costs["weak"] == pytest.approx(3.4, abs=1.0)
