"""A forecast as text: a table per model, the choices at each budget, the verdict, doubtful problems."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from isocost.amounts import PREFIXES as FLOPS_PREFIXES
from isocost.amounts import fixed
from isocost.forecasting import Choice, Comparison, ModelForecast
from isocost.forecasting.margins import Margin
from isocost.forecasting.overtaking import Overtaking
from isocost.forecasting.scores import Score
from isocost.measuring.words import count, counted_of, markdown_table, money, name_cell, percent, spent, with_name_cell, with_unit
from isocost.metrics.diversity import SAME
from isocost.policies.base import Coverage, KeptPerProblem, MixedGroups, Objective
from isocost.predicting.asking import name_of
from isocost.predicting.predict import Prediction
from isocost.predicting.quantities import column, counted, describe_discount
from isocost.predicting.verdict import choice_name, overtaking_text, verdicts
from isocost.records import UNITS, Estimate

_MOST_LISTED = 20  # doubtful problems
_POWERS = ("", "1,000", "million", "billion", "trillion", "1e15", "1e18", "1e21", "1e24")  # of 1,000


def forecast_markdown(prediction: Prediction) -> str:
    """Return a prediction as Markdown."""
    found, pilots = prediction.forecast, prediction.pilots
    objective, sound = found.question.objective, found.question.counts_sound
    discount = describe_discount(found.question.false_positive_rates)
    parts = [
        f"Forecast from the first {counted_of(pilots.draws, 'graded draw', first=True)} per problem, with 90% intervals over problems. "
        f"Costs have 95% intervals, as in isocost measure. {SAME[pilots.distinct].capitalize()}." + (f" {discount}" if discount else "")
    ]
    for name, model in found.models.items():
        parts += [f"## {name_cell(name)}", _about(model, pilots.unit), "\n".join(_points(model, objective, pilots.unit, sound=sound))]
        if model.scores:
            of = " of correct solutions, sound or not" if sound else ""
            parts += [f"Forecast and outcome{of}, an unbiased estimate from all recorded draws:", "\n".join(_scores(model.scores))]
    for comparison in found.comparisons:
        parts += [f"## Choices at {with_unit(comparison.budget, pilots.unit)} per problem"]
        parts += [
            "\n".join(_choices(comparison, objective, sound=sound)),
            "\n".join(_margin(one, objective, pilots.unit) for one in comparison.margins),
        ]
    if found.overtakings:
        parts += ["## Crossovers", "\n".join(f"- {_overtaking(one, pilots.unit)}" for one in found.overtakings)]
    parts += ["## Verdict", "\n".join(verdicts(prediction)), "## Doubtful problems", "\n".join(_doubts(prediction))]
    if prediction.notes:
        parts += ["## Notes", "\n".join(f"- {with_name_cell(note, found.models)}" for note in prediction.notes)]
    return "\n\n".join(parts)


def value_text(estimate: Estimate, objective: Objective) -> str:
    """Return the value of an objective with its interval."""
    return count(estimate, estimate.n) if isinstance(objective, KeptPerProblem) else percent(estimate, estimate.n)


def _about(model: ModelForecast, unit: str) -> str:
    pilot, draws = model.piloted.pilot, int(model.piloted.pilot.draws.sum())
    lines = [
        f"{counted_of(len(pilot.draws), 'problem')}, {counted_of(draws, 'graded draw')}, {int(pilot.successes.sum()):,} correct. Problems "
        f"it cannot solve (pass rate under 1 in 100,000): {percent(model.impossible, model.impossible.n)}."
    ]
    if model.piloted.cost is not None and unit != "tokens":
        lines.append(f"Cost of a draw{'' if unit in UNITS else f' ({unit})'}: {money(model.piloted.cost, len(pilot.draws), unit=unit)}.")
    if model.piloted.tokens is not None:
        lines.append(f"Tokens of a draw: {money(model.piloted.tokens, len(pilot.draws))}.")
    return " ".join(lines)


def _points(model: ModelForecast, objective: Objective, unit: str, *, sound: bool) -> Iterator[str]:
    cost, covered = model.piloted.cost, "sound coverage" if sound else "coverage"
    has_texts = any(point.distinct is not None for point in model.points)
    head = ["draws per problem", *(["cost per problem"] if cost else []), covered]
    head += [f"distinct {counted(sound=sound)}"] if has_texts else []
    rows = [head + ([] if isinstance(objective, Coverage) else [("sound " if sound else "") + _column(objective)])]
    for point in model.points:
        row = [
            f"{point.k:,}",
            *([] if cost is None else [spent(point.k * (cost.value or 0.0), unit)]),
            percent(point.coverage, point.coverage.n),
        ]
        row += [] if point.distinct is None else [count(point.distinct, point.distinct.n)]
        rows.append(row + ([] if isinstance(objective, Coverage) else [value_text(point.objective, objective)]))
    yield from markdown_table(rows)


def _column(objective: Objective) -> str:
    return f"{name_of(objective)} within these draws" if isinstance(objective, MixedGroups) else name_of(objective)


def _scores(scores: Sequence[Score]) -> Iterator[str]:
    rows = [["measure", "forecast", "outcome", "inside"]]
    for one in scores:
        is_share = one.measure in ("coverage", "mixed_groups")
        forecast = percent(one.forecast, one.forecast.n) if is_share else count(one.forecast, one.forecast.n)
        outcome = f"{100 * one.outcome:.1f}%" if is_share else f"{one.outcome:.2f}"
        rows.append([f"{one.measure}@{one.k}", forecast, outcome, "yes" if one.inside else "no"])
    yield from markdown_table(rows)


def _choices(comparison: Comparison, objective: Objective, *, sound: bool) -> Iterator[str]:
    rows = [["choice", "draws per problem", column(objective, sound=sound), "best choice minus this one"]]
    differences = {each.other: each for each in comparison.differences}
    for choice in comparison.choices:
        difference = differences.get(choice.name)
        minus = "" if difference is None else difference_text(difference.value, objective)
        rows.append([choice_name(choice), choice_draws(choice), value_text(choice.value, objective), minus])
    yield from markdown_table(rows)


def choice_draws(choice: Choice) -> str:
    """Return the draws per problem of a choice, by model."""
    return ", ".join(f"{number:,.1f} {name_cell(model)}" for model, number in choice.draws.items())


def difference_text(value: Estimate, objective: Objective) -> str:
    """Return a difference with its interval, in points or in solutions."""
    unit = 1.0 if isinstance(objective, KeptPerProblem) else 100.0
    digits = 2 if unit == 1.0 else 1
    middle, low, high = (fixed(unit * (end or 0.0), digits, sign=True) for end in (value.value, value.low, value.high))
    return f"{middle} [{low}, {high}]"


def _margin(one: Margin, objective: Objective, unit: str) -> str:
    what = "next group" if isinstance(objective, MixedGroups) else "next draw"
    ratio = (one.fresh_per_cost.value or 0.0) / one.per_cost.value if one.per_cost.value else float("inf")
    times = f"{ratio:,.3g} times as much" if ratio < 1e6 else "over a million times as much"
    factor, each = _per(one.fresh_per_cost.value or 0.0, unit)
    text = (
        f"- {name_cell(one.model)}: per {each}, the {what} for these problems gains {_scaled(one.per_cost, factor)}, the first "
        f"one for a new problem {_scaled(one.fresh_per_cost, factor)}, {times}."
    )
    if one.worth is None or one.worth.value is None:
        return text
    low, high = spent(one.worth.low or 0.0, unit), "any price" if one.worth.high is None else spent(one.worth.high, unit)
    return f"{text} New problems pay if one costs less than {with_unit(one.worth.value, unit)} [{low}, {high}]."


def _per(gain: float, unit: str) -> tuple[float, str]:
    """Return the amount of cost for which a gain per unit can be read, a power of 1,000, and its name: `GFLOP`, `1,000 tokens`."""
    power = min(max(0, math.ceil(math.log10(0.01 / gain) / 3)), len(_POWERS) - 1) if gain > 0 else 0
    if unit == "flops":
        return 1000.0**power, f"{FLOPS_PREFIXES[power]}FLOP"
    one = {"usd": "dollar", "tokens": "token"}.get(unit, "unit of cost")
    named = one if not power else f"{_POWERS[power]} {'units of cost' if one == 'unit of cost' else f'{one}s'}"
    return 1000.0**power, named


def _scaled(estimate: Estimate, factor: float) -> str:
    ends = (None if end is None else factor * end for end in (estimate.value, estimate.low, estimate.high))
    value, low, high = ends
    return money(Estimate(value=value, low=low, high=high, n=estimate.n), estimate.n)


def _overtaking(one: Overtaking, unit: str) -> str:
    if one.absent >= 0.5:
        return f"{overtaking_text(one, unit)}, as far as forecasts are compared."
    chance = "over 99%" if one.absent < 0.005 else f"{1 - one.absent:.0%}"
    probably = f" The probability that it is ahead there is {chance}." if one.absent else ""
    return f"{overtaking_text(one, unit)}, and stays ahead up to {with_unit(one.reach, unit)}, as far as forecasts are compared.{probably}"


def _doubts(prediction: Prediction) -> Iterator[str]:
    found = prediction.forecast
    if not found.impossible and not found.agreements:
        yield "None: no problem is impossible with a probability of one half, and no two models agree on an incorrect answer."
    for one in found.impossible[:_MOST_LISTED]:
        yield f"- {name_cell(one.problem_id)}: impossible for all models with probability {one.probability:.2f}"
    if len(found.impossible) > _MOST_LISTED:
        yield f"- {len(found.impossible) - _MOST_LISTED:,} more that are probably impossible: --json"
    for each in found.agreements[:_MOST_LISTED]:
        draws = ", ".join(f"{name_cell(model)} in {n:,} of {drawn:,} draws" for model, (n, drawn) in each.draws.items())
        reference = "" if each.reference is None else f", the reference is {name_cell(each.reference)}"
        yield f"- {name_cell(each.problem_id)}: models agree on {name_cell(each.answer)} ({draws}){reference}"
    if len(found.agreements) > _MOST_LISTED:
        yield f"- {len(found.agreements) - _MOST_LISTED:,} more with a doubtful reference: --json"
