"""95% intervals over problems that stay honest near 0 and 1, with few problems and with few successes.

Problems are the independent draws, samples of one problem are not (Miller 2024, arXiv 2411.00640): every function takes one value a
problem.
"""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from isocost.metrics.coverage import Floats
from isocost.records import Estimate

_Z = NormalDist().inv_cdf(0.975)
_Z_POWER = NormalDist().inv_cdf(0.8)
_PRIOR = 0.5  # spread added to observed and largest spread alike, in squared ranges; in simulation 0.25 covers less and 1 only widens
_UNSEEN = 2.0  # an open-ended measure may hold problems this many times the largest one seen


def proportion(successes: int, n: int) -> Estimate:
    """Share of n problems that succeed, with the score interval of Wilson (1927): 0 of 20 is 0.0 [0.0, 0.161]; 0 of 0 is undefined.

    Raises:
        ValueError: successes is not between 0 and n.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"successes must lie between 0 and {n}, got {successes}")
    if n == 0:
        return Estimate(value=None, low=None, high=None, n=0)
    low, high = _score_interval(successes / n, n)
    return Estimate(value=successes / n, low=low, high=high, n=n)


def mean_interval(values: ArrayLike, bounds: tuple[float, float] = (0.0, 1.0)) -> Estimate:
    """Mean over problems of a bounded measure, with a score interval at its effective number of problems.

    A variable on [0, 1] with mean mu has variance phi mu (1 - mu), phi <= 1, and phi = 1 only if it is always 0 or 1. So the mean of n
    values is worth a proportion among n / phi problems (the effective sample size of Korn and Graubard 1998, "Confidence intervals for
    proportions with small expected number of positive counts estimated from survey data"), and Wilson's interval at n / phi is the
    clustered standard error's in the middle and does not collapse at the ends. There phi is 0 / 0, so half a squared range is added to
    both sides of phi = sum (x - mean)^2 / [n mean (1 - mean)]: values all near 1 give phi near 1, an interval as for successes, because a
    few hard problems may be unseen. For 0/1 data it is Wilson's interval exactly. Simulated coverage: at least 93.8% at 30 and 100 problems
    (beta pass rates, k from 1 to M); a bootstrap falls to 28%.

    Args:
        values: One value a problem, float[problems]; nan (undefined there) is left out, and n counts the rest.
        bounds: The least and largest value possible.

    Raises:
        ValueError: A value lies outside the bounds.
    """
    low, high = bounds
    x = _known(values)
    if x.size and (x.min() < low - 1e-9 or x.max() > high + 1e-9):
        raise ValueError(f"values must lie within [{low}, {high}], found {x.min()} to {x.max()}")
    return _scaled(x, low, high - low, high)


def count_interval(values: ArrayLike, most: float | None = None) -> Estimate:
    """Mean over problems of a count such as distinct solutions, whose range is wide or open.

    As `mean_interval`, but on a range read from the data: twice the largest value seen, at least 1 and at most `most`. The whole range [0,
    most] would drown small counts under large k; an unseen problem beyond twice the largest is what this interval cannot know of.
    Simulated coverage at 30 problems is 95% or more, and 92% for the most skewed law tried (a mean of 2 that 5% of problems carry), where
    a t interval holds 82%.

    Args:
        values: One value of at least 0 a problem, float[problems]; nan is left out.
        most: The largest value possible, if there is one.

    Raises:
        ValueError: A value is negative or above `most`.
    """
    x = _known(values)
    ceiling = np.inf if most is None else most
    if x.size and (x.min() < 0 or x.max() > ceiling + 1e-9):
        raise ValueError(f"values must lie within [0, {ceiling}], found {x.min()} to {x.max()}")
    span = min(ceiling, max(1.0, _UNSEEN * float(x.max(initial=0.0))))
    return _scaled(x, 0.0, span, ceiling)


def paired_difference(a: ArrayLike, b: ArrayLike, *, span: float = 1.0) -> Estimate:
    """Mean of a - b over the same problems, with an interval that stays open when no problem differs.

    Two problems are added that differ by the whole span, one each way, before the normal interval is taken. For 0/1 data that is the
    adjusted Wald interval of Bonett and Price (2012, "Adjusted Wald confidence interval for a difference of binomial proportions based on
    paired data"); the same step serves fractional data. Among n problems without any difference it is +-2.8 / (n + 2) spans. The value is
    the plain mean.

    Args:
        a: float[problems].
        b: float[problems], the same problems in the same order; a problem that is nan on either side is left out.
        span: The largest difference possible.

    Raises:
        ValueError: The shapes differ, or a difference exceeds the span.
    """
    d = _differences(a, b, span)
    if d.size == 0:
        return Estimate(value=None, low=None, high=None, n=0)
    centre, error = _with_two_more(d, span)
    return Estimate(value=float(d.mean()), low=max(-span, centre - _Z * error), high=min(span, centre + _Z * error), n=d.size)


def detectable_difference(a: ArrayLike, b: ArrayLike, *, span: float = 1.0) -> float:
    """Smallest true paired difference that as many problems, differing as these do, show with 80% power at the two-sided 5% level.

    (z_.975 + z_.8) times the standard error of `paired_difference`: 2.8 standard errors (Miller 2024, arXiv 2411.00640). No
    problem at all detects nothing: the span.

    Raises:
        ValueError: As `paired_difference`.
    """
    d = _differences(a, b, span)
    if d.size == 0:
        return span
    return min(span, (_Z + _Z_POWER) * _with_two_more(d, span)[1])


def _scaled(x: Floats, low: float, span: float, ceiling: float) -> Estimate:
    """The mean of x with the score interval of (x - low) / span; ends are clipped at the ceiling."""
    n = x.size
    if n == 0:
        return Estimate(value=None, low=None, high=None, n=0)
    unit = (x - low) / span
    mean = min(1.0, max(0.0, float(unit.mean())))
    spread = float(np.square(unit - mean).sum()) * (n / (n - 1) if n > 1 else 1.0)
    phi = min(1.0, (spread + _PRIOR) / (n * mean * (1 - mean) + _PRIOR))
    lower, upper = _score_interval(mean, n / phi)
    return Estimate(value=float(x.mean()), low=low + span * lower, high=min(ceiling, low + span * upper), n=n)


def _score_interval(share: float, n: float) -> tuple[float, float]:
    """Wilson's: every mu with (share - mu)^2 <= z^2 mu (1 - mu) / n."""
    centre = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z / (1 + _Z**2 / n) * sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    return max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half))  # rounding must not push an end past the share


def _with_two_more(d: Floats, span: float) -> tuple[float, float]:
    """Mean and standard error of the differences and of two more: +span and -span."""
    n = d.size + 2
    centre = float(d.sum()) / n
    square = (float(np.square(d).sum()) + 2 * span**2) / n
    return centre, sqrt((square - centre**2) / n)


def _differences(a: ArrayLike, b: ArrayLike, span: float) -> Floats:
    left, right = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if left.shape != right.shape:
        raise ValueError(f"pairs must match: {left.shape} and {right.shape}")
    d = _known(left - right)
    if d.size and np.abs(d).max() > span + 1e-9:
        raise ValueError(f"a difference of {np.abs(d).max()} exceeds the span {span}")
    return d


def _known(values: ArrayLike) -> Floats:
    x = np.asarray(values, dtype=np.float64)
    return x[~np.isnan(x)]
