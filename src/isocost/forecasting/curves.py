"""Forecasts of one model's curves from a pilot: coverage, kept and distinct solutions, and mixed groups."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from isocost.forecasting.distinct import DistinctLaw
from isocost.metrics.coverage import coverage_curve
from isocost.passrates import MarginalPosterior, power_law
from isocost.passrates.grid import LOG_FAILURES, LOG_RATES, Floats
from isocost.passrates.posterior import Ints
from isocost.records import Estimate

LEVEL = 0.90  # of the intervals of forecasts: the level that simulation has checked
_ENDS = ((1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0)
_POINTS = 4000  # of the posterior distribution behind an interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Pilot:
    """The pilot of one model.

    Attributes:
        model: Name of the model.
        problem_ids: Piloted problems.
        successes: Correct draws, int[problems].
        draws: Graded draws, int[problems].
        solution_problem: Problem of each distinct correct solution, as an index, int[solutions].
        solution_count: Correct draws that are this solution, int[solutions].
    """

    model: str
    problem_ids: tuple[str, ...]
    successes: Ints
    draws: Ints
    solution_problem: Ints
    solution_count: Ints

    @property
    def equal_draws(self) -> int | None:
        """The number of draws of every problem; None if it differs."""
        return int(self.draws[0]) if len(self.draws) and bool((self.draws == self.draws[0]).all()) else None

    @property
    def says_nothing(self) -> str | None:
        """The reason why the pilot hardly informs a forecast, or None."""
        drawn, correct = int(self.draws.sum()), int(self.successes.sum())
        if drawn == 0:
            return "no graded draw"
        if correct == 0:
            return f"none of its {drawn:,} draws is correct"
        if correct == drawn:
            return f"all of its {drawn:,} draws are correct"
        return None


class CurveForecast:
    """Forecast measures of one model at any number of draws per problem.

    The value is the posterior mean; for coverage, its average with the power law, where all problems have the same number of draws: in
    simulation the two err in opposite directions (docs/forecasting.md). Intervals hold LEVEL of the posterior distribution, moved along
    with the value, and are rounded outward to whole problems.

    Args:
        pilot: The pilot.
        unpiloted: Number of further problems of the same kind, without draws.
    """

    def __init__(self, pilot: Pilot, unpiloted: int = 0) -> None:
        self.pilot = pilot
        self._unpiloted = unpiloted
        self.posterior = MarginalPosterior(pilot.successes, pilot.draws)
        self._distinct = DistinctLaw(pilot.solution_problem, pilot.solution_count)

    @property
    def n(self) -> int:
        """Number of problems that the forecast is for."""
        return len(self.pilot.draws) + self._unpiloted

    def coverage(self, ks: Sequence[float], *, outcomes: bool = False) -> list[Estimate]:
        """Return coverage@k for each k. A fraction of k is a share of the problems that get one draw more.

        Args:
            ks: Draws per problem.
            outcomes: Return an interval for the share of problems that k draws cover, instead of its expectation given the pass rates.
        """
        values = np.array([_at(lambda j: -np.expm1(j * LOG_FAILURES), k) for k in ks])
        values[:, 0] = 0.0  # the lowest cell is as good as impossible
        noise = values * (1.0 - values) if outcomes else None
        return self._estimates(values, noise, second=self._power_law(ks), most=1.0)

    def kept(self, ks: Sequence[float], most: int | None) -> list[Estimate]:
        """Return the mean over problems of min(distinct correct solutions, most) after k draws; all distinct ones if `most` is None."""
        largest = math.ceil(max(ks, default=0))
        table = self._distinct.expected(largest, most)
        values = np.array([_at(lambda j: _binomial(int(j)) @ table[: int(j) + 1], k) for k in ks])
        return self._estimates(values, None, second=None, most=float(most) if most is not None else math.inf)

    def mixed(self, sizes: Sequence[int]) -> list[Estimate]:
        """Return the share of problems whose group of G draws is mixed, 1 - E[p^G] - E[(1 - p)^G], for each size G."""
        values = np.array([1.0 - np.exp(g * LOG_RATES) - np.exp(g * LOG_FAILURES) for g in sizes])
        return self._estimates(values, values * (1.0 - values), second=None, most=1.0)

    def _power_law(self, ks: Sequence[float]) -> Floats | None:
        draws = self.pilot.equal_draws
        if draws is None or draws < 2 or self.pilot.says_nothing:
            return None
        known = coverage_curve(self.pilot.draws, self.pilot.successes, np.arange(1, draws + 1)).mean(axis=0)
        return power_law(known, ks)

    def _estimates(self, values: Floats, noise: Floats | None, *, second: Floats | None, most: float) -> list[Estimate]:
        means, spreads = self.posterior.averages(values, unpiloted=self._unpiloted, noise=noise)
        # Fixed points of the posterior: the same pilot gives the same interval.
        generator = np.random.default_rng(0)
        law = generator.choice(len(self.posterior.weights), _POINTS, p=self.posterior.weights)
        normal = generator.standard_normal(_POINTS)
        found = []
        for k in range(len(values)):
            mean = float(self.posterior.weights @ means[:, k])
            low, high = np.quantile(means[law, k] + spreads[law, k] * normal, _ENDS)
            moved = 0.0 if second is None else (float(second[k]) - mean) / 2.0
            n = max(1, self.n)
            found.append(
                Estimate(
                    value=min(most, mean + moved),
                    low=max(0.0, math.floor((low + moved) * n) / n),
                    high=min(most, math.ceil((high + moved) * n) / n),
                    n=self.n,
                )
            )
        return found


def _at(function: Callable[[float], Floats], k: float) -> Floats:
    """Return a function of whole draws at k, linear in between."""
    below = math.floor(k)
    share = k - below
    if share == 0.0:
        return function(float(below))
    return np.asarray((1.0 - share) * function(float(below)) + share * function(float(below + 1)), np.float64)


def _binomial(k: int) -> Floats:
    """Return the binomial probabilities of 0 .. k successes in each cell of the pass rate, float[cells, k + 1]."""
    c = np.arange(k + 1)
    log_choose = np.array([math.lgamma(k + 1) - math.lgamma(i + 1) - math.lgamma(k - i + 1) for i in range(k + 1)])
    return np.asarray(np.exp(log_choose + c * LOG_RATES[:, None] + (k - c) * LOG_FAILURES[:, None]), np.float64)
