import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isocost.metrics.coverage import coverage_at_k
from isocost.metrics.intervals import (
    amount_interval,
    count_interval,
    count_intervals,
    detectable_difference,
    mean_interval,
    mean_intervals,
    paired_count_difference,
    paired_difference,
    paired_differences,
)
from isocost.metrics.intervals.proportions import proportion
from isocost.records import Estimate
from tests.matrices import first_fast

SHARES = st.lists(st.floats(0, 1), min_size=1, max_size=40)
BITS = st.lists(st.integers(0, 1), min_size=1, max_size=40)


def ends(estimate: Estimate) -> tuple[float, float]:
    assert estimate.low is not None
    assert estimate.high is not None
    return estimate.low, estimate.high


def holds(estimate: Estimate, truth: float) -> bool:
    low, high = ends(estimate)
    return low <= truth <= high


@given(BITS)
def test_zeros_and_ones_get_the_interval_of_a_proportion(bits: list[int]) -> None:
    found, expected = mean_interval(bits), proportion(sum(bits), len(bits))
    assert ends(found) == pytest.approx(ends(expected), abs=1e-9)


@given(SHARES)
def test_an_interval_holds_its_value_within_bounds_and_never_collapses(values: list[float]) -> None:
    found = mean_interval(values)
    low, high = ends(found)
    assert found.value is not None
    assert 0 <= low <= found.value + 1e-12
    assert found.value - 1e-12 <= high <= 1
    assert high - low > 0.01


@given(SHARES)
def test_bounds_only_change_the_scale(values: list[float]) -> None:
    plain, scaled = mean_interval(values), mean_interval([10 * v - 5 for v in values], (-5.0, 5.0))
    assert ends(scaled) == pytest.approx(tuple(10 * end - 5 for end in ends(plain)), abs=1e-6)


def test_undefined_problems_are_left_out_of_n() -> None:
    assert mean_interval([0.5, np.nan, 0.25]).n == 2
    assert mean_interval([np.nan]) == Estimate(value=None, low=None, high=None, n=0)


def test_equal_spread_in_the_middle_is_the_clustered_standard_error() -> None:
    values = np.random.default_rng(0).beta(5, 5, 4000)
    low, high = ends(mean_interval(values))
    assert (high - low) / 2 == pytest.approx(1.96 * values.std(ddof=1) / 4000**0.5, rel=0.02)


def test_values_outside_the_bounds_are_refused() -> None:
    with pytest.raises(ValueError, match="within"):
        mean_interval([1.5])
    with pytest.raises(ValueError, match="within"):
        count_interval([5.0], 4)


LAWS = [(0.5, 0.75), (2, 0.5), (0.3, 2), (20, 1), (0.1, 5), (5, 5)]


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize(("drawn", "k"), first_fast([(4, 4), (30, 10), (100, 1)]))
@pytest.mark.parametrize("n", first_fast([30, 100]))
def test_coverage_intervals_hold_the_truth(law: tuple[float, float], drawn: int, k: int, n: int) -> None:
    """95% nominal; 400 repetitions tell 93% from 90%."""
    rng = np.random.default_rng([n, drawn, k])
    truth = float(np.mean(1 - (1 - rng.beta(*law, 200_000)) ** k))
    correct = rng.binomial(drawn, rng.beta(*law, (400, n)))
    held = [holds(mean_interval(coverage_at_k(np.full(n, drawn), c, k)), truth) for c in correct]
    assert np.mean(held) >= 0.925


@pytest.mark.parametrize("law", [(0.5, 0.75), (0.3, 2), (1, 20), (1, 200)])
@pytest.mark.parametrize("n", first_fast([30, 100]))
def test_count_intervals_hold_the_truth(law: tuple[float, float], n: int) -> None:
    rng = np.random.default_rng([n, 7])
    truth = 30 * law[0] / sum(law)
    counts = rng.binomial(30, rng.beta(*law, (800, n)))
    assert np.mean([holds(count_interval(c, 30), truth) for c in counts]) >= 0.925


def test_counts_of_zero_leave_room_for_an_unseen_problem() -> None:
    """Up to 16.1% of problems, as much as there can be on each; where that is unknown, one."""
    assert ends(count_interval([0.0] * 20, 100)) == pytest.approx((0.0, 16.1), abs=0.05)
    assert ends(count_interval([0.0] * 20)) == pytest.approx((0.0, 0.161), abs=5e-4)


