"""The posterior of one model's pass rates, on a fine grid of laws, for forecasts."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import ArrayLike

from isocost.arrays import Floats
from isocost.passrates.grid import LOG_FAILURES, LOG_RATES, Marginal

# The weak prior: ln alpha ~ N(ln .35, 1.2), ln beta ~ N(ln 1.2, 1.8), as found in simulation, and a share of hard problems. Four draws do
# not tell problems that are never solved from those that are solved once in 30 or 150 draws, and at 100 draws that is the whole difference.
# So half of the prior of hard problems is on impossible ones, where few are expected, and half on the others, of which there may be many.
_ALPHA, _BETA = (math.log(0.35), 1.2), (math.log(1.2), 1.8)
_NO_HARD = 0.3  # prior probability that all problems are of the main part
_HARD = tuple(
    (share, hard_beta, (1.0 - _NO_HARD) * weight)
    for hard_beta, shares in (
        (math.inf, ((0.03, 0.15), (0.08, 0.15), (0.15, 0.125), (0.25, 0.075))),
        (150.0, ((0.1, 1 / 12), (0.3, 1 / 12), (0.5, 1 / 12))),
        (35.0, ((0.1, 1 / 12), (0.3, 1 / 12), (0.5, 1 / 12))),
    )
    for share, weight in shares
)
_POINTS = 13  # of ln alpha and of ln beta
_SPREAD = 2.15  # standard deviations of the prior that the grid covers on each side
_NEGLIGIBLE = 1e-5


class MarginalPosterior:
    """Learn the law of one model's pass rates from its counts.

    A law is a beta distribution with a share z of hard problems, which are impossible or solved rarely:
    (1 - z) Beta(alpha, beta) + z Beta(1, b), where an infinite b is p = 0.

    Args:
        successes: Correct draws of each piloted problem, int[problems].
        draws: Graded draws of each, int[problems]; they may differ, and may depend on the outcomes of this model, but on nothing else that
            goes with the pass rate, such as another model's outcomes.

    Attributes:
        states: Distinct (successes, failures), int[states, 2].
        problems: Problems in each state, int[states].
        weights: Posterior weight of each law that matters, float[laws].
        laws: These laws.
        log_evidence: Log probability of the counts under each, up to a constant, float[laws].
    """

    def __init__(self, successes: ArrayLike, draws: ArrayLike) -> None:
        s, n = np.asarray(successes, np.int64), np.asarray(draws, np.int64)
        if s.shape != n.shape or np.any(s < 0) or np.any(s > n):
            raise ValueError("successes must lie between 0 and draws")
        self.states, self.problems = np.unique(np.stack([s, n - s], axis=1), axis=0, return_counts=True)
        laws, masses, log_prior = _grid()
        exponents = self.states[:, :1] * LOG_RATES + self.states[:, 1:] * LOG_FAILURES
        likely = np.exp(exponents - exponents.max(axis=1, keepdims=True)) if len(exponents) else exponents
        evidence = np.maximum(masses @ likely.T, 1e-300)
        log_evidence: Floats = np.log(evidence) @ self.problems
        log_posterior = log_prior + log_evidence
        kept = np.flatnonzero(log_posterior > log_posterior.max() + math.log(_NEGLIGIBLE))
        weights = np.exp(log_posterior[kept] - log_posterior.max())
        self.weights: Floats = weights / weights.sum()
        self.laws = [laws[k] for k in kept]
        self.log_evidence: Floats = log_evidence[kept]
        self._masses = masses[kept]
        self._likely = likely

    def rates(self, state: int | None) -> Floats:
        """Return the posterior mass of each cell of the pass rate under each law, float[laws, cells].

        Args:
            state: Index of a state; None: a problem without draws.
        """
        if state is None:
            return self._masses
        masses = self._masses * self._likely[state]
        return np.asarray(masses / masses.sum(axis=1, keepdims=True), np.float64)

    def averages(
        self, values: Floats, *, unpiloted: int = 0, noise: Floats | None = None, of_unpiloted: tuple[Floats, Floats | None] | None = None
    ) -> tuple[Floats, Floats]:
        """Return the mean over the problems of functions of their pass rates, under each law, and its standard deviation.

        Args:
            values: Value of each function in each cell, float[functions, cells].
            unpiloted: Number of problems without draws that are averaged too.
            noise: Variance of an outcome around its value in each cell, float[functions, cells], if outcomes are averaged.
            of_unpiloted: `values` and `noise` of the problems without draws; None if they are the same.

        Returns:
            Two arrays, float[laws, functions].
        """
        mean = np.zeros((len(self.weights), len(values)))
        variance = np.zeros_like(mean)
        own, others = (values, noise), of_unpiloted or (values, noise)
        groups = [(self.rates(k), count, *own) for k, count in enumerate(self.problems.tolist())]
        for rates, count, value, around in [*groups, *([(self.rates(None), unpiloted, *others)] if unpiloted else [])]:
            each = rates @ value.T
            mean += count * each
            variance += count * np.maximum(rates @ (value**2 if around is None else value**2 + around).T - each**2, 0.0)
        total = max(1, int(self.problems.sum()) + unpiloted)
        return mean / total, np.sqrt(variance) / total


@cache
def _grid() -> tuple[list[Marginal], Floats, Floats]:
    """Return the laws, the mass of each cell under each, float[laws, cells], and their log prior weights."""
    laws, log_prior = [], []
    offsets = np.linspace(-_SPREAD, _SPREAD, _POINTS).tolist()
    for a in offsets:
        for b in offsets:
            for share, hard_beta, weight in ((0.0, math.inf, _NO_HARD), *_HARD):
                laws.append(Marginal(math.exp(_ALPHA[0] + a * _ALPHA[1]), math.exp(_BETA[0] + b * _BETA[1]), share, hard_beta))
                log_prior.append(-0.5 * (a * a + b * b) + math.log(weight))
    return laws, np.array([law.masses() for law in laws]), np.array(log_prior)
