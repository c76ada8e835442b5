"""Paired differences between two sides measured on the same problems."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from isocost.metrics.coverage import Floats
from isocost.metrics.intervals.means import unseen
from isocost.metrics.intervals.score import Z, estimates, t_quantile
from isocost.records import Estimate

_Z_POWER = NormalDist().inv_cdf(0.8)
_BEYOND = 2.0  # a count may differ by this many times the largest difference seen


def paired_difference(a: ArrayLike, b: ArrayLike, *, span: float = 1.0) -> Estimate:
    """Mean of a - b over the same problems: `paired_differences` of a single column.

    Args:
        a: float[problems].
        b: float[problems], the same problems in the same order; a problem that is nan on either side is left out.
        span: The largest difference possible.

    Raises:
        ValueError: The shapes differ, or a difference exceeds the span.
    """
    return _estimates(_differences(_column(a), _column(b), span), np.array([span]), np.array([span]))[0]


def paired_differences(a: ArrayLike, b: ArrayLike, *, span: float = 1.0) -> list[Estimate]:
    """Means of a - b over the same problems, with intervals that stay open when no problem differs.

    Two problems are added that differ, one each way, before the normal interval is taken; the value is the plain mean. For 0/1 data, where
    they differ by the whole span, that is the adjusted Wald interval of Bonett and Price (2012, "Adjusted Wald confidence interval for a
    difference of binomial proportions based on paired data"), and among n problems without any difference it is +-2.8 / (n + 2) spans. For
    fractional data a whole span would drown small differences, so they differ by as much as those seen,

        (size / span)^2 = [sum d^2 + a] / [sum |d| + a]         d in spans,  a = 1 / (1 + (V / 4)^4),  V = 2 min(sum d+, sum d-)

    which is 1 for 0/1 data and where nothing is seen. The quantile leans from the normal to Student's as in `mean_intervals`.

    Args:
        a: float[problems, m].
        b: float[problems, m], the same problems in the same order; a problem that is nan on either side is left out of its column.
        span: The largest difference possible.

    Returns:
        One estimate a column; n counts the pairs, and where there are none it is undefined.

    Raises:
        ValueError: The shapes differ, or a difference exceeds the span.
    """
    d = _differences(a, b, span)
    spans = np.full(d.shape[1], span)
    return _estimates(d, spans, spans)


def paired_count_difference(a: ArrayLike, b: ArrayLike, *, most: float | None = None) -> Estimate:
    """Mean of a - b over the same problems where a and b are counts, such as distinct solutions at matched cost.

    As `paired_differences`, on a range read from the data, min(most, max(1, 2 max |d|, most / (1 + problems that differ))), and with a
    difference of 1 or more counting as one problem that differs: sizes are sum d^2 over sum min(|d|, 1).

    Args:
        a: float[problems].
        b: float[problems], the same problems in the same order; a problem that is nan on either side is left out.
        most: The largest difference possible, if there is one.

    Raises:
        ValueError: The shapes differ, or a difference exceeds `most`.
    """
    limit = np.inf if most is None else most
    d = _differences(_column(a), _column(b), limit)
    size = np.abs(np.where(np.isnan(d), 0.0, d))
    room = 0.0 if most is None else most / (1 + np.minimum(size, 1.0).sum(axis=0))
    span = np.minimum(limit, np.maximum(np.maximum(1.0, _BEYOND * size.max(axis=0, initial=0.0)), room))
    return _estimates(d, span, np.full(1, limit), unit=1.0)[0]


def detectable_difference(a: ArrayLike, b: ArrayLike, *, span: float = 1.0) -> float:
    """Smallest true paired difference that as many problems, differing as these do, show with 80% power at the two-sided 5% level.

    (z_.975 + z_.8) times the standard error of `paired_difference`: 2.8 standard errors (Miller 2024, arXiv 2411.00640). No
    problem at all detects nothing: the span.

    Raises:
        ValueError: As `paired_difference`.
    """
    d = _differences(_column(a), _column(b), span)
    if np.isnan(d).all():
        return span
    _, error, _ = _with_two_more(d, np.array([span]), span)
    return min(span, (Z + _Z_POWER) * float(error[0]))


def _estimates(d: Floats, span: Floats, limit: Floats, unit: float | None = None) -> list[Estimate]:
    n = (~np.isnan(d)).sum(axis=0)
    centre, error, quantile = _with_two_more(d, span, span if unit is None else unit)
    value = np.where(np.isnan(d), 0.0, d).sum(axis=0) / np.maximum(n, 1)
    low, high = centre - quantile * error, centre + quantile * error
    return estimates(value, np.maximum(-limit, np.minimum(low, value)), np.minimum(limit, np.maximum(high, value)), n)


def _with_two_more(d: Floats, span: Floats, unit: Floats | float) -> tuple[Floats, Floats, Floats]:
    """Mean and standard error of the differences and of two more, and the quantile; `unit` is what counts as one whole difference."""
    x = np.where(np.isnan(d), 0.0, d)
    n = (~np.isnan(d)).sum(axis=0)
    up, down = np.minimum(np.maximum(x, 0) / unit, 1).sum(axis=0), np.minimum(np.maximum(-x, 0) / unit, 1).sum(axis=0)
    square, added = np.square(x).sum(axis=0), unseen(2 * np.minimum(up, down))
    size = (square + added * span**2) / (up + down + added)  # squared
    many = n + 2
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
