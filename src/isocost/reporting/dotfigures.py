"""Dot charts: coverage by cell, students by data, forecasts beside outcomes. Figures of curves are in `curvefigures`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from isocost.records import Evaluation, ForecastOutcome, Results
from isocost.reporting import numbers
from isocost.reporting.blocks import Column, Figure, Row, Table, words
from isocost.reporting.blocks import estimated as entry
from isocost.reporting.charts import dots as chart
from isocost.reporting.charts.dots import Dot
from isocost.reporting.charts.ticks import in_percent
from isocost.reporting.marks import NEUTRAL, UNTRAINED, cell_marks

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def coverage_by_cell(results: Results) -> Figure | None:
    """Draw the covered problems of each cell as dot and interval; None where nothing was measured."""
    marks = cell_marks(results)
    dots = []
    for cell in results.cells:
        covered = cell.measures.get("covered")
        if covered is None or covered.value is None:
            continue
        matched = "" if cell.plan.unit else " (number-matched)"
        name = cell.plan.cell.name
        dots.append(Dot(label=name + matched, text=numbers.percent(covered), estimate=covered, mark=marks[name]))
    caption = "Share of problems with a correct sample in the cell's data; bars are 95% intervals over problems."
    return _dotted("coverage_by_cell", "Coverage by cell", caption, "covered", dots, "problems covered (%)")


def students_by_data(results: Results) -> Figure | None:
    """Draw the students' pass@1 by training data, on the test split or else the first one; None without evaluations."""
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
    return _dotted("students_by_data", "Students by data", caption, "pass@1", dots, f"problems of the {split} split solved (%)")


def students_by_round(results: Results) -> Figure | None:
    """Draw the students' pass@1 on the test split by round; None for a study that is not iterated."""
    dots: list[Dot] = []
    group = ""
    for item in results.rounds:
        if item.solved is None:
            continue
        if (name := f"{item.student}, {item.cell}") != group:
            group = name
            dots.append(Dot(label=group))
        label, mark = (f"round {item.number}", NEUTRAL) if item.number else ("untrained", UNTRAINED)
        dots.append(Dot(label=label, text=numbers.percent(item.solved), estimate=item.solved, mark=mark))
    caption = "Problems of the test split each student solves (pass@1) by the round that trained it; bars are 95% intervals."
    return _dotted("students_by_round", "Students by round", caption, "pass@1", dots, "problems of the test split solved (%)")


def forecast_by_cell(found: Sequence[ForecastOutcome]) -> Figure | None:
    """Draw the forecast of each cell's coverage above what came of it; None without forecasts of coverage."""
    dots: list[Dot] = []
    for each in found:
        if each.measure != "covered" or each.predicted.value is None or each.outcome.value is None:
            continue
        dots.append(Dot(label=each.cell))
        dots.append(Dot(label="forecast", text=numbers.percent(each.predicted), estimate=each.predicted, mark=UNTRAINED))
        dots.append(Dot(label="outcome", text=numbers.percent(each.outcome), estimate=each.outcome, mark=NEUTRAL))
    caption = "Covered problems as the pilot predicted them, with a 90% interval, and as they came, with a 95% interval."
    return _dotted("forecast_by_cell", "Forecast against outcome", caption, "covered", dots, "problems covered (%)")


def _dotted(key: str, title: str, caption: str, measure: str, dots: Sequence[Dot], axis: str) -> Figure | None:
    if not any(dot.estimate for dot in dots):
        return None
    values, rows, group = [], [], ""
    for dot in dots:
        if dot.estimate is None:
            group = dot.label
            continue
        values.append(f"{group + ', ' if group else ''}{dot.label}: {dot.text}")
        rows.append(Row(group=group, entries=(words(dot.label), entry(dot.estimate, numbers.percent, ""))))
    columns = Column(title="Data", key="data", kind="text"), Column(title=measure, key=measure, kind="estimate", share=True)

    def draw(axes: Axes) -> None:
        chart.draw(axes, dots, in_percent, title=axis)

    return Figure(
        key=key,
        title=title,
        caption=caption,
        alternative=f"{caption} {'; '.join(values)}.",
        height=chart.height(dots),
        draw=draw,
        table=Table(key=key, title=title, caption=caption, columns=columns, rows=tuple(rows), group_title="Student" if group else ""),
    )


def trained_on(evaluation: Evaluation) -> str:
    """Return a row's header: the data, or the prompt of an untrained model."""
    if evaluation.cell is not None:
        return evaluation.cell
    return "untrained, plain format" if evaluation.prompt == "plain" else f"untrained, {evaluation.prompt}"


def ordered(evaluations: tuple[Evaluation, ...]) -> list[Evaluation]:
    """Sort by student and split in order of appearance, the untrained model first."""
    students = list(dict.fromkeys(item.student for item in evaluations))
    splits = list(dict.fromkeys(item.split for item in evaluations))
    return sorted(evaluations, key=lambda item: (students.index(item.student), splits.index(item.split), item.cell is not None))
