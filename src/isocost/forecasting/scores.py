"""Scores of forecasts on draws that the pilot did not have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isocost.arrays import Floats
from isocost.forecasting.curves import CurveForecast, Pilot
from isocost.metrics.coverage import coverage_curve
from isocost.metrics.diversity import diversity_curve
from isocost.policies.base import Coverage, KeptPerProblem, MixedGroups, Objective
from isocost.records import Estimate

_PERMUTATIONS = 100  # of the recorded draws, for the capped number of distinct solutions


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A forecast beside its outcome.

    Attributes:
        measure: `coverage`, `kept_per_problem`, `distinct` or `mixed_groups`.
        k: Draws per problem; of mixed groups the size of a group.
        forecast: The forecast. Of coverage and mixed groups its interval is for the share of problems that k draws cover.
        outcome: Unbiased estimate from all recorded draws.
        inside: True if the interval holds the outcome.
    """

    measure: str
    k: int
    forecast: Estimate
    outcome: float
    inside: bool


def scores(forecast: CurveForecast, recorded: Pilot, ks: list[int], objective: Objective) -> list[Score]:
    """Return the scores of a forecast at each k that all piloted problems have draws for; `recorded` has all draws, the pilot's included.

    Args:
        forecast: The forecast from the pilot.
        recorded: All recorded draws of the same model and problems.
        ks: Draws per problem.
        objective: Beside coverage, the measure that is scored too.
    """
    fewest = int(recorded.draws.min()) if len(recorded.draws) else 0
    reached = [k for k in ks if k <= fewest]
    found = []
    if reached:
        true = coverage_curve(recorded.draws, recorded.successes, reached).mean(axis=0)
        found += _scored("coverage", reached, forecast.of(Coverage(), reached, outcomes=True), true)
    if reached and len(recorded.solution_problem):
        true = diversity_curve(recorded.draws, recorded.solution_problem, recorded.solution_count, reached).mean(axis=0)
        found += _scored("distinct", reached, forecast.kept(reached, None), true)
        if isinstance(objective, KeptPerProblem):
            true = kept_curve(recorded, reached, objective.most, np.random.default_rng(0))
            found += _scored("kept_per_problem", reached, forecast.kept(reached, objective.most), true)
    if isinstance(objective, MixedGroups) and objective.size <= fewest:
        c, m, size = recorded.successes, recorded.draws, [objective.size]
        # 1 - (all wrong) - (all right); each part is unbiased.
        true = (coverage_curve(m, c, size) + coverage_curve(m, m - c, size) - 1.0).mean(axis=0)
        found += _scored("mixed_groups", size, forecast.mixed(size, outcomes=True), true)
    return found


def kept_curve(recorded: Pilot, ks: list[int], most: int, generator: np.random.Generator) -> Floats:
    """Return the mean of min(distinct correct solutions, most) among k recorded draws, taken without replacement, float[ks].

    The mean is over random orders of each problem's draws: the capped number has no closed form.
    """
    # A class needs only the first of its draws. Draws are numbered by problem, correct ones first, by class.
    first = np.concatenate([[0], np.cumsum(recorded.draws)[:-1]])
    order = np.argsort(recorded.solution_problem, kind="stable")
    owner, count = recorded.solution_problem[order], recorded.solution_count[order]
    before = np.cumsum(count) - count
    start_of_owner = np.searchsorted(owner, owner)
    rows = np.repeat(first[owner] + before - before[start_of_owner], count) + np.arange(count.sum()) - np.repeat(before, count)
    problem = np.repeat(np.arange(len(recorded.draws)), recorded.draws)
    total = np.zeros(len(ks))
    for _ in range(_PERMUTATIONS):
        shuffled = np.lexsort((generator.random(len(problem)), problem))
        place = np.empty(len(problem), np.int64)
        place[shuffled] = np.arange(len(problem)) - first[problem]
        found_at = np.minimum.reduceat(place[rows], before)
        for i, k in enumerate(ks):
            distinct = np.bincount(owner[found_at < k], minlength=len(recorded.draws))
            total[i] += np.minimum(distinct, most).mean()
    return total / _PERMUTATIONS


def _scored(measure: str, ks: list[int], forecasts: list[Estimate], outcomes: Floats) -> list[Score]:
    return [
        Score(
            measure=measure,
            k=k,
            forecast=forecast,
            outcome=float(outcome),
            inside=forecast.low is not None and forecast.high is not None and forecast.low <= float(outcome) <= forecast.high,
        )
        for k, forecast, outcome in zip(ks, forecasts, outcomes, strict=True)
    ]
