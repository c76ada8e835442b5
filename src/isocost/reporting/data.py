"""The section on data: the samples and cost of each cell, its measures, and each model's pool at k draws per problem."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from isocost import amounts
from isocost.records import CellComparison, CellResult, Results, Unit
from isocost.reporting import axes, numbers
from isocost.reporting.blocks import Entry, Section, Table, estimated
from isocost.reporting.dotfigures import coverage_by_cell
from isocost.reporting.draws import by_model, by_name
from isocost.reporting.headline import data_finding, support
from isocost.reporting.marks import cell_marks
from isocost.reporting.overview import solved_estimate
from isocost.reporting.passrates import pass_rates
from isocost.reporting.rates import WRITTEN_OUT
from isocost.reporting.tables import Shown, costs, count, estimate, filled, interval, problems, size, table, text

_COVERED = "no problem could be graded"


def data(results: Results) -> Section | None:
    """Return the section on data; None if none was bought. Empty tables and figures are left out."""
    if not results.cells:
        return None
    cells = tuple(cell for cell in results.cells if cell.plan.unit) + tuple(cell for cell in results.cells if not cell.plan.unit)
    tables = [
        _bought(results, cells),
        _worth(results, cells),
        _audited(results, cells),
        _differences(results),
        by_name(cells, lambda cell: _matching(results, cell), lambda cell: _matching_raw(results, cell)),
        by_model(results),
    ]
    figures = coverage_by_cell(results), pass_rates(results)
    return Section(
        key="data",
        title="The data",
        finding=data_finding(results),
        paragraphs=support(results),
        figures=tuple(figure for figure in figures if figure),
        tables=filled(tables),
    )


def _bought(results: Results, cells: Sequence[CellResult]) -> Table:
    shown: tuple[Shown[CellResult], ...] = (
        text("Cell", "cell", _name),
        text("Samples per problem, planned", "samples_per_problem", _planned),
        count("Samples", "samples", lambda cell: cell.n_samples),
        count("Tokens", "tokens", lambda cell: cell.n_tokens),
        *costs("Planned", "planned", cells, lambda cell: cell.plan.cost),
        *costs("Realised", "realised", cells, lambda cell: cell.cost),
    )
    return table(
        shown,
        cells,
        key="cells_bought",
        title="What each cell bought",
        caption="Planned counts assume a number of tokens per sample. A cell is charged for every draw that it used, shared ones too.",
        group_title="Matching",
        group=lambda cell: _matching(results, cell),
        raw_group=lambda cell: _matching_raw(results, cell),
    )


def _worth(results: Results, cells: Sequence[CellResult]) -> Table:
    marks = cell_marks(results)
    shown: tuple[Shown[CellResult], ...] = (
        text("Cell", "cell", _name),
        estimate("Covered (%)", "covered", lambda cell: cell.measures.get("covered"), numbers.percent, _COVERED),
        problems(lambda cell: cell.measures.get("covered")),
        estimate("Kept per problem", "kept_per_problem", lambda cell: cell.measures.get("kept_per_problem"), numbers.mean, _COVERED),
        estimate(
            "Kept per solved problem",
            "kept_per_solved",
            lambda cell: solved_estimate(cell.measures.get("covered"), cell.measures.get("kept_per_problem")),
            numbers.mean,
            "nothing solved",
        ),
        estimate("pass@1 (%)", "pass@1", lambda cell: cell.measures.get("pass@1"), numbers.percent, _COVERED),
        count("Solutions kept", "kept", lambda cell: cell.n_kept),
    )
    return table(
        shown,
        cells,
        key="cells_worth",
        title="What each cell is worth",
        caption="pass@1 is measured where outcomes do not decide the draws.",
        group_title="Matching",
        group=lambda cell: _matching(results, cell),
        raw_group=lambda cell: _matching_raw(results, cell),
        mark=lambda cell: marks[_name(cell)],
        drawn="covered",
        axis=axes.shares,
    )


def _audited(results: Results, cells: Sequence[CellResult]) -> Table:
    """Return the false equations that the audit by steps found in each cell; a table of its own, because one would be too wide."""
    marks = cell_marks(results)
    shown: tuple[Shown[CellResult], ...] = (
        text("Cell", "cell", _name),
        estimate(WRITTEN_OUT, "false_equations", lambda cell: cell.measures.get("fpr"), numbers.percent, "nothing audited"),
        size("n audited", "n_audited", lambda cell: cell.measures.get("fpr"), what="audits"),
    )
    return table(
        shown,
        [cell for cell in cells if "fpr" in cell.measures],
        key="cells_audited",
        title="False equations in each cell",
        caption="Of the right answers audited by steps. False equations written out are only a part of the false positives.",
        group_title="Matching",
        group=lambda cell: _matching(results, cell),
        raw_group=lambda cell: _matching_raw(results, cell),
        mark=lambda cell: marks[_name(cell)],
        drawn="false_equations",
        axis=axes.shares,
    )


def _differences(results: Results) -> Table:
    """Return the paired differences between the data of two cells."""
    shown: tuple[Shown[CellComparison], ...] = (
        text("Left − right", "difference_of", lambda item: f"{item.left} {amounts.MINUS} {item.right}"),
        interval("Difference", "difference", _difference),
        problems(lambda item: item.difference),
    )
    return table(
        shown,
        sorted(results.cell_comparisons, key=_compared),
        key="cell_differences",
        title="Paired differences in data",
        caption="Left minus right on the same problems.",
        group_title="Measure",
        group=_compared,
        raw_group=_compared_raw,
    )


def _name(cell: CellResult) -> str:
    return cell.plan.cell.name


def _planned(cell: CellResult) -> str:
    if most := cell.plan.at_most_per_problem:
        return "up to " + " or ".join(f"{model} {amounts.fixed(mean, 2)}" for model, mean in most.items())
    return " + ".join(f"{model} {amounts.fixed(mean, 2)}" for model, mean in cell.plan.samples_per_problem.items())


def _compared(item: CellComparison) -> str:
    return "Covered (points)" if item.measure == "covered" else "Kept per problem (solutions)"


def _compared_raw(item: CellComparison) -> str:
    return "Covered (shares)" if item.measure == "covered" else _compared(item)


def _difference(item: CellComparison) -> Entry:
    format_estimate = numbers.points if item.measure == "covered" else numbers.signed_mean
    return estimated(item.difference, format_estimate, "")


def _matching(results: Results, cell: CellResult) -> str:
    return _matched(results, cell, amounts.format_amount, amounts.per_problem)


def _matching_raw(results: Results, cell: CellResult) -> str:
    return _matched(results, cell, numbers.raw, numbers.raw_per_problem)


def _matched(results: Results, cell: CellResult, whole: Callable[[Unit, float], str], each: Callable[[Unit, float], str]) -> str:
    plan = cell.plan
    if plan.unit is None or plan.amount is None:
        return "Number-matched: counts are given, cost is not equal"
    share = f", {each(plan.unit, plan.amount / results.n_problems)}" if results.n_problems else ""
    return f"Cost-matched at budget {plan.cell.budget}: {whole(plan.unit, plan.amount)}{share} ({plan.basis})"
