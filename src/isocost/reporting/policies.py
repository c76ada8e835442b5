"""The section on policies that observe outcomes: draws by round and model, money by model, and uniform draws for the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from isocost import amounts
from isocost.records import UNITS, Cost, ModelSpending, Results, RoundSpending, Spending, UniformMatch, Unit
from isocost.reporting import numbers
from isocost.reporting.blocks import Column, Entry, Section, Table, number
from isocost.reporting.buying import observed
from isocost.reporting.headline import main_pair
from isocost.reporting.tables import Shown, costs, count, filled, problems, table, text
from isocost.reporting.uniform import draws_words, open_amount, times

_BANDS = 10  # rows of a cell's rounds in the report; measures.json has every round
_OBJECTIVES = {
    "coverage": "problems covered",
    "kept": "solutions kept, at most {} per problem",
    "mixed": "problems with a mixed group of {}",
}
_ESTIMATORS = {"first draws": "first draws", "posterior": "posterior of pass rates"}


class _Own(NamedTuple):
    spending: Spending
    model: ModelSpending


class _Band(NamedTuple):
    """Rounds that follow each other, and their draws from one model."""

    cell: str
    first: int
    last: int
    model: str
    draws: int
    problems: str
    cost: Cost


class _Matched(NamedTuple):
    spending: Spending
    match: UniformMatch


def policies(results: Results) -> Section | None:
    """Return the section; None if no policy of the study observes outcomes."""
    found = results.spendings
    if not found:
        return None
    return Section(
        key="policies",
        title="What the policies did",
        finding=" ".join(observed(results, main_pair(results))[:2]),
        paragraphs=(*observed(results, main_pair(results))[2:], *(sentence(each) for each in found)),
        tables=filled([_by_model(found), _uniform(found), _by_round(found)]),
    )


def sentence(spending: Spending) -> str:
    """Return a sentence on the draws and the money of a policy; `observed` has what uniform draws would have cost."""
    money = ", ".join(f"{amounts.fixed(100 * share, 0)}% to {model}" for model, share in spending.shares().items())
    draws = ", ".join(
        f"{each.model} {amounts.fixed(each.mean, 2)} (median {amounts.fixed(each.median, 0)}, most {numbers.count(each.most)})"
        for each in spending.models
    )
    parts = [f"{spending.cell} ({spending.policy}) drew per problem: {draws}" + (f"; of the money, {money}" if money else "")]
    if spending.unmatched:
        names = " and ".join(spending.unmatched)
        parts.append(f"What uniform from {names} would have cost is not known: no estimator holds for its draws here")
    return ". ".join(parts) + "."


def _reached(spending: Spending, value: float) -> str:
    """Return the value of an objective with its name."""
    return f"{_value(spending, value)} {_OBJECTIVES[spending.objective].format(spending.size)}"


def _value(spending: Spending, value: float) -> str:
    return amounts.fixed(value, 2) if spending.objective == "kept" else f"{amounts.fixed(100 * value)}%"


def _by_model(found: Sequence[Spending]) -> Table:
    items = [_Own(each, model) for each in found for model in each.models]
    shown: tuple[Shown[_Own], ...] = (
        text("Model", "model", lambda item: item.model.model),
        count("Draws", "draws", lambda item: item.model.draws),
        count("Problems", "problems", lambda item: item.model.problems),
        _number("Mean per problem", "mean", lambda item: item.model.mean, 2),
        _number("Median", "median", lambda item: item.model.median, 1),
        count("Most", "most", lambda item: item.model.most),
        *costs("Cost", "cost", items, lambda item: replace(item.model.cost, seconds=None)),
        Shown(
            column=Column(title="Share of the money (%)", key="money", share=True),
            entry=lambda item: number(item.spending.shares().get(item.model.model), lambda share: amounts.fixed(100 * share)),
        ),
    )
    return table(
        shown,
        items,
        key="policies_by_model",
        title="Draws and money by model",
        caption="Draws per problem are over all problems, those without a draw included. Costs are realised.",
        group_title="Cell",
        group=lambda item: f"{item.spending.cell} ({item.spending.policy})",
    )


def _number(title: str, key: str, of: Callable[[_Own], float], decimals: int) -> Shown[_Own]:
    return Shown(column=Column(title=title, key=key), entry=lambda item: number(of(item), lambda x: amounts.fixed(x, decimals)))


def _by_round(found: Sequence[Spending]) -> Table:
    items = [band for each in found for band in _bands(each)]
    shown: tuple[Shown[_Band], ...] = (
        text("Rounds", "rounds", _rounds),
        text("Model", "model", lambda item: item.model),
        count("Draws", "draws", lambda item: item.draws),
        text("Problems", "problems", lambda item: item.problems),
        *costs("Cost", "cost", items, lambda item: replace(item.cost, seconds=None)),
    )
    return table(
        shown,
        items,
        key="policies_by_round",
        title="Draws and money by round",
        caption="Rounds that follow each other share a row, about a tenth of the draws each; measures.json has every round.",
        group_title="Cell",
        group=lambda item: item.cell,
    )


def _bands(spending: Spending) -> Iterator[_Band]:
    """Yield the rounds of a cell in at most about `_BANDS` rows per model; the pilot is one by itself."""
    total = sum(each.draws for each in spending.rounds)
    bands: dict[int, list[int]] = {}
    before = 0
    for at in sorted({each.number for each in spending.rounds}):
        bands.setdefault(before * _BANDS // total if at else -1, []).append(at)
        before += sum(each.draws for each in spending.rounds if each.number == at)
    for band in bands.values():
        for model in spending.models:
            own = [each for each in spending.rounds if each.model == model.model and band[0] <= each.number <= band[-1]]
            if own:
                yield _band(spending.cell, band, own)


def _band(cell: str, band: Sequence[int], own: Sequence[RoundSpending]) -> _Band:
    cost = Cost(flops=0.0, usd=0.0, seconds=0.0)
    for each in own:
        cost = cost + each.cost
    few, many = min(each.problems for each in own), max(each.problems for each in own)
    problems = numbers.count(few) if few == many else f"{numbers.count(few)} to {numbers.count(many)}"
    return _Band(cell, band[0], band[-1], own[0].model, sum(each.draws for each in own), problems, cost)


def _rounds(band: _Band) -> str:
    if band.first == 0:
        return "pilot"
    return f"{band.first}" if band.first == band.last else f"{band.first} to {band.last}"


def _uniform(found: Sequence[Spending]) -> Table:
    items = [_Matched(each, match) for each in found for match in each.matches]
    units = [unit for unit in UNITS if any(item.match.unit == unit for item in items)]
    shown: tuple[Shown[_Matched], ...] = (
        text("Uniform from", "model", lambda item: item.match.model),
        text("Estimated by", "estimator", lambda item: _ESTIMATORS[item.match.estimator]),
        Shown(column=Column(title="Draws per problem", key="draws"), entry=_needed),
        *(_costs(items, unit) for unit in units),
        Shown(
            column=Column(title="Times the cell's cost [interval]", key="times", kind="estimate"),
            entry=lambda item: Entry(text=times(item.match), value=item.match.times),
        ),
        problems(lambda item: item.match.cost),
        text("At the last draw", "at_last", _end),
    )
    return table(
        shown,
        items,
        key="policies_uniform",
        title="What uniform would have cost for the same",
        caption="Equal draws of every problem from one model until they reach what the policy reached. Ends beyond the last draw are open.",
        group_title="Reached",
        group=lambda item: f"{item.spending.cell}: {_reached(item.spending, item.match.reached)}",
    )


def _needed(item: _Matched) -> Entry:
    return number(item.match.draws, lambda draws: amounts.fixed(draws, 2), "")


def _costs(items: Sequence[_Matched], unit: Unit) -> Shown[_Matched]:
    """Return the column of costs in a unit; entries of matches in other units are empty."""
    ends = [end for item in items if item.match.unit == unit for end in (item.match.cost.value, item.match.cost.low, item.match.cost.high)]
    scale = amounts.flops_scale(ends)
    text_of = scale.text if unit == "flops" else amounts.usd
    title = f"Cost per problem ({scale.unit if unit == 'flops' else 'USD'}) [interval]"

    def entry(item: _Matched) -> Entry:
        match = item.match
        return (
            Entry(text=open_amount(match.cost, text_of), value=match.cost)
            if match.unit == unit
            else Entry(text=amounts.MISSING, value=None)
        )

    return Shown(column=Column(title=title, key=f"cost_{unit}", kind="estimate"), entry=entry)


def _end(item: _Matched) -> str:
    match = item.match
    return f"{draws_words(match.reach)}: {_value(item.spending, match.at_reach)}"
