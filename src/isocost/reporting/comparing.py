"""Several runs side by side: the verdict of each, and a table of their cells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from isocost import amounts
from isocost.records import UNITS, CellResult, Estimate, Results, Unit
from isocost.reporting import markdown, numbers
from isocost.reporting.blocks import Column, Table, integer, number, words
from isocost.reporting.headline import headline
from isocost.reporting.tables import Shown, estimate, table, text


class _Row(NamedTuple):
    """A cell of a run."""

    run: str
    results: Results
    cell: CellResult

    @property
    def name(self) -> str:
        return self.cell.plan.cell.name

    def cost(self, unit: Unit) -> float | None:
        """Return the realised cost per problem."""
        cost = self.cell.cost.amount(unit)
        return cost / self.results.n_problems if cost is not None and self.results.n_problems else None

    def solved(self, student: str) -> Estimate | None:
        """Return what a student trained on the cell solves of the test problems."""
        for item in self.results.evaluations:
            if (item.student, item.cell, item.split, item.metric) == (student, self.name, "test", "pass@1"):
                return item.estimate
        return None


def comparison(runs: Mapping[str, Results]) -> str:
    """Return runs side by side in Markdown: the verdict of each, and a row per cell.

    The problems of two runs may differ, so differences between runs are not paired, and none is claimed.
    """
    verdicts = (f"- **{markdown.safe(name)}**: {markdown.safe(headline(results))}" for name, results in runs.items())
    return "\n".join([*verdicts, "", *markdown.table_lines(cells_of_runs(runs))]).rstrip() + "\n"


def cells_of_runs(runs: Mapping[str, Results]) -> Table:
    """Return a row per cell of each run; a student has a column if a run trained it."""
    rows = [_Row(name, results, cell) for name, results in runs.items() for cell in results.cells]
    students = dict.fromkeys(item.student for each in runs.values() for item in each.evaluations if item.cell is not None)

    def solves(student: str) -> Shown[_Row]:
        return estimate(f"{student} solves (%)", f"pass@1_{student}", lambda row: row.solved(student), numbers.percent, "")

    shown: tuple[Shown[_Row], ...] = (
        text("Cell", "cell", lambda row: row.name),
        Shown(column=Column(title="Problems", key="problems"), entry=lambda row: integer(row.results.n_problems)),
        estimate("Covered (%)", "covered", lambda row: row.cell.measures.get("covered"), numbers.percent, ""),
        estimate("Kept per problem", "kept_per_problem", lambda row: row.cell.measures.get("kept_per_problem"), numbers.mean, ""),
        *(solves(student) for student in students),
        *(_cost(rows, unit) for unit in UNITS if any(row.cost(unit) for row in rows)),
        Shown(column=Column(title="Grader", key="grader", kind="text"), entry=lambda row: words(_grader(row.results))),
    )
    return table(
        shown,
        rows,
        key="runs",
        title="Cells of the runs",
        caption="Differences between runs are not paired; runs with other problems or another grader cannot be compared.",
        group_title="Run",
        group=lambda row: row.run,
    )


def _cost(rows: list[_Row], unit: Unit) -> Shown[_Row]:
    each = amounts.readable(unit, (row.cost(unit) for row in rows))
    scale = amounts.flops_scale(row.cost(unit) for row in rows)

    def format_cost(cost: float) -> str:
        return scale.text(cost) if unit == "flops" else amounts.usd(cost * each.problems)

    title = f"Cost {each.words} ({scale.unit if unit == 'flops' else 'USD'})"
    return Shown(column=Column(title=title, key=f"cost_per_problem_{unit}"), entry=lambda row: number(row.cost(unit), format_cost))


def _grader(results: Results) -> str:
    return results.environment.get("graded by") or results.environment.get("training samples graded by") or amounts.MISSING
