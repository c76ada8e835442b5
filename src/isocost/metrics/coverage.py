"""Coverage: the share of problems that k draws solve."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def coverage_at_k(drawn: ArrayLike, correct: ArrayLike, k: int) -> Floats:
    """Chance that k of a problem's draws, taken without replacement, hold a correct one.

        coverage@k = 1 - C(M - c, k) / C(M, k)          M draws, c of them correct

    the unbiased estimator of pass@k (Chen et al. 2021, arXiv 2107.03374). C(M - c, k) / C(M, k) is the product of 1 - g / (M - j)
    over j = 0 .. l - 1 with l the lesser and g the greater of k and c. Its logarithm is summed, so nothing overflows and a chance of 1e-9
    keeps its digits, which a difference of log-gammas would lose at M in the 10,000s.

    Args:
        drawn: M, int[problems].
        correct: c, int[problems], 0 <= c <= M.
        k: Draws; at least 0.

    Returns:
        float[problems]; nan where k > M: too few samples leave pass@k undefined, they do not make it 1.

    Raises:
        ValueError: k is negative, the shapes differ, or a count is negative or above the number drawn.
    """
    m, c = _counts(drawn, correct)
    if k < 0:
        raise ValueError(f"k must be at least 0, got {k}")
    certain = (c > 0) & (m - c < k)
    lesser = np.where(certain, 0, np.minimum(c, k))
    greater = np.maximum(c, k)
    log_miss = np.zeros(m.shape)
    for j in range(int(lesser.max(initial=0))):
        term = lesser > j
        log_miss[term] += np.log1p(-greater[term] / (m[term] - j))
    chance = np.where(certain, 1.0, -np.expm1(log_miss))
    return np.where(k > m, np.nan, np.abs(chance))  # abs: -expm1(0) is -0.0


def pass_at_1(drawn: ArrayLike, correct: ArrayLike) -> Floats:
    """Share of each problem's draws that are correct, c / M: float[problems], nan where nothing was drawn.

    Raises:
        ValueError: The shapes differ, or a count is negative or above the number drawn.
    """
    return coverage_at_k(drawn, correct, 1)


def covered(correct: ArrayLike) -> Floats:
    """1.0 for each problem with at least one correct sample in hand, else 0.0: float[problems].

    Meaningful for any allocation, adaptive or not, where coverage@k is not.
    """
    return (np.asarray(correct, dtype=np.int64) > 0).astype(np.float64)


def _counts(drawn: ArrayLike, correct: ArrayLike) -> tuple[Ints, Ints]:
    m, c = np.asarray(drawn, dtype=np.int64), np.asarray(correct, dtype=np.int64)
    if m.shape != c.shape:
        raise ValueError(f"drawn has shape {m.shape}, correct {c.shape}")
    if np.any(c < 0) or np.any(c > m):
        raise ValueError("correct must lie between 0 and drawn")
    return m, c
