"""The score interval, on which every interval of a mean or rate here is based, for whole arrays."""

from __future__ import annotations

from functools import cache
from math import lgamma, pi, tan
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from isocost.arrays import Floats
from isocost.records import Estimate

Z = NormalDist().inv_cdf(0.975)
Z_POWER = NormalDist().inv_cdf(0.8)  # of the tests that differences and numbers of labels are planned for
_WIDER = 2.03 / Z  # factor on the quantile if few successes are seen; without it rates of 5 and 7 in n are held 92.2% of the time
_RARE, _COMMON = 6.0, 10.0  # the Poisson end counts fully up to _RARE successes, and not at all from _COMMON
_STEP = 0.02  # grid of the Poisson limits, which are interpolated


def score_ends(share: ArrayLike, size: ArrayLike, quantile: ArrayLike = Z) -> tuple[Floats, Floats]:
    """Return the ends of a 95% interval for shares in [0, 1] of `size` trials, which need not be a whole number.

        Wilson (1927):   every mu with (share - mu)^2 <= q^2 mu (1 - mu) / size

    Near 0 and 1 Wilson's near end is too close: a true rate of 0.17 / n is held 84% of the time. So the near end is that of a one-sided
    95% Poisson limit if that is farther away, as Brown, Cai and DasGupta (2001, "Interval estimation for a binomial proportion") do for up
    to three successes. It counts fully up to 6 successes (or failures) and fades out at 10, where the two cross anyway. q is 2.03 instead
    of 1.96 between 1 and 6, and fades alike. Enumerated over all rates, the interval holds at least 93.1% of the time for any n of 5 or
    more (10 to 90% of 30: 93.4 to 97.0%). With nothing seen it is Wilson's: 0 of 20 is [0, 0.161].

    Args:
        share: Any shape.
        size: Effective number of trials, above 0; the shape of `share`.
        quantile: The normal quantile, or a larger one if the size is itself estimated.

    Returns:
        Lower and upper ends, each of that shape, within [0, 1] and on either side of the share.
    """
    p, n = np.asarray(share, dtype=np.float64), np.asarray(size, dtype=np.float64)
    successes, failures = n * p, n * (1 - p)
    fewer = np.minimum(successes, failures)
    q = np.asarray(quantile) * (1 + (_WIDER - 1) * _rare(fewer) * np.minimum(1.0, fewer))
    scale = 1 + q**2 / n
    centre = (p + q**2 / (2 * n)) / scale
    half = q / scale * np.sqrt(np.maximum(p * (1 - p), 0.0) / n + q**2 / (4 * n**2))
    low, high = np.clip(centre - half, 0.0, p), np.clip(centre + half, p, 1.0)  # rounding must not push an end past the share
    low = low - _rare(successes) * np.maximum(0.0, low - _poisson_limit(successes) / n)
    high = high + _rare(failures) * np.maximum(0.0, 1 - _poisson_limit(failures) / n - high)
    return low, high


def t_quantile(freedom: ArrayLike) -> Floats:
    """Return the 97.5% quantile of Student's t: exact for 1 and 2 degrees of freedom, to 1% at 3 and 0.1% from 5.

    Above 2 it is the series in 1 / freedom of Hill (1970, "Student's t-quantiles"). Freedom below 1 counts as 1.
    """
    v = np.maximum(np.asarray(freedom, dtype=np.float64), 1.0)
    terms = (
        (Z**3 + Z) / 4,
        (5 * Z**5 + 16 * Z**3 + 3 * Z) / 96,
        (3 * Z**7 + 19 * Z**5 + 17 * Z**3 - 15 * Z) / 384,
        (79 * Z**9 + 776 * Z**7 + 1482 * Z**5 - 1920 * Z**3 - 945 * Z) / 92160,
    )
    # The series is too small below 3 degrees of freedom, where the exact values replace it.
    series = Z + sum(term / v ** (i + 1) for i, term in enumerate(terms))
    exact = np.where(v < 2, tan(pi * 0.475), 0.95 * (2 / (1 - 0.95**2)) ** 0.5)
    return np.where(v < 3, np.maximum(exact, series), series)


def estimates(value: Floats, low: Floats, high: Floats, n: ArrayLike) -> list[Estimate]:
    """Return one estimate per column, undefined if n is 0."""
    rows = zip(value.tolist(), low.tolist(), high.tolist(), np.asarray(n).tolist(), strict=True)
    return [
        Estimate(value=v, low=lower, high=upper, n=int(count)) if count else Estimate(value=None, low=None, high=None, n=0)
        for v, lower, upper, count in rows
    ]


def _rare(count: Floats) -> Floats:
    return np.clip((_COMMON - count) / (_COMMON - _RARE), 0.0, 1.0)


def _poisson_limit(count: Floats) -> Floats:
    """Return the mean for which a Poisson count of at least this many has a chance of 5%; above 10, that of 10."""
    grid, limits = _poisson_limits()
    return np.interp(count, grid, limits)


@cache
def _poisson_limits() -> tuple[Floats, Floats]:
    """Solve P(x, limit) = 0.05, the regularised incomplete gamma function: that chance for whole x, and smooth in between."""
    grid = np.arange(_STEP, _COMMON + _STEP / 2, _STEP)
    log_gamma = np.array([lgamma(x + 1) for x in grid])
    low, high = np.zeros(grid.shape), grid.copy()
    for _ in range(60):  # bisection, below the resolution of a float
        middle = (low + high) / 2
        term, total = np.ones(grid.shape), np.ones(grid.shape)
        for k in range(1, 60):  # the series has converged for x up to 10
            term = term * middle / (grid + k)
            total = total + term
        below = np.exp(grid * np.log(middle) - middle - log_gamma) * total < 0.05
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.concatenate([[0.0], grid]), np.concatenate([[0.0], low])
