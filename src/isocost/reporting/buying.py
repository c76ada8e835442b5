"""Sentences on what to buy: the model, what would settle an open question, and the policies that observe outcomes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from isocost.amounts import settling
from isocost.metrics.settling import problems_to_settle
from isocost.records import CellComparison, CellResult, Estimate, Results, Spending
from isocost.reporting.numbers import count, decided, detects, interval, percent, points, signed_mean
from isocost.reporting.uniform import uniform_words

Pair = tuple[CellResult, CellResult]
_MOST_POLICIES = 2  # in the verdict; their section has all
_UNSPENT = 0.2  # share of a realised budget: a cell that left more of it was not compared at that budget

_WHY_LEFT = {True: "as all recorded draws were used", False: "as one more draw of max_tokens did not fit"}  # by whether draws ran out


def buy(results: Results, pair: Pair, ways: Collection[int]) -> str:
    """Return `buy from MODEL: ` if one of two models at one budget is decided for, else "".

    Args:
        results: The results.
        pair: Two cells.
        ways: The directions of decided differences: 1 for the left cell, -1 for the right one.
    """
    if len(set(ways)) != 1 or not _are_two_models(results, pair):
        return ""
    return f"buy from {pair[0 if 1 in ways else 1].plan.models[0]}: "


def open_choice(results: Results, pair: Pair) -> str:
    """Return that the choice between two models at one budget is open, before a difference that was not found; else ""."""
    return "which model to buy from is open: " if _are_two_models(results, pair) else ""


def _are_two_models(results: Results, pair: Pair) -> bool:
    """Return True if two cells spent one budget on a model each, which no policy ended early: their difference says where to buy."""
    left, right = pair
    observing = {each.cell for each in results.spendings}
    same_budget = left.plan.cell.budget is not None and left.plan.cell.budget == right.plan.cell.budget
    models = [cell.plan.models for cell in pair]
    if not same_budget or any(len(own) != 1 for own in models) or models[0] == models[1]:
        return False
    return not (observing & {cell.plan.cell.name for cell in pair} or any(_unspent(cell) > _UNSPENT for cell in pair))


def _unspent(cell: CellResult) -> float:
    """Return the share of its budget that a cell left; 0 where counts were planned, or the cost is unknown."""
    plan = cell.plan
    if plan.unit is None or not plan.amount or plan.basis != "realised" or (spent := cell.cost.amount(plan.unit)) is None:
        return 0.0
    return max(0.0, 1.0 - spent / plan.amount)


def left_unspent(results: Results, pair: Pair) -> str:
    """Return which cells left much of a realised budget, to follow their comparison, which is then not at equal cost; "" without one.

    A policy that observes outcomes may end before its money: it has solved what it can.
    """
    observing = {each.cell for each in results.spendings}
    much = [cell for cell in pair if cell.plan.cell.name not in observing and _unspent(cell) > _UNSPENT]
    parts = [_left(why, [cell for cell in much if cell.exhausted == exhausted]) for exhausted, why in _WHY_LEFT.items()]
    return f"; not at equal cost: {' and '.join(filter(None, parts))}" if much else ""


def _left(why: str, cells: Collection[CellResult]) -> str:
    named = " and ".join(f"{cell.plan.cell.name} left {100 * _unspent(cell):.0f}% of its budget" for cell in cells)
    return f"{named}, {why}" if cells else ""


def unsettled(results: Results, pair: Pair) -> str:
    """Return what this run could detect in coverage, and the number of problems that would settle it, to follow the difference."""
    item = _comparison(results, pair)
    if item is None or item.detectable is None or item.difference.value is None:
        return ""
    if item.detectable >= 1:  # cut to the largest difference that there is: what settles it does not follow
        return f"; {detects(item.detectable)}"
    n = item.difference.n
    needed = problems_to_settle(n, item.difference.value, item.detectable)
    return f"; {detects(item.detectable)}{settling(needed, n, 'problem')}"


def observed(results: Results, pair: Pair | None) -> list[str]:
    """Return a sentence per policy that observes outcomes: its coverage against the two cells, and uniform draws for the same."""
    return [_observed(results, spending, pair or ()) for spending in results.spendings]


def _observed(results: Results, spending: Spending, others: Collection[CellResult]) -> str:
    cell = next(each for each in results.cells if each.plan.cell.name == spending.cell)
    covered = cell.measures.get("covered")
    parts = [f"{spending.cell} ({spending.policy})"]
    if covered is not None and covered.value is not None:
        parts[0] += f" covers {percent(covered)} of {count(covered.n)}"
    gains = {other.plan.cell.name: paired_coverage(results, (cell, other)) for other in others if other is not cell}
    against = [f"{points(gain)} points against {name}" for name, gain in gains.items() if gain is not None]
    parts[0] += f": {', '.join(against)}" if against else ""
    return ". ".join([*parts, *(uniform_words(match) for match in spending.matches)]) + "."


def policy_findings(results: Results, pair: Pair | None) -> list[str]:
    """Return a sentence per policy that observes outcomes, at the budget of two other cells: its gain over the better of them."""
    found = []
    for spending in results.spendings[:_MOST_POLICIES]:
        cell = next(each for each in results.cells if each.plan.cell.name == spending.cell)
        others = [other for other in pair or () if other.plan.cell.budget == cell.plan.cell.budget]
        if others and cell not in others:
            found.append(_policy_finding(results, spending, cell, others))
    return [sentence for sentence in found if sentence]


def _policy_finding(results: Results, spending: Spending, cell: CellResult, others: Sequence[CellResult]) -> str:
    measure = "kept_per_problem" if spending.objective == "kept" else "covered"
    better = max(others, key=lambda other: other.measures[measure].value or 0.0 if measure in other.measures else 0.0)
    gain = _first_minus_second((cell, better), _comparison(results, (cell, better), measure))
    if gain is None or gain.value is None:
        return ""
    is_share = measure == "covered"
    way = decided(gain, factor=100 if is_share else 1, decimals=1 if is_share else 2)
    does, what = ("covers", "problems") if is_share else ("keeps", "solutions per problem")
    much = interval(gain, factor=100, decimals=1, unit=" points", sign=True) if is_share else signed_mean(gain)
    measured = "problems covered" if is_share else "solutions kept per problem"
    names = f"{spending.cell} ({spending.policy})", better.plan.cell.name
    if not way:
        return f"No difference found in {measured} between {names[0]} and {names[1]}: {much}."
    return f"{names[0]} {does} {'more' if way > 0 else 'fewer'} {what} than {names[1]}: {much}."


def paired_coverage(results: Results, pair: Pair) -> Estimate | None:
    """Return the paired difference in `covered`, first minus second, if the run has it."""
    return _first_minus_second(pair, _comparison(results, pair))


def paired_kept(results: Results, pair: Pair) -> Estimate | None:
    """Return the paired difference in solutions kept per problem, first minus second, if the run has it."""
    return _first_minus_second(pair, _comparison(results, pair, "kept_per_problem"))


def _first_minus_second(pair: Pair, item: CellComparison | None) -> Estimate | None:
    if item is None:
        return None
    return item.difference if item.left == pair[0].plan.cell.name else turned(item.difference)


def _comparison(results: Results, pair: Pair, measure: str = "covered") -> CellComparison | None:
    names = {cell.plan.cell.name for cell in pair}
    return next((item for item in results.cell_comparisons if item.measure == measure and {item.left, item.right} == names), None)


def turned(estimate: Estimate) -> Estimate:
    """Return a difference with its sides exchanged."""
    value, low, high = (None if end is None else -end for end in (estimate.value, estimate.high, estimate.low))
    return replace(estimate, value=value, low=low, high=high)
