"""Priors over laws of pass rates."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np

from isocost.arrays import Floats
from isocost.passrates.grid import Marginal, conditional_masses
from isocost.passrates.laws import Law


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """A finite set of laws with weights: each model has one of the marginals, all share a correlation and the label's loading.

    Attributes:
        marginals: The laws that one model's pass rates may have.
        weights: Log weight of each marginal, for every model alike, or one tuple per model.
        correlations: Correlations of the models' normal scores, equally likely.
        impossible: Share of problems that no model can solve, beside those of the marginals.
    """

    marginals: tuple[Marginal, ...]
    weights: tuple[float, ...] | tuple[tuple[float, ...], ...]
    correlations: tuple[float, ...]
    impossible: float = 0.0

    def log_weights(self, models: int) -> Floats:
        """Return the log weights of the marginals of each model, float[models, marginals]."""
        return np.asarray(np.broadcast_to(np.asarray(self.weights, np.float64), (models, len(self.marginals))), np.float64)

    def masses(self) -> Floats:
        """Return the mass of each cell of the pass rate given the factor, float[marginals, correlations, factors, cells]."""
        return _masses(self.marginals, self.correlations)


@cache
def _masses(marginals: tuple[Marginal, ...], correlations: tuple[float, ...]) -> Floats:
    return np.stack([np.stack([conditional_masses(law.masses(), r) for r in correlations]) for law in marginals])


def _log_weight(alpha: float, beta: float) -> float:
    # Ours, from simulation: ln alpha ~ N(ln .35, .7), ln beta ~ N(ln 1.2, 1.8). Most benchmarks have many problems near 0.
    return -0.5 * ((math.log(alpha) - math.log(0.35)) / 0.7) ** 2 - 0.5 * ((math.log(beta) - math.log(1.2)) / 1.8) ** 2


_MEANS = (0.01, 0.025, 0.06, 0.13, 0.25, 0.4, 0.55, 0.7, 0.8, 0.88)
_MARGINALS = tuple(Marginal(mean * size, (1.0 - mean) * size) for mean in _MEANS for size in (0.6, 1.2, 2.4))

HIERARCHICAL = Prior(marginals=_MARGINALS, weights=tuple(_log_weight(law.alpha, law.beta) for law in _MARGINALS), correlations=(0.6, 0.8))


def fixed_prior(alpha: float, beta: float) -> Prior:
    """Return the prior that every pass rate is an independent draw from Beta(alpha, beta). Nothing is learned across problems."""
    return Prior(marginals=(Marginal(alpha, beta),), weights=(0.0,), correlations=(0.0,))


def law_prior(law: Law) -> Prior:
    """Return the prior that knows the law. Its greedy index is the bound for policies that see verdicts alone."""
    models = range(len(law.marginals))
    weights = tuple(tuple(0.0 if m == k else -math.inf for k in models) for m in models)
    marginals = tuple(Marginal(*ab) for ab in law.marginals)
    return Prior(marginals=marginals, weights=weights, correlations=(law.correlation,), impossible=law.impossible)
