"""The bootstrap over problems: one matrix of resampled problems for any number of columns, so that all measures stay paired."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike

from isocost.arrays import Floats

_CELLS = 1 << 22  # draws times problems held at once: two blocks of 32 MB


def bootstrap_means(values: ArrayLike, *, draws: int = 1000, seed: int = 0) -> Floats:
    """Return means over problems resampled with replacement (Efron 1979, "Bootstrap methods: another look at the jackknife").

        mean_b = sum_i w_bi x_i / sum_i w_bi          w_b multinomial: n problems drawn out of n

    The same seed and number of problems give the same resamples, whatever the columns and their number. Differences between tables of the
    same problems are therefore paired. More draws continue the same sequence. Memory: 64 MB and the result, beside `values`.

    Args:
        values: float[problems, m]; nan is undefined for that problem, and left out of that column's means.
        draws: Number of resamples.
        seed: Seed of the resampling.

    Returns:
        float[draws, m]; nan if a resample holds no problem that defines the column.

    Raises:
        ValueError: `values` does not have two axes, holds an infinity, or has no problem; or draws is below 1.
    """
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 2 or x.shape[0] == 0:
        raise ValueError(f"values must be problems by columns with at least one problem, got shape {x.shape}")
    if draws < 1:
        raise ValueError(f"draws must be at least 1, got {draws}")
    if np.isinf(x).any():
        raise ValueError("values must be finite or nan")
    missing = np.isnan(x)
    # Only columns with nan need their own counts. For the others the count is the number of problems.
    holed = np.flatnonzero(missing.any(axis=0))
    known = (~missing[:, holed]).astype(np.float64)
    filled = np.where(missing, 0.0, x) if holed.size else x
    means = np.empty((draws, x.shape[1]))
    start = 0
    for weights in _resamples(x.shape[0], draws, seed):
        rows = slice(start, start + weights.shape[0])
        means[rows] = weights @ filled
        counts = np.full((weights.shape[0], x.shape[1]), float(x.shape[0]))
        counts[:, holed] = weights @ known
        with np.errstate(invalid="ignore"):  # 0 / 0 is the documented nan
            means[rows] /= counts
        start = rows.stop
    return means


def _resamples(problems: int, draws: int, seed: int) -> Iterator[Floats]:
    """Yield the number of times each problem is drawn, float[draws of a block, problems]. Block sizes depend on `problems` only."""
    rng = np.random.default_rng(seed)
    # The size of a block must not depend on the columns, or their number would change the resamples.
    most = max(1, _CELLS // problems)
    for start in range(0, draws, most):
        rows = min(most, draws - start)
        chosen = rng.integers(0, problems, size=(rows, problems))
        chosen += problems * np.arange(rows)[:, None]  # one bincount for all rows
        yield np.bincount(chosen.ravel(), minlength=rows * problems).reshape(rows, problems).astype(np.float64)
