"""Models side by side, against cost and draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from isocost.records.costs import Cost, Unit
from isocost.records.estimates import Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCurve:
    """What k draws a problem of one model's pool, or of a mixture of models, are worth; every point rests on the same problems.

    Attributes:
        model: The study's name of the model; of a mixture, what it is.
        cost: Mean cost of a graded draw of these problems, what ungraded draws cost laid on the graded ones.
        ks: Draws a problem, ascending from 1.
        measures: `coverage` and `diversity` (distinct correct solutions), an estimate at each of `ks`.
        mix: Share of the draws that each model of a mixture gives, by model; empty for a model.
    """

    model: str
    cost: Cost
    ks: tuple[int, ...]
    measures: Mapping[str, tuple[Estimate, ...]]
    mix: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCrossover:
    """From which cost a problem on the model that is ahead at the end stays ahead of the other.

    Attributes:
        measure: `coverage` or `diversity`.
        models: The two that are compared.
        unit: Of every cost here, each a problem.
        ahead: The one that is ahead where the shorter curve ends; None if both are level there.
        cost: Where it takes the lead; 0.0 if it is ahead from the first draw on, None if `ahead` is.
        low: Lower end of the 95% interval; None beyond the reach.
        high: Upper end; None beyond the reach.
        reach: Where the shorter curve ends.
        absent: Share of the resamples of problems in which that model is not ahead at the reach.
        n: Problems.
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
    """Two models side by side on the same problems, at equal cost or at equal numbers of draws.

    Attributes:
        models: Left and right.
        budget: The budget that both spend; None for equal numbers.
        unit: Of the budget.
        cost: What each spends a problem: the budget's, or where the shorter of the two curves ends; None for equal numbers.
        draws: Draws a problem of each; a fraction is what planning buys.
        measures: `coverage` and `diversity` of each.
        differences: The same, left minus right, paired.
        only: Share of the problems that this model solves and the other does not, of each.
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
