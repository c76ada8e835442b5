"""Expected gains of more draws, for each objective, under a posterior of pass rates."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np

from isocost.arrays import Bools, Floats, Ints
from isocost.passrates import Posterior, States
from isocost.policies.base import Coverage, KeptPerProblem, MixedGroups, Observation, Terms
from isocost.policies.tally import Tally


class Gains(Protocol):
    """Track progress towards an objective, and return expected gains.

    A purchase is the smallest number of draws that are bought together. Gains are those of the 1st, 2nd, ... purchase of one model for a
    problem in one round, before any of their outcomes is known.
    """

    def observe(self, seen: list[tuple[int, int, Observation]]) -> None:
        """Count observations, given with the indices of problem and model."""

    def open(self) -> Bools:
        """Return the problems that can still gain, bool[problems]."""

    def progress(self) -> Ints:
        """Return what the gain depends on beside the counts, int[problems, columns]; problems equal in it and in counts gain the same."""

    def purchase(self, model: int) -> Ints:
        """Return the number of draws of the next purchase, int[problems]; those after it in the same round are single draws."""

    def expected(self, posterior: Posterior, states: States, progress: Ints, model: int, depth: int) -> Floats:
        """Return the expected gain of each of `depth` purchases, float[depth, states]."""


def gains_of(terms: Terms, tally: Tally) -> Gains:
    """Return the gains for the objective of the terms, discounted by its false positive rates."""
    rates: Floats = np.array([terms.false_positive_rates.get(m, 0.0) for m in terms.models])
    match terms.objective:
        case Coverage():
            return CoverageGains(tally, rates)
        case KeptPerProblem(most=most):
            return KeptGains(tally, rates, most)
        case MixedGroups(size=size):
            return GroupGains(tally, rates, size)


class CoverageGains:
    """Gain problems with a correct sample, or, with false positive rates, the probability that one of a problem's samples is sound.

    With the rates phi_m, a problem with s_m correct samples has no sound one with probability V = prod_m phi_m^s_m, if each is unsound
    independently. The j-th further draw of m gains V (1 - phi_m) E[p (1 - p (1 - phi_m))^(j - 1)].
    """

    def __init__(self, tally: Tally, rates: Floats) -> None:
        self._tally, self._rates = tally, rates

    def observe(self, seen: list[tuple[int, int, Observation]]) -> None:
        """Do nothing: the tally has the counts."""

    def open(self) -> Bools:
        """Return the problems that are not certain to have a sound sample."""
        return self._unsound(self._tally.counts) > 1e-12

    def progress(self) -> Ints:
        """Return nothing: gains depend on counts alone."""
        return np.zeros((len(self._tally.drawn), 0), np.int64)

    def purchase(self, model: int) -> Ints:
        """Return 1: draws are bought one by one."""
        return np.ones(len(self._tally.drawn), np.int64)

    def expected(self, posterior: Posterior, states: States, progress: Ints, model: int, depth: int) -> Floats:
        """Return V (1 - phi) E[p (1 - p (1 - phi))^j] for j = 0 .. depth - 1."""
        phi = float(self._rates[model])
        # 1 - p (1 - phi) = (1 - p) + phi p; without phi only the first power is needed.
        powers = [(1 + i, j - i) for j in range(depth) for i in range(j + 1 if phi else 1)]
        moments = dict(zip(powers, posterior.moments(states, model, powers), strict=True))
        value = self._unsound(states.counts) * (1.0 - phi)
        return np.stack(
            [value * sum(math.comb(j, i) * phi**i * moments[1 + i, j - i] for i in range(j + 1 if phi else 1)) for j in range(depth)]
        )

    def _unsound(self, counts: Ints) -> Floats:
        return np.asarray((self._rates ** counts[:, :, 0]).prod(axis=1), np.float64)  # 0^0 = 1: an unsolved problem


class KeptGains:
    """Gain distinct correct solutions, at most `most` per problem.

    With d distinct ones, the j-th further draw gains if it is correct, new, and fewer than most - d of the j - 1 before it were. These are
    counted as correct ones, new or not, so that later draws of a round gain a little less than they would. The probability that a correct
    draw is new is learned for each d over all problems, shrunk to that of d - 1. A solution of a model with the false positive rate phi
    counts 1 - phi.
    """

    def __init__(self, tally: Tally, rates: Floats, most: int) -> None:
        self._rates, self._most = rates, most
        self._distinct = np.zeros(len(tally.drawn), np.int64)
        self._new, self._correct = np.zeros(most), np.zeros(most)

    def observe(self, seen: list[tuple[int, int, Observation]]) -> None:
        """Count distinct solutions."""
        for i, _, o in seen:
            if o.verdict.correct:
                held = min(int(self._distinct[i]), self._most - 1)
                self._correct[held] += 1
                if o.new:
                    self._new[held] += 1
                    self._distinct[i] += 1

    def open(self) -> Bools:
        """Return the problems with fewer than `most` distinct solutions."""
        return np.asarray(self._distinct < self._most, np.bool_)

    def progress(self) -> Ints:
        """Return the number of distinct solutions."""
        return self._distinct[:, None]

    def purchase(self, model: int) -> Ints:
        """Return 1: draws are bought one by one."""
        return np.ones(len(self._distinct), np.int64)

    def expected(self, posterior: Posterior, states: States, progress: Ints, model: int, depth: int) -> Floats:
        """Return (1 - phi) E[p nu P(Binomial(j, p) < most - d)] for j = 0 .. depth - 1."""
        powers = [(1 + i, j - i) for j in range(depth) for i in range(min(j + 1, self._most))]
        moments = dict(zip(powers, posterior.moments(states, model, powers), strict=True))
        missing = self._most - progress[:, 0]
        fresh = self._novelty()[np.minimum(progress[:, 0], self._most - 1)]
        gains = np.zeros((depth, len(missing)))
        for j in range(depth):
            for i in range(min(j + 1, self._most)):
                gains[j] += np.where(i < missing, math.comb(j, i) * moments[1 + i, j - i], 0.0)
        return (1.0 - float(self._rates[model])) * fresh * gains

    def _novelty(self) -> Floats:
        novelty, last = np.empty(self._most), 1.0
        for d in range(self._most):
            last = novelty[d] = (self._new[d] + 4.0 * last) / (self._correct[d] + 4.0)
        return novelty


class GroupGains:
    """Gain problems with a mixed group: `size` draws of one model that are neither all correct nor all incorrect.

    A model's draws for a problem fall into groups by their indices. A purchase is the rest of the group that is under way. With s and f
    outcomes in it and r draws to come, it becomes mixed with probability 1 - [f = 0] E[p^r] - [s = 0] E[(1 - p)^r]. A group of a model with
    the false positive rate phi counts 1 - phi.
    """

    def __init__(self, tally: Tally, rates: Floats, size: int) -> None:
        self._tally, self._rates, self._size = tally, rates, size
        self._group = np.zeros((*tally.drawn.shape, 2), np.int64)
        self._mixed = np.zeros(len(tally.drawn), np.bool_)

    def observe(self, seen: list[tuple[int, int, Observation]]) -> None:
        """Count the outcomes in the group under way; a group that is complete counts if it is mixed."""
        for i, m, o in seen:
            if o.verdict.correct is not None:
                self._group[i, m, 0 if o.verdict.correct else 1] += 1
            if (o.sample_index + 1) % self._size == 0:
                self._mixed[i] |= bool(self._group[i, m].all())
                self._group[i, m] = 0

    def open(self) -> Bools:
        """Return the problems without a mixed group."""
        return ~self._mixed

    def progress(self) -> Ints:
        """Return the outcomes in the groups under way, and the draws that they lack."""
        lacking = self._size - self._tally.drawn % self._size
        return np.concatenate([self._group.reshape(len(self._mixed), -1), lacking], axis=1)

    def purchase(self, model: int) -> Ints:
        """Return the draws that complete the group under way."""
        return np.asarray(self._size - self._tally.drawn[:, model] % self._size, np.int64)

    def expected(self, posterior: Posterior, states: States, progress: Ints, model: int, depth: int) -> Floats:
        """Return (1 - phi) times the probability that the next purchase completes a mixed group; further ones in a round gain nothing."""
        models = states.counts.shape[1]
        successes, failures = progress[:, 2 * model], progress[:, 2 * model + 1]
        lacking = progress[:, 2 * models + model]
        sizes = [int(r) for r in np.unique(lacking)]
        moments = posterior.moments(states, model, [power for r in sizes for power in ((r, 0), (0, r))])
        gains = np.zeros((depth, len(lacking)))
        for k, r in enumerate(sizes):
            mixed = 1.0 - np.where(failures == 0, moments[2 * k], 0.0) - np.where(successes == 0, moments[2 * k + 1], 0.0)
            gains[0] = np.where(lacking == r, mixed, gains[0])
        return gains * (1.0 - float(self._rates[model]))
