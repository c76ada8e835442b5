"""False positives: how many answer-correct solutions of each model reason wrongly, how that was judged, and what a true one costs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import combinations

from isocost.metrics.intervals import independent_difference
from isocost.records import Estimate, Results
from isocost.reporting import axes, numbers
from isocost.reporting.blocks import Column, Entry, Row, Section, Table, drawable, estimated, integer, number, words
from isocost.reporting.marks import model_marks

_WAYS = {"steps": "steps", "judge": "judge", "people": "people alone", "combined": "people and predictions"}
_AUDITED = re.compile(r"reasoning audited by|people and \w+ agree")  # in what the run recorded
_CAPTION = (
    "Share of the problems that a model solved whose solution is right in its answer and wrong in its reasoning; one solution a problem, "
    "drawn over all cells and spread over levels. Steps: a false equation is written out; what is wrong in words passes, so closer to a "
    "lower bound. Judge: a model read the solution; it errs both ways. People and predictions: labels of people on a random subset, with "
    "the others' verdicts as predictions (power-tuned prediction-powered inference), which these cannot bias. 95% intervals."
)


def audits(results: Results) -> Section:
    """The section on false positives; without any audit it has no tables."""
    tables = [_rates(results), _differences(results), _costs(results), _mixed(results)]
    kept = tuple(table for table in tables if table.rows)
    return Section(
        key="false_positives",
        title="False positives",
        paragraphs=(*_answer(results), *_how(results)) if kept else ("Nothing was audited.",),
        tables=kept,
    )


def _answer(results: Results) -> tuple[str, ...]:
    """One sentence of the rates to believe."""
    rates = {model: measures["fpr"] for model, measures in results.pools.items() if "fpr" in measures}
    said = [f"{model} {numbers.percent(rate)}" for model, rate in rates.items() if rate.value is not None]
    return (f"Right answers with wrong reasoning: {', '.join(said)}.",) if said else ()


def _how(results: Results) -> tuple[str, ...]:
    """Who judged, and how far they agree with people."""
    return tuple(f"{name.capitalize()}: {text}" for name, text in results.environment.items() if _AUDITED.fullmatch(name))


def _rates(results: Results) -> Table:
    marks = model_marks(results)
    rows = tuple(
        Row(
            group=model,
            mark=marks[model],
            entries=(words(title), _rate(measures[f"fpr/{way}"]), *_counted(measures[f"fpr/{way}"])),
        )
        for model, measures in results.pools.items()
        for way, title in _WAYS.items()
        if f"fpr/{way}" in measures
    )
    return Table(
        key="false_positives",
        title="Right answers with wrong reasoning",
        caption=_CAPTION,
        columns=(
            Column(title="Judged by", key="judged_by", kind="text"),
            Column(title="False positives (%) [95% interval]", key="fpr", kind="estimate"),
            Column(title="n checked", key="n_checked"),
            Column(title="Not checked", key="n_not_checked"),
        ),
        rows=rows,
        group_title="Model",
        drawn=1,
        axis=axes.shares(drawable(rows, 1)),
    )


def _differences(results: Results) -> Table:
    """Differences of each two models' rates to believe."""
    rates = {model: own["fpr"] for model, own in results.pools.items() if "fpr" in own and own["fpr"].value is not None}
    pairs = [(f"{a} {numbers.MINUS} {b}", independent_difference(rates[a], rates[b])) for a, b in combinations(rates, 2)]
    rows = tuple(Row(group="", entries=(words(title), estimated(d, numbers.points, ""), integer(d.n))) for title, d in pairs)
    return Table(
        key="false_positive_differences",
        title="Which model has more of them",
        caption="The last rates above, one model's less another's, in points. As if no problem were audited for both: too wide, if "
        "anything, where both err on the same ones. 95% intervals; the models are told apart where 0 is outside.",
        columns=(
            Column(title="Left − right", key="difference_of", kind="text"),
            Column(title="Difference [95% interval]", key="difference", kind="estimate"),
            Column(title="n checked", key="n_checked"),
        ),
        rows=rows,
        group_title="",
        drawn=1,
        axis=axes.differences(drawable(rows, 1)),
    )


def _rate(estimate: Estimate) -> Entry:
    return estimated(estimate, numbers.percent, "nothing could be checked")


def _counted(estimate: Estimate) -> tuple[Entry, Entry]:
    """How many were checked, and how many could not be: no equation, no verdict, or people could not tell."""
    few = "few audits" if 0 < estimate.n < numbers.FEW_PROBLEMS else ""
    return Entry(text=numbers.count(estimate.n), value=estimate.n, remark=few), Entry(
        text=numbers.count(estimate.n_ungraded), value=estimate.n_ungraded
    )


def _costs(results: Results) -> Table:
    """Cost of a correct and of a truly correct solution, a row a model and unit."""
    rows = []
    for unit, title in (("flops", "FLOPs"), ("usd", "USD")):
        names = (f"cost_per_correct_{unit}", f"cost_per_truly_correct_{unit}")
        known = {model: [own[name] for name in names] for model, own in results.pools.items() if names[1] in own}
        scale = numbers.flops_scale(each.value for own in known.values() for each in own)
        for model, (correct, truly) in known.items():
            entries = [_cost(each, unit, scale) for each in (correct, truly)]
            rows.append(Row(group=title if unit == "usd" else scale.unit, entries=(words(model), *entries)))
    return Table(
        key="cost_per_truly_correct",
        title="What a truly correct solution costs",
        caption="Cost of a draw over its chance to be correct, and over the chance that its reasoning is right as well: "
        "c / (pass rate (1 − FPR)), with the last of the model's rates above. 95% intervals over problems.",
        columns=(
            Column(title="Model", key="model", kind="text"),
            Column(title="A correct solution [95% interval]", key="per_correct", kind="estimate"),
            Column(title="A truly correct one [95% interval]", key="per_truly_correct", kind="estimate"),
        ),
        rows=tuple(rows),
        group_title="Unit",
    )


def _cost(estimate: Estimate, unit: str, scale: numbers.Scale) -> Entry:
    def text(amount: float) -> str:
        return scale.text(amount) if unit == "flops" else numbers.usd(amount)

    if estimate.value is None:
        return number(None, text, "no solution is correct" if estimate.low is not None else "the rate is not known")
    low = "?" if estimate.low is None else text(estimate.low)
    high = "no upper end" if estimate.high is None else text(estimate.high)
    return Entry(text=f"{text(estimate.value)} [{low}, {high}]", value=estimate)


def _mixed(results: Results) -> Table:
    """The rates by steps of each model in the cells that have several."""
    rows = tuple(
        Row(group=cell.plan.cell.name, entries=(words(model), _rate(rate), *_counted(rate)))
        for cell in results.cells
        for model, rate in _of_models(cell.measures).items()
    )
    return Table(
        key="false_positives_in_cells",
        title="By model in cells of several models",
        caption="By steps, in the cell's own solutions. In the cell's own rate each model weighs as the problems that it solved there.",
        columns=(
            Column(title="Model", key="model", kind="text"),
            Column(title="False positives (%) [95% interval]", key="fpr", kind="estimate"),
            Column(title="n checked", key="n_checked"),
            Column(title="Not checked", key="n_not_checked"),
        ),
        rows=rows,
        group_title="Cell",
    )


def _of_models(measures: Mapping[str, Estimate]) -> dict[str, Estimate]:
    return {name.removeprefix("fpr/"): rate for name, rate in measures.items() if name.startswith("fpr/")}
