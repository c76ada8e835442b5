"""Means over items that come in clusters of unequal size, such as several audits of one problem."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from isocost.metrics.coverage import Floats
from isocost.metrics.intervals.means import effective_ends, unseen
from isocost.records import Estimate


def clustered_error(values: ArrayLike, clusters: ArrayLike) -> float:
    """Return the standard error of the mean of items that depend on each other within a cluster.

        SE = sqrt(G / (G - 1) sum_c [sum_{i in c} (x_i - mean)]^2) / n          G clusters, n items

    This is the clustered standard error of Miller (2024, arXiv 2411.00640), with the factor G / (G - 1) for the estimated mean, which the
    paper leaves out. With one item per cluster it is the usual standard error. Treating samples of one problem as independent would make
    it too small. It is that of the plain mean over items, so a problem with more items weighs more. It collapses near 0 and 1: prefer
    `clustered_interval`.

    Args:
        values: float[items].
        clusters: The cluster of each item, any labels, [items].

    Raises:
        ValueError: The shapes differ, a value is not finite, or there are fewer than two clusters.
    """
    x, sums, _ = _sums(values, clusters)
    if sums.size < 2:
        raise ValueError(f"a standard error needs at least two clusters, got {sums.size}")
    return float(np.sqrt(np.square(sums).sum() * sums.size / (sums.size - 1))) / x.size


def clustered_interval(values: ArrayLike, clusters: ArrayLike) -> Estimate:
    """Return the mean of items in [0, 1] that come in clusters, with a score interval at its effective size; n counts the clusters.

    As `mean_intervals`, with SE of `clustered_error`, and Kish's K = n^2 / sum_c n_c^2 as the number of problems: the worth of n items in
    clusters of sizes n_c if all items of a cluster agree.

        phi = [K^2 SE^2 + a] / [K mean (1 - mean) + a]

    With one item per cluster it is `mean_interval` of the items; with clusters of one size, that of the clusters' means.

    Args:
        values: float[items].
        clusters: The cluster of each item, any labels, [items].

    Raises:
        ValueError: The shapes differ, or a value is not finite or outside [0, 1].
    """
    x, sums, sizes = _sums(values, clusters)
    if x.size == 0:
        return Estimate(value=None, low=None, high=None, n=0)
    if x.min() < -1e-9 or x.max() > 1 + 1e-9:
        raise ValueError(f"values must lie within [0, 1], found {x.min()} to {x.max()}")
    mean = float(np.clip(x.mean(), 0.0, 1.0))
    worth = np.array([x.size**2 / np.square(sizes).sum()])
    freedom = sums.size / (sums.size - 1) if sums.size > 1 else 1.0
    spread = np.array([np.square(sums).sum() * freedom]) * (worth / x.size) ** 2
    low, high = effective_ends(np.array([mean]), spread, worth, unseen(worth * mean * (1 - mean)))
    return Estimate(value=mean, low=float(low[0]), high=float(high[0]), n=sums.size)


def _sums(values: ArrayLike, clusters: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Return the values, and each cluster's sum of deviations from the mean and its size."""
    x, owners = np.asarray(values, dtype=np.float64), np.asarray(clusters)
    if x.ndim != 1 or x.shape != owners.shape:
        raise ValueError(f"values and clusters must be lists of one length: {x.shape} and {owners.shape}")
    if not np.isfinite(x).all():
        raise ValueError("values must be finite: leave out undefined items and their clusters' labels")
    if x.size == 0:
        return x, x, x
    _, index = np.unique(owners, return_inverse=True)
    return x, np.bincount(index, weights=x - x.mean()).astype(np.float64), np.bincount(index).astype(np.float64)
