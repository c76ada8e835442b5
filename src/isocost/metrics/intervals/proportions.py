"""Rates of independent successes, and rates of a stratified sample weighted back."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from isocost.arrays import Floats, Ints
from isocost.metrics.intervals.means import unseen
from isocost.metrics.intervals.score import estimates, score_ends
from isocost.records import Estimate

_SHRINK = 4.0  # observations of the pooled rate added to each stratum: a stratum without a success must not have zero variance
_UNSEEN = 3.0  # unseen successes in the heaviest stratum that the interval allows for while few are seen


def proportion(successes: int, n: int) -> Estimate:
    """Return the share of n problems that succeed: `proportions` of one. 0 of 20 is 0.0 [0.0, 0.161]; 0 of 0 is undefined.

    Raises:
        ValueError: successes is not between 0 and n.
    """
    return proportions([successes], [n])[0]


def proportions(successes: ArrayLike, n: ArrayLike) -> list[Estimate]:
    """Return shares of n independent trials that succeed, each with the score interval of Wilson (1927), corrected near 0 and 1.

    `score.score_ends` has the equation. The interval holds the truth 95% of the time on average over rates, and at least 93.1% at every
    rate.

    Args:
        successes: int[m].
        n: Trials, int[m].

    Raises:
        ValueError: The shapes differ, or successes are not between 0 and n.
    """
    x, many = _counts(successes, n)
    share = x / np.maximum(many, 1)
    low, high = score_ends(share, np.maximum(many, 1))
    return estimates(share, low, high, many)


def weighted_proportion(successes: ArrayLike, n: ArrayLike, weights: ArrayLike) -> Estimate:
    """Return the rate in a population of strata sampled at different rates. Each stratum is weighted by its share of the population.

        rate = sum_h W_h x_h / n_h          variance = sum_h W_h^2 q_h (1 - q_h) / n_h          W_h = weights_h / sum weights

    (Cochran 1977, "Sampling techniques", chapter 5), with a score interval at the effective size s (Korn and Graubard 1998),

        1 / s = [V / s_0 + a max_h W_h / n_h] / [V + a]          s_0 = q (1 - q) / variance,  V = rate (1 - rate) / sum (W_h^2 / n_h)

    q_h is x_h / n_h shrunk towards the rate by four observations, and q = sum W_h q_h, because the plain variance of a stratum without a
    success is 0. a = 3 / (1 + (V / 4)^4) allows for unseen successes in the stratum where one weighs most. Without it, a rate of 98% is
    held 44% of the time by ten audits each of strata of 60, 30 and 10%. With one stratum it is `proportion`. With strata sampled in
    proportion it is `proportion` up to the gain of stratifying.

    Args:
        successes: x, int[strata].
        n: Number of audited items, int[strata].
        weights: Size of each stratum in the population, or its share; float[strata], at least 0.

    Returns:
        The estimate, with n the sum over strata. It is undefined if nothing was audited.

    Raises:
        ValueError: Shapes differ, successes are not between 0 and n, a weight is negative or not finite, or a stratum of positive weight
            was not audited while others were (merge it with another first).
    """
    x, many = _counts(successes, n)
    w = np.asarray(weights, dtype=np.float64)
    if w.shape != x.shape or not np.isfinite(w).all() or np.any(w < 0):
        raise ValueError(f"weights must be finite, at least 0 and one per stratum: {w.shape} for {x.shape}")
    if many.sum() == 0:
        return Estimate(value=None, low=None, high=None, n=0)
    if np.any((w > 0) & (many == 0)) or w.sum() == 0:
        raise ValueError("a stratum of positive weight was not audited: merge it with another")
    share = w[many > 0] / w.sum()
    rate, size = stratified_size(x[many > 0], many[many > 0], share)
    low, high = score_ends(np.array([rate]), np.array([size]))
    return Estimate(value=rate, low=float(low[0]), high=float(high[0]), n=int(many.sum()))


def stratified_size(successes: Ints, n: Ints, share: Floats) -> tuple[float, float]:
    """Return the weighted rate, and the number of independent trials that it is worth. Arrays are [strata]; shares sum to 1."""
    rate = min(1.0, float((share * successes / n).sum()))
    heaviest, seen = float((share / n).max()), rate * (1 - rate) / float((share**2 / n).sum())
    # A rate of 0 or 1: the ratio of variances is 0 / 0, and the heaviest stratum decides.
    if seen == 0:
        return rate, 1 / heaviest
    q = (successes + _SHRINK * rate) / (n + _SHRINK)
    pooled = float((share * q).sum())
    plain = float((share**2 * q * (1 - q) / n).sum()) / (pooled * (1 - pooled))
    added = _UNSEEN * float(unseen(np.array(seen)))
    return rate, (seen + added) / (seen * plain + added * heaviest)


def _counts(successes: ArrayLike, n: ArrayLike) -> tuple[Ints, Ints]:
    x, many = np.asarray(successes, dtype=np.int64), np.asarray(n, dtype=np.int64)
    if x.shape != many.shape or x.ndim != 1:
        raise ValueError(f"successes and n must be lists of one length: {x.shape} and {many.shape}")
    if np.any(x < 0) or np.any(x > many):
        at = int(np.flatnonzero((x < 0) | (x > many))[0])
        raise ValueError(f"successes must lie between 0 and {many[at]}, got {x[at]}")
    return x, many
