"""Forecasts of one model's curves from a pilot: coverage, kept and distinct solutions, and mixed groups."""

from __future__ import annotations

import math
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np

from isocost.arrays import Floats, Ints
from isocost.forecasting.distinct import DistinctLaw, NoRepeats
from isocost.forecasting.values import by_correct, draw_values, group_values, kept_values
from isocost.metrics.coverage import coverage_curve
from isocost.passrates import MarginalPosterior, power_law
from isocost.policies.base import Coverage, KeptPerProblem, Objective
from isocost.records import Estimate

LEVEL = 0.90  # of the intervals of forecasts: the level that simulation has checked
ENDS = ((1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0)
_POINTS = 4000  # of the posterior distribution behind an interval
_LAWS = 80  # laws of distinct solutions among them


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
        repeats: False if no two solutions count as the same.
    """

    model: str
    problem_ids: tuple[str, ...]
    successes: Ints
    draws: Ints
    solution_problem: Ints
    solution_count: Ints
    repeats: bool = True

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
    simulation the two err in opposite directions (docs/forecasting.md). Intervals hold LEVEL of the posterior distribution. Those of an
    average extend from there to the same interval moved along with the value, because the power law's error has no distribution. Their
    ends are rounded outward to whole problems.

    With a false positive rate all values are those of sound solutions, as `draw_values` defines them. The pass rates are learned from the
    correct draws of the pilot, sound or not, and the rate is taken as exact: intervals do not include that it may be another.

    Args:
        pilot: The pilot.
        unpiloted: Number of further problems of the same kind, without draws.
        power_law: False leaves the power law out, for draws whose number depends on their outcomes.
        false_positive_rate: Share of the model's correct draws that are unsound.
    """

    def __init__(self, pilot: Pilot, unpiloted: int = 0, *, power_law: bool = True, false_positive_rate: float = 0.0) -> None:
        self.pilot = pilot
        self.false_positive_rate = false_positive_rate
        self._unpiloted = unpiloted
        self._with_power_law = power_law
        self.posterior = MarginalPosterior(pilot.successes, pilot.draws)
        self.distinct = (
            DistinctLaw(pilot.solution_problem, pilot.solution_count, pilot.successes, pilot.draws) if pilot.repeats else NoRepeats()
        )

    @property
    def n(self) -> int:
        """Number of problems that the forecast is for."""
        return len(self.pilot.draws) + self._unpiloted

    def of_correct(self, *, piloted_alone: bool = False) -> CurveForecast:
        """Return the same forecast for correct solutions, sound or not, and of the piloted problems alone if that is wanted."""
        found = copy(self)
        found.false_positive_rate = 0.0
        if piloted_alone:
            found._unpiloted = 0
        return found

    def values(self, objective: Objective, ks: Sequence[float]) -> Floats:
        """Return the value of an objective after k draws for a problem of each pass rate, float[ks, cells]."""
        return draw_values(objective, ks, self.distinct, self.false_positive_rate)

    def levels(self, k: float) -> tuple[float, float]:
        """Return the draws of each piloted and of each other problem, if so many per problem are bought, those of the pilot among them.

        Draws go first to the problems that have fewest, as a uniform policy has it. So below the pilot's draws the two differ, unless these
        alone are more than k per problem.
        """
        pilot = float(self.pilot.draws.max(initial=0))
        beyond = k * self.n - pilot * len(self.pilot.draws)
        if k >= pilot or beyond < 0 or not self._unpiloted:
            return k, k
        return pilot, beyond / self._unpiloted

    def of(
        self, objective: Objective, ks: Sequence[float], others: Sequence[float] | None = None, *, outcomes: bool = False
    ) -> list[Estimate]:
        """Return the value of an objective after k draws per problem, for each k. A fraction of k is a share that gets one draw more.

        Args:
            objective: The objective.
            ks: Draws per problem.
            others: Draws of each problem that was not piloted, for each k; None if they are as many.
            outcomes: Return an interval for what k draws bring, instead of its expectation given the pass rates.
        """
        if isinstance(objective, KeptPerProblem):
            return self.kept(ks, objective.most, others)
        values, of_others = self.values(objective, ks), self.values(objective, ks if others is None else others)

        def noise(each: Floats) -> Floats | None:
            return each * (1.0 - each) if outcomes else None

        moves = self.moves(objective, ks, others)
        return self._estimates(values, noise(values), moves=moves, most=1.0, of_unpiloted=(of_others, noise(of_others)))

    def coverage(self, ks: Sequence[float], others: Sequence[float] | None = None, *, outcomes: bool = False) -> list[Estimate]:
        """Return coverage@k for each k, as `of`."""
        return self.of(Coverage(), ks, others, outcomes=outcomes)

    def kept(self, ks: Sequence[float], most: int | None, others: Sequence[float] | None = None) -> list[Estimate]:
        """Return the mean over problems of min(distinct correct solutions, most) after k draws; all distinct ones if `most` is None.

        The interval is that of the expectation given the pass rates and the problems' laws of distinct solutions, both unknown. A false
        positive rate f scales everything by 1 - f, as it scales the expectation.
        """
        sound = 1.0 - self.false_positive_rate
        of_others = ks if others is None else others
        expected = (kept_values(each, most, self.distinct) for each in (ks, of_others))
        value = self.posterior.weights @ self._averages(next(expected), of_unpiloted=(next(expected), None))[0]
        tables = self.distinct.sampled(math.ceil(max(*ks, *of_others, 0)), most, _LAWS)
        # Functions of the pass rate, law after law: one call for all of them.
        (values, noise), (other, around) = (
            [by_correct(each, table).reshape(_LAWS * len(ks), -1) for table in tables] for each in (ks, of_others)
        )
        intervals = self._intervals(*self._averages(values, noise, of_unpiloted=(other, around)), len(ks))
        largest = math.inf if most is None else sound * most
        return [
            outward(sound * float(middle), sound * low, sound * high, self.n, largest)
            for middle, (low, high) in zip(value, intervals, strict=True)
        ]

    def mixed(self, sizes: Sequence[int], *, outcomes: bool = False) -> list[Estimate]:
        """Return the share of problems whose group of G draws is mixed, 1 - E[p^G] - E[(1 - p)^G], for each size G.

        With a false positive rate such a group also needs a sound solution (`draw_values`).
        """
        values = np.array([group_values(g, self.false_positive_rate) for g in sizes])
        return self._estimates(values, values * (1.0 - values) if outcomes else None, moves=np.zeros(len(sizes)), most=1.0)

    def moves(self, objective: Objective, ks: Sequence[float], others: Sequence[float] | None = None) -> Floats:
        """Return the difference of the value from the posterior mean: half the way to the power law for coverage, else 0, float[ks].

        Args:
            objective: The objective.
            ks: Draws per problem.
            others: As in `of`. Both numbers then move their share of the problems.
        """
        if others is not None and list(others) != list(ks):
            share = len(self.pilot.draws) / self.n
            return share * self.moves(objective, ks) + (1.0 - share) * self.moves(objective, others)
        nothing = np.zeros(len(ks))
        draws = self.pilot.equal_draws
        if not isinstance(objective, Coverage) or not self._with_power_law or draws is None or self.pilot.says_nothing:
            return nothing
        known = coverage_curve(self.pilot.draws, self.pilot.successes, np.arange(1, draws + 1)).mean(axis=0)
        # Fewer draws than one have no place on a line over log k.
        second = power_law(known, np.maximum(ks, 1.0))
        if second is not None and self.false_positive_rate:
            # Only where correct solutions have a line: one through a coverage of 1 less almost nothing would mean nothing.
            second = power_law(_sound_coverage(self.pilot.successes, draws, self.false_positive_rate), np.maximum(ks, 1.0))
        if second is None:
            return nothing
        means, _ = self._averages(self.values(objective, ks))
        return np.where(np.asarray(ks) >= 1.0, (second - self.posterior.weights @ means) / 2.0, 0.0)

    def _averages(
        self, values: Floats, noise: Floats | None = None, of_unpiloted: tuple[Floats, Floats | None] | None = None
    ) -> tuple[Floats, Floats]:
        return self.posterior.averages(values, unpiloted=self._unpiloted, noise=noise, of_unpiloted=of_unpiloted)

    def _estimates(
        self, values: Floats, noise: Floats | None, *, moves: Floats, most: float, of_unpiloted: tuple[Floats, Floats | None] | None = None
    ) -> list[Estimate]:
        means, spreads = self._averages(values, noise, of_unpiloted)
        middles = self.posterior.weights @ means + moves
        return [
            outward(middle, low + min(moved, 0.0), high + max(moved, 0.0), self.n, most)
            for middle, moved, (low, high) in zip(
                middles.tolist(), moves.tolist(), self._intervals(means, spreads, len(moves)), strict=True
            )
        ]

    def _intervals(self, means: Floats, spreads: Floats, functions: int) -> list[tuple[float, float]]:
        """Return the interval of each of so many functions of the pass rates.

        Args:
            means: Their means over problems under each law of pass rates, float[laws, sets * functions], of sets that are equally likely.
            spreads: The standard deviations of these.
            functions: Functions per set.
        """
        # Fixed points of the posterior: the same pilot gives the same interval.
        generator = np.random.default_rng(0)
        law = generator.choice(len(self.posterior.weights), _POINTS, p=self.posterior.weights)
        normal = generator.standard_normal(_POINTS)
        first = np.arange(_POINTS) % (means.shape[1] // functions) * functions if functions else law
        found = []
        for k in range(functions):
            low, high = np.quantile(means[law, first + k] + spreads[law, first + k] * normal, ENDS)
            found.append((float(low), float(high)))
        return found


def outward(value: float, low: float, high: float, n: int, most: float) -> Estimate:
    """Return an estimate of a mean over n problems between 0 and `most`, with ends rounded outward to whole problems."""
    n = max(1, n)
    return Estimate(value=min(most, max(0.0, value)), low=max(0.0, math.floor(low * n) / n), high=min(most, math.ceil(high * n) / n), n=n)


def _sound_coverage(successes: Ints, draws: int, false_positive_rate: float) -> Floats:
    """Return the mean unbiased estimate of 1 - (1 - p (1 - f))^k for k = 1 .. `draws`, from counts of correct draws, float[draws].

    If each correct draw is sound with probability 1 - f, the sound ones are binomial given p. So the estimate is coverage@k of their
    number, averaged over the number, which is not known.
    """
    numbers = np.arange(draws + 1)
    curves = coverage_curve(np.full(draws + 1, draws), numbers, np.arange(1, draws + 1))
    problems = np.bincount(successes, minlength=draws + 1) / len(successes)
    log_factorial = np.array([math.lgamma(i + 1) for i in numbers.tolist()])
    unsound = numbers[:, None] - numbers  # [correct, sound]
    log_chance = (
        log_factorial[:, None]
        - log_factorial
        - log_factorial[np.maximum(unsound, 0)]
        + numbers * math.log1p(-false_positive_rate)
        + unsound * math.log(false_positive_rate)
    )
    sound = problems @ np.exp(np.where(unsound >= 0, log_chance, -np.inf))
    return np.asarray(sound @ curves, np.float64)
