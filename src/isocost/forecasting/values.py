"""Expected value of draws for a problem of each pass rate, for each objective.

With a false positive rate f of a model, values count sound solutions: each correct draw of the model is sound with probability 1 - f,
independently of everything else. Without one they count correct solutions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from isocost.arrays import Floats, Ints
from isocost.forecasting.distinct import LOGIT_BINS, DistinctLaw, logit_bins
from isocost.passrates.grid import LOG_FAILURES, LOG_RATES, RATES
from isocost.policies.base import Coverage, KeptPerProblem, MixedGroups, Objective

_LEAST = 1e-12  # draws, so that none are not divided by


def draw_values(objective: Objective, ks: Sequence[float], distinct: DistinctLaw, false_positive_rate: float = 0.0) -> Floats:
    """Return the expected value of k draws of one model, float[ks, cells of the pass rate].

    It is linear between whole draws, because a fraction is the share of problems that get one more.

    - Coverage: 1 - (1 - p (1 - f))^k. A draw is a sound solution with probability p (1 - f), so this is exact. Equal texts are sound or
      unsound together, however: where they are common, fewer problems are covered.
    - `kept_per_problem`: the expected number of sound ones among the kept ones, (1 - f) E[min(distinct, most)]. This is exact even if the
      soundness of solutions is dependent. The cap holds for correct solutions, because a training set cannot tell which are sound.
    - Mixed groups: 1 - (1 - q)^floor(k / G). A group of G draws counts if it is mixed and has a sound solution:
      q = 1 - p^G - (1 - p (1 - f))^G + (p f)^G, which is exact. The last term is for draws that are all correct and none sound: such a
      group is in both terms before it.

    Args:
        objective: The objective.
        ks: Draws per problem, each at least 0.
        distinct: Law of distinct solutions among correct ones.
        false_positive_rate: f.
    """
    match objective:
        case Coverage():
            log_unsound = _log_unsound(false_positive_rate)
            found = np.array([_between(lambda j: -np.expm1(j * log_unsound), k) for k in ks])
            found[:, 0] = 0.0  # the lowest cell is as good as impossible
            return found
        case KeptPerProblem(most=most):
            return (1.0 - false_positive_rate) * kept_values(ks, most, distinct)
        case MixedGroups(size=size):
            log_missed = _log_missed(size, false_positive_rate)
            return np.array([_between(lambda j: -np.expm1(j // size * log_missed), k) for k in ks])


def group_values(size: int, false_positive_rate: float = 0.0) -> Floats:
    """Return q of `draw_values`, the probability that a group of `size` draws counts, float[cells]."""
    every = (1.0 - false_positive_rate**size) * np.exp(size * LOG_RATES)
    return np.asarray(1.0 - every - np.exp(size * _log_unsound(false_positive_rate)), np.float64)


def kept_values(ks: Sequence[float], most: int | None, distinct: DistinctLaw) -> Floats:
    """Return the expected number of distinct correct solutions, at most `most`, among k draws, float[ks, cells]."""
    return by_correct(ks, distinct.expected(math.ceil(max(ks, default=0)), most))


def by_correct(ks: Sequence[float], table: Floats) -> Floats:
    """Return the mean over the number of correct ones among k draws of a function of it, float[..., ks, cells].

    Args:
        ks: Draws per problem.
        table: The function at c = 0, 1, ... correct draws, float[..., logit_bins, correct + 1].
    """

    def mean(j: int) -> Floats:
        chances = binomial(j)
        found = np.empty((*table.shape[:-2], len(LOGIT_BINS)))
        for logit_bin in range(table.shape[-2]):
            cells = np.flatnonzero(logit_bin == LOGIT_BINS)
            found[..., cells] = table[..., logit_bin, : j + 1] @ chances[cells].T
        return found

    return np.stack([_between(mean, k) for k in ks], axis=-2)


def pair_values(
    objective: Objective, first: float, second: float, distinct: DistinctLaw, false_positive_rates: tuple[float, float] = (0.0, 0.0)
) -> Floats:
    """Return the expected value of draws of two models for the same problem, float[cells of the first, cells of the second].

    Given the pass rates, draws of two models are independent. A correct solution counts once, whichever model it comes from.

    With false positive rates, coverage and mixed groups need one of two independent events, as without them. Of kept solutions, the share
    that is sound is that of all correct draws, (c (1 - f) + c' (1 - f')) / (c + c') for c and c' correct ones. A training set takes draws
    in random order, and the law of distinct solutions holds in any order. So whether a draw is the first of its solution says nothing
    about its model, and the formula is exact under that law. The pass rate that the law depends on is the mean over the draws.

    Args:
        objective: The objective.
        first: Draws per problem of the first model.
        second: Draws per problem of the second.
        distinct: Law of distinct solutions among the correct ones of both.
        false_positive_rates: f of the first model and f' of the second.
    """
    if isinstance(objective, KeptPerProblem):
        table = distinct.expected(math.ceil(first) + math.ceil(second), objective.most)
        left, right = _correct(first), _correct(second)
        correct = np.stack(np.meshgrid(np.arange(left.shape[1]), np.arange(right.shape[1]), indexing="ij"), axis=-1)
        sound = sound_shares(correct, false_positive_rates)
        logit_bin = logit_bins((first * RATES[:, None] + second * RATES) / max(first + second, _LEAST))
        found = np.empty(logit_bin.shape)
        for place in np.unique(logit_bin):
            here = logit_bin == place
            found[here] = (left @ (table[place][correct.sum(axis=-1)] * sound) @ right.T)[here]
        return found
    # A mixed group has draws of one model only, so both objectives need one of two independent events.
    missed = [1.0 - draw_values(objective, [k], distinct, rate)[0] for k, rate in zip((first, second), false_positive_rates, strict=True)]
    return np.asarray(1.0 - np.outer(missed[0], missed[1]))


def sound_shares(correct: Ints, false_positive_rates: Sequence[float]) -> Floats:
    """Return the expected share of the correct draws that are sound, float[...]; 1 without correct draws.

    Args:
        correct: Correct draws by model, int[..., models].
        false_positive_rates: Those of the models.
    """
    sound = correct @ (1.0 - np.asarray(false_positive_rates, np.float64))
    total = correct.sum(axis=-1)
    return np.asarray(np.divide(sound, total, out=np.ones(total.shape), where=total > 0), np.float64)


def binomial(k: int) -> Floats:
    """Return the binomial probabilities of 0 .. k successes in each cell of the pass rate, float[cells, k + 1]."""
    c = np.arange(k + 1)
    log_choose = np.array([math.lgamma(k + 1) - math.lgamma(i + 1) - math.lgamma(k - i + 1) for i in range(k + 1)])
    return np.asarray(np.exp(log_choose + c * LOG_RATES[:, None] + (k - c) * LOG_FAILURES[:, None]), np.float64)


def _correct(k: float) -> Floats:
    """Return the probabilities of the number of correct draws among k, float[cells, ceil(k) + 1]."""
    below, share = math.floor(k), k - math.floor(k)
    found = np.zeros((len(LOG_RATES), math.ceil(k) + 1))
    found[:, : below + 1] += (1.0 - share) * binomial(below)
    if share:
        found += share * binomial(below + 1)
    return found


def _log_unsound(false_positive_rate: float) -> Floats:
    """Return log(1 - p (1 - f)), float[cells]: the log probability that a draw is no sound solution."""
    if not false_positive_rate:
        return LOG_FAILURES
    return np.asarray(np.logaddexp(LOG_FAILURES, math.log(false_positive_rate) + LOG_RATES), np.float64)


def _log_missed(size: int, false_positive_rate: float) -> Floats:
    """Return log(1 - q) of `draw_values`, float[cells]; 1 - q is p^G (1 - f^G) + (1 - p (1 - f))^G."""
    return np.logaddexp(size * LOG_RATES + math.log1p(-(false_positive_rate**size)), size * _log_unsound(false_positive_rate))


def _between(function: Callable[[int], Floats], k: float) -> Floats:
    """Return a function of whole numbers at k, linear in between."""
    below = math.floor(k)
    share = k - below
    if share == 0.0:
        return function(below)
    return np.asarray((1.0 - share) * function(below) + share * function(below + 1), np.float64)
