"""Results of a backtest."""

from __future__ import annotations

from dataclasses import dataclass

from isocost.metrics.diversity import Level
from isocost.policies.base import Objective
from isocost.records import Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One policy or bound at one target.

    Attributes:
        name: The policy's name, or that of the bound.
        models: Its models; for a policy of one model, the one with which it reaches the target at the lowest mean cost.
        is_bound: True if it knows what no policy can know.
        unreached: Share of seeds in which the target is not reached. They count the cost of the whole table.
        cost: Mean cost over seeds.
        ratio: Mean cost of the best uniform over that of this line; undefined if one of them never reaches the target.
        minus_uniform: Mean cost of this line minus that of the best uniform, paired.
        minus_other: The same to the best policy other than this one and uniform; undefined for bounds, and where there is none.
        other: Name of that policy.
    """

    name: str
    models: tuple[str, ...]
    is_bound: bool
    unreached: float
    cost: Estimate
    ratio: Estimate
    minus_uniform: Estimate
    minus_other: Estimate
    other: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetResult:
    """One target.

    Attributes:
        target: The target.
        needed: Sum over problems that reaches it.
        possible: Sum over problems that all draws of the table reach.
        best_uniform: Model with which uniform reaches it at the lowest mean cost; None if it never does.
        lines: Policies in the order asked for, then bounds.
    """

    target: float
    needed: int
    possible: int
    best_uniform: str | None
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """Results of a backtest.

    Attributes:
        objective: What was to be reached.
        problems: Number of problems.
        models: Names of the models.
        draws: Recorded draws.
        unit: Unit of costs: flops, usd, tokens, priced tokens or cost.
        distinct: Level at which solutions count as the same; None counts each as different.
        seeds: Replays, each with the draws of each pair in another order.
        resamples: Replays with resampled problems, for the intervals.
        targets: Results by target, ascending.
    """

    objective: Objective
    problems: int
    models: tuple[str, ...]
    draws: int
    unit: str
    distinct: Level | None
    seeds: int
    resamples: int
    targets: tuple[TargetResult, ...]
