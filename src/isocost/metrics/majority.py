"""Majority voting: the chance that the most frequent answer of k draws is right."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import comb

import numpy as np

from isocost.metrics.coverage import Floats

_MOST_WORK = 20_000_000  # multiplications of the exact count; about a tenth of a second
_LARGEST_EXACT = 1e290  # subsets that floating point still counts
_RESAMPLES = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Majority:
    """maj@k of one problem.

    Attributes:
        value: Chance that the vote of k draws is correct; None where k draws are not there or k is 0.
        error: Standard error from resampling; 0.0 if the value is exact.
    """

    value: float | None
    error: float = 0.0


def majority_at_k(answers: Sequence[tuple[Hashable | None, bool]], k: int, *, seed: int = 0) -> Majority:
    """Chance that the answer with most votes among k of a problem's draws, taken without replacement, is correct.

    Every k-subset of the M draws is equally likely; a tie is settled by lot among the leaders; a draw without an answer (None) is drawn but
    never votes, and a subset without any vote is wrong. Equal answers that were graded differently count by the correct share among them.

    Counted exactly: with n_0 draws without an answer, answer i given by m_i draws wins with t votes and tau others level in as many
    subsets as the coefficient of x^(k-t) y^tau in C(m_i, t) (1+x)^n_0 prod_{j != i} [sum_{s<t} C(m_j, s) x^s + y C(m_j, t) x^t], each
    worth 1 / (tau + 1). Where that is too long or its numbers too large, seeded resampling takes its place and says its standard error.

    Args:
        answers: (answer, is it correct) of each draw of one problem.
        k: Draws in a vote.
        seed: Of the resampling.
    """
    if not 1 <= k <= len(answers):
        return Majority(value=None)
    votes = Counter(answer for answer, _ in answers if answer is not None)
    right = Counter(answer for answer, correct in answers if correct and answer is not None)
    work = len(right) * min(k, max(votes.values(), default=0)) * (len(votes) + 1) * (k + 1) ** 2
    if work > _MOST_WORK or comb(len(answers), k) > _LARGEST_EXACT:
        return _resampled(answers, k, random.Random(seed))
    silent = len(answers) - votes.total()
    wins = 0.0
    for answer, n_right in right.items():
        others = [count for other, count in votes.items() if other != answer]
        wins += n_right / votes[answer] * _subsets_won(votes[answer], others, silent, k)
    return Majority(value=min(1.0, wins / comb(len(answers), k)))


def _subsets_won(own: int, others: Sequence[int], silent: int, k: int) -> float:
    """In how many k-subsets an answer given by `own` draws wins, a tie among r leaders counting 1 / r."""
    total = 0.0
    for votes in range(1, min(own, k) + 1):
        rest = k - votes
        ways = np.zeros((rest // votes + 1, rest + 1))  # [answers level with this one, draws used]
        ways[0] = _choices(silent, rest)
        for count in others:
            ways = _with_rival(ways, count, votes)
        total += comb(own, votes) * float(ways[:, rest] @ (1.0 / np.arange(1, ways.shape[0] + 1)))
    return total


def _with_rival(ways: Floats, count: int, votes: int) -> Floats:
    """The ways after one more answer, given by `count` draws, took fewer than `votes` or, level, exactly `votes`."""
    rest = ways.shape[1] - 1
    after = np.zeros_like(ways)
    for taken, n_ways in enumerate(_choices(count, min(votes - 1, rest))):
        after[:, taken:] += n_ways * ways[:, : rest + 1 - taken]
    if votes <= min(count, rest):
        after[1:, votes:] += comb(count, votes) * ways[:-1, : rest + 1 - votes]
    return after


def _choices(count: int, most: int) -> Floats:
    """C(count, s) for s = 0 .. most."""
    return np.array([float(comb(count, s)) for s in range(most + 1)])


def _resampled(answers: Sequence[tuple[Hashable | None, bool]], k: int, rng: random.Random) -> Majority:
    wins = 0
    for _ in range(_RESAMPLES):
        subset = rng.sample(answers, k)
        votes = Counter(answer for answer, _ in subset if answer is not None)
        if not votes:
            continue
        most = max(votes.values())
        winner = rng.choice([answer for answer, count in votes.items() if count == most])
        wins += rng.choice([correct for answer, correct in subset if answer == winner])
    share = wins / _RESAMPLES
    smoothed = (wins + 1) / (_RESAMPLES + 2)  # an error of zero after all wins would claim exactness
    return Majority(value=share, error=float(np.sqrt(smoothed * (1 - smoothed) / _RESAMPLES)))
