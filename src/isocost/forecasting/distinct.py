"""The number of distinct solutions among a problem's correct ones, by the two-parameter Ewens-Pitman law."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from isocost.arrays import Floats, Ints

_STRENGTHS = tuple(np.exp(np.linspace(math.log(0.05), math.log(200.0), 25)).tolist())
_DISCOUNTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
_SPREADS = (0.0, 0.5, 1.0, 1.5, 2.0)  # standard deviations of ln theta over problems
_NEGLIGIBLE = 1e-4


class DistinctLaw:
    """Learn how fast new distinct solutions appear among correct ones.

    After c correct solutions of a problem, d of them distinct, the next correct one is new with probability (theta + sigma d) / (theta + c)
    (Pitman 1995, "Exchangeable and partially exchangeable random partitions"). sigma is the same for all problems; ln theta is normal over
    problems, because some have one way to a solution and others many. Their centre, spread and sigma have a flat prior on a grid, and a
    posterior from the multiplicities:

        P(m_1 .. m_d | theta) = prod_{i=1}^{d-1} (theta + i sigma) / prod_{i=1}^{c-1} (theta + i) * prod_j prod_{r=1}^{m_j - 1} (r - sigma)

    Args:
        problem: Problem of each distinct correct solution, int[classes].
        multiplicity: Correct draws that are this solution, int[classes].
    """

    def __init__(self, problem: ArrayLike, multiplicity: ArrayLike) -> None:
        owner, sizes = np.asarray(problem, np.int64), np.asarray(multiplicity, np.int64)
        _, inverse = np.unique(owner, return_inverse=True)
        distinct = np.bincount(inverse)
        correct = np.bincount(inverse, weights=sizes).astype(np.int64)
        over_problems = _over_problems()  # [centres and spreads, strengths]
        likely = np.array([self._log_likelihood(over_problems, s, sizes, distinct, correct) for s in _DISCOUNTS])
        posterior = np.exp(likely - likely.max())  # [discounts, centres and spreads]
        laws = np.argwhere(posterior > _NEGLIGIBLE)
        chances = posterior[laws[:, 0], laws[:, 1]]
        self._chances: Floats = chances / chances.sum()
        # A law of all problems is a mixture of pairs of theta and sigma.
        mixtures = np.zeros((len(laws), len(_DISCOUNTS), len(_STRENGTHS)))
        mixtures[np.arange(len(laws)), laws[:, 0]] = over_problems[laws[:, 1]]
        kept = np.argwhere(mixtures.max(axis=0) > _NEGLIGIBLE)
        self._discounts = np.array(_DISCOUNTS)[kept[:, :1]]  # [pairs, 1], as the strengths
        self._strengths = np.array(_STRENGTHS)[kept[:, 1:]]
        given = mixtures[:, kept[:, 0], kept[:, 1]]
        self._given: Floats = given / given.sum(axis=1, keepdims=True)
        self._weights: Floats = self._chances @ self._given

    @staticmethod
    def _log_likelihood(over_problems: Floats, sigma: float, sizes: Ints, distinct: Ints, correct: Ints) -> Floats:
        """Return the log probability of the multiplicities for each centre and spread of ln theta, up to a constant."""
        if not len(sizes):
            return np.zeros(len(over_problems))
        theta = np.array(_STRENGTHS)[:, None]
        steps = np.arange(1, max(int(correct.max()), 2))
        nothing = np.zeros((len(theta), 1))
        new = np.concatenate([nothing, np.cumsum(np.log(theta + steps * sigma), axis=1)], axis=1)
        all_ = np.concatenate([nothing, np.cumsum(np.log(theta + steps), axis=1)], axis=1)
        same = np.concatenate([[0.0], np.cumsum(np.log(steps - sigma))])
        # Theta sees of a problem the numbers of its distinct and of its correct solutions alone.
        states, problems = np.unique(np.stack([distinct, correct], axis=1), axis=0, return_counts=True)
        each = new[:, states[:, 0] - 1] - all_[:, states[:, 1] - 1]  # [strengths, states]
        most = each.max(axis=0)
        integrated = np.log(np.maximum(over_problems @ np.exp(each - most), 1e-300)) + most
        return np.asarray(integrated @ problems + same[sizes - 1].sum(), np.float64)

    def expected(self, correct: int, most: int | None) -> Floats:
        """Return the expected number of distinct solutions, at most `most`, among c = 0 .. `correct` correct ones, float[correct + 1]."""
        return np.asarray(self._weights @ self._by_pair(correct, most))

    def sampled(self, correct: int, most: int | None, number: int) -> tuple[Floats, Floats]:
        """Return the mean and the variance over problems of the expected number of `expected`, under laws drawn from the posterior.

        Returns:
            Two arrays, float[number, correct + 1]. The same laws are drawn each time.
        """
        found = self._by_pair(correct, most)
        drawn = self._given[np.random.default_rng(0).choice(len(self._chances), number, p=self._chances)]
        means = drawn @ found
        return means, np.maximum(drawn @ found**2 - means**2, 0.0)

    def _by_pair(self, correct: int, most: int | None) -> Floats:
        """Return the expected numbers under each pair of theta and sigma, float[pairs, correct + 1]."""
        found = np.zeros((len(self._weights), correct + 1))
        if most is None:
            for c in range(correct):
                # The probability that the next is new is linear in d, so its mean needs the mean of d alone.
                found[:, c + 1] = found[:, c] + self._new(found[:, c : c + 1], c)[:, 0]
            return found
        numbers = np.arange(most + 1)
        chance = np.zeros((len(self._weights), most + 1))  # of d distinct ones; the last entry: at least `most`
        chance[:, 0] = 1.0
        for c in range(correct):
            rising = chance[:, :most] * self._new(numbers[:most], c)
            chance[:, :most] -= rising
            chance[:, 1:] += rising
            found[:, c + 1] = chance @ numbers
        return found

    def draw(self, number: int, generator: np.random.Generator) -> Floats:
        """Draw theta and sigma of problems, float[number, 2]."""
        pairs = np.concatenate([self._strengths, self._discounts], axis=1)
        return np.asarray(pairs[generator.choice(len(pairs), number, p=self._weights)], np.float64)

    def _new(self, distinct: Floats | Ints, correct: int) -> Floats:
        """Return the probability that the next correct solution is new after c, of which so many are distinct, float[laws, distinct]."""
        if correct == 0:
            return np.ones(1 if distinct.ndim == 1 else distinct.shape)
        # More distinct ones than correct ones do not occur, but their entries must not exceed 1.
        return np.asarray(np.minimum(1.0, (self._strengths + self._discounts * distinct) / (self._strengths + correct)), np.float64)


def _over_problems() -> Floats:
    """Return the share of problems with each theta, for each centre and spread of ln theta, float[centres and spreads, strengths]."""
    logs = np.log(_STRENGTHS)
    distances = (logs - logs[:, None]) ** 2  # [centres, strengths]
    shares = [np.exp(-distances / (2.0 * spread**2)) if spread else (distances == 0.0).astype(float) for spread in _SPREADS]
    found = np.concatenate(shares)
    return np.asarray(found / found.sum(axis=1, keepdims=True), np.float64)
