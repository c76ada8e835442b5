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


def seeded_difference(a: ArrayLike, b: ArrayLike, *, span: float = 1.0) -> Estimate:
    """Return the mean of a - b over the same problems, with an interval over problems and seeds.

    Seeds of both sides are pairs by position, and every seed meets every problem. With d the difference of seed s on problem p:

        variance = V_problems + V_seeds       V_seeds = max(0, var_s(mean_p d) / S  -  var(residuals) / (S P))

    V_problems is that of `paired_difference` of the means over seeds; the residuals, d less the means of its seed and its problem, are in
    it already. Each part has its own quantile, Student's t of S - 1 degrees of freedom for the seeds, and the half-widths add in squares.
    With one seed nothing is known of V_seeds, and the interval is over problems alone.

    Args:
        a: float[seeds, problems]; a problem that is nan for one seed is left out.
        b: float[seeds, problems], or one row for a side without seeds, such as an untrained model.
        span: The largest possible difference.

    Raises:
        ValueError: As `paired_difference`.
    """
    left, right = np.atleast_2d(np.asarray(a, dtype=np.float64)), np.atleast_2d(np.asarray(b, dtype=np.float64))
    rows = max(len(left), len(right))
    left, right = (np.broadcast_to(side, (rows, side.shape[1])) if len(side) == 1 else side for side in (left, right))
    found = paired_difference(left.mean(axis=0), right.mean(axis=0), span=span)
    if found.value is None or found.low is None or found.high is None:
        return found
    half = _seed_half_width(left - right)
    value = found.value
    low, high = (value + sign * float(np.hypot(abs(end - value), half)) for sign, end in ((-1, found.low), (1, found.high)))
    return replace(found, low=max(-span, low), high=min(span, high))


def _seed_half_width(d: Floats) -> float:
    """Return the half-width of the seeds' part; 0 where one seed, or fewer than two problems, tell nothing of it."""
    d = d[:, ~np.isnan(d).any(axis=0)]
    seeds, problems = d.shape
    if seeds < 2 or problems < 2:
        return 0.0
    of_seed, of_problem = d.mean(axis=1), d.mean(axis=0)
    residuals = d - of_seed[:, None] - of_problem[None, :] + d.mean()
    noise = float(np.square(residuals).sum()) / ((seeds - 1) * (problems - 1))
    variance = max(0.0, float(of_seed.var(ddof=1)) / seeds - noise / (seeds * problems))
    return float(t_quantile(seeds - 1)) * math.sqrt(variance)