@pytest.mark.parametrize("most", [16.0, None])
def test_columns_are_measured_apart(most: float | None) -> None:
    rng = np.random.default_rng(5)
    x = np.where(rng.random((40, 5)) < 0.2, np.nan, rng.binomial(12, [0.0, 0.02, 0.5, 0.98, 1.0], (40, 5)))
    y = rng.random((40, 5))
    same(count_intervals(x, [most] * 5), [count_interval(column, most) for column in x.T])
    same(mean_intervals(x / 12), [mean_interval(column / 12) for column in x.T])
    same(paired_differences(x / 12, y), [paired_difference(a / 12, b) for a, b in zip(x.T, y.T, strict=True)])
    assert mean_intervals(x, (0.0, 12.0))[2].n == int((~np.isnan(x[:, 2])).sum())


def same(found: list[Estimate], expected: list[Estimate]) -> None:
    assert [e.n for e in found] == [e.n for e in expected]
    assert [e.value for e in found] == pytest.approx([e.value for e in expected])
    assert [ends(e) for e in found] == [pytest.approx(ends(e)) for e in expected]


def test_tables_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="problems by measures"):
        mean_intervals([0.5])
    with pytest.raises(ValueError, match="as many largest"):
        count_intervals([[1.0, 2.0]], [3])


def test_a_hundred_problems_alike_may_hide_one_unsolved() -> None:
    """Seven solutions each, within one: the plain interval is +-0.2, and a problem without any would move the mean by 0.07."""
    counts = np.tile([6.0, 7.0, 7.0, 8.0], 25)
    low, high = ends(count_interval(counts, 16))
    assert 1.5 < (high - low) / (2 * 1.96 * counts.std() / 10) < 4
    solved = np.concatenate([counts, np.zeros(40)])  # plenty unsolved: nothing to reckon with
    low, high = ends(count_interval(solved, 16))
    assert (high - low) == pytest.approx(2 * 1.96 * solved.std() / 140**0.5, rel=0.05)


def test_counts_stay_below_their_cap() -> None:
    assert ends(count_interval([4.0] * 10, 4))[1] == 4.0


@pytest.mark.parametrize("rates", [(0.0, 0.0), (0.03, 0.0), (0.1, 0.1), (0.2, 0.02), (0.6, 0.05)])
@pytest.mark.parametrize("n", [30, 100])
def test_paired_intervals_hold_the_truth(rates: tuple[float, float], n: int) -> None:
    better, worse = rates
    rng = np.random.default_rng(n)
    d = rng.choice([1.0, -1.0, 0.0], p=[better, worse, 1 - better - worse], size=(500, n))
    held = [holds(paired_difference(np.maximum(row, 0), np.maximum(-row, 0)), better - worse) for row in d]
    assert np.mean(held) >= 0.93


def test_bonett_and_price_by_hand() -> None:
    """n = 20, n12 = 6, n21 = 1: p12 = 7/22, p21 = 2/22."""
    a, b = [1] * 6 + [0] * 14, [0] * 6 + [1] + [0] * 13
    centre, error = 5 / 22, ((9 / 22 - (5 / 22) ** 2) / 22) ** 0.5
    found = paired_difference(a, b)
    assert found.value == pytest.approx(0.25)
    assert ends(found) == pytest.approx((centre - 1.959964 * error, centre + 1.959964 * error), abs=1e-6)


@pytest.mark.parametrize("n", [1, 30, 1000])
def test_no_difference_anywhere_is_no_certainty(n: int) -> None:
    found = paired_difference(np.ones(n), np.ones(n))
    low, high = ends(found)
    assert found.value == 0.0
    assert -low == high == pytest.approx(min(1.0, 1.959964 * 2**0.5 / (n + 2)), abs=1e-6)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=30))
def test_swapping_the_sides_flips_the_interval(pairs: list[tuple[float, float]]) -> None:
    a, b = [x for x, _ in pairs], [y for _, y in pairs]
    found, flipped = paired_difference(a, b), paired_difference(b, a)
    low, high = ends(found)
    assert ends(flipped) == pytest.approx((-high, -low), abs=1e-12)
    assert found.value is not None
    assert low - 1e-9 <= found.value <= high + 1e-9


