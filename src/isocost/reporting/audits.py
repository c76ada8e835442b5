"""The section on false positives: rates per model, the way they were judged, and the cost of a truly correct solution."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import NamedTuple

from isocost import amounts
from isocost.records import Estimate, Results
from isocost.reporting import axes, numbers
from isocost.reporting.blocks import Column, Entry, Section, Table, estimated, integer, number
from isocost.reporting.marks import model_marks
from isocost.reporting.rates import WRITTEN_OUT, difference, judged_by, used
from isocost.reporting.tables import Shown, count, estimate, filled, interval, problems, table, text

_AUDITED = re.compile(r"reasoning audited by|people and \w+ agree")  # keys of `Results.environment`


def audits(results: Results) -> Section | None:
    """Return the section on false positives; None if nothing was audited."""
    kept = filled([_rates(results), _differences(results), _costs(results), _mixed(results)])
    if not kept:
        return None
    return Section(
        key="false_positives",
        title="False positives",
        finding=_answer(results),
        paragraphs=_how(results),
        tables=kept,
    )


def rates_in_use(results: Results) -> tuple[tuple[str, str], ...]:
    """Return a line per model for the first screen: its rate, and how it was judged."""
    rates = {model: (own["fpr"], _judge_in_use(own)) for model, own in _known(results).items()}
    return tuple(
        (model, f"{numbers.percent(rate)} of {numbers.count(rate.n)} checked by {judge}") for model, (rate, judge) in rates.items()
    )


def labels_finding(results: Results) -> str:
    """Return what people's labels say of the models, or that they are too few to; "" without labels."""
    labelled = {model: own for model, own in results.pools.items() if "fpr/people" in own}
    counted = {model: own for model, own in labelled.items() if used(own) == "combined"}
    if counted:
        rates = ", ".join(f"{model} {numbers.percent(own['fpr'])} of {numbers.count(own['fpr'].n)}" for model, own in counted.items())
        return f"With people's labels, right answers with wrong reasoning: {rates}."
    n = sum(own["fpr/people"].n for own in labelled.values())
    return f"{numbers.count(n)} solutions labelled by people are too few to be used for the rates of wrong reasoning." if n else ""


def _judge_in_use(measures: Mapping[str, Estimate]) -> str:
    predictor = "a judge" if "fpr/judge" in measures else "steps"
    return f"people and {predictor}" if used(measures) == "combined" else predictor


def _known(results: Results) -> dict[str, Mapping[str, Estimate]]:
    return {model: own for model, own in results.pools.items() if "fpr" in own and own["fpr"].value is not None}


def _rate_of(model: str, own: Mapping[str, Estimate]) -> str:
    return f"{model} {numbers.percent(own['fpr'])}"


def _answer(results: Results) -> str:
    """Return the rates, and how those err that people have not labelled enough solutions for."""
    known = _known(results)
    rates = [_rate_of(model, own) for model, own in known.items()]
    warnings = [_warning([model for model, own in known.items() if used(own) == way], len(known), way) for way in _UNCHECKED]
    return f"Right answers with wrong reasoning: {', '.join(rates)}.{''.join(warnings)}" if rates else "No solution could be checked."


_UNCHECKED = {
    "judge": "come from a judge and may be far too low or too high",
    "steps": "come from equation checks and are probably too low",
}


def _warning(models: Sequence[str], n_known: int, way: str) -> str:
    if not models:
        return ""
    these = "these rates" if len(models) == n_known else f"the rates of {amounts.listed(models)}"
    return f" Until people label enough solutions, {these} {_UNCHECKED[way]}."


def _how(results: Results) -> tuple[str, ...]:
    """Return the recorded judges, and their agreement with people."""
    return tuple(f"{name.capitalize()}: {text}" for name, text in results.environment.items() if _AUDITED.fullmatch(name))


class _Rated(NamedTuple):
    """A rate or a difference of two rates, with its row's group and name."""

    group: str
    name: str
    rate: Estimate
    remark: str = ""


_CHECKED: tuple[Shown[_Rated], ...] = (
    Shown(column=Column(title="n checked", key="n_checked"), entry=lambda item: _checked(item.rate)),
    count("Not checked", "n_not_checked", lambda item: item.rate.n_ungraded),  # no equation, no verdict, or people could not tell
)


def _rate(title: str, key: str) -> Shown[_Rated]:
    return estimate(title, key, lambda item: item.rate, numbers.percent, "nothing could be checked")


def _checked(rate: Estimate) -> Entry:
    return replace(integer(rate.n), remark="few audits" if 0 < rate.n < numbers.FEW_PROBLEMS else "")


