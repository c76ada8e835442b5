"""What an arm buys with a budget: planned, bought, compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from isocost.records.costs import Basis, Cost, Unit
from isocost.records.estimates import Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One arm under one budget; `budget` is None for an arm whose count is given (number-matched)."""

    arm: str
    budget: str | None

    @property
    def name(self) -> str:
        """`arm@budget`; a number-matched arm stands once, as `arm@number`."""
        return f"{self.arm}@{self.budget or 'number'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CellPlan:
    """What a cell is going to buy.

    Attributes:
        cell: The cell.
        models: Its models, in the study's order.
        unit: Of its budget; None if number-matched.
        amount: Of its budget, over all problems; None if number-matched.
        basis: How its budget is held.
        samples_per_problem: Mean planned draws a problem, by model.
        cost: Planned cost of these draws, in every unit that is known; seconds where tokens per second are.
    """

    cell: Cell
    models: tuple[str, ...]
    unit: Unit | None
    amount: float | None
    basis: Basis
    samples_per_problem: Mapping[str, float]
    cost: Cost


@dataclass(frozen=True, slots=True, kw_only=True)
class CellResult:
    """What a cell bought and what it is worth.

    Attributes:
        plan: What was planned.
        cost: What its draws really cost.
        n_samples: Draws taken.
        n_tokens: Tokens generated in them.
        measures: By name: `covered`, `kept_per_problem`, `coverage@3`, `diversity@3`, `pass@1`, `fpr`.
        funnel: From drawn to kept: (what, how many), each stage after what it lost.
        n_kept: Solutions in its training set.
    """

    plan: CellPlan
    cost: Cost
    n_samples: int
    n_tokens: int
    measures: Mapping[str, Estimate]
    funnel: tuple[tuple[str, int], ...]
    n_kept: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CellComparison:
    """The data of two cells paired problem by problem.

    Attributes:
        left: A cell.
        right: The other cell.
        measure: `covered` (in shares of problems) or `kept_per_problem` (in solutions).
        difference: left minus right.
    """

    left: str
    right: str
    measure: str
    difference: Estimate
