"""The three figures: coverage by cell, coverage against cost by model, students by data."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from isocost.records import Estimate, Results
from isocost.reporting import axes, drawing, numbers
from isocost.reporting.blocks import Column, Figure, Row, Table, integer, number, words
from isocost.reporting.blocks import estimated as entry
from isocost.reporting.drawing import Curve, Dot, Scaled
from isocost.reporting.evaluations import ordered, trained_on
from isocost.reporting.marks import NEUTRAL, UNTRAINED, cell_marks, model_marks


def coverage_by_cell(results: Results) -> Figure | None:
    """Covered problems of each cell, dot and interval."""
    marks = cell_marks(results)
    dots = []
    for cell in results.cells:
        covered = cell.measures.get("covered")
        if covered is None or covered.value is None:
            continue
        matched = "" if cell.plan.unit else " (number-matched)"
        name = cell.plan.cell.name
        dots.append(Dot(label=name + matched, text=numbers.percent(covered), estimate=covered, mark=marks[name]))
    caption = "Share of problems with at least one correct sample in the cell's data; bars are 95% intervals over problems."
    return _dotted("coverage_by_cell", "Coverage by cell", caption, "covered", dots)


def students_by_data(results: Results) -> Figure | None:
    """The students' pass@1 on the test split, by what they were trained on."""
    solved = [item for item in ordered(results.evaluations) if item.metric == "pass@1" and item.estimate.value is not None]
    split = "test" if any(item.split == "test" for item in solved) else solved[0].split if solved else ""
    marks = cell_marks(results)
    dots: list[Dot] = []
    student = None
    for item in solved:
        if item.split != split:
            continue
        if item.student != student:
            student = item.student
            dots.append(Dot(label=student))
        mark = marks.get(item.cell, NEUTRAL) if item.cell else UNTRAINED
        dots.append(Dot(label=trained_on(item), text=numbers.percent(item.estimate), estimate=item.estimate, mark=mark))
    caption = f"Problems of the {split} split each student solves (pass@1) by the data it was trained on; bars are 95% intervals."
    return _dotted("students_by_data", "Students by data", caption, "pass@1", dots)


def coverage_by_cost(results: Results) -> Figure | None:
    """Coverage@k of each model at what k draws a problem cost; at k itself where the cost of a draw is not known."""
    found = {model: points for model, measures in results.pools.items() if (points := _curve(measures))}
    if not any(len(points) > 1 for points in found.values()) or results.curves:  # the section on curves shows the whole of them
        return None
    each, unit = _draw_costs(results, tuple(found))
    marks = model_marks(results)
    curves = [
        Curve(label=model, mark=marks[model], points=tuple((k * each[model], estimate) for k, estimate in points))
        for model, points in found.items()
    ]
    across = _across([x for curve in curves for x, _ in curve.points], unit)
    down = Scaled(axis=axes.shares(estimate for curve in curves for _, estimate in curve.points), tick=_share)
    title = "Coverage against cost" if unit else "Coverage against draws"
    place = "k times the mean billed cost of a draw" if unit else "k draws a problem"
    caption = f"Coverage@k of each model's pool at {place}; bars are 95% intervals over problems."
    said = "; ".join(f"{model}: " + ", ".join(f"k {k} {numbers.percent(item)}" for k, item in points) for model, points in found.items())
    rows = tuple(
        Row(group=model, entries=(integer(k), number(k * each[model], str), entry(estimate, numbers.percent, "")))
        for model, points in found.items()
        for k, estimate in points
    )
    columns = (
        Column(title="k", key="k"),
        Column(title=across.title, key=f"{unit}_per_problem" if unit else "draws_per_problem"),
        Column(title="coverage@k", key="coverage", kind="estimate"),
    )
    return Figure(
        key="coverage_by_cost",
        title=title,
        caption=caption,
        alternative=f"{caption} {said}.",
        svg=drawing.curve_chart(curves, across, down, title, f"{caption} {said}."),
        table=Table(key="coverage_by_cost", title=title, caption=caption, columns=columns, rows=rows, group_title="Model"),
    )


def _across(places: Sequence[float], unit: str) -> Scaled:
    """The axis of cost, logarithmic where costs are far apart."""
    axis = axes.logarithmic(places) if max(places) > 8 * min(places) else axes.linear([0.0, *places])
    scale = numbers.flops_scale(places)
    if unit == "flops":
        return Scaled(axis=axis, tick=lambda cost: f"{cost / scale.divisor:g}", title=f"cost a problem ({scale.unit})")
    if unit == "usd":
        return Scaled(axis=axis, tick=numbers.usd, title="cost a problem (USD)")
    return Scaled(axis=axis, tick=lambda draws: f"{draws:g}", title="draws a problem (k)")


def _dotted(key: str, title: str, caption: str, measure: str, dots: Sequence[Dot]) -> Figure | None:
    estimates = [dot.estimate for dot in dots if dot.estimate]
    if not estimates:
        return None
    said, rows, group = [], [], ""
    for dot in dots:
        if dot.estimate is None:
            group = dot.label
            continue
        said.append(f"{group + ', ' if group else ''}{dot.label}: {dot.text}")
        rows.append(Row(group=group, entries=(words(dot.label), entry(dot.estimate, numbers.percent, ""))))
    columns = Column(title="Data", key="data", kind="text"), Column(title=measure, key=measure, kind="estimate")
    alternative = f"{caption} {'; '.join(said)}."
    return Figure(
        key=key,
        title=title,
        caption=caption,
        alternative=alternative,
        svg=drawing.dot_chart(dots, Scaled(axis=axes.shares(estimates), tick=_share), title, alternative),
        table=Table(key=key, title=title, caption=caption, columns=columns, rows=tuple(rows), group_title="Student" if group else ""),
    )


def _curve(measures: Mapping[str, Estimate]) -> list[tuple[int, Estimate]]:
    found = [(re.fullmatch(r"coverage@(\d+)", name), estimate) for name, estimate in measures.items()]
    return sorted(
        ((int(match[1]), estimate) for match, estimate in found if match and estimate.value is not None), key=lambda pair: pair[0]
    )


def _draw_costs(results: Results, models: Sequence[str]) -> tuple[Mapping[str, float], str]:
    """The mean billed cost of a draw by model, in the first unit that is known for all of them; else 1, which makes the axis k."""
    for unit in ("flops", "usd"):
        each = {}
        for model in models:
            lines = [line for line in results.bill if line.account == "data" and line.model == model and line.what != "lost"]
            amounts, draws = [getattr(line.cost, unit) for line in lines], sum(line.count for line in lines)
            if draws and None not in amounts and sum(amounts):
                each[model] = sum(amounts) / draws
        if len(each) == len(models):
            return each, unit
    return dict.fromkeys(models, 1.0), ""


def _share(value: float) -> str:
    return f"{drawing.in_percent(value)}%"