def _rates(results: Results) -> Table:
    marks = model_marks(results)
    rated = [
        _Rated(model, title, measures[f"fpr/{way}"])
        for model, measures in results.pools.items()
        for way, title in judged_by(measures).items()
    ]
    return table(
        (text("Judged by", "judged_by", lambda item: item.name), _rate("False positives (%)", "fpr"), *_CHECKED),
        rated,
        key="false_positives",
        title="Right answers with wrong reasoning",
        caption="Of the problems that a model solved. The rate in use is the combined one; without it the judge's, else that by steps.",
        group_title="Model",
        group=lambda item: item.group,
        mark=lambda item: marks[item.group],
        drawn="fpr",
        axis=axes.shares,
    )


def _differences(results: Results) -> Table:
    """Compare the rates of every two models."""
    pairs = {two: difference(results.pools[two[0]], results.pools[two[1]]) for two in combinations(results.pools, 2)}
    shown: tuple[Shown[_Rated], ...] = (
        text("Left − right", "difference_of", lambda item: item.name),
        interval("Difference (points)", "difference", _difference, share=True),
        count("n checked", "n_checked", lambda item: item.rate.n),
    )
    return table(
        shown,
        [_Rated("", f"{a} {amounts.MINUS} {b}", *found) for (a, b), found in pairs.items() if found],
        key="false_positive_differences",
        title="Which model has more of them",
        caption="One model's rate minus another's, in points, as if no problem were audited for both. Methods are not mixed.",
        drawn="difference",
        axis=axes.differences,
    )


def _difference(item: _Rated) -> Entry:
    return replace(estimated(item.rate, numbers.points, ""), remark=item.remark)


def _mixed(results: Results) -> Table:
    """Return each model's rates by steps, in the cells that have several models."""
    rated = [
        _Rated(cell.plan.cell.name, name.removeprefix("fpr/"), rate)
        for cell in results.cells
        for name, rate in cell.measures.items()
        if name.startswith("fpr/")
    ]
    return table(
        (text("Model", "model", lambda item: item.name), _rate(WRITTEN_OUT, "false_equations"), *_CHECKED),
        rated,
        key="false_positives_in_cells",
        title="By model in cells of several models",
        caption="By steps, in the cell's own solutions.",
        group_title="Cell",
        group=lambda item: item.group,
    )


class _Priced(NamedTuple):
    """Costs of a model's correct and truly correct solutions in one unit.

    `unit` is the unit's name for people and `raw_unit` its name in the CSV. `format_cost` formats an amount. `is_bound` says that the rate
    is by steps, a lower bound: the cost is that of a solution without a false equation.
    """

    unit: str
    raw_unit: str
    model: str
    correct: Estimate
    truly: Estimate
    format_cost: Callable[[float], str]
    is_bound: bool


def _costs(results: Results) -> Table:
    """Return the costs of a correct and of a truly correct solution, one row per model and unit."""
    priced = [*_priced(results, "flops"), *_priced(results, "usd")]
    all_bounds = all(item.is_bound for item in priced)
    shown: tuple[Shown[_Priced], ...] = (
        text("Model", "model", lambda item: item.model),
        interval("A correct solution", "per_correct", lambda item: _cost(item.correct, item.format_cost)),
        interval(
            "One without a false equation" if all_bounds else "A truly correct one",
            "per_truly_correct",
            lambda item: _truly_cost(item, marked=not all_bounds),
        ),
        problems(lambda item: item.correct),
    )
    too = "no false equation too: c / (pass rate (1 − rate by steps))" if all_bounds else "right reasoning too: c / (pass rate (1 − FPR))"
    return table(
        shown,
        priced,
        key="cost_per_truly_correct",
        title=f"What a {'solution without a false equation' if all_bounds else 'truly correct solution'} costs",
        caption=f"Cost of a draw over its chance to be correct, and to have {too}.",
        group_title="Unit",
        group=lambda item: item.unit,
        raw_group=lambda item: item.raw_unit,
    )


def _priced(results: Results, unit: str) -> list[_Priced]:
    names = f"cost_per_correct_{unit}", f"cost_per_truly_correct_{unit}"
    known = {model: (own[names[0]], own[names[1]], used(own) == "steps") for model, own in results.pools.items() if names[1] in own}
    scale = amounts.flops_scale(each.value for correct, truly, _ in known.values() for each in (correct, truly))
    title, raw, format_cost = ("USD", "USD", amounts.usd) if unit == "usd" else (scale.unit, "FLOPs", scale.text)
    return [_Priced(title, raw, model, correct, truly, format_cost, is_bound) for model, (correct, truly, is_bound) in known.items()]


def _truly_cost(item: _Priced, *, marked: bool) -> Entry:
    """Make the entry of a cost; `marked` says to name a cost that follows from a lower bound."""
    entry = _cost(item.truly, item.format_cost)
    return replace(entry, remark="without a false equation") if marked and item.is_bound and not entry.remark else entry


def _cost(cost: Estimate, format_cost: Callable[[float], str]) -> Entry:
    if cost.value is None:
        return number(None, format_cost, "no solution is correct" if cost.low is not None else "the rate is not known")
    return Entry(text=numbers.open_interval(cost, format_cost), value=cost)
