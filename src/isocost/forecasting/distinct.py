"""The number of distinct solutions among a problem's correct ones, by the two-parameter Ewens-Pitman law."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from isocost.passrates.grid import Floats
from isocost.passrates.posterior import Ints

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
        _, inverse = np.unique(owner, return_inverse=True)
        distinct = np.bincount(inverse)
        correct = np.bincount(inverse, weights=sizes).astype(np.int64)
        weights = np.array([[self._log_likelihood(t, s, sizes, distinct, correct) for s in _DISCOUNTS] for t in _STRENGTHS])
        weights = np.exp(weights - weights.max())
        kept = np.argwhere(weights > _NEGLIGIBLE)
        self._strengths = np.array(_STRENGTHS)[kept[:, :1]]  # [laws, 1], as the discounts
        self._discounts = np.array(_DISCOUNTS)[kept[:, 1:]]
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
        found = np.zeros((len(self._weights), correct + 1))
        if most is None:
            for c in range(correct):
                # The probability that the next is new is linear in d, so its mean needs the mean of d alone.
                found[:, c + 1] = found[:, c] + self._new(found[:, c : c + 1], c)[:, 0]
            return np.asarray(self._weights @ found)
        numbers = np.arange(most + 1)
        chance = np.zeros((len(self._weights), most + 1))  # of d distinct ones; the last entry: at least `most`
        chance[:, 0] = 1.0
        for c in range(correct):
            rising = chance[:, :most] * self._new(numbers[:most], c)
            chance[:, :most] -= rising
            chance[:, 1:] += rising
            found[:, c + 1] = chance @ numbers
        return np.asarray(self._weights @ found)

    def draw(self, number: int, generator: np.random.Generator) -> Floats:
        """Draw laws by their weights: theta and sigma of each, float[number, 2]."""
        laws = np.concatenate([self._strengths, self._discounts], axis=1)
        return np.asarray(laws[generator.choice(len(laws), number, p=self._weights)], np.float64)

    def _new(self, distinct: Floats | Ints, correct: int) -> Floats:
        """Return the probability that the next correct solution is new after c, of which so many are distinct, float[laws, distinct]."""
        if correct == 0:
            return np.ones(1 if distinct.ndim == 1 else distinct.shape)
        # More distinct ones than correct ones do not occur, but their entries must not exceed 1.
        return np.asarray(np.minimum(1.0, (self._strengths + self._discounts * distinct) / (self._strengths + correct)), np.float64)
