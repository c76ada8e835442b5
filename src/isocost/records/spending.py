"""Purchases of a policy that observes outcomes, and what uniform draws would have cost for the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from isocost.records.costs import Cost, Unit
from isocost.records.estimates import Estimate

Estimator = Literal["first draws", "posterior"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundSpending:
    """The draws that a round of a policy took from one model.

    Attributes:
        number: Number of the round, from 1; 0 is the pilot.
        model: The model.
        draws: Number of draws.
        problems: Number of problems that they are of.
        cost: Their realised cost.
    """

    number: int
    model: str
    draws: int
    problems: int
    cost: Cost


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpending:
    """The draws that a policy took from one model, over all rounds.

    Attributes:
        model: The model.
        draws: Number of draws.
        problems: Number of problems with a draw.
        mean: Mean draws per problem, over all problems.
        median: Median of the same.
        most: Largest number of draws of a problem.
        cost: Realised cost of the draws.
    """

    model: str
    draws: int
    problems: int
    mean: float
    median: float
    most: int
    cost: Cost


@dataclass(frozen=True, slots=True, kw_only=True)
class UniformMatch:
    """The cost at which equal draws of every problem from one model reach what a policy reached, on the same problems.

    Attributes:
        model: The model.
        estimator: `first draws`: the first k draws of every problem by arms whose draws do not depend on outcomes, with a 95% interval.
            `posterior`: the posterior of the model's pass rates given all of its draws, which holds for draws that their own outcomes have
            stopped, with a 90% interval.
        reached: What the policy reached on these problems.
        unit: Unit of the costs.
        draws: Draws per problem that uniform needs; None if they are beyond the reach.
        cost: Their cost per problem. An end that is None is beyond the reach.
        times: That cost over the cost of the policy's own draws for these problems, ends as in `cost`.
        reach: The largest number of draws per problem that the estimator speaks of.
        at_reach: What uniform gets for that many.
    """

    model: str
    estimator: Estimator
    reached: float
    unit: Unit
    draws: float | None
    cost: Estimate
    times: Estimate
    reach: int
    at_reach: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """Purchases of the policy of a cell.

    Attributes:
        cell: The cell.
        policy: Name of the policy; of `auto` the one that it chose, with its models.
        unit: Unit of its budget, else one that all costs are known in; None if there is none.
        objective: `coverage`, `kept` or `mixed`: the measure that `matches` are about.
        size: Largest number of solutions kept per problem, or size of a group; None for coverage.
        models: By model, in the study's order.
        rounds: Every round, by number and model.
        matches: Uniform draws from those of its models for which an estimator holds.
        unmatched: Its other models: they have no draws that do not depend on outcomes, and outcomes of several models decided.
    """

    cell: str
    policy: str
    unit: Unit | None
    objective: Literal["coverage", "kept", "mixed"]
    size: int | None
    models: tuple[ModelSpending, ...]
    rounds: tuple[RoundSpending, ...]
    matches: tuple[UniformMatch, ...]
    unmatched: tuple[str, ...] = ()

    def shares(self) -> Mapping[str, float]:
        """Return the share of the money by model; empty if a cost is unknown or nothing was paid."""
        amounts = {each.model: each.cost.amount(self.unit) for each in self.models} if self.unit else {}
        known = {model: amount for model, amount in amounts.items() if amount is not None}
        total = sum(known.values())
        return {model: amount / total for model, amount in known.items()} if len(known) == len(amounts) and total > 0 else {}
