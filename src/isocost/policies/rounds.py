"""Rounds over open problems, from one model: the problems with the fewest draws first."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from isocost.arrays import Bools, Ints
from isocost.policies.base import Observation, Terms
from isocost.policies.tally import Tally
from isocost.records import Allocation

# A round may spend this share of what was spent before it, so that engines stay full when few problems are open, and the number of rounds
# grows with the logarithm of the budget alone.
GROWTH = 0.05
# The same where a round may take a day: each round doubles what was spent.
LARGE_GROWTH = 1.0


class Rounds:
    """Count outcomes, and propose rounds of draws from open problems.

    A round has one draw from each open problem with the fewest draws. If that costs less than `growth` of what was spent before, second,
    third, ... draws are added up to that cost, to the problems that have the fewest by then.

    Args:
        terms: The terms of the cell.
        growth: Cost of a round as a share of what was spent before it.
        smallest: Draws in the smallest round, as a share of the open problems with the fewest draws; 0 buys one draw at a time at first.

    Attributes:
        tally: Counts and money so far.
    """

    def __init__(self, terms: Terms, growth: float = GROWTH, smallest: float = 1.0) -> None:
        self.tally = Tally(terms)
        self._growth, self._smallest = max(growth, LARGE_GROWTH) if terms.large_rounds else growth, smallest
        # Seeded, so that no problem is favoured for its place in the file.
        self._order = np.random.default_rng(terms.seed).permutation(len(terms.problem_ids))
        self._begun = False

    def observe(self, observations: Iterable[Observation]) -> None:
        """Count outcomes and costs."""
        self.tally.observe(observations)

    def unsolved(self) -> Bools:
        """Return the problems without a correct sample of any model, bool[problems]."""
        return np.asarray(self.tally.counts[:, :, 0].sum(axis=1) == 0, np.bool_)

    def round(self, open_problems: Bools, model: int, limit: float = math.inf) -> list[Allocation]:
        """Return a round of draws of one model, or nothing if no draw is affordable.

        Args:
            open_problems: Problems to draw from, bool[problems].
            model: Index of the model.
            limit: Money to spend, if that is less than what is left.

        Raises:
            BudgetError: the amount does not pay for the pilot or for a first draw.
        """
        tally = self.tally
        if not self._begun:
            tally.check_first()
            self._begun = True
        one = np.ones(1, np.int64)
        possible = open_problems & (tally.drawn < tally.available)[:, model] & tally.affords(one, limit)[:, model]
        problems = self._order[possible[self._order]]
        if len(problems) == 0:
            return []
        drawn = tally.drawn[problems, model]
        smallest = math.ceil(self._smallest * np.count_nonzero(drawn == drawn.min()))
        growing = int(self._growth * tally.spent / tally.expected_costs()[problems, model].mean())
        chosen = problems[fewest_first(drawn, tally.available[problems, model], max(1, smallest, growing))]
        models, counts = np.full(len(chosen), model), np.ones(len(chosen), np.int64)
        taken = tally.fits(chosen, models, counts, limit)
        return tally.allocate(chosen[taken], models[taken], counts[taken])


def fewest_first(drawn: Ints, available: Ints, count: int) -> Ints:
    """Return the problems of `count` single draws, int[draws]: each from a problem with the fewest draws, the first of equals.

    Args:
        drawn: Draws so far, int[problems].
        available: Draws that there are, int[problems]. If they are too few, all are returned.
        count: Number of draws.
    """
    drawn = drawn.copy()
    chosen = [np.zeros(0, np.int64)]
    while count > 0 and len(left := np.flatnonzero(drawn < available)):
        level = left[drawn[left] == drawn[left].min()][:count]
        drawn[level] += 1
        chosen.append(level)
        count -= len(level)
    return np.concatenate(chosen)
