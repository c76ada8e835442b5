"""The number of distinct solutions among a problem's correct ones, by the two-parameter Ewens-Pitman law."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import ArrayLike

from isocost.passrates.grid import Floats

_STRENGTHS = tuple(np.exp(np.linspace(math.log(0.05), math.log(200.0), 25)).tolist())
_DISCOUNTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
_NEGLIGIBLE = 1e-4


class DistinctLaw:
    """Learn how fast new distinct solutions appear among correct ones.

    After c correct solutions, d of them distinct, the next correct one is new with probability (theta + sigma d) / (theta + c)
    (Pitman 1995, "Exchangeable and partially exchangeable random partitions"). theta and sigma are the same for all problems; their
    posterior under a flat prior on a grid of ln theta and sigma comes from the multiplicities:

        P(m_1 .. m_d) = prod_{i=1}^{d-1} (theta + i sigma) / prod_{i=1}^{c-1} (theta + i) * prod_j prod_{r=1}^{m_j - 1} (r - sigma)

    Args:
        problem: Problem of each distinct correct solution, int[classes].
        multiplicity: Correct draws that are this solution, int[classes].
    """

    def __init__(self, problem: ArrayLike, multiplicity: ArrayLike) -> None:
        owner, sizes = np.asarray(problem, np.int64), np.asarray(multiplicity, np.int64)
        self.repeats = int((sizes - 1).sum()) if len(sizes) else 0
        _, inverse = np.unique(owner, return_inverse=True)
        distinct = np.bincount(inverse)
        correct = np.bincount(inverse, weights=sizes).astype(np.int64)
        weights = np.array([[self._log_likelihood(t, s, sizes, distinct, correct) for s in _DISCOUNTS] for t in _STRENGTHS])
        weights = np.exp(weights - weights.max())
        kept = np.argwhere(weights > _NEGLIGIBLE)
        self._laws = [(_STRENGTHS[i], _DISCOUNTS[j]) for i, j in kept.tolist()]
        chosen = weights[kept[:, 0], kept[:, 1]]
        self._weights: Floats = chosen / chosen.sum()

    @staticmethod
    def _log_likelihood(theta: float, sigma: float, sizes: np.ndarray, distinct: np.ndarray, correct: np.ndarray) -> float:
        total = 0.0
        if len(sizes):
            steps = np.arange(1, max(int(correct.max()), 2))
            new = np.concatenate([[0.0], np.cumsum(np.log(theta + steps * sigma))])
            all_ = np.concatenate([[0.0], np.cumsum(np.log(theta + steps))])
            same = np.concatenate([[0.0], np.cumsum(np.log(steps - sigma))])
            total = float(new[distinct - 1].sum() - all_[correct - 1].sum() + same[sizes - 1].sum())
        return total

    def expected(self, correct: int, most: int | None) -> Floats:
        """Return the expected number of distinct solutions, at most `most`, among c = 0 .. `correct` correct ones, float[correct + 1]."""
        return np.asarray(sum(w * _expected(t, s, correct, most) for (t, s), w in zip(self._laws, self._weights, strict=True)))


@cache
def _expected(theta: float, sigma: float, correct: int, most: int | None) -> Floats:
    found = np.zeros(correct + 1)
    if most is None:
        for c in range(correct):
            # The probability that the next is new is linear in d, so its mean needs the mean of d alone.
            found[c + 1] = found[c] + (1.0 if c == 0 else (theta + sigma * found[c]) / (theta + c))
        return found
    chance = np.zeros(most + 1)  # of d distinct ones; the last entry: at least `most`
    chance[0] = 1.0
    numbers = np.arange(most + 1)
    for c in range(correct):
        new = np.ones(most + 1) if c == 0 else np.minimum(1.0, (theta + sigma * numbers) / (theta + c))
        rising = chance * new
        rising[most] = 0.0
        chance = chance - rising
        chance[1:] += rising[:-1]
        found[c + 1] = chance @ numbers
    return found
