"""The cost of a solution whose answer and reasoning are right."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from isocost.metrics.unitcost import cost_per_correct, cost_per_truly_correct
from isocost.records import Estimate, Outcome, Sample, Unit, Verdict

UNITS: tuple[Unit, ...] = ("flops", "usd")


def unit_costs(draws: Iterable[tuple[Sample, Verdict]], rate: Estimate) -> dict[Unit, tuple[Estimate, Estimate]]:
    """Cost of a correct and of a truly correct solution of one model, in every unit in which all its draws have a known cost.

        c / pass rate          c / (pass rate (1 - FPR))

    Means over problems (`metrics.unitcost`). What ungraded draws of a problem cost is laid on the graded ones.

    Args:
        draws: All draws of the model, correct or not.
        rate: Its false positive rate.

    Returns:
        By unit: (per correct, per truly correct). A unit in which everything is free is left out.
    """
    problems: dict[str, list[tuple[Sample, Verdict]]] = {}
    for sample, verdict in draws:
        problems.setdefault(sample.problem_id, []).append((sample, verdict))
    graded = [[v for _, v in own if v.outcome is not Outcome.UNGRADED] for own in problems.values()]
    passed = np.array([np.mean([v.outcome is Outcome.CORRECT for v in own]) if own else np.nan for own in graded])
    found: dict[Unit, tuple[Estimate, Estimate]] = {}
    for unit in UNITS:
        amounts = [[s.cost.amount(unit) for s, _ in own] for own in problems.values()]
        if any(amount is None for own in amounts for amount in own):
            continue
        each = np.array([sum(filter(None, own)) / len(kept) if kept else np.nan for own, kept in zip(amounts, graded, strict=True)])
        if np.nansum(each) > 0:
            per_correct = cost_per_correct(each, passed)
            found[unit] = per_correct, cost_per_truly_correct(per_correct, rate)
    return found
