"""Format the forecast of a study's choices as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator

from isocost.amounts import duration, format_amount, quantity
from isocost.measuring.words import count, markdown_table, name_cell, percent
from isocost.metrics.diversity import SAME
from isocost.policies.base import Coverage, KeptPerProblem, Objective
from isocost.predicting.asjson import comparison_json
from isocost.predicting.asking import name_of
from isocost.predicting.quantities import column, counted, describe_discount
from isocost.predicting.text import choice_draws, difference_text
from isocost.predicting.verdict import choice_name, verdicts
from isocost.records import Cost, estimate_json
from isocost.summaries.choices import BudgetForecast, ChoiceForecast

_UNITS = ("flops", "usd", "seconds")
_TITLES = {"flops": "FLOPs", "usd": "US dollars", "seconds": "engine time"}


def choices_markdown(found: ChoiceForecast) -> str:
    """Return a table of choices and the recommendation for each budget."""
    pilots = found.pilot.pilots
    piloted = len({problem for each in pilots.models for problem in each.pilot.problem_ids})
    discount = describe_discount(found.false_positive_rates)
    parts = [
        f"Forecast from {found.pilot.source}: up to {quantity(pilots.draws, 'graded draw')} of each of {quantity(piloted, 'problem')} "
        "and each model. "
        "Intervals are 90%, over problems; those of costs are 95%, from the lengths of draws. "
        f"{SAME[pilots.distinct].capitalize()}. Nothing was bought." + (f" {discount}" if discount else "")
    ]
    if found.notes:  # before what they cast doubt on
        parts.append("\n".join(f"- {note}" for note in found.notes))
    for one in found.budgets:
        amount = one.prediction.forecast.question.budgets[0]
        parts += [f"## Choices at {one.budget}, {format_amount(one.unit, amount)} per problem"]
        parts += ["\n".join(markdown_table(list(_rows(found, one)))), "\n".join(verdicts(one.prediction))]
        if left_out := one.comparison.left_out:
            parts.append(f"Left out, because they need more samples of a problem than are recorded: {', '.join(map(name_cell, left_out))}.")
        if refused := one.comparison.refused:
            names = ", ".join(map(name_cell, refused))
            parts.append(f"Left out, because the budget does not pay for a pilot of all models first: {names}.")
    return "\n\n".join(parts)


def choices_json(found: ChoiceForecast) -> dict[str, object]:
    """Return {"forecast": {"objective", "counts", "false_positive_rates", "distinct", "source", "budgets": {BUDGET: {...}}}}.

    "counts" and "false_positive_rates" are those of `isocost forecast --json`, for all values here. The entry of a
    budget is that of "choices" there, with "covered" and "kept" (ESTIMATE or null) and "cost" {UNIT: {"value", "low", "high"}} in each of
    its choices, and "verdict" [text].
    """
    return {
        "forecast": {
            "objective": name_of(found.objective),
            "counts": counted(sound=any(found.false_positive_rates.values())),
            "false_positive_rates": dict(found.false_positive_rates),
            "distinct": found.pilot.pilots.distinct,
            "source": str(found.pilot.source),
            "budgets": {one.budget: _budget_json(found, one) for one in found.budgets},
        }
    }


def _rows(found: ChoiceForecast, one: BudgetForecast) -> Iterator[list[str]]:
    measures = _measures(found)
    units = [unit for unit in _UNITS if all(getattr(cost, unit) is not None for costs in one.costs.values() for cost in costs)]
    yield [
        "choice",
        "samples per problem",
        *(column(each, sound=one.question.counts_sound, per_problem=False) for each in measures),
        *(_TITLES[unit] for unit in units),
        "best choice minus this one",
    ]
    differences = {each.other: difference_text(each.value, found.objective) for each in one.comparison.differences}
    for choice in one.comparison.choices:
        values = [one.measured(measure)[choice.name] for measure in measures]
        n = choice.value.n
        shown = [
            count(value, n) if isinstance(measure, KeptPerProblem) else percent(value, n)
            for measure, value in zip(measures, values, strict=True)
        ]
        money = [_cost_text(one.costs[choice.name], unit) for unit in units]
        yield [choice_name(choice), choice_draws(choice), *shown, *money, differences.get(choice.name, "")]


def _measures(found: ChoiceForecast) -> list[Objective]:
    """Return what the choices are measured by, each once: coverage, kept solutions, the objective."""
    return list(dict.fromkeys([Coverage(), *([found.kept] if found.kept else []), found.objective]))


def _cost_text(costs: tuple[Cost, Cost, Cost], unit: str) -> str:
    value, low, high = (_amount_text(getattr(cost, unit), unit) for cost in costs)
    return f"{value} [{low}, {high}]"


def _amount_text(amount: float, unit: str) -> str:
    if unit == "seconds":
        return duration(amount)
    return format_amount("flops" if unit == "flops" else "usd", amount)


def _budget_json(found: ChoiceForecast, one: BudgetForecast) -> dict[str, object]:
    covered, kept = one.measured(Coverage()), one.measured(found.kept) if found.kept else {}

    def more(name: str) -> dict[str, object]:
        ends = one.costs[name]
        cost = {unit: {end: getattr(each, unit) for end, each in zip(("value", "low", "high"), ends, strict=True)} for unit in _UNITS}
        return {"covered": estimate_json(covered.get(name)), "kept": estimate_json(kept.get(name)), "cost": cost}

    entry = comparison_json(one.comparison)
    entry["choices"] = [{**choice, **more(each.name)} for choice, each in zip(entry["choices"], one.comparison.choices, strict=True)]
    return {**entry, "verdict": verdicts(one.prediction)}
