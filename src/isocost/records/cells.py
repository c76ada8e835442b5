"""Cells: an arm under a budget, planned, bought and compared."""

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
        """`arm@budget`. A number-matched arm has one cell, `arm@number`."""
        return f"{self.arm}@{self.budget or 'number'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CellPlan:
    """The draws that a cell plans to buy.

    Attributes:
        cell: The cell.
        models: Its models, in the study's order.
        unit: Unit of its budget; None if number-matched.
        amount: Amount of its budget, over all problems; None if number-matched.
        basis: Basis of its budget.
        samples_per_problem: Mean planned draws per problem, by model.
        cost: Planned cost of these draws, in every known unit, and in seconds if tokens per second are known.
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
    """The draws that a cell bought, and their measures.

    Attributes:
        plan: The plan.
        cost: Realised cost of its draws.
        n_samples: Number of draws.
        n_tokens: Number of generated tokens.
        measures: By name: `covered`, `kept_per_problem`, `coverage@3`, `diversity@3`, `pass@1`, `fpr`.
        funnel: From drawn to kept: (stage, count), each stage after its losses.
        n_kept: Number of solutions in its training set.
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
