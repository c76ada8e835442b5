"""What a solution costs whose answer and whose reasoning are right."""

from __future__ import annotations

import numpy as np
import polars as pl

from isocost.metrics.coverage import Floats, Ints
from isocost.metrics.unitcost import cost_per_correct, cost_per_truly_correct
from isocost.records import Estimate, Outcome, Unit

UNITS: tuple[Unit, ...] = ("flops", "usd")


def unit_costs(draws: pl.DataFrame, rate: Estimate) -> dict[Unit, tuple[Estimate, Estimate]]:
    """Cost of a correct and of a truly correct solution of one model, in every unit in which all its draws have a known cost.

        c / pass rate          c / (pass rate (1 - FPR))

    Means over problems (`metrics.unitcost`). What ungraded draws of a problem cost is laid on the graded ones.

    Args:
        draws: All draws of the model, correct or not: `problem_id`, `outcome`, `cost_flops`, `cost_usd`.
        rate: Its false positive rate.

    Returns:
        By unit: (per correct, per truly correct). A unit in which everything is free is left out.
    """
    owner = _by_appearance(draws["problem_id"])
    graded = _sums(owner, draws["outcome"] != Outcome.UNGRADED)
    correct = _sums(owner, draws["outcome"] == Outcome.CORRECT)
    passed = _quotient(correct, graded)
    found: dict[Unit, tuple[Estimate, Estimate]] = {}
    for unit in UNITS:
        amounts = draws[f"cost_{unit}"]
        if amounts.null_count():
            continue
        each = _quotient(_sums(owner, amounts), graded)
        if np.nansum(each) > 0:
            per_correct = cost_per_correct(each, passed)
            found[unit] = per_correct, cost_per_truly_correct(per_correct, rate)
    return found


def _by_appearance(column: pl.Series) -> Ints:
    """Return the place of each value among the distinct ones in the order of their first appearance, int[rows]."""
    _, first, code = np.unique(column.rank("dense").to_numpy(), return_index=True, return_inverse=True)
    place = np.empty(first.size, dtype=np.int64)
    place[np.argsort(first)] = np.arange(first.size)
    return place[code.reshape(-1)]


def _quotient(sums: Floats, counts: Floats) -> Floats:
    """Of each problem, nan where nothing counts."""
    found: Floats = np.divide(sums, counts, out=np.full(counts.size, np.nan), where=counts > 0)
    return found


def _sums(owner: Ints, values: pl.Series) -> Floats:
    """Of each problem, added up in the order of the rows."""
    return np.bincount(owner, weights=values.to_numpy()).astype(np.float64)
