"""Paired differences between two sides that were each made several times, with different seeds."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from isocost.arrays import Floats
from isocost.metrics.intervals.paired import paired_difference
from isocost.metrics.intervals.score import t_quantile
from isocost.records import Estimate


def seeded_difference(a: ArrayLike, b: ArrayLike) -> Estimate:
    """Return the mean of a - b over the same problems, with an interval over problems and seeds.

    Seeds of both sides are pairs by position, and every seed meets every problem. With d the difference of seed s on problem p:

        variance = V_problems + V_seeds       V_seeds = max(0, var_s(mean_p d) / S  -  var(residuals) / (S P))

    V_problems is that of `paired_difference` of the means over seeds; the residuals, d less the means of its seed and its problem, are in
    it already. Each part has its own quantile, Student's t of S - 1 degrees of freedom for the seeds, and the half-widths add in squares.
    With one seed nothing is known of V_seeds, and the interval is over problems alone.

    Args:
        a: float[seeds, problems]; a problem that is nan for one seed is left out.
        b: float[seeds, problems], or one row for a side without seeds, such as an untrained model.

    Raises:
        ValueError: As `paired_difference`.
    """
    left, right = np.atleast_2d(np.asarray(a, dtype=np.float64)), np.atleast_2d(np.asarray(b, dtype=np.float64))
    rows = max(len(left), len(right))
    left, right = (np.broadcast_to(side, (rows, side.shape[1])) if len(side) == 1 else side for side in (left, right))
    found = paired_difference(left.mean(axis=0), right.mean(axis=0))
    return _widened(found, _half_width(_seed_variance(left - right), rows - 1), -1.0, 1.0)


def unpaired_seeds_difference(a: ArrayLike, b: ArrayLike) -> Estimate:
    """Return the mean of a - b over the same problems, where seeds of the sides are no pairs, such as three against two.

    As `seeded_difference`, with the variance between the seeds of each side by itself:

        V_seeds = V_a + V_b       degrees of freedom = V_seeds^2 / (V_a^2 / (S_a - 1) + V_b^2 / (S_b - 1))

    These are the degrees of freedom of Welch (1947, "The generalization of Student's problem when several different population variances
    are involved"). A side with one seed shows no variance, and takes that of the other's seeds.

    Args:
        a: float[seeds, problems]; a problem that is nan for one seed is left out.
        b: float[other seeds, problems].

    Raises:
        ValueError: As `paired_difference`.
    """
    sides = [np.atleast_2d(np.asarray(side, dtype=np.float64)) for side in (a, b)]
    found = paired_difference(sides[0].mean(axis=0), sides[1].mean(axis=0))
    seeds = [len(side) for side in sides]
    variances = [_seed_variance(side) for side in sides]
    total = float(sum(variances))
    freedom: float = total**2 / sum(v**2 / (s - 1) for v, s in zip(variances, seeds, strict=True) if s > 1) if total else 1.0
    if min(seeds) == 1:
        total += total * max(seeds)  # the variance of one seed
    return _widened(found, _half_width(total, freedom), -1.0, 1.0)


def seeded_mean(values: ArrayLike, found: Estimate, high: float) -> Estimate:
    """Return the interval of a mean over problems, widened for the seeds as in `seeded_difference`. One seed leaves it as it is.

    Args:
        values: float[seeds, problems]; a problem that is nan for one seed is left out.
        found: The mean over problems of the means over seeds, with its interval over problems.
        high: The largest possible mean; the smallest is 0.
    """
    seeds = np.atleast_2d(np.asarray(values, dtype=np.float64))
    return _widened(found, _half_width(_seed_variance(seeds), len(seeds) - 1), 0.0, high)


def _widened(found: Estimate, half: float, lowest: float, highest: float) -> Estimate:
    """Return an estimate with the half-width of the seeds' part added in squares."""
    if found.value is None or found.low is None or found.high is None:
        return found
    value = found.value
    low, high = (value + sign * float(np.hypot(abs(end - value), half)) for sign, end in ((-1, found.low), (1, found.high)))
    return replace(found, low=max(lowest, low), high=min(highest, high))


def _half_width(variance: float, freedom: float) -> float:
    return float(t_quantile(freedom)) * math.sqrt(variance) if variance else 0.0


def _seed_variance(d: Floats) -> float:
    """Return the variance of a mean over seeds that is due to them; 0 where one seed, or fewer than two problems, tell nothing of it."""
    d = d[:, ~np.isnan(d).any(axis=0)]
    seeds, problems = d.shape
    if seeds < 2 or problems < 2:
        return 0.0
    of_seed, of_problem = d.mean(axis=1), d.mean(axis=0)
    residuals = d - of_seed[:, None] - of_problem[None, :] + d.mean()
    noise = float(np.square(residuals).sum()) / ((seeds - 1) * (problems - 1))
    return float(max(0.0, float(of_seed.var(ddof=1)) / seeds - noise / (seeds * problems)))
