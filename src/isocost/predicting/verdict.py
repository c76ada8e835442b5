"""The verdict of a forecast: what to buy at a budget, and what would settle it."""

from __future__ import annotations

from isocost.amounts import fixed, listed, settling
from isocost.forecasting import Choice, Comparison, Difference, Question
from isocost.forecasting.overtaking import Overtaking
from isocost.measuring.words import count, name_cell, percent, spent, with_unit
from isocost.policies.base import KeptPerProblem, Objective
from isocost.predicting.predict import Prediction
from isocost.predicting.quantities import noun

_TOO_WIDE = 0.5  # width of an interval, of the largest value, at which a pilot says too little to recommend anything


_UNPRICED = "The costs of draws are unknown, so no choice can be compared; give that of each model's token: --cost MODEL=AMOUNT."


def verdicts(prediction: Prediction) -> list[str]:
    """Return the recommendation at each budget, and what the pilot does not settle."""
    found, pilots = prediction.forecast, prediction.pilots
    silent = {each.pilot.model: why for each in pilots.models if (why := each.pilot.says_nothing)}
    lines = [
        f"{name_cell(model)}: {why}, which settles nothing about it: its forecast is that of the prior." for model, why in silent.items()
    ]
    if not found.comparisons:
        return [*lines, _UNPRICED]
    if len(silent) == len(pilots.models):
        return [*lines, "The pilot is too small to recommend a choice."]
    lines += [recommendation(each, found.question, pilots.unit) for each in found.comparisons]
    return [*lines, *(f"{overtaking_text(each, pilots.unit)}." for each in found.overtakings[:1] if len(found.models) == 2)]


def choice_name(choice: Choice) -> str:
    """Return a choice as it is printed."""
    return "+".join(name_cell(model) for model in choice.shares) if choice.shares else name_cell(choice.name)


def overtaking_text(one: Overtaking, unit: str) -> str:
    """Return a crossover as a sentence without its full stop; which model is ahead is open if the likelier of both is a toss-up."""
    ahead, behind, beyond = name_cell(one.ahead), name_cell(one.behind), f"beyond {spent(one.reach, unit)}"
    low, high = (beyond if end is None else spent(end, unit) if end else "the first draw" for end in (one.low, one.high))
    if one.absent >= 0.5:
        return f"it is open which of {ahead} and {behind} is ahead, up to {with_unit(one.reach, unit)} per problem"
    if one.cost == 0.0:
        return f"{ahead} is ahead of {behind} from the first draw on" + ("" if one.high == 0.0 else f" [{low}, {high}]")
    return f"{ahead} overtakes {behind} at {with_unit(one.cost, unit)} per problem [{low}, {high}]"


def recommendation(comparison: Comparison, question: Question, unit: str) -> str:
    """Return the best choice at a budget, against the next one, and what would settle it if it is not settled."""
    objective = question.objective
    named, value = noun(objective, sound=question.counts_sound), _value(comparison.choices[0], objective)
    best, at = comparison.choices[0], f"At {with_unit(comparison.budget, unit)} per problem"
    most = float(objective.most) if isinstance(objective, KeptPerProblem) else 1.0
    width = (best.value.high or 0.0) - (best.value.low or 0.0)
    if width > _TOO_WIDE * most:
        return f"{at} the pilot is too small to recommend a choice. Highest estimate: {value} {named} with {_described(best)}."
    text = f"{at} {_buy(best)}: {value} {named}"
    if not comparison.differences:
        return f"{text}."
    difference, other = comparison.differences[0], comparison.choices[1]
    # The longer name is not said twice.
    text += f", against {_value(other, objective)}{'' if question.counts_sound else f' {named}'} with {choice_name(other)}"
    return f"{text}." if difference.is_settled else f"{text}. Not settled: {_open(difference, objective)}."


def _buy(choice: Choice) -> str:
    if not choice.shares:
        return f"buy by {_described(choice)}"
    return f"buy from {_described(choice)}"


def _described(choice: Choice) -> str:
    names = listed([name_cell(model) for model in choice.models])
    if not choice.shares:
        return f"the policy {name_cell(choice.name.partition(' ')[0])} from {names}"
    return names + (", half of the money each" if len(choice.models) == 2 else "")


def _value(choice: Choice, objective: Objective) -> str:
    if isinstance(objective, KeptPerProblem):
        return count(choice.value, choice.value.n)
    return percent(choice.value, choice.value.n)


def _open(difference: Difference, objective: Objective) -> str:
    value, low, high = (each or 0.0 for each in (difference.value.value, difference.value.low, difference.value.high))
    if isinstance(objective, KeptPerProblem):
        apart = f"they are {fixed(value, 2)} solutions apart [{fixed(low, 2)}, {fixed(high, 2)}]"
    else:
        apart = f"they are {fixed(100 * value)} points apart [{fixed(100 * low)}, {fixed(100 * high)}]"
    return apart + settling(difference.settled_by, difference.piloted, "piloted problem")
