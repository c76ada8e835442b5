"""The cost of a solution whose answer and reasoning are right."""

from __future__ import annotations

import numpy as np
import polars as pl

from isocost.arrays import Floats, Ints
from isocost.metrics.unitcost import cost_per_correct, cost_per_truly_correct
from isocost.records import UNITS, Estimate, Outcome, Unit
from isocost.tables.coding import codes


def unit_costs(draws: pl.DataFrame, rate: Estimate) -> dict[Unit, tuple[Estimate, Estimate]]:
    """Return the costs of a correct and a truly correct solution of one model, in every unit in which all its draws have a known cost.

        c / pass rate          c / (pass rate (1 - FPR))

    Means over problems (`metrics.unitcost`). The cost of a problem's ungraded draws is spread over its graded ones.

    Args:
        draws: All draws of the model, correct or not: `problem_id`, `outcome`, `cost_flops`, `cost_usd`.
        rate: The model's false positive rate.

    Returns:
        By unit: (per correct, per truly correct). A unit in which everything is free is left out.
    """
    problems = draws["problem_id"]
    owner, ids = codes(problems if isinstance(problems.dtype, pl.Enum) else problems.cast(pl.Categorical))
    graded = _counts(owner, draws["outcome"] != Outcome.UNGRADED, len(ids))
    correct = _counts(owner, draws["outcome"] == Outcome.CORRECT, len(ids))
    passed = _quotient(correct, graded)
    found: dict[Unit, tuple[Estimate, Estimate]] = {}
    for unit in UNITS:
        amounts = draws[f"cost_{unit}"]
        if amounts.null_count():
            continue
        each = _quotient(np.bincount(owner, weights=amounts.to_numpy(), minlength=len(ids)).astype(np.float64), graded)
        if np.nansum(each) > 0:
            per_correct = cost_per_correct(each, passed)
            found[unit] = per_correct, cost_per_truly_correct(per_correct, rate)
    return found


def _quotient(sums: Floats, counts: Floats) -> Floats:
    """Divide sums by counts per problem; nan where the count is 0."""
    found: Floats = np.divide(sums, counts, out=np.full(counts.size, np.nan), where=counts > 0)
    return found


def _counts(owner: Ints, which: pl.Series, n_problems: int) -> Floats:
    """Count these draws per problem."""
    return np.bincount(owner[which.to_numpy()], minlength=n_problems).astype(np.float64)
