"""Draw from the cheapest model first, and from more expensive ones for the problems that it does not solve."""

from __future__ import annotations

import numpy as np

from isocost.policies.base import Policy, Terms
from isocost.policies.rounds import Rounds
from isocost.policies.shares import money_shares
from isocost.records import Allocation


def build(terms: Terms) -> Policy:
    """Return the policy cascade for these terms.

    Raises:
        BudgetError: the arm has one model or no budget, or its shares are wrong.
    """
    return Cascade(terms)


class Cascade(Rounds):
    """Spend each model's share of the money, the cheapest model first, on problems that no model has solved yet (`Rounds`).

    A model is asked until its share does not pay for another draw; then the next one is asked. What is left of a share is added to that
    of the next model. A pilot's draws count in the share of their model.

    Models are asked in the order of their cost, as in PromptWise (arXiv 2505.18901). It departs from that paper in two ways: PromptWise
    learns for each prompt which model to ask first, and moves on after one failure. Here shares decide when to move on.

    Args:
        terms: The terms of the cell.

    Raises:
        BudgetError: the arm has one model or no budget, or its shares are wrong.
    """

    def __init__(self, terms: Terms) -> None:
        shares = np.array(money_shares(terms, "cascade"))
        super().__init__(terms)
        self._stages = np.argsort(self.tally.expected, kind="stable")
        self._limits = self.tally.amount * np.cumsum(shares[self._stages])

    def propose(self) -> list[Allocation]:
        """Return the next round, or nothing if all problems are solved or no draw is affordable."""
        unsolved = self.unsolved()
        spent = np.cumsum(self.tally.spent_on[self._stages])
        for model, left in zip(self._stages.tolist(), (self._limits - spent).tolist(), strict=True):
            if proposed := self.round(unsolved, model, left):
                return proposed
        return []
