"""Sentences on the leading model: at each budget, at equal numbers, and from which cost on. They are derived from the numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from isocost import amounts
from isocost.records import Estimate, ModelCrossover, ModelPair, Results, Unit
from isocost.reporting import numbers
from isocost.reporting.headline import main_pair

P = TypeVar("P", ModelPair, ModelCrossover)

MEASURES = {"coverage": "Coverage", "diversity": "Distinct correct solutions"}
_AS_PRINTED = {"coverage": (100, 1, "points"), "diversity": (1, 2, "solutions per problem")}  # of a difference: factor, decimals, unit
_MOST_BUDGETS = 3  # most budgets in one sentence; the table has all
_SHORT = 0.999  # of a budget: the sentence mentions a smaller cost
_SETTLED = 0.025  # of the resamples: if more disagree, the interval of the crossover is open


def main_models(results: Results) -> tuple[str, str] | None:
    """Return the two models that sentences and figures compare: those of the main pair of cells, else the first two with curves."""
    pairs = dict.fromkeys(pair.models for pair in results.model_pairs)
    cells = main_pair(results)
    if cells is not None and all(len(cell.plan.models) == 1 for cell in cells):
        wanted = {cell.plan.models[0] for cell in cells}
        for models in pairs:
            if set(models) == wanted:
                return models
    return next(iter(pairs), None)


def sentences(results: Results) -> tuple[str, ...]:
    """Write one paragraph per measure on the two main models: the leader at each budget, the crossover, and at equal numbers.

    What `lead_sentence` says is left out.
    """
    models = main_models(results)
    if refused := [each.warning(model) for model, each in results.failed.items() if model in (models or ()) and each.prevents]:
        return (f"{' and '.join(refused)}, so the models are not compared.",)
    pairs = [pair for pair in results.model_pairs if pair.models == models]
    found = []
    for measure, name in MEASURES.items():
        own = [pair for pair in pairs if measure in pair.differences]
        at_cost, equal = [pair for pair in own if pair.budget is not None], [pair for pair in own if pair.budget is None]
        more = len(at_cost) - _MOST_BUDGETS
        led = measure == "coverage"
        compared = at_cost[:_MOST_BUDGETS] + ([] if led and not at_cost else equal)
        parts = [f"{place(results, pair)}, {ahead(pair, measure)}" for pair in compared[1 if led and at_cost else 0 :]]
        parts += [f"The table has {more} more"] if more > 0 else []
        crossings = [crossed(item) for item in results.crossovers if (item.models, item.measure) == (models, measure)]
        parts += crossings[1:] if led else crossings
        if parts:
            found.append(f"{name}. {'. '.join(parts)}.")
    return tuple(found)


def lead_sentence(results: Results) -> str:
    """Return the finding in coverage: who is ahead at the first budget and from which cost on; "" without two models."""
    models = main_models(results)
    pairs = [pair for pair in results.model_pairs if pair.models == models and "coverage" in pair.differences]
    at_cost = [pair for pair in pairs if pair.budget is not None] or pairs
    parts = [f"{place(results, pair)}, {ahead(pair, 'coverage')}" for pair in at_cost[:1]]
    parts += [crossed(item) for item in results.crossovers if (item.models, item.measure) == (models, "coverage")][:1]
    return f"{'. '.join(parts)}." if parts else ""


def place(results: Results, pair: ModelPair, say: Callable[[Unit, float], str] = amounts.per_problem) -> str:
    """Format the budget of a pair and its cost per problem, with a note where the curves end before it. `say` formats costs per problem."""
    if pair.unit is None or pair.cost is None:
        return f"At equal numbers, {drawn(pair.draws[0])} each"
    spent, allowed = say(pair.unit, pair.cost), _allowed(results, pair)
    if allowed is not None and pair.cost < _SHORT * allowed:
        return f"At {spent}, as far as both were drawn towards budget {pair.budget} ({say(pair.unit, allowed)})"
    return f"At budget {pair.budget}, {spent}"


def spot(results: Results, pair: ModelPair, say: Callable[[Unit, float], str] = amounts.per_problem) -> str:
    """Format the same as `place`, short enough for a table's column."""
    if pair.unit is None or pair.cost is None:
        return f"{drawn(pair.draws[0])} each"
    spent, allowed = say(pair.unit, pair.cost), _allowed(results, pair)
    is_short = allowed is not None and pair.cost < _SHORT * allowed
    return f"{spent}, short of {pair.budget}" if is_short else f"{pair.budget}, {spent}"


def main_first(results: Results, items: Iterable[P]) -> list[P]:
    """Sort the pairs of models, the main two models' first."""
    main = main_models(results)
    return sorted(items, key=lambda item: item.models != main)


