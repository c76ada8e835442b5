"""Expected value of draws for a problem of each pass rate, for each objective."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from isocost.arrays import Floats
from isocost.forecasting.distinct import DistinctLaw
from isocost.passrates.grid import LOG_FAILURES, LOG_RATES
from isocost.policies.base import Coverage, KeptPerProblem, MixedGroups, Objective


def draw_values(objective: Objective, ks: Sequence[float], distinct: DistinctLaw) -> Floats:
    """Return the expected value of k draws of one model, float[ks, cells of the pass rate].

    Of coverage it is 1 - (1 - p)^k; of `kept_per_problem` E[min(distinct, most)]; of mixed groups 1 - (1 - q)^(k / G), with the probability
    q = 1 - p^G - (1 - p)^G that a group of G draws is mixed. It is linear between whole draws (for mixed groups: whole groups), because
    a fraction is the share of problems that get one more.

    Args:
        objective: The objective.
        ks: Draws per problem, each at least 0.
        distinct: Law of distinct solutions among correct ones.
    """
    match objective:
        case Coverage():
            found = np.array([_between(lambda j: -np.expm1(j * LOG_FAILURES), k) for k in ks])
            found[:, 0] = 0.0  # the lowest cell is as good as impossible
            return found
        case KeptPerProblem(most=most):
            return kept_values(ks, most, distinct)
        case MixedGroups(size=size):
            log_alike = np.logaddexp(size * LOG_RATES, size * LOG_FAILURES)
            return np.array([_between(lambda j: -np.expm1(j * log_alike), k / size) for k in ks])


def kept_values(ks: Sequence[float], most: int | None, distinct: DistinctLaw) -> Floats:
    """Return the expected number of distinct correct solutions, at most `most`, among k draws, float[ks, cells]."""
    return by_correct(ks, distinct.expected(math.ceil(max(ks, default=0)), most))


def by_correct(ks: Sequence[float], table: Floats) -> Floats:
    """Return the mean over the number of correct ones among k draws of a function of it, float[..., ks, cells].

    Args:
        ks: Draws per problem.
        table: The function at c = 0, 1, ... correct draws, float[..., correct + 1].
    """
    return np.stack([_between(lambda j: table[..., : j + 1] @ binomial(j).T, k) for k in ks], axis=-2)


def pair_values(objective: Objective, first: float, second: float, distinct: DistinctLaw) -> Floats:
    """Return the expected value of draws of two models for the same problem, float[cells of the first, cells of the second].

    Given the pass rates, draws of two models are independent. A correct solution counts once, whichever model it comes from.

    Args:
        objective: The objective.
        first: Draws per problem of the first model.
        second: Draws per problem of the second.
        distinct: Law of distinct solutions among the correct ones of both.
    """
    if isinstance(objective, KeptPerProblem):
        table = distinct.expected(math.ceil(first) + math.ceil(second), objective.most)
        left, right = _correct(first), _correct(second)
        together = table[np.add.outer(np.arange(left.shape[1]), np.arange(right.shape[1]))]
        return np.asarray(left @ together @ right.T)
    # A mixed group has draws of one model only, so both objectives need one of two independent events.
    missed = [1.0 - draw_values(objective, [k], distinct)[0] for k in (first, second)]
    return np.asarray(1.0 - np.outer(missed[0], missed[1]))


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


def _between(function: Callable[[int], Floats], k: float) -> Floats:
    """Return a function of whole numbers at k, linear in between."""
    below = math.floor(k)
    share = k - below
    if share == 0.0:
        return function(below)
    return np.asarray((1.0 - share) * function(below) + share * function(below + 1), np.float64)
