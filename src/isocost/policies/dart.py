"""Draw from each problem until it has its target of correct samples."""

from __future__ import annotations

import numpy as np

from isocost.arrays import Ints
from isocost.errors import BudgetError
from isocost.policies.base import Policy, Terms
from isocost.policies.rounds import Rounds
from isocost.records import Allocation


def build(terms: Terms) -> Policy:
    """Return the policy dart for these terms.

    Raises:
        BudgetError: the arm has several models, or no budget, or its target is no positive number.
    """
    if len(terms.models) != 1:
        raise BudgetError(f"the policy dart takes one model, got {len(terms.models)}: {', '.join(terms.models)}")
    if terms.target < 1:
        raise BudgetError(f"the policy dart needs a target of at least one correct sample per problem, got {terms.target}")
    return Dart(terms)


class Dart(Rounds):
    """Draw from problems with fewer correct samples than their target, those with the fewest draws first (`Rounds`).

    The targets are those of arXiv 2407.13690: `target` for every problem (Uniform), or in proportion to a problem's failure rate
    (Prop2Diff, with at least one). That paper estimates failure rates beforehand, and gives `target` to the hardest problem. Here the
    rate is that of the draws so far, with one success and one failure added: (f + 1) / (s + f + 2) for s correct and f incorrect ones.
    A problem's target is `target` times this rate, rounded up. It approaches `target` for problems that are never solved.
    """

    def propose(self) -> list[Allocation]:
        """Return the next round, or nothing if all targets are met or no draw is affordable."""
        return self.round(self.tally.counts[:, 0, 0] < self._targets(), 0)

    def _targets(self) -> Ints:
        terms, successes, failures = self.tally.terms, *self.tally.counts[:, 0].T
        if not terms.by_difficulty:
            return np.full(len(successes), terms.target)
        # Whole numbers, so that no rounding error raises a target: the quotient of integers, rounded up.
        return np.asarray(-(-terms.target * (failures + 1) // (successes + failures + 2)), np.int64)
