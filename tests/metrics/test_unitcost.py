import numpy as np
import pytest

from isocost.arrays import Bools, Floats
from isocost.metrics.intervals.score import t_quantile
from isocost.metrics.unitcost import _fieller, cost_per_correct, cost_per_truly_correct
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


def _may_be_zero(spent: Floats, share: Floats, ratios: Floats) -> Bools:
    """Return whether a 95% t interval for the mean of spent - R * share holds 0, for each R."""
    rest = spent - ratios[:, None] * share
    reach = float(t_quantile(spent.size - 1)) * rest.std(axis=1, ddof=1) / np.sqrt(spent.size)
    inside: Bools = np.abs(rest.mean(axis=1)) <= reach
    return inside


@pytest.mark.parametrize("n", [2, 3, 5, 30])
def test_fiellers_ends_are_those_of_a_scan(n: int) -> None:
    rng = np.random.default_rng(n)
    for _ in range(200):
        spent = rng.exponential(size=n) ** rng.choice([0, 1, 3])
        share = rng.binomial(4, rng.choice([0.05, 0.5]), n) / 4
        share[0] = max(share[0], 0.25)
        low, high = _fieller(spent, share)
        ratios = float(spent.mean() / share.mean()) * np.geomspace(1e-3, 1e3, 6001)
        inside = ratios[_may_be_zero(spent, share, ratios)]
        step = 10 ** (6 / 6000)
        assert low <= inside.min() <= max(low, ratios[0]) * step * (1 + 1e-9)
        if high < ratios[-1]:
            assert high / step <= inside.max() * (1 + 1e-9) <= high * (1 + 2e-9)


def test_the_lower_end_is_known_where_the_pass_rate_may_be_0() -> None:
    found = cost_per_correct([1.0] * 30, [0.25, 0.25, *[0.0] * 28])
    assert (found.value, found.high) == (pytest.approx(60), None)
    assert found.low == pytest.approx(1 / 0.12158, rel=1e-3)  # that of the score interval is the wider one
    assert _fieller(np.ones(30), np.array([0.25, 0.25, *[0.0] * 28]))[0] == pytest.approx(24.78, rel=1e-3)
    truly = cost_per_truly_correct(found, Estimate(value=0.2, low=0.1, high=0.3, n=40))
    assert truly.low is not None
    assert 0 < truly.low < 60 / 0.8


def test_the_lower_end_where_the_quadratic_is_a_line() -> None:
    """With a = 0 the set starts at c / (2 b)."""
    t = float(t_quantile(1))
    # The mean is t times its standard error: a = 0.
    share = np.array([0.25 * (1 + 1 / t), 0.25 * (1 - 1 / t)])
    low, _ = _fieller(np.ones(2), share)
    assert low == pytest.approx(1 / (2 * 0.25))


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
