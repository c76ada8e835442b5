"""Mixtures of models: the exact value of some draws of each of several models, from draws that each model took by itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from isocost.arrays import Floats, Ints
from isocost.metrics.coverage import distinct_pairs, pair_curve
from isocost.metrics.diversity import BLOCK_CELLS, owner_blocks


def mixture_coverage(drawn: ArrayLike, correct: ArrayLike, draws: ArrayLike) -> Floats:
    """Return the chance that k_m draws of each model m, taken without replacement from its own, hold a correct one.

        coverage = 1 - prod_m C(M_m - c_m, k_m) / C(M_m, k_m)          M_m draws of model m, c_m of them correct

    Draws of different models are independent given the problem, so the product is exact and unbiased. A fractional k_m is floor(k_m) draws
    and one more with chance k_m - floor(k_m), at random for each problem and model. So each factor is linear between whole k_m, as in
    `metrics.curves.coverage_at`, and a mixture of one model gives that curve.

    Args:
        drawn: M, int[models, problems].
        correct: c, int[models, problems].
        draws: k, float[models, points]; each at least 0.

    Returns:
        float[problems, points]; nan where k_m, rounded up, is above M_m for some model.

    Raises:
        ValueError: Shapes differ, a k is negative or not finite, or a count is negative or above the number drawn.
    """
    m, c, k = _checked(drawn, correct, draws)
    if c.shape != m.shape:
        raise ValueError(f"drawn has shape {m.shape}, correct {c.shape}")
    if np.any(c > m):
        raise ValueError("correct must lie between 0 and drawn")
    return _expected(m, np.arange(m.shape[1]), c, k)


def mixture_diversity(drawn: ArrayLike, problem: ArrayLike, multiplicity: ArrayLike, draws: ArrayLike) -> Floats:
    """Return the expected number of distinct correct solutions among k_m draws of each model m, taken without replacement from its own.

        diversity = sum over distinct correct solutions j of 1 - prod_m C(M_m - m_mj, k_m) / C(M_m, k_m)

    m_mj of model m's draws are solution j, possibly none. A solution that two models found counts once. Fractional k_m are as in
    `mixture_coverage`. With one model it is `metrics.diversity.diversity_curve`. Solutions of one problem with equal multiplicities are
    computed together.

    Args:
        drawn: M, int[models, problems].
        problem: The problem of each class (distinct correct solution), as an index into the problems: int[classes].
        multiplicity: m_mj, int[models, classes].
        draws: k, float[models, points]; each at least 0.

    Returns:
        float[problems, points]; nan where k_m, rounded up, is above M_m for some model.

    Raises:
        ValueError: Shapes differ, a k is negative or not finite, a count is negative, or the classes of a problem hold more draws of a
            model than it has.
    """
    m, count, k = _checked(drawn, multiplicity, draws)
    owner = np.asarray(problem, dtype=np.int64)
    if count.shape != (m.shape[0], owner.size):
        raise ValueError(f"multiplicity has shape {count.shape}, not models by classes {(m.shape[0], owner.size)}")
    if owner.size and (owner.min() < 0 or owner.max() >= m.shape[1]):
        raise ValueError("problem must index into drawn")
    if any(np.any(np.bincount(owner, weights=of, minlength=m.shape[1]) > all_of) for of, all_of in zip(count, m, strict=True)):
        raise ValueError("the classes of a problem hold more draws than it has")
    return _expected(m, owner, count, k)


def _expected(m: Ints, owner: Ints, count: Ints, k: Floats) -> Floats:
    """Return the sum over each problem's classes of the chance that the class is seen: float[problems, points]."""
    owners, kinds, alike = _kinds(owner, count)
    models = []
    for drawn, of, draws in zip(m, kinds, k, strict=True):
        pairs, pair = distinct_pairs(drawn[owners], of)
        models.append((_chances(pairs, draws), pair))
    total = np.zeros((m.shape[1], k.shape[1]))
    for block in owner_blocks(owners, max(1, BLOCK_CELLS // max(1, k.shape[1]))):
        seen = np.zeros((owners[block].size, k.shape[1]))
        for chances, pair in models:
            seen += (1 - seen) * chances[pair[block]]  # 1 - (1 - seen)(1 - chance), which keeps the digits of small chances
        starts = np.flatnonzero(np.diff(owners[block], prepend=-1))
        total[owners[block][starts]] = np.add.reduceat(seen * alike[block, None], starts, axis=0)
    for drawn, draws in zip(m, k, strict=True):
        total[np.ceil(draws) > drawn[:, None]] = np.nan
    return total


def _kinds(owner: Ints, count: Ints) -> tuple[Ints, Ints, Floats]:
    """Merge classes of one problem with equal multiplicities: problem, int[kinds], ascending; multiplicities; class counts."""
    kind = owner
    for of in count:
        _, kind = distinct_pairs(kind, of)
    alike = np.bincount(kind)
    one = np.empty(alike.size, dtype=np.int64)
    one[kind] = np.arange(owner.size)
    return owner[one], count[:, one], alike.astype(np.float64)


def _chances(pairs: Ints, draws: Floats) -> Floats:
    """Return the chance that a class of each pair (M, m) is among the draws, linear between whole ones: float[pairs, points]."""
    whole = np.floor(draws).astype(np.int64)
    ks, at = np.unique(np.concatenate([whole, np.ceil(draws).astype(np.int64)]), return_inverse=True)
    ends = pair_curve(pairs[:, 0], pairs[:, 1], ks)
    part = draws - whole
    between: Floats = (1 - part) * ends[:, at[: whole.size]] + part * ends[:, at[whole.size :]]
    return between


def _checked(drawn: ArrayLike, counts: ArrayLike, draws: ArrayLike) -> tuple[Ints, Ints, Floats]:
    m, count, k = np.asarray(drawn, dtype=np.int64), np.asarray(counts, dtype=np.int64), np.asarray(draws, dtype=np.float64)
    if not m.ndim == count.ndim == k.ndim == 2 or not m.shape[0] == count.shape[0] == k.shape[0] >= 1:
        shapes = ", ".join(str(table.shape) for table in (m, count, k))
        raise ValueError(f"every table must have a row per model, got shapes {shapes}")
    if not np.isfinite(k).all() or np.any(k < 0):
        raise ValueError("draws must be finite and at least 0")
    if np.any(count < 0) or np.any(m < 0):
        raise ValueError("a count cannot be negative")
    return m, count, k
