"""Paired differences between two sides measured on the same problems."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from isocost.arrays import Floats
from isocost.metrics.intervals.means import unseen
from isocost.metrics.intervals.score import Z_POWER, Z, estimates, t_quantile
from isocost.records import Estimate

_BEYOND = 2.0  # an unseen problem may differ by this many times the largest difference seen


def paired_difference(a: ArrayLike, b: ArrayLike) -> Estimate:
    """Return the mean of a - b over the same problems: `paired_differences` of a single column.

    Args:
        a: float[problems].
        b: float[problems], the same problems in the same order; a problem that is nan on either side is left out.

    Raises:
        ValueError: The shapes differ, or a difference exceeds 1.
    """
    return paired_differences(_column(a), _column(b))[0]


def paired_differences(a: ArrayLike, b: ArrayLike) -> list[Estimate]:
    """Return means of a - b over the same problems, with intervals that keep a width if no problem differs.

    Two differing problems are added, one each way, before the normal interval is taken. The value is the plain mean. For 0/1 data they
    differ by 1, and the result is the adjusted Wald interval of Bonett and Price (2012, "Adjusted Wald confidence interval for
    a difference of binomial proportions based on paired data"). Among n problems without any difference it is +-2.8 / (n + 2). For
    fractional data that would hide small differences, so the added problems differ by the size of those seen,

        size^2 = [sum d^2 + a] / [sum |d| + a]         a = 1 / (1 + (V / 4)^4),  V = 2 min(sum d+, sum d-)

    which is 1 for 0/1 data and if nothing is seen. The quantile moves from the normal to Student's as in `mean_intervals`.

    Args:
        a: float[problems, m].
        b: float[problems, m], the same problems in the same order; a problem that is nan on either side is left out of its column.

    Returns:
        One estimate per column; n counts the pairs. It is undefined if there are none.

    Raises:
        ValueError: The shapes differ, or a difference exceeds 1.
    """
    d = _differences(a, b, 1.0)
    ones = np.ones(d.shape[1])
    return _estimates(d, ones, ones)


def paired_count_difference(a: ArrayLike, b: ArrayLike, *, most: float | None = None) -> Estimate:
    """Return the mean of a - b over the same problems for counts, such as distinct solutions at matched cost.

    As `paired_differences`, on a range read from the data, min(most, max(1, 2 max |d|, most / (1 + problems that differ))). A difference
    of 1 or more counts as one problem that differs: sizes are sum d^2 over sum min(|d|, 1).

    Args:
        a: float[problems].
        b: float[problems], the same problems in the same order; a problem that is nan on either side is left out.
        most: The largest possible difference, if there is one.

    Raises:
        ValueError: The shapes differ, or a difference exceeds `most`.
    """
    limit = np.inf if most is None else most
    d = _differences(_column(a), _column(b), limit)
    size = np.abs(np.where(np.isnan(d), 0.0, d))
    room = 0.0 if most is None else most / (1 + np.minimum(size, 1.0).sum(axis=0))
    span = np.minimum(limit, np.maximum(np.maximum(1.0, _BEYOND * size.max(axis=0, initial=0.0)), room))
    return _estimates(d, span, np.full(1, limit), unit=1.0)[0]


def detectable_difference(a: ArrayLike, b: ArrayLike) -> float:
    """Return the smallest true paired difference that as many problems, differing as these do, show with 80% power at the 5% level.

    It is (z_.975 + z_.8) times the standard error of `paired_difference`: 2.8 standard errors (Miller 2024, arXiv 2411.00640), two-sided.
    Without any problem it is 1.

    Raises:
        ValueError: As `paired_difference`.
    """
    d = _differences(_column(a), _column(b), 1.0)
    if np.isnan(d).all():
        return 1.0
    _, error, _ = _with_two_more(d, np.ones(1), 1.0)
    return min(1.0, (Z + Z_POWER) * float(error[0]))


def _estimates(d: Floats, span: Floats, limit: Floats, unit: float | None = None) -> list[Estimate]:
    n = (~np.isnan(d)).sum(axis=0)
    centre, error, quantile = _with_two_more(d, span, span if unit is None else unit)
    value = np.where(np.isnan(d), 0.0, d).sum(axis=0) / np.maximum(n, 1)
    low, high = centre - quantile * error, centre + quantile * error
    return estimates(value, np.maximum(-limit, np.minimum(low, value)), np.minimum(limit, np.maximum(high, value)), n)


def _with_two_more(d: Floats, span: Floats, unit: Floats | float) -> tuple[Floats, Floats, Floats]:
    """Return mean and standard error with the two added differences, and the quantile. `unit` is the size of one whole difference."""
    x = np.where(np.isnan(d), 0.0, d)
    n = (~np.isnan(d)).sum(axis=0)
    up, down = np.minimum(np.maximum(x, 0) / unit, 1).sum(axis=0), np.minimum(np.maximum(-x, 0) / unit, 1).sum(axis=0)
    square, added = np.square(x).sum(axis=0), unseen(2 * np.minimum(up, down))
    size = (square + added * span**2) / (up + down + added)  # squared
    many = n + 2
    # The two added differences cancel in the sum, but count in the number.
    centre = x.sum(axis=0) / many
    error = np.sqrt(np.maximum((square + 2 * size) / many - centre**2, 0.0) / many)
    phi = np.minimum(1.0, (square / span**2 + added) / (np.abs(x).sum(axis=0) / span + added))
    return centre, error, np.sqrt(Z**2 * phi + t_quantile(n - 1) ** 2 * (1 - phi))


def _differences(a: ArrayLike, b: ArrayLike, span: float) -> Floats:
    left, right = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if left.shape != right.shape:
        raise ValueError(f"pairs must match: {left.shape} and {right.shape}")
    d = left - right
    if np.any(np.abs(d) > span + 1e-9):
        raise ValueError(f"a difference of {np.nanmax(np.abs(d))} exceeds the span {span}")
    return d


def _column(values: ArrayLike) -> Floats:
    x = np.asarray(values, dtype=np.float64)
    return x.reshape(-1, 1) if x.ndim == 1 else x
