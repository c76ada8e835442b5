"""Try each problem once in rounds, and drop it when it is solved."""

from __future__ import annotations

from isocost.errors import BudgetError
from isocost.policies.base import Policy, Terms
from isocost.policies.rounds import Rounds
from isocost.records import Allocation


def build(terms: Terms) -> Policy:
    """Return the policy first-hit for these terms.

    Raises:
        BudgetError: the arm has several models, or no budget.
    """
    if len(terms.models) != 1:
        raise BudgetError(f"the policy first-hit takes one model, got {len(terms.models)}: {', '.join(terms.models)}")
    return FirstHit(terms)


class FirstHit(Rounds):
    """Draw from problems without a correct sample, those with the fewest draws first (`Rounds`).

    The rule is that of arXiv 2601.21522 (one try each, solved problems are dropped) and of 2506.12721 (round robin, dropped on success). It
    is optimal for coverage with one model if problems are exchangeable, as each failure lowers a problem's expected pass rate. With at
    most k draws per problem it covers what k draws of each problem do, at the share E[(1 - (1 - p)^k) / p] / k of their cost.
    """

    def propose(self) -> list[Allocation]:
        """Return the next round, or nothing if all problems are solved or no draw is affordable."""
        return self.round(self.unsolved(), 0)
