"""Predictions from the pilot about the cells, beside their outcomes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from isocost.records import CellResult, Estimate, ForecastOutcome
from isocost.sampling.data import SamplingOutcome


def forecast_outcomes(bought: SamplingOutcome, cells: Sequence[CellResult]) -> Iterator[ForecastOutcome]:
    """Yield each forecast with its outcome, by cell."""
    for cell in cells:
        predicted = bought.predicted.get(cell.plan.cell, {})
        name, unit, n = cell.plan.cell.name, cell.plan.unit, len(bought.problems)
        for measure in ("covered", "kept_per_problem"):
            if measure in predicted and measure in cell.measures:
                yield ForecastOutcome(cell=name, measure=measure, unit=None, predicted=predicted[measure], outcome=cell.measures[measure])
        paid = cell.cost.amount(unit) if unit else None
        if "cost" in predicted and paid is not None and n:
            outcome = Estimate(value=paid / n, low=None, high=None, n=n)
            yield ForecastOutcome(cell=name, measure="cost", unit=unit, predicted=_per_problem(predicted["cost"], n), outcome=outcome)


def _per_problem(total: Estimate, n: int) -> Estimate:
    value, low, high = (None if end is None else end / n for end in (total.value, total.low, total.high))
    return replace(total, value=value, low=low, high=high)
