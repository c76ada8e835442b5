from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isocost.metrics.intervals import (
    clustered_error,
    clustered_interval,
    exact_proportion,
    independent_difference,
    mean_interval,
    proportion,
    proportions,
    weighted_proportion,
)
from isocost.metrics.intervals.score import t_quantile
from isocost.records import Estimate
from tests.matrices import first_fast


def ends(estimate: Estimate) -> tuple[float, float]:
    assert estimate.low is not None
    assert estimate.high is not None
    return estimate.low, estimate.high


def test_none_of_twenty_is_not_known_to_be_none() -> None:
    found = proportion(0, 20)
    assert (found.value, found.low, found.n) == (0.0, 0.0, 20)
    assert found.high == pytest.approx(0.161, abs=5e-4)


def test_a_published_wilson_interval_comes_out_again() -> None:
    """81 of 263, Newcombe 1998 (Statistics in Medicine 17, table I): .2553 to .3662."""
    assert ends(proportion(81, 263)) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def test_the_paper_s_24_percent_of_50() -> None:
    assert ends(proportion(12, 50)) == pytest.approx((0.14, 0.37), abs=0.005)


def test_one_success_is_less_evidence_than_wilson_thinks() -> None:
    """One of 100: Wilson's lower end is 0.0018; the one-sided 95% Poisson limit of one event is 0.0513."""
    assert ends(proportion(1, 100))[0] == pytest.approx(0.000513, abs=2e-6)
    assert ends(proportion(99, 100))[1] == pytest.approx(1 - 0.000513, abs=2e-6)


def test_none_of_none_is_undefined() -> None:
    for found in (proportion(0, 0), exact_proportion(0, 0), weighted_proportion([0], [0], [1.0])):
        assert found == Estimate(value=None, low=None, high=None, n=0)
    with pytest.raises(ValueError, match="between 0 and 2"):
        proportion(3, 2)
    with pytest.raises(ValueError, match="one length"):
        proportions([1], [2, 3])


def held(intervals: list[Estimate], n: int, rates: np.ndarray) -> np.ndarray:
    """Exact chance that the interval of a binomial count of n holds each rate."""
    chance = np.array([comb(n, x) * rates**x * (1 - rates) ** (n - x) for x in range(n + 1)])
    low, high = np.array([ends(found) for found in intervals]).T[:, :, None]
    return (chance * ((low <= rates) & (rates <= high))).sum(axis=0)


@pytest.mark.parametrize("n", [5, 10, 20, 30, 50, 100, 300])
def test_every_rate_is_held_by_enumeration(n: int) -> None:
    rates = np.concatenate([np.linspace(1e-4, 0.5, 3000), np.geomspace(1e-5, 0.01, 500)])
    found = held(proportions(np.arange(n + 1), np.full(n + 1, n)), n, rates)
    assert found.min() > 0.931
    middle = found[(n * rates >= 10) & (n >= 30)]
    assert np.all((middle > 0.932) & (middle < 0.971))


@pytest.mark.parametrize("n", [5, 30, 100])
def test_the_exact_interval_never_holds_less_than_95_percent(n: int) -> None:
    rates = np.linspace(1e-4, 1 - 1e-4, 3000)
    assert held([exact_proportion(x, n) for x in range(n + 1)], n, rates).min() >= 0.95


def test_published_exact_ends_come_out_again() -> None:
    """0 of 20: 1 - 0.025^(1/20); elsewhere, the tails that define it."""
    assert ends(exact_proportion(0, 20)) == pytest.approx((0.0, 1 - 0.025 ** (1 / 20)))
    assert ends(exact_proportion(20, 20)) == pytest.approx((0.025 ** (1 / 20), 1.0))
    low, high = ends(exact_proportion(81, 263))
    assert sum(comb(263, x) * low**x * (1 - low) ** (263 - x) for x in range(81, 264)) == pytest.approx(0.025)
    assert sum(comb(263, x) * high**x * (1 - high) ** (263 - x) for x in range(82)) == pytest.approx(0.025)


def test_quantiles_of_student_are_those_of_the_tables() -> None:
    published = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 10: 2.228, 29: 2.045, 99: 1.984}
    assert t_quantile(list(published)) == pytest.approx(list(published.values()), rel=0.01)
    assert t_quantile([5, 10, 29, 99]) == pytest.approx([2.5706, 2.2281, 2.0452, 1.9842], rel=0.001)


@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_one_stratum_is_a_proportion(case: tuple[int, int]) -> None:
    x, n = case
    assert ends(weighted_proportion([x], [n], [0.3])) == pytest.approx(ends(proportion(x, n)), abs=1e-9)


