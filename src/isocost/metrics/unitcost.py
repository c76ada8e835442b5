"""The cost of a correct solution, and of a correct solution whose reasoning is sound as well."""

from __future__ import annotations

from math import exp, inf, log, sqrt

import numpy as np
from numpy.typing import ArrayLike

from isocost.arrays import Floats
from isocost.metrics.intervals import mean_interval
from isocost.metrics.intervals.score import t_quantile
from isocost.records import Estimate


def cost_per_correct(cost: ArrayLike, pass_rate: ArrayLike) -> Estimate:
    """Return the cost of a draw over the chance that it is correct: the ratio of two means over problems.

    At each end the interval is the wider of two. One is Fieller's (1954, "Some problems in interval estimation"): every R for which the
    mean of cost - R * pass rate may be 0 by a t interval over problems. The other is the mean cost over the ends of the pass rate's score
    interval, which holds if few or no problems are solved.

    Args:
        cost: Mean cost per draw of each problem, float[problems]; at least 0, above 0 somewhere.
        pass_rate: Share of its draws that are correct, float[problems]; a problem that is nan on either side is left out.

    Returns:
        The estimate, in the unit of `cost`. high is None if the pass rate may be 0. If no draw is correct, value is None too, and low is
        still a lower bound of the cost.

    Raises:
        ValueError: The shapes differ, a cost is negative or infinite, all are 0, or a pass rate lies outside [0, 1].
    """
    spent, share = np.asarray(cost, dtype=np.float64), np.asarray(pass_rate, dtype=np.float64)
    if spent.shape != share.shape:
        raise ValueError(f"cost has shape {spent.shape}, pass_rate {share.shape}")
    known = ~np.isnan(spent) & ~np.isnan(share)
    spent, share = spent[known], share[known]
    if spent.size and (spent.min() < 0 or not 0 < spent.mean() < np.inf):
        raise ValueError("a cost must be at least 0 and finite, and not 0 everywhere")
    rate = mean_interval(share)
    if rate.low is None or rate.high is None:
        return Estimate(value=None, low=None, high=None, n=0)
    mean = float(spent.mean())
    if not share.any():
        return Estimate(value=None, low=mean / rate.high, high=None, n=spent.size)
    low, high = _fieller(spent, share)
    top = max(high, mean / rate.low) if rate.low > 0 else inf
    return Estimate(value=mean / float(share.mean()), low=min(low, mean / rate.high), high=top if top < inf else None, n=spent.size)


def _fieller(spent: Floats, share: Floats) -> tuple[float, float]:
    """Return the smallest and largest R >= 0 with a R^2 - 2 b R + c <= 0: the mean of spent - R * share may be 0 there.

    The upper end is infinite if the mean share cannot be distinguished from 0, and for one problem.
    """
    n = spent.size
    x, y = float(spent.mean()), float(share.mean())
    if n == 1:
        return x / y, inf
    (xx, xy), (_, yy) = np.cov(spent, share) * float(t_quantile(n - 1)) ** 2 / n
    a, b, c = y**2 - yy, x * y - xy, x**2 - xx
    root = sqrt(max(0.0, b**2 - a * c))
    # The positive root that (b - root) / a is, in a form that also holds for a <= 0. R = x / y is in the set, so b + root > 0 if c > 0.
    low = c / (b + root) if c > 0 else 0.0
    return low, (b + root) / a if a > 0 else inf


def cost_per_truly_correct(per_correct: Estimate, fpr: Estimate) -> Estimate:
    """Return `cost_per_correct` over 1 - FPR, the share of the correct solutions whose reasoning is sound.

    Both ends combine the ends of the two intervals: on the log scale, the distances from the values add as squares (MOVER: Zou and Donner
    2008, "Construction of confidence limits about effect measures: a general approach"). Costs and audits are taken as independent,
    because the audited solutions are a small random part of the draws.

    Args:
        per_correct: The result of `cost_per_correct`.
        fpr: False positive rate among the correct solutions, with its interval.

    Returns:
        The estimate; n is the smaller of the two. An end is None if one of its parts is, or if the rate may be 1.
    """
    n = min(per_correct.n, fpr.n)
    if per_correct.value is None or fpr.value is None or fpr.low is None or fpr.high is None or fpr.value >= 1 or per_correct.value <= 0:
        return Estimate(value=None, low=None, high=None, n=n)
    value, sound = per_correct.value / (1 - fpr.value), 1 - fpr.value
    low = high = None
    if per_correct.low is not None and per_correct.low > 0:
        low = value * exp(-sqrt(log(per_correct.value / per_correct.low) ** 2 + log((1 - fpr.low) / sound) ** 2))
    if per_correct.high is not None and fpr.high < 1:
        high = value * exp(sqrt(log(per_correct.high / per_correct.value) ** 2 + log(sound / (1 - fpr.high)) ** 2))
    return Estimate(value=value, low=low, high=high, n=n)
