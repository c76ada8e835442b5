"""Priors over laws of pass rates."""

from __future__ import annotations

import math

import numpy as np
import pytest

from isocost.passrates import HIERARCHICAL, Law, Marginal, Prior, fixed_prior, law_prior


def test_one_row_of_weights_is_every_model_s() -> None:
    weights = HIERARCHICAL.log_weights(3)
    assert weights.shape == (3, len(HIERARCHICAL.marginals))
    np.testing.assert_array_equal(weights[0], weights[2])


def test_the_most_likely_marginals_beforehand_have_many_hard_problems() -> None:
    best = HIERARCHICAL.marginals[int(np.argmax(HIERARCHICAL.weights))]
    assert best.alpha / (best.alpha + best.beta) == pytest.approx(0.25, abs=0.2)
    assert best.alpha == pytest.approx(0.35, abs=0.1)


def test_masses_have_an_axis_for_marginals_correlations_factors_and_cells() -> None:
    prior = Prior(marginals=(Marginal(0.5, 1.0), Marginal(1.0, 1.0)), weights=(0.0, 0.0), correlations=(0.2, 0.5, 0.9))
    masses = prior.masses()
    assert masses.shape[:2] == (2, 3)
    np.testing.assert_allclose(masses.sum(axis=-1), 1.0)


def test_a_fixed_prior_has_one_law_without_correlation() -> None:
    prior = fixed_prior(0.3, 2.0)
    assert prior.marginals == (Marginal(0.3, 2.0),)
    assert prior.correlations == (0.0,)


def test_a_known_law_gives_each_model_its_own_marginal() -> None:
    prior = law_prior(Law(marginals=((0.3, 0.8), (1.0, 0.5)), correlation=0.6, impossible=0.1))
    assert prior.log_weights(2).tolist() == [[0.0, -math.inf], [-math.inf, 0.0]]
    assert (prior.correlations, prior.impossible) == ((0.6,), 0.1)