def test_pairs_that_do_not_match_are_refused_and_undefined_ones_left_out() -> None:
    with pytest.raises(ValueError, match="pairs"):
        paired_difference([1.0], [1.0, 0.0])
    with pytest.raises(ValueError, match="span"):
        paired_difference([3.0], [1.0])
    assert paired_difference([1.0, np.nan], [0.0, 1.0]).n == 1
    assert paired_difference([np.nan], [1.0]).value is None


def test_the_detectable_difference_is_found_four_times_in_five() -> None:
    rng = np.random.default_rng(3)
    n, differing = 400, 0.2
    sign = rng.choice([1.0, -1.0, 0.0], p=[differing / 2, differing / 2, 1 - differing], size=n)
    size = detectable_difference(np.maximum(sign, 0), np.maximum(-sign, 0))
    p = [(differing + size) / 2, (differing - size) / 2, 1 - differing]
    d = rng.choice([1.0, -1.0, 0.0], p=p, size=(600, n))
    found = [ends(paired_difference(np.maximum(row, 0), np.maximum(-row, 0)))[0] > 0 for row in d]
    assert 0.74 <= np.mean(found) <= 0.88


def test_nothing_detects_nothing() -> None:
    assert detectable_difference([], []) == 1.0


def test_fractional_differences_are_not_drowned() -> None:
    """Both sides of a hundred problems within 0.1 of each other: close to the plain interval, not that of two whole problems more."""
    rng = np.random.default_rng(1)
    a = rng.random(100)
    d = rng.normal(0, 0.1, 100)
    found = paired_difference(np.clip(a + d, 0, 1), a)
    low, high = ends(found)
    plain = 2 * 1.96 * (np.clip(a + d, 0, 1) - a).std() / 10
    assert plain < high - low < 1.3 * plain


@pytest.mark.parametrize("rates", [(0.3, 0.3), (0.9, 0.5), (0.05, 0.02)])
@pytest.mark.parametrize("n", [30, 100])
def test_differences_of_counts_hold_the_truth(rates: tuple[float, float], n: int) -> None:
    rng = np.random.default_rng(n)
    shared = rng.beta(2, 2, (500, n)) * 2
    a, b = (rng.binomial(10, np.clip(rate * shared, 0, 1)) for rate in rates)
    population = rng.beta(2, 2, 400_000) * 2
    truth = float(np.mean(10 * np.clip(rates[0] * population, 0, 1) - 10 * np.clip(rates[1] * population, 0, 1)))
    held = [holds(paired_count_difference(x, y, most=10), truth) for x, y in zip(a, b, strict=True)]
    assert np.mean(held) >= 0.93 - 0.02


def test_counts_without_any_difference_leave_room() -> None:
    assert ends(paired_count_difference([3.0] * 30, [3.0] * 30, most=1.0)) == ends(paired_difference([1.0] * 30, [1.0] * 30))
    assert ends(paired_count_difference([3.0] * 30, [3.0] * 30, most=8))[1] == pytest.approx(8 * 1.96 * 2**0.5 / 32, rel=1e-3)
    assert paired_count_difference([], []).value is None
    with pytest.raises(ValueError, match="span"):
        paired_count_difference([9.0], [1.0], most=4)


@pytest.mark.parametrize("scale", [1e-9, 1e-4, 1.0, 1e15])
def test_equal_amounts_have_no_width_on_any_scale(scale: float) -> None:
    assert ends(amount_interval([0.6 * scale] * 26)) == pytest.approx((0.6 * scale, 0.6 * scale), rel=1e-9)
    low, high = ends(amount_interval([0.5 * scale, 0.7 * scale] * 13))
    assert 0.55 * scale < low < 0.6 * scale < high < 0.65 * scale


@pytest.mark.parametrize(("n", "least"), [(10, 0.89), (30, 0.915), (300, 0.93)])
@pytest.mark.parametrize("spread", [0.3, 0.9])
def test_skewed_amounts_hold_their_mean(n: int, least: float, spread: float) -> None:
    rng = np.random.default_rng(n)
    truth = float(np.exp(spread**2 / 2))
    assert np.mean([holds(amount_interval(x), truth) for x in np.exp(rng.normal(0, spread, (2000, n)))]) >= least - 0.01


def test_few_amounts() -> None:
    assert amount_interval([]).value is None
    assert ends(amount_interval([3.0, np.nan])) == (0.0, 6.0)
    assert ends(amount_interval([0.0, 0.0])) == (0.0, 0.0)
    with pytest.raises(ValueError, match="at least 0"):
        amount_interval([1.0, -1.0])
