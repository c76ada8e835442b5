"""The section on false positives: rates per model, the way they were judged, and the cost of a truly correct solution."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from typing import NamedTuple

from isocost import amounts
from isocost.records import Estimate, Results
from isocost.reporting import axes, numbers
from isocost.reporting.blocks import Column, Entry, Section, Table, estimated, integer, number
from isocost.reporting.marks import model_marks
from isocost.reporting.rates import WRITTEN_OUT, difference, judged_by
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


def _answer(results: Results) -> str:
    """Return one sentence with the rates. It warns about models whose rate no person has checked."""
    known = {model: own for model, own in results.pools.items() if "fpr" in own and own["fpr"].value is not None}
    rates = [f"{model} {numbers.percent(own['fpr'])}" for model, own in known.items()]
    unchecked = [model for model, own in known.items() if "fpr/combined" not in own]
    of = "" if len(unchecked) == len(known) else f" of {' and '.join(unchecked)}"
    warning = f" Until people label some{of}, that is what steps or a judge say, and not to be believed alone." if unchecked else ""
    return f"Right answers with wrong reasoning: {', '.join(rates)}.{warning}" if rates else "No solution could be checked."


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
        caption="Of the problems that a model solved. The last row of each model is the rate to believe.",
        group_title="Model",
        group=lambda item: item.group,
        mark=lambda item: marks[item.group],
        drawn="fpr",
        axis=axes.shares,
    )


def _differences(results: Results) -> Table:
    """Compare the final rates of every two models."""
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
        caption="The last rates above, one model's less another's, in points, as if no problem were audited for both.",
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
        caption="By steps, in the cell's own solutions; the rates to believe stand above.",
        group_title="Cell",
        group=lambda item: item.group,
    )


class _Priced(NamedTuple):
    """Costs of a model's correct and truly correct solutions in one unit.

    `unit` is the unit's name for people and `raw_unit` its name in the CSV. `format_cost` formats an amount.
    """

    unit: str
    raw_unit: str
    model: str
    correct: Estimate
    truly: Estimate
    format_cost: Callable[[float], str]


def _costs(results: Results) -> Table:
    """Return the costs of a correct and of a truly correct solution, one row per model and unit."""
    shown: tuple[Shown[_Priced], ...] = (
        text("Model", "model", lambda item: item.model),
        interval("A correct solution", "per_correct", lambda item: _cost(item.correct, item.format_cost)),
        interval("A truly correct one", "per_truly_correct", lambda item: _cost(item.truly, item.format_cost)),
        problems(lambda item: item.correct),
    )
    return table(
        shown,
        [*_priced(results, "flops"), *_priced(results, "usd")],
        key="cost_per_truly_correct",
        title="What a truly correct solution costs",
        caption="Cost of a draw over its chance to be correct, and to have right reasoning too: c / (pass rate (1 − FPR)).",
        group_title="Unit",
        group=lambda item: item.unit,
        raw_group=lambda item: item.raw_unit,
    )


def _priced(results: Results, unit: str) -> list[_Priced]:
    names = f"cost_per_correct_{unit}", f"cost_per_truly_correct_{unit}"
    known = {model: (own[names[0]], own[names[1]]) for model, own in results.pools.items() if names[1] in own}
    scale = amounts.flops_scale(each.value for own in known.values() for each in own)
    title, raw, format_cost = ("USD", "USD", amounts.usd) if unit == "usd" else (scale.unit, "FLOPs", scale.text)
    return [_Priced(title, raw, model, correct, truly, format_cost) for model, (correct, truly) in known.items()]


def _cost(cost: Estimate, format_cost: Callable[[float], str]) -> Entry:
    if cost.value is None:
        return number(None, format_cost, "no solution is correct" if cost.low is not None else "the rate is not known")
    return Entry(text=numbers.open_interval(cost, format_cost), value=cost)