def _allowed(results: Results, pair: ModelPair) -> float | None:
    """Return the budget per problem, or None where it is unknown."""
    amount = next((c.plan.amount for c in results.cells if c.plan.cell.budget == pair.budget and c.plan.unit == pair.unit), None)
    return amount / results.n_problems if amount and results.n_problems else None


def ahead(pair: ModelPair, measure: str) -> str:
    """Name the leading model and its lead. No difference is claimed where the interval, as printed, contains 0."""
    difference, text = pair.differences[measure], percent if measure == "coverage" else solutions
    both = " and ".join(f"{model} {text(value)}" for model, value in zip(pair.models, pair.measures[measure], strict=True))
    way = direction(difference, measure)
    if way is None:
        return f"nothing could be compared ({both})"
    if way == 0:
        return f"no difference found ({_range(difference, measure)}: {both})"
    return f"{pair.models[0 if way > 0 else 1]} is ahead by {_gain(difference, measure, way)} ({both})"


def crossed(item: ModelCrossover) -> str:
    """Describe from which cost on the model that leads at the end stays ahead, and how many resamples disagree."""
    reach = amounts.per_problem(item.unit, item.reach)
    if item.ahead is None or item.cost is None:
        return f"Both are level at {reach}, where the shorter curve ends: no crossover within reach"
    if item.cost == 0:
        found = f"{item.ahead} is ahead from the first draw to {reach}, where the shorter curve ends: no crossover"
    else:
        found = f"From {interval(item)} on {item.ahead} is ahead, to {reach}, where the shorter curve ends"
    share = "fewer than 1%" if 0 < item.absent < 0.01 else f"{amounts.fixed(100 * item.absent, 0)}%"
    if item.absent > _SETTLED:
        return f"{found}; {numbers.count(item.n)} problems do not settle that: in {share} of resamples it is not ahead there"
    return f"{found} (not so in {share} of resamples)" if item.absent else found


def interval(item: ModelCrossover) -> str:
    """Format a crossover with its interval; an unknown end lies beyond the reach."""
    if item.cost is None:
        return amounts.MISSING
    scale, each = amounts.flops_scale([item.cost, item.low, item.high, item.reach]), amounts.readable(item.unit, [item.reach])

    def text(amount: float) -> str:
        return "0" if amount == 0 else amounts.dollars(amount * each.problems) if item.unit == "usd" else scale.text(amount)

    beyond = f"beyond {text(item.reach)}"
    low, high = (beyond if end is None else text(end) for end in (item.low, item.high))
    inside = low if low == high == beyond else f"{low}, {high}"
    return f"{text(item.cost)} [{inside}]{'' if item.unit == 'usd' else f' {scale.unit}'} {each.words}"


def drawn(draws: float) -> str:
    """Format a number of draws per problem: `3 draws`, `2.25 draws`."""
    if draws == int(draws):
        return amounts.quantity(int(draws), "draw")
    return f"{amounts.fixed(draws, 2)} draws"


def direction(difference: Estimate, measure: str) -> int | None:
    """Return 1 if left has more, -1 if right has, 0 if the interval as printed contains 0; None without an interval."""
    factor, decimals, _ = _AS_PRINTED[measure]
    return numbers.decided(difference, factor=factor, decimals=decimals)


def percent(estimate: Estimate) -> str:
    """Format a share without its interval, which is in the table: `44.7%`."""
    return amounts.MISSING if estimate.value is None else f"{amounts.fixed(100 * estimate.value)}%"


def solutions(estimate: Estimate) -> str:
    """Format a mean count without its interval."""
    return amounts.MISSING if estimate.value is None else amounts.fixed(estimate.value, 2)


def _gain(difference: Estimate, measure: str, way: int) -> str:
    value, low, high = (way * (end or 0.0) for end in (difference.value, difference.low, difference.high))
    low, high = min(low, high), max(low, high)
    factor, decimals, unit = _AS_PRINTED[measure]
    number, *ends = (amounts.fixed(end * factor, decimals) for end in (value, low, high))
    return f"{number} {unit} [{ends[0]}, {ends[1]}]"


def _range(difference: Estimate, measure: str) -> str:
    factor, decimals, unit = _AS_PRINTED[measure]
    low, high = (amounts.fixed((end or 0.0) * factor, decimals, sign=True) for end in (difference.low, difference.high))
    return f"{low} to {high} {unit}"


def versus(models: Sequence[str]) -> str:
    """Format left minus right as a row's header."""
    return f" {amounts.MINUS} ".join(models)
