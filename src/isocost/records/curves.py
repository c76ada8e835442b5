"""Curves of models and mixtures against cost and draws, and comparisons of two models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from isocost.records.costs import Cost, Unit
from isocost.records.estimates import Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCurve:
    """The value of k draws per problem from one model's pool, or from a mixture of models. All points use the same problems.

    Attributes:
        model: The study's name of the model, or a description of the mixture.
        cost: Mean cost per graded draw of these problems. The cost of ungraded draws is added to the graded ones.
        ks: Draws per problem, ascending from 1.
        measures: `coverage` and `diversity` (distinct correct solutions), one estimate per entry of `ks`.
        mix: By model of a mixture, its share of the draws; empty for a single model.
    """

    model: str
    cost: Cost
    ks: tuple[int, ...]
    measures: Mapping[str, tuple[Estimate, ...]]
    mix: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCrossover:
    """The cost per problem from which one model stays ahead of the other.

    Attributes:
        measure: `coverage` or `diversity`.
        models: The two models.
        unit: Unit of every cost here. All costs are per problem.
        ahead: The model that is ahead at the end of the shorter curve; None if both are level there.
        cost: The cost at which it takes the lead; 0.0 if it leads from the first draw, None if `ahead` is None.
        low: Lower end of the 95% interval; None beyond the reach.
        high: Upper end of the 95% interval; None beyond the reach.
        reach: The cost at the end of the shorter curve.
        absent: Share of the resamples of problems in which that model is not ahead at the reach.
        n: Number of problems.
    """

    measure: str
    models: tuple[str, str]
    unit: Unit
    ahead: str | None
    cost: float | None
    low: float | None
    high: float | None
    reach: float
    absent: float
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPair:
    """A comparison of two models on the same problems, at equal cost or at equal numbers of draws.

    Attributes:
        models: Left and right.
        budget: The budget that both spend; None for equal numbers.
        unit: Unit of the budget.
        cost: Cost per problem of each: the budget's, or that at the end of the shorter curve; None for equal numbers.
        draws: Draws per problem of each, fractional as planned.
        measures: `coverage` and `diversity` of each.
        differences: The same measures, left minus right, paired.
        only: Share of the problems that only this model solves, for each.
        both: Share that both solve.
        neither: Share that neither solves.
    """

    models: tuple[str, str]
    budget: str | None
    unit: Unit | None
    cost: float | None
    draws: tuple[float, float]
    measures: Mapping[str, tuple[Estimate, Estimate]]
    differences: Mapping[str, Estimate]
    only: tuple[Estimate, Estimate]
    both: Estimate
    neither: Estimate
