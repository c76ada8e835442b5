import numpy as np
import pytest

from isocost.metrics.unitcost import cost_per_correct, cost_per_truly_correct
from isocost.records import Estimate


def test_the_ratio_of_means_over_problems() -> None:
    found = cost_per_correct([10.0, 30.0], [0.5, 0.3])
    assert found.value == pytest.approx(20 / 0.4)
    assert found.n == 2


def test_without_a_correct_draw_only_the_least_is_known() -> None:
    found = cost_per_correct([10.0] * 20, [0.0] * 20)
    assert (found.value, found.high) == (None, None)
    assert found.low == pytest.approx(10 / 0.161, rel=0.01)


def test_a_problem_without_draws_is_left_out() -> None:
    assert cost_per_correct([10.0, np.nan, 5.0], [0.5, 0.5, np.nan]).n == 1
    assert cost_per_correct([], []) == Estimate(value=None, low=None, high=None, n=0)


@pytest.mark.parametrize("law", [(0.5, 0.75), (0.1, 3.0)])
def test_the_interval_holds_the_truth(law: tuple[float, float]) -> None:
    """Hard problems cost more; 95% nominal, 1,000 repetitions tell 95% from 93%."""
    rng, n, drawn = np.random.default_rng(1), 50, 20
    rates = rng.beta(*law, 400_000)
    truth = float((100 + 100 * (1 - rates)).mean() / rates.mean())
    held = 0
    for _ in range(1000):
        rate = rng.beta(*law, n)
        found = cost_per_correct(100 + 100 * (1 - rate), rng.binomial(drawn, rate) / drawn)
        low, high = found.low or 0.0, float("inf") if found.high is None else found.high
        held += low <= truth <= high
    assert held / 1000 >= 0.93


def test_false_positives_make_it_dearer_and_wider() -> None:
    per_correct = Estimate(value=100.0, low=80.0, high=125.0, n=50)
    found = cost_per_truly_correct(per_correct, Estimate(value=0.2, low=0.1, high=0.3, n=40))
    assert found.value == pytest.approx(125.0)
    assert found.low is not None
    assert found.high is not None
    assert 80 < found.low < 100
    assert 125 / 0.8 < found.high < 125 / 0.7
    assert found.n == 40
    sure = cost_per_truly_correct(per_correct, Estimate(value=0.0, low=0.0, high=0.0, n=40))
    assert (sure.value, sure.low, sure.high) == (pytest.approx(100), pytest.approx(80), pytest.approx(125))


def test_what_is_not_known_stays_unknown() -> None:
    open_end = Estimate(value=100.0, low=80.0, high=None, n=50)
    assert cost_per_truly_correct(open_end, Estimate(value=0.2, low=0.1, high=0.3, n=40)).high is None
    assert cost_per_truly_correct(open_end, Estimate(value=1.0, low=0.5, high=1.0, n=4)).value is None
    assert cost_per_truly_correct(open_end, Estimate(value=None, low=None, high=None, n=0)).value is None


@pytest.mark.parametrize(("cost", "rate"), [([-1.0], [0.5]), ([0.0], [0.5]), ([np.inf], [0.5]), ([1.0], [2.0]), ([1.0], [0.5, 0.5])])
def test_impossible_values_are_refused(cost: list[float], rate: list[float]) -> None:
    with pytest.raises(ValueError, match=r"cost|within"):
        cost_per_correct(cost, rate)
