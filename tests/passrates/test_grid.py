"""Cells of pass rates, and the normal factor, against closed forms and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from isocost.passrates import Marginal
from isocost.passrates.grid import (
    EDGES,
    FACTORS,
    LOG_FAILURES,
    LOG_RATES,
    RATES,
    beta_masses,
    conditional_masses,
    edge_scores,
    factor_weights,
    normal_cdf,
)


@pytest.mark.parametrize(("alpha", "beta"), [(0.05, 0.4), (0.3, 0.8), (1.0, 1.0), (5.0, 2.0), (0.3, 30.0)])
def test_masses_of_a_beta_law_have_its_moments(alpha: float, beta: float) -> None:
    masses = beta_masses(alpha, beta)
    size = alpha + beta
    assert masses.sum() == pytest.approx(1.0)
    assert masses @ RATES == pytest.approx(alpha / size, rel=3e-3)
    assert masses @ RATES**2 == pytest.approx(alpha * (alpha + 1) / (size * (size + 1)), rel=6e-3)
    # E[(1 - p)^n] = B(alpha, beta + n) / B(alpha, beta).
    log_exact = math.lgamma(beta + 50) - math.lgamma(size + 50) - math.lgamma(beta) + math.lgamma(size)
    assert masses @ np.exp(50 * LOG_FAILURES) == pytest.approx(math.exp(log_exact), rel=2e-2, abs=1e-6)


def test_masses_below_an_edge_are_those_of_the_uniform_law() -> None:
    below = np.cumsum(beta_masses(1.0, 1.0))[:-1]
    np.testing.assert_allclose(below, 1 / (1 + np.exp(-EDGES)), rtol=1e-5)


def test_impossible_problems_lie_in_the_lowest_cell() -> None:
    plain, mixed = Marginal(0.5, 1.0).masses(), Marginal(0.5, 1.0, 0.2).masses()
    assert mixed[0] == pytest.approx(0.2 + 0.8 * plain[0])
    np.testing.assert_allclose(mixed[1:], 0.8 * plain[1:])


def test_logarithms_are_those_of_rates_and_failures() -> None:
    np.testing.assert_allclose(np.exp(LOG_RATES) + np.exp(LOG_FAILURES), 1.0)


def test_scores_of_edges_are_normal_quantiles_in_both_tails() -> None:
    masses = beta_masses(0.3, 0.8)
    scores = edge_scores(masses)
    assert np.all(np.diff(scores) > 0)
    np.testing.assert_allclose(normal_cdf(scores), np.cumsum(masses)[:-1], rtol=1e-6)
    np.testing.assert_allclose(normal_cdf(-scores), np.cumsum(masses[::-1])[::-1][1:], rtol=1e-6)


@pytest.mark.parametrize("correlation", [0.0, 0.3, 0.8, 0.95])
def test_masses_given_the_factor_average_to_the_law(correlation: float) -> None:
    masses = Marginal(0.3, 0.8, 0.1).masses()
    given = conditional_masses(masses, correlation)
    np.testing.assert_allclose(given.sum(axis=1), 1.0)
    np.testing.assert_allclose(factor_weights(0.0, 0.0) @ given, masses, atol=2e-4)


def test_higher_factors_have_higher_rates() -> None:
    means = conditional_masses(beta_masses(0.5, 0.5), 0.6) @ RATES
    assert np.all(np.diff(means) > 0)


def test_a_label_moves_the_factor_by_its_loading() -> None:
    weights = factor_weights(1.5, 0.8)
    assert weights @ FACTORS == pytest.approx(1.2, abs=1e-3)
    assert weights @ (FACTORS - 1.2) ** 2 == pytest.approx(1 - 0.64, abs=1e-3)
