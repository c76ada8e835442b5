"""Format a pilot that has not run: its cost, and the cells whose counts follow from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from isocost.amounts import duration, format_amount, format_distinct, listed, quantity
from isocost.config import Study
from isocost.costs.expected import DrawCost
from isocost.predicting.studied import StudyPilot
from isocost.preparing.prepare import Prepared
from isocost.records import CellPlan, Cost
from isocost.reporting.numbers import cost as format_cost

LARGE_SHARE = 1 / 3  # of a budget: above it the pilot decides more of a cell than what was learnt from it


def describe_pilot(prepared: Prepared, costs: Mapping[str, DrawCost], plans: Sequence[CellPlan]) -> str:
    """Return the samples and the cost of the study's pilot in a sentence or two; "" without a pilot.

    Args:
        prepared: The study.
        costs: The cost per draw, by model.
        plans: The plan of every cell.
    """
    pilot = prepared.study.pilot
    if pilot is None:
        return ""
    draws = quantity(pilot.samples_per_problem, "sample")
    by_model = _costs(prepared, costs)
    each = ", ".join(f"{name} {format_cost(cost)}" for name, cost in by_model.items())
    total = format_cost(_total(by_model))
    at_most = any(plan.awaits_pilot for plan in plans)
    text = f"The pilot draws {draws} of each of {quantity(_problems(prepared), 'problem')} from {listed(list(costs))} and costs "
    text += f"{'at most ' if at_most else ''}{total}" + (f" ({each})." if len(costs) > 1 else ".")
    warning = warn_of_small_budgets(prepared, costs, plans)
    told = [f"{text} A cell that uses its samples is charged for them.", _shares(by_model, plans), warning]
    return " ".join(each for each in told if each)


def _shares(costs: Mapping[str, Cost], plans: Sequence[CellPlan]) -> str:
    """Return a warning about cells in which outcomes decide, and of which the pilot takes much, so that little is left to decide on."""
    found = []
    for plan in plans:
        if plan.at_most_per_problem and plan.unit and plan.amount:
            share = sum(costs[model].amount(plan.unit) or 0.0 for model in plan.models) / plan.amount
            found += [f"{min(share, 1.0):.0%} of {plan.cell.name}"] if share > LARGE_SHARE else []
    if not found:
        return ""
    return f"It takes {listed(found)}: only the rest goes where the outcomes say. A smaller pilot or a larger budget leaves more."


def warn_of_small_budgets(prepared: Prepared, costs: Mapping[str, DrawCost], plans: Sequence[CellPlan]) -> str:
    """Return a warning about cells whose budget may not pay for the pilot; "" if each does even at the largest lengths.

    Args:
        prepared: The study.
        costs: The largest cost per draw, by model.
        plans: The plan of every cell.
    """
    by_model, short = _costs(prepared, costs), []
    for plan in plans:
        budget = _amount(plan, prepared, costs)
        if plan.awaits_pilot and plan.unit and budget is not None:
            cost = sum(by_model[model].amount(plan.unit) or 0.0 for model in plan.models)
            if cost > budget * (1.0 + 1e-9):
                at_most, amount = format_distinct(plan.unit, cost, budget)
                short.append(f"{at_most} of the {amount} of {plan.cell.name}")
    if not short:
        return ""
    return (
        f"The pilot may cost more than a budget: at max_tokens it takes {listed(short)}, and what it really takes is known only after it. "
        "A budget that does not pay for it stops the run then: raise the budget, or lower pilot.samples_per_problem or pilot.problems."
    )


def _amount(plan: CellPlan, prepared: Prepared, costs: Mapping[str, DrawCost]) -> float | None:
    """Return a cell's budget; of one that is the cost of a model's draws, that of its largest draws. None if it is not known."""
    match = prepared.study.budgets[plan.cell.budget].match if plan.cell.budget else None
    if plan.amount is not None or match is None or plan.unit is None:
        return plan.amount
    each, n = costs[match.model], len(prepared.problems["train"])
    return each.of(draws=n * match.samples_per_problem, readings=n * each.readings(match.samples_per_problem)).amount(plan.unit)


def describe_time(prepared: Prepared, costs: Mapping[str, DrawCost], plans: Sequence[CellPlan], pilot: StudyPilot) -> str:
    """Return how long the draws after the pilot take at its rate; "" if the rate is not known, or they take under a minute.

    A cell in which outcomes decide counts as the longest way to spend all of its money, and as sharing no draw with other cells.
    """
    rate, n = pilot.tokens_per_second, len(prepared.problems["train"])
    if not rate:
        return ""
    bought = _problems(prepared) * (prepared.study.pilot.samples_per_problem if prepared.study.pilot else 0)
    draws = {model: max((plan.samples_per_problem.get(model, 0.0) * n for plan in plans), default=0.0) for model in costs}
    tokens = sum(max(0.0, draws[model] - bought) * each.tokens for model, each in costs.items())
    for plan in plans:
        tokens += max((each * n * costs[model].tokens for model, each in plan.at_most_per_problem.items()), default=0.0)
    seconds = tokens / rate
    return f"At the pilot's {rate:,.0f} tokens/s the draws after it take up to {duration(seconds)}." if seconds >= 60 else ""


def describe_unpiloted(plans: Sequence[CellPlan], study: Study) -> str:
    """Return a sentence on the budgets of the cells whose counts follow from the pilot; "" if there are none."""
    budgets: dict[str, list[str]] = {}
    for plan in plans:
        if plan.awaits_pilot:
            budgets.setdefault(_budget(plan, study), []).append(plan.cell.name)
    each = [f"{listed(names)} may spend {amount}{' each' if len(names) > 1 else ''}" for amount, names in budgets.items()]
    return f"{'; '.join(each)}. How many samples that buys follows from the pilot." if each else ""


def _budget(plan: CellPlan, study: Study) -> str:
    if plan.unit is not None and plan.amount is not None:
        return format_amount(plan.unit, plan.amount)
    match = study.budgets[plan.cell.budget].match if plan.cell.budget else None
    return _matched(match.samples_per_problem, match.model) if match else "an amount that is not known yet"


def _matched(samples: float, model: str) -> str:
    """Describe a budget whose amount follows from the pilot."""
    return f"the cost of {samples:g} {model} sample{'' if samples == 1 else 's'} per problem"


def pilot_json(prepared: Prepared, costs: Mapping[str, DrawCost]) -> dict[str, object]:
    """Return {"pilot": {"problems", "samples_per_problem", "cost": {MODEL: {"flops", "usd", "seconds"}}}}; {} without a pilot.

    Costs are those of declared lengths, where they are declared, else the largest that it can have.
    """
    pilot = prepared.study.pilot
    if pilot is None:
        return {}
    cost = {name: {"flops": each.flops, "usd": each.usd, "seconds": each.seconds} for name, each in _costs(prepared, costs).items()}
    return {"pilot": {"problems": _problems(prepared), "samples_per_problem": pilot.samples_per_problem, "cost": cost}}


def _problems(prepared: Prepared) -> int:
    pilot = prepared.study.pilot
    return min(pilot.problems, len(prepared.problems["train"])) if pilot else 0


def _costs(prepared: Prepared, costs: Mapping[str, DrawCost]) -> dict[str, Cost]:
    n, pilot = _problems(prepared), prepared.study.pilot
    each_problem = pilot.samples_per_problem if pilot else 0
    return {name: each.of(draws=n * each_problem, readings=n * each.readings(each_problem)) for name, each in costs.items()}


def _total(costs: Mapping[str, Cost]) -> Cost:
    total = Cost(flops=0.0, usd=0.0, seconds=0.0)
    for each in costs.values():
        total = total + each
    return total
