"""Majority voting: the chance that the most frequent answer of k draws is correct."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from isocost.arrays import Bools, Floats, Ints

_MOST_WORK = 20_000_000  # multiplications for one problem's exact count; about 50 ms
_LARGEST_EXACT = 1e290  # largest number of subsets; floats overflow at 1.8e308, and products need room
_RESAMPLES = 4_000  # a standard error of at most 0.008 per problem
_CELLS = 1 << 19  # numbers held at once in a block of contests


@dataclass(frozen=True, slots=True, kw_only=True)
class Majority:
    """maj@k of one problem.

    Attributes:
        value: Chance that the vote of k draws is correct; None if there are fewer than k draws or k is 0.
        error: Standard error from resampling; 0.0 if the value is exact.
    """

    value: float | None
    error: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Majorities:
    """maj@k of many problems.

    Attributes:
        values: float[problems]; nan if there are fewer than k draws or k is 0.
        errors: Standard error from resampling, float[problems]; 0.0 if the value is exact.
    """

    values: Floats
    errors: Floats


def majority_at_k(answers: Sequence[tuple[Hashable | None, bool]], k: int, *, seed: int = 0) -> Majority:
    """Return `majorities` of one problem.

    Args:
        answers: (answer, True if correct) of each draw; None is no answer.
        k: Draws per vote.
        seed: Seed of the resampling.
    """
    votes = Counter(answer for answer, _ in answers if answer is not None)
    right = Counter(answer for answer, correct in answers if correct and answer is not None)
    found = majorities([len(answers)], [0] * len(votes), list(votes.values()), [right[answer] for answer in votes], k, seed=seed)
    value = float(found.values[0])
    return Majority(value=None) if np.isnan(value) else Majority(value=value, error=float(found.errors[0]))


def majorities(drawn: ArrayLike, problem: ArrayLike, votes: ArrayLike, right: ArrayLike, k: int, *, seed: int = 0) -> Majorities:
    """Return the chance that the answer with most votes among k of a problem's draws, taken without replacement, is correct.

    Every k-subset of the M draws is equally likely. A tie is broken at random among the leaders. A draw without an answer is drawn but
    does not vote, and a subset without any vote is wrong. Equal answers that were graded differently count by their share of correct ones.

    The count is exact. Let n_0 draws have no answer. Answer i, given by m_i draws, wins with t votes and tau others level in as many
    subsets as the coefficient of x^(k-t) y^tau in C(m_i, t) (1+x)^n_0 prod_{j != i} [sum_{s<t} C(m_j, s) x^s + y C(m_j, t) x^t]. Each is
    worth 1 / (tau + 1), the integral of y^tau over [0, 1]. Gauss-Legendre nodes in y leave products of polynomials in x alone. Their
    number makes the integral exact for the at most k/t - 1 answers that can be level. If that takes too long or the numbers are too large,
    seeded resampling replaces it and reports its standard error.

    Args:
        drawn: M, int[problems].
        problem: The problem of each distinct answer, as an index into `drawn`: int[answers].
        votes: m_i, the number of draws that gave it, at least 1: int[answers].
        right: The number of those that were graded correct: int[answers].
        k: Draws per vote.
        seed: Seed of the resampling.

    Raises:
        ValueError: Shapes differ, or the answers of a problem hold more draws than it has.
    """
    m, owner = np.asarray(drawn, dtype=np.int64), np.asarray(problem, dtype=np.int64)
    count, good = np.asarray(votes, dtype=np.int64), np.asarray(right, dtype=np.int64)
    if not owner.shape == count.shape == good.shape:
        raise ValueError(f"problem has shape {owner.shape}, votes {count.shape}, right {good.shape}")
    # Largest answers first within a problem: `_rival_sizes` relies on this order.
    order = np.lexsort((-count, owner))
    owner, count, good = owner[order], count[order], good[order]
    # Draws without an answer.
    silent = m - np.bincount(owner, weights=count, minlength=m.size).astype(np.int64)
    if np.any(silent < 0) or np.any(good > count):
        raise ValueError("the answers of a problem hold more draws than it has")
    values = np.where((m < k) | (k < 1), np.nan, 0.0)
    errors = np.zeros(m.size)
    if k < 1:
        return Majorities(values=values, errors=errors)
    table = _table(k, int(m.max(initial=0)))
    starts = np.searchsorted(owner, np.arange(m.size + 1))
    # Problems beyond these bounds are resampled below.
    exact = table.feasible(m, np.diff(starts), np.bincount(owner[good > 0], minlength=m.size)) & (m >= k)
    contests = np.flatnonzero((good > 0) & exact[owner])
    for block in _blocks(contests, table.cells):
        won = _wins(table, block, owner, count, silent, starts) * good[block] / count[block] / table.choose[m[owner[block]], k]
        np.add.at(values, owner[block], won)
    for p in np.flatnonzero(~exact & (m >= k) & (np.bincount(owner, weights=good, minlength=m.size) > 0)):
        mine = slice(starts[p], starts[p + 1])
        values[p], errors[p] = _resampled(count[mine], good[mine], int(silent[p]), k, np.random.default_rng([seed, int(p)]))
    # Rounding can leave a sum of chances slightly above 1.
    return Majorities(values=np.minimum(values, 1.0), errors=errors)


@lru_cache(maxsize=8)  # `majority_at_k` is called once per problem, with the same k and M
def _table(k: int, most: int) -> _Table:
    return _Table(k, most)


class _Table:
    """The arrays that all contests of k votes share.

    Attributes:
        own: Votes t of the winner, int[rows], ascending. A row is a pair of t and a node y.
        node: y, float[rows].
        weight: Weight of the node, float[rows].
        choose: C(n, s), float[n, s].
        cells: Numbers that one contest holds in memory.
    """

    def __init__(self, k: int, most: int) -> None:
        # n nodes are exact up to degree 2 n - 1, and the polynomials in y have degree k/t - 1 at most.
        nodes = [np.polynomial.legendre.leggauss(-(-(k // t) // 2)) for t in range(1, min(k, most) + 1)]
        self.k = k
        self.own = np.repeat(np.arange(1, len(nodes) + 1), [x.size for x, _ in nodes]) if nodes else np.empty(0, dtype=np.int64)
        self.node = np.concatenate([(x + 1) / 2 for x, _ in nodes]) if nodes else np.empty(0)
        self.weight = np.concatenate([w / 2 for _, w in nodes]) if nodes else np.empty(0)
        self.cells = max(1, self.own.size * (k + 1))
        n = np.arange(most + 1, dtype=np.float64)
        self.choose = np.ones((most + 1, k + 1))
        with np.errstate(over="ignore", invalid="ignore"):  # problems whose counts overflow are resampled
            for s in range(1, k + 1):
                self.choose[:, s] = self.choose[:, s - 1] * np.maximum(n - s + 1, 0) / s

    def feasible(self, drawn: Ints, answers: Ints, contests: Ints) -> Bools:
        """Return True for each problem whose exact count is short enough and stays within floats."""
        work = contests.astype(np.float64) * answers * self.cells * (self.k + 1)
        exact: Bools = (work <= _MOST_WORK) & (self.choose[drawn].max(axis=1) <= _LARGEST_EXACT)
        return exact

    def factors(self, size: Ints) -> Floats:
        """Return the polynomials of rivals of these sizes: float[rivals, rows, k + 1]; 1 in rows whose votes they cannot reach."""
        s, t = np.arange(self.k + 1), self.own[:, None]
        shape = np.where(s < t, 1.0, np.where(s == t, self.node[:, None], 0.0))
        return np.where(size[:, None, None] < t, (s == 0).astype(np.float64), self.choose[size][:, None, :] * shape)


def _wins(table: _Table, block: Ints, owner: Ints, count: Ints, silent: Ints, starts: Ints) -> Floats:
    """Return the number of k-subsets that each contestant wins, float[contests]; a tie among r leaders counts 1 / r."""
    rivals = starts[owner[block] + 1] - starts[owner[block]] - 1
    # Contests with most rivals first, so that each step below works on a leading slice and needs no mask.
    block_order = np.argsort(-rivals, kind="stable")
    ranked, rivals = block[block_order], rivals[block_order]
    sizes = _rival_sizes(ranked, rivals, owner, count, starts)
    below = np.where(sizes[:, None, :] < table.own[:, None], sizes[:, None, :], 0).sum(axis=2)
    ways = table.choose[below + silent[owner[ranked]][:, None]]
    for r in range(sizes.shape[1]):
        active = int(np.searchsorted(-rivals, -r))  # contests with more than r rivals
        rows = int(np.searchsorted(table.own, sizes[:active, r].max(), side="right"))
        distinct, which = np.unique(sizes[:active, r], return_inverse=True)
        factor = table.factors(distinct)[which.reshape(-1)][:, :rows]
        before, after = ways[:active, :rows], np.zeros((active, rows, table.k + 1))
        for s in range(min(table.k, int(distinct.max())) + 1):
            after[:, :, s:] += factor[:, :, s, None] * before[:, :, : table.k + 1 - s]
        ways[:active, :rows] = after
    rest = ways[:, np.arange(table.own.size), table.k - table.own]
    won = np.empty(block.size)
    won[block_order] = (rest * table.weight * table.choose[count[ranked]][:, table.own]).sum(axis=1)
    return won


def _rival_sizes(contests: Ints, rivals: Ints, owner: Ints, count: Ints, starts: Ints) -> Ints:
    """Return the draws of each rival, largest first, 0 if there are fewer rivals: int[contests, most rivals]."""
    place = np.arange(int(rivals.max(initial=0)))
    first = starts[owner[contests]][:, None]
    at = first + place
    at += at >= contests[:, None]  # the contestant is not its own rival
    return np.where(place < rivals[:, None], count[np.minimum(at, count.size - 1)], 0)


def _blocks(contests: Ints, cells: int) -> Iterator[Ints]:
    step = max(1, _CELLS // cells)
    for start in range(0, contests.size, step):
        yield contests[start : start + step]


def _resampled(votes: Ints, right: Ints, silent: int, k: int, rng: np.random.Generator) -> tuple[float, float]:
    """Return the resampled value and its standard error."""
    # The number of draws per answer is enough: votes do not depend on which draws they are.
    drawn = rng.multivariate_hypergeometric([*votes, silent], k, size=_RESAMPLES, method="marginals")[:, :-1]
    most = drawn.max(axis=1, keepdims=True)
    leads = (drawn == most) & (most > 0)
    won = (leads * (right / votes)).sum(axis=1) / np.maximum(leads.sum(axis=1), 1)
    smoothed = np.append(won, [0.0, 1.0])  # else 4,000 wins in a row would give a standard error of 0, as if exact
    return float(won.mean()), float(smoothed.std(ddof=1) / np.sqrt(_RESAMPLES))
