"""Diversity: how many different correct solutions k draws hold, and what makes two solutions the same."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from isocost.equations import signature
from isocost.metrics.coverage import Floats, coverage_at_k

Level = Literal["string", "normalised", "equations"]


def diversity_at_k(drawn: ArrayLike, problem: ArrayLike, multiplicity: ArrayLike, k: int) -> Floats:
    """Expected number of distinct correct solutions among k of a problem's draws, taken without replacement.

        diversity@k = sum over distinct correct solutions i of 1 - C(M - m_i, k) / C(M, k)

    Ecology's rarefaction (Hurlbert 1971, "The nonconcept of species diversity") over the correct solutions only. With one class a problem
    it is coverage@k.

    Args:
        drawn: M, int[problems].
        problem: Which problem each class belongs to, an index into `drawn`: int[classes]. A problem without a class has no correct
            solution.
        multiplicity: m_i, how many draws of that problem are this solution: int[classes].
        k: Draws; at least 0.

    Returns:
        float[problems]; nan where k > M.

    Raises:
        ValueError: Shapes differ, k is negative, or the classes of a problem hold more draws than it has.
    """
    m = np.asarray(drawn, dtype=np.int64)
    owner, count = np.asarray(problem, dtype=np.int64), np.asarray(multiplicity, dtype=np.int64)
    if owner.shape != count.shape:
        raise ValueError(f"problem has shape {owner.shape}, multiplicity {count.shape}")
    if owner.size and (owner.min() < 0 or owner.max() >= m.size):
        raise ValueError("problem must index into drawn")
    if np.any(np.bincount(owner, weights=count, minlength=m.size) > m):
        raise ValueError("the classes of a problem hold more draws than it has")
    seen = coverage_at_k(m[owner], count, k)
    return np.where(k > m, np.nan, np.bincount(owner, weights=seen, minlength=m.size))


def kept_per_problem(distinct: ArrayLike, cap: int | None) -> Floats:
    """How many distinct correct solutions each problem contributes, min(distinct, cap): float[problems]. No cap keeps all.

    Args:
        distinct: Distinct correct solutions of each problem, int[problems].
        cap: Most that are kept of one problem.
    """
    counts = np.asarray(distinct, dtype=np.float64)
    return counts if cap is None else np.minimum(counts, cap)


def distinct_key(text: str, level: Level) -> str:
    """What two solutions must share to count as one.

    `string`: every character (the paper). `normalised`: the words, whatever the whitespace. `equations`: the ordered list of their
    equations (as in rejection-sampling fine-tuning, arXiv 2308.01825); a solution in which none can be read counts by its words instead,
    or all such solutions would be one.

    Raises:
        ValueError: An unknown level.
    """
    if level == "string":
        return text
    if level == "normalised":
        return " ".join(text.split())
    if level == "equations":
        return signature(text) or " ".join(text.split())
    raise ValueError(f"unknown level {level!r}; one of string, normalised, equations")
