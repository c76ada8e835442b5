from collections.abc import Iterator
from fractions import Fraction
from math import comb

import numpy as np
import pytest

from isocost.metrics.intervals import mean_interval
from isocost.metrics.stopping import stopped_rates


def outcomes(p: Fraction, m: int, cap: int) -> Iterator[tuple[int, int, Fraction]]:
    """Every way to stop: draws, successes, and the chance of it."""
    for drawn in range(m, cap + 1):
        yield drawn, m, comb(drawn - 1, m - 1) * p**m * (1 - p) ** (drawn - m)
    for correct in range(min(m, cap + 1)):
        yield cap, correct, comb(cap, correct) * p**correct * (1 - p) ** (cap - correct)


@pytest.mark.parametrize("cap", range(1, 8))
@pytest.mark.parametrize("m", range(1, 6))
@pytest.mark.parametrize("p", [Fraction(0), Fraction(1, 10), Fraction(1, 3), Fraction(9, 10), Fraction(1)])
def test_the_estimate_is_unbiased_whatever_the_rule(p: Fraction, m: int, cap: int) -> None:
    ways = list(outcomes(p, m, cap))
    assert sum(chance for _, _, chance in ways) == 1
    rates = stopped_rates([drawn for drawn, _, _ in ways], [correct for _, correct, _ in ways], m, cap)
    exact = sum(Fraction(rate).limit_denominator(1000) * chance for rate, (_, _, chance) in zip(rates, ways, strict=True))
    assert exact == p


def test_only_finished_questions_are_too_good() -> None:
    """At m = 4 and a cap of 30 a true 0.10 becomes 0.160 by the estimator, and 0.201 by the share correct."""
    ways = [(drawn, c, float(chance)) for drawn, c, chance in outcomes(Fraction(1, 10), 4, 30)]
    finished = [(c / drawn, chance) for drawn, c, chance in ways if c == 4]
    assert sum(share * chance for share, chance in finished) / sum(chance for _, chance in finished) == pytest.approx(0.201, abs=5e-4)
    unbiased = [(3 / (drawn - 1), chance) for drawn, c, chance in ways if c == 4]
    assert sum(rate * chance for rate, chance in unbiased) / sum(chance for _, chance in unbiased) == pytest.approx(0.160, abs=5e-4)


def stopped(p: np.ndarray, m: int, cap: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    draws = rng.random((p.size, cap)) < p[:, None]
    sums = draws.cumsum(axis=1)
    drawn = np.where(sums[:, -1] >= m, (sums < m).sum(axis=1) + 1, cap)
    return drawn, np.minimum(sums[:, -1], m)


@pytest.mark.parametrize("m", [1, 2, 4])
def test_the_mean_over_problems_finds_the_truth_and_the_share_correct_does_not(m: int) -> None:
    rng = np.random.default_rng(m)
    p = rng.beta(0.5, 0.75, 40_000)
    drawn, correct = stopped(p, m, 30, rng)
    assert stopped_rates(drawn, correct, m, 30).mean() == pytest.approx(p.mean(), abs=0.009)
    assert np.mean(correct / drawn) > p.mean() + 0.02


def test_its_interval_holds_the_truth() -> None:
    rng = np.random.default_rng(9)
    held = 0
    for _ in range(300):
        found = mean_interval(stopped_rates(*stopped(rng.beta(0.3, 2, 100), 2, 20, rng), 2, 20))
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 0.3 / 2.3 <= found.high
    assert held >= 273  # 93% of 300, less two standard errors


def test_caps_may_differ_and_nothing_drawn_is_undefined() -> None:
    rates = stopped_rates([5, 3, 0], [1, 2, 0], 2, [5, 9, 9])
    assert rates[:2] == pytest.approx([0.2, 0.5])
    assert np.isnan(rates[2])
    assert mean_interval(rates).n == 2


@pytest.mark.parametrize(("drawn", "correct"), [(3, 1), (6, 1), (5, 3), (1, 2), (4, -1)])
def test_counts_that_the_rule_cannot_leave_are_refused(drawn: int, correct: int) -> None:
    with pytest.raises(ValueError, match="problem 0 did not stop"):
        stopped_rates([drawn], [correct], 2, 5)


def test_senseless_rules_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        stopped_rates([1], [0], 0, 5)
    with pytest.raises(ValueError, match="at least 1"):
        stopped_rates([1], [0], 2, 0)
    with pytest.raises(ValueError, match="shape"):
        stopped_rates([1, 2], [0], 2, 5)
