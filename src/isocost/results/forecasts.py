"""Predictions from the pilot about the cells, beside their outcomes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from isocost.records import CellResult, Estimate, ForecastOutcome
from isocost.sampling.data import SamplingOutcome


def forecast_outcomes(bought: SamplingOutcome, cells: Sequence[CellResult], discounting: Collection[str] = ()) -> Iterator[ForecastOutcome]:
    """Yield each forecast with its outcome, by cell.

    Args:
        bought: What was predicted before the cells were sampled.
        cells: The outcomes.
        discounting: Arms whose policy discounts by false positive rates. Their forecasts are of correct solutions, like the outcomes: an
            audit looks at one solution of some problems, so the share of problems with a sound solution is no outcome.
    """
    for cell in cells:
        predicted = bought.predicted.get(cell.plan.cell, {})
        discounted = cell.plan.cell.arm in discounting
        name, unit, n = cell.plan.cell.name, cell.plan.unit, len(bought.problems)
        for measure in ("covered", "kept_per_problem"):
            if measure in predicted and measure in cell.measures:
                yield ForecastOutcome(
                    cell=name,
                    measure=measure,
                    unit=None,
                    predicted=predicted[measure],
                    outcome=cell.measures[measure],
                    discounted=discounted,
                )
        paid = cell.cost.amount(unit) if unit else None
        if "cost" in predicted and paid is not None and n:
            outcome = Estimate(value=paid / n, low=None, high=None, n=n)
            yield ForecastOutcome(cell=name, measure="cost", unit=unit, predicted=_per_problem(predicted["cost"], n), outcome=outcome)


def _per_problem(total: Estimate, n: int) -> Estimate:
    value, low, high = (None if end is None else end / n for end in (total.value, total.low, total.high))
    return replace(total, value=value, low=low, high=high)
