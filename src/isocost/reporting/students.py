"""The students: how well each model solves problems untrained and after each data set, and the paired differences."""

from __future__ import annotations

from collections.abc import Mapping

from isocost.records import Comparison, Estimate, Results
from isocost.reporting import axes, numbers
from isocost.reporting.blocks import Column, Entry, Row, Section, Table, drawable, estimated, number, sized, words
from isocost.reporting.evaluations import ordered, trained_on
from isocost.reporting.figures import students_by_data
from isocost.reporting.marks import BETTER, NEUTRAL, UNDECIDED, UNTRAINED, WORSE, Mark, cell_marks

UNDEFINED = "no problem could be graded"


def students(results: Results) -> Section:
    """The students' section; without evaluations it says that nothing was trained."""
    if not results.evaluations:
        nothing = "No model was trained or evaluated: this study measures data only."
        return Section(key="students", title="The students", paragraphs=(nothing,))
    figure = students_by_data(results)
    tables = [_solved(results, cell_marks(results)), *_voted(results), *_differences(results)]
    return Section(
        key="students", title="The students", figures=(figure,) if figure else (), tables=tuple(table for table in tables if table.rows)
    )


def _solved(results: Results, marks: Mapping[str, Mark]) -> Table:
    rows = tuple(
        Row(
            group=f"{item.student}, {item.split}",
            mark=marks.get(item.cell, NEUTRAL) if item.cell else UNTRAINED,
            entries=(
                words(trained_on(item)),
                words(item.setup or numbers.MISSING),
                estimated(item.estimate, numbers.percent, UNDEFINED),
                sized(item.estimate),
            ),
        )
        for item in ordered(results.evaluations)
        if item.metric == "pass@1"
    )
    return Table(
        key="students",
        title="Problems solved, greedy decoding (pass@1)",
        caption="Share of problems solved with its 95% interval over problems. Untrained models are shown with the plain format that "
        "trained ones see and with the few-shot prompt, so that format alone does not look like learning.",
        columns=(
            Column(title="Trained on", key="trained_on", kind="text"),
            Column(title="Set-up", key="setup", kind="text"),
            Column(title="Solved (%) [95% interval]", key="pass@1", kind="estimate"),
            Column(title="n problems", key="n"),
        ),
        rows=rows,
        group_title="Student, split",
        drawn=2,
        axis=axes.shares(drawable(rows, 2)),
    )


def _voted(results: Results) -> list[Table]:
    """Every other metric, one column each."""
    metrics = [name for name in dict.fromkeys(item.metric for item in results.evaluations) if name != "pass@1"]
    if not metrics:
        return []
    found = {(item.student, item.split, trained_on(item), item.metric): item.estimate for item in results.evaluations}
    keys = dict.fromkeys((item.student, item.split, trained_on(item)) for item in ordered(results.evaluations) if item.metric != "pass@1")
    rows = []
    for student, split, data in keys:
        solved = [estimated(found.get((student, split, data, metric)), numbers.percent, UNDEFINED) for metric in metrics]
        rows.append(Row(group=f"{student}, {split}", entries=(words(data), *solved)))
    columns = (
        Column(title="Trained on", key="trained_on", kind="text"),
        *(Column(title=f"{metric} (%) [95% interval]", key=metric, kind="estimate") for metric in metrics),
    )
    caption = "maj@k: the answer that most of k sampled solutions give. Intervals over problems."
    title = "Problems solved by vote"
    return [Table(key="students_maj", title=title, caption=caption, columns=columns, rows=tuple(rows), group_title="Student, split")]


def _differences(results: Results) -> list[Table]:
    if not results.comparisons:
        return []
    found = [_difference(item) for item in results.comparisons]
    groups = list(dict.fromkeys(row.group for row in found))
    rows = tuple(sorted(found, key=lambda row: groups.index(row.group)))
    return [
        Table(
            key="differences",
            title="Paired differences",
            caption="Left minus right on the same problems, in percentage points, with its 95% interval over problems. Detectable: the "
            "smallest true difference that this many problems find four times in five. Intervals are not corrected for the number of rows.",
            columns=(
                Column(title="Left − right", key="difference_of", kind="text"),
                Column(title="Set-up of left", key="setup", kind="text"),
                Column(title="Difference (points) [95% interval]", key="difference", kind="estimate"),
                Column(title="n problems", key="n"),
                Column(title="Detectable (points)", key="detectable"),
                Column(title="Finding", key="finding", kind="text"),
            ),
            rows=rows,
            group_title="Student, split, metric",
            drawn=2,
            axis=axes.differences(drawable(rows, 2)),
        )
    ]


def _difference(item: Comparison) -> Row:
    left, right = item.left or "untrained", item.right or "untrained"
    mark, finding = _finding(item.difference, left, right)
    return Row(
        group=f"{item.student}, {item.split}, {item.metric}",
        mark=mark,
        entries=(
            words(f"{left} {numbers.MINUS} {right}"),
            words(item.setup or numbers.MISSING),
            Entry(text=numbers.points(item.difference), value=item.difference, remark=UNDEFINED if item.difference.value is None else ""),
            sized(item.difference),
            number(item.detectable, lambda value: numbers.fixed(value * 100)),
            words(finding),
        ),
    )


def _finding(difference: Estimate, left: str, right: str) -> tuple[Mark, str]:
    """A difference is claimed only if its interval, as printed, leaves 0 out."""
    if difference.low is not None and round(difference.low * 100, 1) > 0:
        return BETTER, f"● {left} better"
    if difference.high is not None and round(difference.high * 100, 1) < 0:
        return WORSE, f"■ {right} better"
    return UNDECIDED, "○ no difference found"
