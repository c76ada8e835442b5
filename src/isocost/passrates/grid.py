"""Discretise distributions of pass rates, and correlate them through a normal factor (a Gaussian copula)."""

from __future__ import annotations

import math
from functools import cache
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from isocost.arrays import Floats

# Cells are even in the logit of the pass rate: laws of pass rates have most of their mass near 0 and 1, where even cells would be too wide.
# Below the first edge (p = 6e-6) a problem is as good as impossible.
EDGES: Floats = np.linspace(-12.0, 12.0, 121)
_STEP = float(EDGES[1] - EDGES[0])
_CENTRES = np.concatenate([[EDGES[0] - _STEP], (EDGES[:-1] + EDGES[1:]) / 2, [EDGES[-1] + _STEP]])
LOG_RATES: Floats = -np.logaddexp(0.0, -_CENTRES)
LOG_FAILURES: Floats = -np.logaddexp(0.0, _CENTRES)
RATES: Floats = np.exp(LOG_RATES)

# The factor's quadrature: even nodes, which integrate a normal density far better than their number suggests.
FACTORS: Floats = np.linspace(-4.5, 4.5, 31)

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(4)
_NORMAL = NormalDist()
_quantile = np.vectorize(_NORMAL.inv_cdf, otypes=[np.float64])
_erf = np.vectorize(math.erf, otypes=[np.float64])


def normal_cdf(x: Floats) -> Floats:
    """Return the standard normal distribution function."""
    return np.asarray(0.5 * (1.0 + _erf(x / math.sqrt(2.0))), np.float64)


class Marginal(NamedTuple):
    """A law of one model's pass rates: (1 - hard) Beta(alpha, beta) + hard Beta(1, hard_beta).

    Attributes:
        alpha: First parameter of the main part.
        beta: Second parameter of the main part.
        hard: Share of hard problems.
        hard_beta: Their mean pass rate is 1 / (1 + hard_beta). Infinite: they are impossible.
    """

    alpha: float
    beta: float
    hard: float = 0.0
    hard_beta: float = math.inf

    def masses(self) -> Floats:
        """Return the mass of each cell, float[cells]. The lowest cell has the impossible problems."""
        masses = (1.0 - self.hard) * beta_masses(self.alpha, self.beta)
        if math.isfinite(self.hard_beta):
            return np.asarray(masses + self.hard * beta_masses(1.0, self.hard_beta), np.float64)
        masses[0] += self.hard
        return masses


@cache
def beta_masses(alpha: float, beta: float) -> Floats:
    """Return the mass of Beta(alpha, beta) in each cell, float[cells].

    In x = logit p the density is p^alpha (1 - p)^beta / B(alpha, beta), smooth for any alpha and beta, so four Gauss-Legendre nodes per
    cell are exact to 1e-9. The tails beyond the first and the last edge are exp(alpha x) / (alpha B) and its mirror image.
    """
    log_beta = math.lgamma(alpha) + math.lgamma(beta) - math.lgamma(alpha + beta)
    x = ((EDGES[:-1] + EDGES[1:]) / 2)[:, None] + _NODES * _STEP / 2
    inner = np.exp(-alpha * np.logaddexp(0.0, -x) - beta * np.logaddexp(0.0, x) - log_beta) @ _WEIGHTS * _STEP / 2
    low = math.exp(alpha * EDGES[0] - log_beta) / alpha
    high = math.exp(-beta * EDGES[-1] - log_beta) / beta
    masses = np.concatenate([[low], inner, [high]])
    return np.asarray(masses / masses.sum(), np.float64)


def edge_scores(masses: Floats) -> Floats:
    """Return the normal score of each edge between cells, float[cells - 1]: the standard normal quantile of the mass below it."""
    below = np.cumsum(masses)[:-1]
    above = np.cumsum(masses[::-1])[::-1][1:]
    # Each tail from its own side: 1 - below has no digits left where below is near 1.
    tail = np.clip(np.minimum(below, above), 1e-300, 0.5)
    return np.asarray(np.where(below < above, _quantile(tail), -_quantile(tail)), np.float64)


def conditional_masses(masses: Floats, correlation: float) -> Floats:
    """Return the mass of each cell given the factor, float[factors, cells].

    A model's normal score is sqrt(r) g + sqrt(1 - r) e, with the factor g of the problem, which all models share, and e of its own. So two
    models correlate at r (Gaussian copula), and given g they are independent. r = 0 ignores the factor.
    """
    scores = (edge_scores(masses)[None, :] - math.sqrt(correlation) * FACTORS[:, None]) / math.sqrt(1.0 - correlation)
    below = np.concatenate([np.zeros((len(FACTORS), 1)), normal_cdf(scores), np.ones((len(FACTORS), 1))], axis=1)
    return np.asarray(np.diff(below, axis=1), np.float64)


def factor_weights(score: float, loading: float) -> Floats:
    """Return the weights of the factor's nodes for problems whose label has a normal score, float[factors].

    Given the label, g ~ N(loading x score, 1 - loading^2): `loading` is the correlation of the factor with the label's normal score. 0 is a
    label that says nothing.
    """
    z = (FACTORS - loading * score) / math.sqrt(1.0 - loading * loading)
    weights = np.exp(-z * z / 2)
    return np.asarray(weights / weights.sum(), np.float64)
