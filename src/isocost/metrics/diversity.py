"""Diversity: the number of different correct solutions among k draws, and the key that makes two solutions equal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isocost.arrays import Floats, Ints
from isocost.equations import signature
from isocost.metrics.coverage import checked_ks, distinct_pairs, pair_curve

Level = Literal["string", "normalised", "equations"]
SAME: dict[Level | None, str] = {
    "string": "two solutions are the same if their texts are equal",
    "normalised": "two solutions are the same if their words are equal",
    "equations": "two solutions are the same if their equations are equal",
    None: "no two solutions are the same",
}
BLOCK_CELLS = 1 << 20  # numbers held at once in a block of classes by ks


def diversity_curve(drawn: ArrayLike, problem: ArrayLike, multiplicity: ArrayLike, ks: ArrayLike) -> Floats:
    """Return the expected number of distinct correct solutions among k of a problem's draws, taken without replacement; for many k at once.

        diversity@k = sum over distinct correct solutions i of 1 - C(M - m_i, k) / C(M, k)

    This is ecology's rarefaction (Hurlbert 1971, "The nonconcept of species diversity") over the correct solutions only. With one class
    per problem it is coverage@k. Classes of one problem with equal multiplicity are computed together, and each pair (M, m_i) once.

    Args:
        drawn: M, int[problems].
        problem: The problem of each class, as an index into `drawn`: int[classes]. A problem without a class has no correct solution.
        multiplicity: m_i, the number of draws of that problem that are this solution: int[classes].
        ks: Numbers of draws, int[ks]; each at least 0, in any order.

    Returns:
        float[problems, ks]; nan where k > M.

    Raises:
        ValueError: Shapes differ, a k or a multiplicity is negative, or the classes of a problem hold more draws than it has.
    """
    m, owner, count = _classes(drawn, problem, multiplicity)
    wanted = checked_ks(ks)
    kinds, kind = distinct_pairs(owner, count)
    # Most solutions of a problem occur once, so few kinds stand for many classes.
    alike = np.bincount(kind, minlength=len(kinds)).astype(np.float64)
    pairs, pair = distinct_pairs(m[kinds[:, 0]], kinds[:, 1])
    seen = pair_curve(pairs[:, 0], pairs[:, 1], wanted)
    total = np.zeros((m.size, wanted.size))
    for block in owner_blocks(kinds[:, 0], max(1, BLOCK_CELLS // max(1, wanted.size))):
        owners = kinds[block, 0]
        # Owners ascend, so each problem's classes are one run that reduceat can sum.
        starts = np.flatnonzero(np.diff(owners, prepend=-1))
        total[owners[starts]] = np.add.reduceat(seen[pair[block]] * alike[block, None], starts, axis=0)
    total[wanted > m[:, None]] = np.nan
    return total


def distinct_key(text: str, level: Level) -> str:
    """Return the key that equal solutions share.

    `string`: every character (the paper). `normalised`: the words, whatever the whitespace. `equations`: the ordered list of equations
    (as in rejection-sampling fine-tuning, arXiv 2308.01825). A solution without a readable equation has its words as key: otherwise all
    such solutions would be equal.

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


def _classes(drawn: ArrayLike, problem: ArrayLike, multiplicity: ArrayLike) -> tuple[Ints, Ints, Ints]:
    m = np.asarray(drawn, dtype=np.int64)
    owner, count = np.asarray(problem, dtype=np.int64), np.asarray(multiplicity, dtype=np.int64)
    if owner.shape != count.shape:
        raise ValueError(f"problem has shape {owner.shape}, multiplicity {count.shape}")
    if owner.size and (owner.min() < 0 or owner.max() >= m.size):
        raise ValueError("problem must index into drawn")
    if count.size and count.min() < 0:
        raise ValueError("the classes of a problem cannot hold fewer than no draws")
    if np.any(np.bincount(owner, weights=count, minlength=m.size) > m):
        raise ValueError("the classes of a problem hold more draws than it has")
    return m, owner, count


def owner_blocks(owners: NDArray[np.integer[Any]], most: int) -> Iterator[slice]:
    """Yield slices of about `most` rows of an ascending column that never separate equal values."""
    start = 0
    while start < owners.size:
        last = owners[min(start + most, owners.size) - 1]
        stop = int(np.searchsorted(owners, last, side="right"))
        yield slice(start, stop)
        start = stop
