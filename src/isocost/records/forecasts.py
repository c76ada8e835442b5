"""Forecasts beside outcomes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from isocost.records.costs import Unit
from isocost.records.estimates import Estimate

Measure = Literal["covered", "kept_per_problem", "cost"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastOutcome:
    """A prediction from a pilot about a cell, and its outcome.

    Attributes:
        cell: The cell.
        measure: `covered`, `kept_per_problem`, or `cost` per problem.
        unit: Unit of a cost; None for the others.
        predicted: The forecast, with a 90% interval; of costs a 95% interval.
        outcome: What the cell has. A cost is a fact, without an interval.
        discounted: True if the cell's policy discounts by false positive rates. Forecast and outcome count correct solutions all the same.
    """

    cell: str
    measure: Measure
    unit: Unit | None
    predicted: Estimate
    outcome: Estimate
    discounted: bool = False

    @property
    def inside(self) -> bool:
        """True if the outcome lies in the forecast's interval."""
        low, value, high = self.predicted.low, self.outcome.value, self.predicted.high
        return low is not None and value is not None and high is not None and low <= value <= high
