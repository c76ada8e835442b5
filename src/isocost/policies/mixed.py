"""Spend fixed shares of the money on several models, each as the policy uniform would."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from isocost.errors import BudgetError
from isocost.policies import uniform
from isocost.policies.base import Observation, Policy, Terms
from isocost.policies.shares import money_shares
from isocost.records import Allocation


def build(terms: Terms) -> Policy:
    """Return the policy mixed for these terms.

    Raises:
        BudgetError: the arm has one model or no budget, or its shares are wrong.
    """
    return Mixed(terms)


class Mixed:
    """Give each model its share of the money, and spend it on the same number of draws for every problem (`uniform`).

    Numbers of draws do not depend on outcomes. A pilot's draws count in the share of their model.

    Raises:
        BudgetError: the arm has one model or no budget, or its shares are wrong.
    """

    def __init__(self, terms: Terms) -> None:
        shares = dict(zip(terms.models, money_shares(terms, "mixed"), strict=True))
        self._parts = {model: uniform.build(_part(terms, model, share)) for model, share in shares.items()}
        self._shares = shares

    def propose(self) -> list[Allocation]:
        """Return the next round of each model's part.

        Raises:
            BudgetError: a share does not pay for a draw, or for the model's draws in the pilot.
        """
        proposed = []
        for model, part in self._parts.items():
            try:
                proposed += part.propose()
            except BudgetError as error:
                raise BudgetError(f"{self._shares[model]:.3g} of the money for model {model}: {error}") from error
        return proposed

    def observe(self, observations: Iterable[Observation]) -> None:
        """Hand on the observations of each model to its part."""
        seen: dict[str, list[Observation]] = {}
        for o in observations:
            seen.setdefault(o.model, []).append(o)
        for model, of in seen.items():
            self._parts[model].observe(of)


def _part(terms: Terms, model: str, share: float) -> Terms:
    return replace(
        terms,
        models=(model,),
        amount=share * (terms.amount or 0.0),
        piloted={key: count for key, count in terms.piloted.items() if key[1] == model},
        available={key: count for key, count in terms.available.items() if key[1] == model},
    )