def test_strata_are_weighted_back() -> None:
    found = weighted_proportion([2, 10], [20, 20], [900, 100])
    assert found.value == pytest.approx(0.9 * 0.1 + 0.1 * 0.5)
    assert found.n == 40
    low, high = ends(weighted_proportion([200, 1000], [2000, 2000], [900, 100]))
    error = (0.81 * 0.1 * 0.9 / 2000 + 0.01 * 0.25 / 2000) ** 0.5
    assert (high - low) / 2 == pytest.approx(1.96 * error, rel=0.01)


@pytest.mark.parametrize("shares", [(0.6, 0.3, 0.1), (0.1, 0.3, 0.6), (0.9, 0.1)])
@pytest.mark.parametrize("rate", first_fast([0.005, 0.02, 0.17, 0.5]))
@pytest.mark.parametrize("n", first_fast([30, 300]))
def test_weighted_rates_are_held(shares: tuple[float, ...], rate: float, n: int) -> None:
    """Strata sampled alike though unlike in size, the last eight times as often unsound as the first; 500 sets tell 93 from 91%."""
    rng = np.random.default_rng(n)
    rates = np.minimum(rate * np.geomspace(0.5, 4, len(shares)), (1 + rate) / 2)
    each, truth = n // len(shares), float(np.array(shares) @ rates)
    found = [ends(weighted_proportion(x, [each] * len(shares), shares)) for x in rng.binomial(each, rates, (500, len(shares)))]
    assert np.mean([low <= truth <= high for low, high in found]) >= 0.91


def test_strata_that_say_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="merge"):
        weighted_proportion([1, 0], [10, 0], [0.5, 0.5])
    assert weighted_proportion([1, 0], [10, 0], [1.0, 0.0]).value == 0.1
    with pytest.raises(ValueError, match="weights"):
        weighted_proportion([1], [10], [-1.0])


def test_clusters_equal_a_calculation_by_hand() -> None:
    """Miller's sum over pairs, with G / (G - 1): two clusters of 2 and one of 1."""
    x, owner = np.array([1.0, 1.0, 0.0, 1.0, 0.0]), ["a", "a", "b", "b", "c"]
    away = x - 0.6
    pairs = sum(away[i] * away[j] for i in range(5) for j in range(5) if owner[i] == owner[j])
    assert clustered_error(x, owner) == pytest.approx((1.5 * pairs) ** 0.5 / 5)
    with pytest.raises(ValueError, match="two clusters"):
        clustered_error([1.0], ["a"])


def test_clusters_of_one_and_of_a_kind_are_the_interval_of_means() -> None:
    x = np.random.default_rng(0).beta(2, 3, 60)
    assert ends(clustered_interval(x, range(60))) == pytest.approx(ends(mean_interval(x)))
    owner = np.repeat(np.arange(20), 3)
    found = clustered_interval(x, owner)
    assert ends(found) == pytest.approx(ends(mean_interval(x.reshape(20, 3).mean(axis=1))))
    assert found.n == 20


@pytest.mark.parametrize("law", [(0.5, 0.75), (1, 20), (5, 5)])
def test_unequal_clusters_hold_the_truth_and_single_items_do_not(law: tuple[float, float]) -> None:
    rng = np.random.default_rng(3)
    truth, clustered, single = law[0] / sum(law), 0, 0
    for _ in range(400):
        owner = np.repeat(np.arange(60), rng.integers(1, 9, 60))
        x = (rng.random(owner.size) < rng.beta(*law, 60)[owner]).astype(float)
        low, high = ends(clustered_interval(x, owner))
        clustered += low <= truth <= high
        low, high = ends(proportion(int(x.sum()), x.size))
        single += low <= truth <= high
    assert clustered >= 0.91 * 400
    assert single < clustered


def test_items_without_a_cluster_or_a_value_are_refused() -> None:
    with pytest.raises(ValueError, match="one length"):
        clustered_interval([1.0], ["a", "b"])
    with pytest.raises(ValueError, match="finite"):
        clustered_interval([np.nan], ["a"])
    with pytest.raises(ValueError, match="within"):
        clustered_interval([2.0], ["a"])
    assert clustered_interval([], []).value is None


def test_a_published_difference_comes_out_again() -> None:
    """56 of 70 less 48 of 80, Newcombe 1998 (Statistics in Medicine 17, 873-890), method 10: .0524 to .3339."""
    found = independent_difference(proportion(56, 70), proportion(48, 80))
    assert found.value == pytest.approx(0.2)
    assert ends(found) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert independent_difference(proportion(0, 0), proportion(1, 2)).value is None
