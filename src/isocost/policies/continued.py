"""A policy that goes on after a pilot of more models than it draws from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from isocost.policies import load_policy
from isocost.policies.base import Observation, Policy, Terms
from isocost.records import Allocation


class Continued:
    """Spend what a pilot has left by another policy, on some of the models. It sees its own models' draws alone.

    The pilot of the other models is paid first: at the expected cost of its draws with the basis `planned`, else at their real cost.

    Args:
        terms: The terms of the cell, with all of its models.
        name: Name of the policy.
        models: The models that it draws from.
    """

    def __init__(self, terms: Terms, name: str, models: tuple[str, ...]) -> None:
        self._terms, self._name, self._models = terms, name, models
        self._pilot: list[Observation] = []
        self._policy: Policy | None = None

    def propose(self) -> list[Allocation]:
        """Return the next round of the policy. It begins when the pilot is known.

        Raises:
            BudgetError: the amount does not pay for the pilot.
        """
        if self._policy is None:
            self._policy = load_policy(self._name, self._own_terms())
            self._policy.observe([each for each in self._pilot if each.model in self._models])
        return self._policy.propose()

    def observe(self, observations: Iterable[Observation]) -> None:
        """Take the pilot first, then the outcomes of each round."""
        if self._policy is None:
            self._pilot += observations
        else:
            self._policy.observe(observations)

    def _own_terms(self) -> Terms:
        terms = self._terms
        others = sum(self._paid(model) for model in terms.models if model not in self._models)
        return replace(
            terms,
            models=self._models,
            amount=None if terms.amount is None else terms.amount - others,
            piloted={key: n for key, n in terms.piloted.items() if key[1] in self._models},
            available={key: n for key, n in terms.available.items() if key[1] in self._models},
        )

    def _paid(self, model: str) -> float:
        if self._terms.basis == "realised":
            return sum(each.cost for each in self._pilot if each.model == model)
        return self._terms.pilot_cost(model)
