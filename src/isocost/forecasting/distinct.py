"""The number of distinct solutions among a problem's correct ones, by the two-parameter Ewens-Pitman law."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from isocost.arrays import Floats, Ints
from isocost.passrates import MarginalPosterior
from isocost.passrates.grid import RATES

_STRENGTHS = tuple(np.exp(np.linspace(math.log(0.05), math.log(200.0), 25)).tolist())
_DISCOUNTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
_SPREADS = (0.0, 0.5, 1.0, 1.5, 2.0)  # standard deviations of ln theta over problems of the same pass rate
_SLOPES = (0.0, 0.3, 0.6, 0.9)  # of ln theta over the logit of the pass rate; on five recorded pools about .35 to 1 (docs/log.md)
_NEGLIGIBLE = 1e-4
_ENDLESS = 1e300  # a theta beside which no number of solutions counts

_LOGITS = np.arange(-6, 5)  # whole logits of the pass rate, near enough: theta hardly changes within one


def logit_bins(rates: Floats) -> Ints:
    """Return the bin of each pass rate, by its logit rounded to a whole number, int[...]."""
    rates = np.clip(rates, 1e-9, 1.0 - 1e-9)
    # Centres of cells lie on halves: a millionth more keeps rounding errors from deciding.
    logits = np.floor(np.log(rates) - np.log1p(-rates) + 0.500001)
    return np.asarray(np.clip(logits, _LOGITS[0], _LOGITS[-1]) - _LOGITS[0], np.int64)


LOGIT_BINS: Ints = logit_bins(RATES)  # [cells of the pass rate]


class DistinctLaw:
    """Learn how fast new distinct solutions appear among correct ones.

    After c correct solutions of a problem, d of them distinct, the next correct one is new with probability (theta + sigma d) / (theta + c)
    (Pitman 1995, "Exchangeable and partially exchangeable random partitions"). sigma is the same for all problems. Of problems with the
    pass rate p, ln theta ~ N(m - b logit p, s^2): some problems have one way to a solution and others many, and the correct solutions of a
    problem that is rarely solved repeat less. m, s, b and sigma have a prior on a grid, and a posterior from the multiplicities:

        P(m_1 .. m_d | theta) = prod_{i=1}^{d-1} (theta + i sigma) / prod_{i=1}^{c-1} (theta + i) * prod_j prod_{r=1}^{m_j - 1} (r - sigma)

    The pass rate of a problem is not known: the probability is averaged over its posterior, given the counts of all problems.

    Args:
        problem: Problem of each distinct correct solution, as an index, int[classes].
        multiplicity: Correct draws that are this solution, int[classes].
        successes: Correct draws of each problem, int[problems]; of all models together, if the solutions are.
        draws: Graded draws of each problem, int[problems].
    """

    def __init__(self, problem: ArrayLike, multiplicity: ArrayLike, successes: ArrayLike, draws: ArrayLike) -> None:
        owner, sizes = np.asarray(problem, np.int64), np.asarray(multiplicity, np.int64)
        solved, inverse = np.unique(owner, return_inverse=True)
        distinct = np.bincount(inverse)
        correct = np.bincount(inverse, weights=sizes).astype(np.int64)
        over_problems = _over_problems()  # [centres and spreads, strengths]
        shifted = _shifted()
        at_logits = (
            _logit_posterior(np.asarray(successes, np.int64), np.asarray(draws, np.int64))[solved]
            if len(solved)
            else np.zeros((0, len(_LOGITS)))
        )
        likely = np.stack(
            [self._log_likelihood(over_problems, shifted, s, sizes, distinct, correct, at_logits) for s in _DISCOUNTS], axis=1
        )
        posterior = np.exp(likely - likely.max())  # [slopes, discounts, centres and spreads]
        self._laws: Ints = np.argwhere(posterior > _NEGLIGIBLE)
        chances = posterior[tuple(self._laws.T)]
        self._chances: Floats = chances / chances.sum()
        self._over_problems, self._shifted = over_problems, shifted
        # The weight of each slope, discount and strength at a pass rate of one half.
        self._weights: Floats = np.zeros((len(_SLOPES), len(_DISCOUNTS), len(_STRENGTHS)))
        np.add.at(self._weights, (self._laws[:, 0], self._laws[:, 1]), self._chances[:, None] * over_problems[self._laws[:, 2]])

    @staticmethod
    def _log_likelihood(
        over_problems: Floats, shifted: Ints, sigma: float, sizes: Ints, distinct: Ints, correct: Ints, at_logits: Floats
    ) -> Floats:
        """Return the log probability of the multiplicities for each slope, and centre and spread of ln theta, up to a constant."""
        if not len(sizes):
            return np.zeros((len(shifted), len(over_problems)))
        theta = np.array(_STRENGTHS)[:, None]
        steps = np.arange(1, max(int(correct.max()), 2))
        nothing = np.zeros((len(theta), 1))
        new = np.concatenate([nothing, np.cumsum(np.log(theta + steps * sigma), axis=1)], axis=1)
        all_ = np.concatenate([nothing, np.cumsum(np.log(theta + steps), axis=1)], axis=1)
        same = np.concatenate([[0.0], np.cumsum(np.log(steps - sigma))])
        # Theta sees of a problem the numbers of its distinct and of its correct solutions alone.
        rows = np.column_stack([distinct, correct, at_logits])
        states, problems = np.unique(rows, axis=0, return_counts=True)
        d, c, at = states[:, 0].astype(np.int64), states[:, 1].astype(np.int64), states[:, 2:]
        each = new[:, d - 1] - all_[:, c - 1]  # [strengths, states]
        most = each.max(axis=0)
        chance = np.exp(each - most)
        found = np.empty((len(shifted), len(over_problems)))
        for slope, places in enumerate(shifted):
            averaged = np.einsum("es,ejs->js", at.T, chance[places])
            found[slope] = (np.log(np.maximum(over_problems @ averaged, 1e-300)) + most) @ problems
        return found + float(same[sizes - 1].sum())

    def expected(self, correct: int, most: int | None) -> Floats:
        """Return the expected number of distinct solutions, at most `most`, among c = 0 .. `correct` correct ones.

        Returns:
            float[logit_bins, correct + 1]; `LOGIT_BINS` has the row of each cell of the pass rate.
        """
        found = self._by_pair(correct, most)
        rows = [np.einsum("bdj,bdjc->c", self._weights, np.stack([found[:, s] for s in self._shifted[:, e]])) for e in range(len(_LOGITS))]
        return np.asarray(rows, np.float64)

    def sampled(self, correct: int, most: int | None, number: int) -> tuple[Floats, Floats]:
        """Return the mean and the variance over problems of the expected number of `expected`, under laws drawn from the posterior.

        Returns:
            Two arrays, float[number, logit_bins, correct + 1]. The same laws are drawn each time.
        """
        found = self._by_pair(correct, most)
        drawn, which = np.unique(np.random.default_rng(0).choice(len(self._chances), number, p=self._chances), return_inverse=True)
        means = np.empty((len(drawn), len(_LOGITS), correct + 1))
        squares = np.empty_like(means)
        for i, (slope, discount, row) in enumerate(self._laws[drawn].tolist()):
            numbers = found[discount][self._shifted[slope]]  # [logit_bins, strengths, correct + 1]
            means[i] = np.einsum("j,ejc->ec", self._over_problems[row], numbers)
            squares[i] = np.einsum("j,ejc->ec", self._over_problems[row], numbers**2)
        return means[which], np.maximum(squares - means**2, 0.0)[which]

    def _by_pair(self, correct: int, most: int | None) -> Floats:
        """Return the expected numbers under each sigma and theta, float[discounts, strengths, correct + 1]."""
        found = np.zeros((len(_DISCOUNTS), len(_STRENGTHS), correct + 1))
        used = np.unique(self._laws[:, 1])
        theta, sigma = np.tile(_STRENGTHS, len(used))[:, None], np.repeat(np.array(_DISCOUNTS)[used], len(_STRENGTHS))[:, None]
        found[used] = _numbers(theta, sigma, correct, most).reshape(len(used), len(_STRENGTHS), -1)
        return found

    def draw(self, logit_bin: Ints, generator: np.random.Generator) -> Floats:
        """Draw theta and sigma of problems, float[problems, 2].

        Args:
            logit_bin: Bin of each problem's pass rate, as `logit_bins` gives it, int[problems].
            generator: Source of randomness.
        """
        weights = self._weights.ravel()
        places = generator.choice(len(weights), len(logit_bin), p=weights / weights.sum())
        slope, discount, strength = np.unravel_index(places, self._weights.shape)
        return np.column_stack([np.array(_STRENGTHS)[self._shifted[slope, logit_bin, strength]], np.array(_DISCOUNTS)[discount]])


class NoRepeats(DistinctLaw):
    """The law of solutions of which no two count as the same: each correct one is new."""

    def __init__(self) -> None:
        super().__init__([], [], [], [])

    def expected(self, correct: int, most: int | None) -> Floats:
        """Return min(c, most) for c = 0 .. `correct`, float[logit_bins, correct + 1]."""
        numbers = np.arange(correct + 1, dtype=np.float64)
        return np.tile(numbers if most is None else np.minimum(numbers, most), (len(_LOGITS), 1))

    def sampled(self, correct: int, most: int | None, number: int) -> tuple[Floats, Floats]:
        """Return the same `number` times, and a variance of 0."""
        means = np.tile(self.expected(correct, most), (number, 1, 1))
        return means, np.zeros_like(means)

    def draw(self, logit_bin: Ints, generator: np.random.Generator) -> Floats:
        """Return a theta so large that each solution is new, float[problems, 2]."""
        return np.tile([_ENDLESS, 0.0], (len(logit_bin), 1))


def _numbers(theta: Floats, sigma: Floats, correct: int, most: int | None) -> Floats:
    """Return the expected number of distinct solutions among c = 0 .. `correct`, at most `most`, float[pairs, correct + 1].

    Args:
        theta: float[pairs, 1].
        sigma: float[pairs, 1].
        correct: Largest number of correct solutions.
        most: Largest number of distinct ones that count; None: all.
    """

    def new(distinct: Floats | Ints, c: int) -> Floats:
        if c == 0:
            return np.ones((len(theta), distinct.shape[-1]))
        # More distinct ones than correct ones do not occur, but their entries must not exceed 1.
        return np.asarray(np.minimum(1.0, (theta + sigma * distinct) / (theta + c)), np.float64)

    found = np.zeros((len(theta), correct + 1))
    if most is None:
        for c in range(correct):
            # The probability that the next is new is linear in d, so its mean needs the mean of d alone.
            found[:, c + 1] = found[:, c] + new(found[:, c : c + 1], c)[:, 0]
        return found
    numbers = np.arange(most + 1)
    chance = np.zeros((len(theta), most + 1))  # of d distinct ones; the last entry: at least `most`
    chance[:, 0] = 1.0
    for c in range(correct):
        rising = chance[:, :most] * new(numbers[:most], c)
        chance[:, :most] -= rising
        chance[:, 1:] += rising
        found[:, c + 1] = chance @ numbers
    return found


def _logit_posterior(successes: Ints, draws: Ints) -> Floats:
    """Return the posterior of each problem's pass rate given the counts of all, in each bin of its logit, float[problems, logit_bins]."""
    posterior = MarginalPosterior(successes, draws)
    _, state_of = np.unique(np.stack([successes, draws - successes], axis=1), axis=0, return_inverse=True)
    cells = np.array([posterior.weights @ posterior.rates(k) for k in range(len(posterior.states))])
    found = np.zeros((len(cells), len(_LOGITS)))
    np.add.at(found.T, LOGIT_BINS, cells.T)
    return found[state_of.ravel()]


def _shifted() -> Ints:
    """Return the place of theta = strength * exp(-slope * logit) among the strengths, int[slopes, logit_bins, strengths]."""
    step = math.log(_STRENGTHS[-1] / _STRENGTHS[0]) / max(1, len(_STRENGTHS) - 1) or 1.0
    steps = np.rint(-np.outer(_SLOPES, _LOGITS) / step).astype(np.int64)
    return np.asarray(np.clip(np.arange(len(_STRENGTHS)) + steps[:, :, None], 0, len(_STRENGTHS) - 1), np.int64)


def _over_problems() -> Floats:
    """Return the share of problems with each theta, for each centre and spread of ln theta, float[centres and spreads, strengths]."""
    logs = np.log(_STRENGTHS)
    distances = (logs - logs[:, None]) ** 2  # [centres, strengths]
    shares = [np.exp(-distances / (2.0 * spread**2)) if spread else (distances == 0.0).astype(float) for spread in _SPREADS]
    found = np.concatenate(shares)
    return np.asarray(found / found.sum(axis=1, keepdims=True), np.float64)
