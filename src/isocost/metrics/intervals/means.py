"""Means over problems of bounded measures and of counts, each with a score interval at its effective number of problems."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from isocost.arrays import Floats
from isocost.metrics.intervals.score import Z, estimates, score_ends, t_quantile
from isocost.records import Estimate

_UNSEEN = 1.0  # spread added to observed and largest spread, in squared ranges, while few successes or failures are seen
_SETTLED = 4.0  # successes times failures over n at which half of the added spread is left
_BEYOND = 2.0  # an unseen problem may have a count this many times the largest seen


def mean_interval(values: ArrayLike, bounds: tuple[float, float] = (0.0, 1.0)) -> Estimate:
    """Return the mean over problems of one bounded measure: `mean_intervals` of a single column.

    Args:
        values: float[problems]; nan is left out, and n counts the rest.
        bounds: The smallest and largest possible value.

    Raises:
        ValueError: A value lies outside the bounds.
    """
    return mean_intervals(np.asarray(values, dtype=np.float64).reshape(-1, 1), bounds)[0]


def mean_intervals(values: ArrayLike, bounds: tuple[float, float] = (0.0, 1.0)) -> list[Estimate]:
    """Return means over problems of bounded measures, each with a score interval at its effective number of problems.

    A variable on [0, 1] with mean mu has variance phi mu (1 - mu), phi <= 1, and phi = 1 only if it is always 0 or 1. So the mean of n
    values is worth a proportion among n / phi problems (the effective sample size of Korn and Graubard 1998, "Confidence intervals for
    proportions with small expected number of positive counts estimated from survey data"). The score interval at n / phi equals that of
    the clustered standard error in the middle, and does not collapse at the ends, where phi is 0 / 0. A few hard problems may be unseen
    among values near 1, so phi is estimated as

        phi = [sum (x - mean)^2 n / (n - 1) + a] / [V + a]      V = n mean (1 - mean),  a = 1 / (1 + (V / 4)^4)

    This goes to 1 as V goes to 0, and to the plain ratio once some ten successes and failures are seen. The normal quantile z becomes
    sqrt(z^2 phi + t^2 (1 - phi)), t of n - 1 degrees of freedom, because phi is estimated unless it is 1. For 0/1 data it is `proportion`.

    Args:
        values: One value per problem and measure, float[problems, m]; nan (undefined) is left out of its column.
        bounds: The smallest and largest possible value of every column.

    Returns:
        One estimate per column; n counts the problems that define it. It is undefined if none does.

    Raises:
        ValueError: A value lies outside the bounds, or `values` does not have two axes.
    """
    low, high = bounds
    x = _table(values)
    _within(x, low, high)
    columns = _Columns((x - low) / (high - low))
    lower, upper = columns.ends(columns.mean)
    return estimates(low + (high - low) * columns.mean, low + (high - low) * lower, low + (high - low) * upper, columns.n)


def count_interval(values: ArrayLike, most: float | None = None) -> Estimate:
    """Return the mean over problems of one count: `count_intervals` of a single column.

    Args:
        values: One value of at least 0 per problem, float[problems]; nan is left out.
        most: The largest possible value, if there is one.

    Raises:
        ValueError: A value is negative or above `most`.
    """
    return count_intervals(np.asarray(values, dtype=np.float64).reshape(-1, 1), [most])[0]


def count_intervals(values: ArrayLike, most: Sequence[float | None]) -> list[Estimate]:
    """Return means over problems of counts such as distinct solutions, whose range is wide or open.

    As `mean_intervals`, with two changes. The range is read from the data, because all of [0, most] would drown small counts:

        span = min(most, max(1, 2 max x, most / (1 + problems with any)))

    and V, which decides how much may be unseen, counts the problems with value 0: V = n u (1 - u), u the mean of min(x, 1). A hundred
    problems with seven solutions each may hide one without any, however far seven is from the end of the range. If `most` is None, the
    interval cannot account for problems beyond twice the largest seen, least of all if every count is 0.

    Args:
        values: One value of at least 0 per problem and measure, float[problems, m]; nan is left out of its column.
        most: The largest possible value of each column, None if there is none.

    Returns:
        One estimate per column, as `mean_intervals`.

    Raises:
        ValueError: A value is negative or above its `most`, or `most` has another length than the columns.
    """
    x = _table(values)
    if len(most) != x.shape[1]:
        raise ValueError(f"{x.shape[1]} columns need as many largest values, got {len(most)}")
    ceiling = np.array([np.inf if end is None else end for end in most])
    _within(x, 0.0, ceiling)
    known = np.where(np.isnan(x), 0.0, x)
    any_ = np.minimum(known, 1.0).sum(axis=0)
    room = np.where(np.isinf(ceiling), 0.0, ceiling) / (1 + any_)
    span = np.minimum(ceiling, np.maximum(np.maximum(1.0, _BEYOND * known.max(axis=0, initial=0.0)), room))
    span = np.where(span > 0, span, 1.0)
    columns = _Columns(x / span)
    lower, upper = columns.ends(any_ / np.maximum(columns.n, 1))
    return estimates(span * columns.mean, span * lower, np.minimum(ceiling, span * upper), columns.n)


def amount_interval(values: ArrayLike) -> Estimate:
    """Return the mean over problems of a positive amount such as cost or length, whose scale is arbitrary.

    Counts may hide problems of another kind; amounts are as varied as they look, so equal ones have an interval without width. With mean
    x, standard deviation s, third central moment k and t of n - 1 degrees of freedom the ends are

        x - t s / sqrt(n)      and the larger of      x + t s / sqrt(n),  x + t s / sqrt(n) + k (1 + 2 t^2) / (6 s^2 n)

    The last term allows for long amounts that were not seen, as amounts are skewed (Johnson 1978, "Modified t tests and confidence
    intervals for asymmetrical populations"; only the upper end is moved here). One value has no spread: its interval is 0 to twice it.

    Args:
        values: One value of at least 0 per problem, float[problems]; nan is left out.

    Raises:
        ValueError: A value is negative.
    """
    x = np.asarray(values, dtype=np.float64).reshape(-1)
    x = x[~np.isnan(x)]
    if np.any(x < 0):
        raise ValueError(f"amounts must be at least 0, found {x.min()}")
    n = x.size
    if n == 0:
        return Estimate(value=None, low=None, high=None, n=0)
    mean = float(x.mean())
    if n == 1:
        return Estimate(value=mean, low=0.0, high=_BEYOND * mean, n=1)
    scale = float(x.max()) or 1.0  # squares of tiny and of huge amounts neither vanish nor overflow
    away = (x - mean) / scale
    spread, t = float(away.var(ddof=1)), float(t_quantile(n - 1))
    if spread < 1e-24:  # equal but for the rounding of their mean
        return Estimate(value=mean, low=mean, high=mean, n=n)
    half, skew = t * float(np.sqrt(spread / n)), float((away**3).mean()) * (1 + 2 * t**2) / (6 * spread * n)
    return Estimate(value=mean, low=max(0.0, mean - half * scale), high=mean + (half + max(0.0, skew)) * scale, n=n)


class _Columns:
    """The number, mean and spread of each column of values in [0, 1], without nan."""

    def __init__(self, unit: Floats) -> None:
        missing = np.isnan(unit)
        self.n = unit.shape[0] - missing.sum(axis=0)
        many = np.maximum(self.n, 1)
        filled = np.where(missing, 0.0, unit)
        self.mean = np.clip(filled.sum(axis=0) / many, 0.0, 1.0)
        away = np.where(missing, 0.0, unit - self.mean)
        self.spread = np.einsum("ij,ij->j", away, away) * np.where(many > 1, many / np.maximum(many - 1, 1), 1.0)

    def ends(self, settled: Floats) -> tuple[Floats, Floats]:
        """Return the ends of each column's interval. `settled` is the share of successes that decides how much may be unseen."""
        n = np.maximum(self.n, 1).astype(np.float64)
        return effective_ends(self.mean, self.spread, n, unseen(n * settled * (1 - settled)))


def unseen(successes: Floats) -> Floats:
    """Return the spread to add for problems that were not seen, in squared ranges: 1 if nothing is seen, 1/2 at four, 1/40 at ten."""
    return _UNSEEN / (1 + (successes / _SETTLED) ** 4)


def effective_ends(mean: Floats, spread: Floats, n: Floats, added: Floats) -> tuple[Floats, Floats]:
    """Return score ends of the means in [0, 1] of n values with this sum of squares, n - 1 degrees of freedom, and added unseen spread."""
    phi = np.minimum(1.0, (spread + added) / (n * mean * (1 - mean) + added))
    quantile = np.sqrt(Z**2 * phi + t_quantile(n - 1) ** 2 * (1 - phi))
    return score_ends(mean, n / phi, quantile)


def _table(values: ArrayLike) -> Floats:
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 2:
        raise ValueError(f"values must be problems by measures, got shape {x.shape}")
    return x


def _within(x: Floats, low: float, high: float | Floats) -> None:
    if np.any(x < low - 1e-9) or np.any(x > np.asarray(high) + 1e-9):
        raise ValueError(f"values must lie within [{low}, {np.max(high)}], found {np.nanmin(x)} to {np.nanmax(x)}")
