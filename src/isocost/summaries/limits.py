"""Warn of a plan that may exceed the study's limit, before anything is bought."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from isocost.amounts import format_amount, format_distinct
from isocost.planning import DrawCost
from isocost.preparing.prepare import Prepared, auditor_of, judge_of
from isocost.records import CellPlan, Unit


def format_limit_warning(prepared: Prepared, costs: Mapping[str, DrawCost], plans: Sequence[CellPlan]) -> str:
    """Return a one-line warning if the plan may cost more than the limit, else "".

    Cells share the draws of a model, so each model is counted once, with the cell that takes most. In the worst case every draw has the
    largest possible length. A budget of basis `realised` bounds its own worst case. Without a known cost in the limit's unit there is no
    warning.
    """
    limit, n_problems = prepared.study.limit, len(prepared.problems["train"])
    if limit is None:
        return ""
    pilot = prepared.study.pilot
    # The pilot is bought even if no cell needs as many draws.
    piloted = min(pilot.problems, n_problems) * pilot.samples_per_problem if pilot else 0
    counts = {name: _draws(name, plans, n_problems, piloted) for name in costs}
    expected = [costs[name].of(draws=n, readings=min(n, n_problems)).amount(limit.unit) for name, n in counts.items()]
    worst = [_worst(name, costs[name], plans, limit.unit, n_problems, piloted) for name in costs]
    # An unknown cost may be of any size, so no sum can be compared with the limit.
    if None in expected or None in worst:
        return ""
    planned, most = sum(filter(None, expected)), sum(filter(None, worst))
    if most <= limit.amount:
        return ""
    # The judge's calls count against the limit too, but no estimate of them exists yet.
    judged = " before its judge" if judge_of(prepared.study) or auditor_of(prepared.study) else ""
    # Without measured lengths the expected cost is the worst case, and the text names one number only.
    guessed = all(each.tokens_are.endswith("max_tokens") for each in costs.values())
    # Both round to the same text where they are close; the warning would contradict itself.
    at_most, cap = format_distinct(limit.unit, most, limit.amount)
    if guessed:
        return f"The plan costs up to {at_most}{judged}, every solution at max_tokens; the limit is {cap}: sampling stops there."
    happens = "sampling will stop there" if planned > limit.amount else "sampling stops there if solutions are longer than expected"
    return f"The plan costs up to {at_most} at worst{judged}, expected {format_amount(limit.unit, planned)}; the limit is {cap}: {happens}."


def _draws(model: str, plans: Sequence[CellPlan], n_problems: int, piloted: int) -> float:
    # Cells share draws, so the largest cell contains those of the others.
    return max(piloted, *(plan.samples_per_problem.get(model, 0.0) * n_problems for plan in plans), 0.0)


def _worst(model: str, each: DrawCost, plans: Sequence[CellPlan], unit: Unit, n_problems: int, piloted: int) -> float | None:
    one = each.worst.amount(unit)
    if one is None:
        return None
    found = [piloted * one]
    for plan in plans:
        if model in plan.models:
            own = plan.samples_per_problem.get(model, 0.0) * n_problems * one
            # A realised budget stops when the money is spent, however long the draws are.
            bounded = plan.basis == "realised" and plan.unit == unit and plan.amount is not None
            found.append(min(own, plan.amount or 0.0) if bounded else own)
    return max(found)
