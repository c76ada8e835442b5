"""The first screen of the report: one table of the cells, one figure, and the money in four lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from isocost import amounts
from isocost.records import UNITS, BillLine, CellResult, Cost, Estimate, Results, Unit
from isocost.reporting import axes, numbers
from isocost.reporting.blocks import Column, Entry, Figure, Section, Table, number
from isocost.reporting.marks import cell_marks
from isocost.reporting.tables import Shown, estimate, table, text, without_remark

_LONGEST_NAMES = 120  # characters in a caption
_MOST_STUDENTS = 3  # columns; the section on students has all
_LEADING = ("students_by_round", "coverage_by_cost", "coverage_by_cell", "students_by_data")  # keys of figures, the one to show first


def overview(results: Results) -> Table | None:
    """Return a row per cell: problems covered, solutions kept, students trained on it, and its cost; None without cells."""
    if not results.cells:
        return None
    marks = cell_marks(results)
    solved = {(item.student, item.cell): item.estimate for item in results.evaluations if item.metric == "pass@1" and item.split == "test"}
    trained_ones = list(dict.fromkeys(student for student, cell in solved if cell is not None))
    students = trained_ones[:_MOST_STUDENTS]

    def trained(student: str) -> Shown[CellResult]:
        return estimate(f"{student} solves (%)", f"pass@1_{student}", lambda cell: solved.get((student, _name(cell))), numbers.percent, "")

    columns: tuple[Shown[CellResult], ...] = (
        text("Cell", "cell", _name),
        estimate("Covered (%)", "covered", lambda cell: cell.measures.get("covered"), numbers.percent, ""),
        estimate("Kept per problem", "kept_per_problem", lambda cell: cell.measures.get("kept_per_problem"), numbers.mean, ""),
        *(trained(student) for student in students),
        *_costs(results),
    )
    return table(
        [without_remark(shown) for shown in columns],
        results.cells,
        key="overview",
        title="At a glance",
        caption=_sources(results)
        + f"Covered and kept: of {numbers.count(results.n_problems)} problems."
        + _solves([each for (student, cell), each in solved.items() if cell and student in students], len(students), len(trained_ones)),
        mark=lambda cell: marks[_name(cell)],
        drawn="covered",
        axis=axes.shares,
    )


def _sources(results: Results) -> str:
    """Return which model each of the study's names stands for, where they differ; "" if there are too many for a caption."""
    used = {model for cell in results.cells for model in cell.plan.models}
    named = [f"{card.name} is {card.source}" for card in results.models if card.name in used and card.source and card.source != card.name]
    return f"{', '.join(named)}. " if named and sum(map(len, named)) <= _LONGEST_NAMES else ""


def _solves(estimates: Sequence[Estimate], shown: int, students: int) -> str:
    """Return what the columns of students show, and their n; "" without one."""
    if not shown:
        return ""
    fewest, most = (numbers.count(end(each.n for each in estimates)) for end in (min, max))
    of = fewest if fewest == most else f"{fewest} to {most}"
    rest = f" {shown} of {students} students; The students has all." if shown < students else ""
    return f" Solves: of {of} test problems, by the student trained on the cell.{rest}"


def _name(cell: CellResult) -> str:
    return cell.plan.cell.name


def _costs(results: Results) -> list[Shown[CellResult]]:
    """Return a column of realised costs in each unit of the budgets, else in each that is known: per problem or for more problems."""
    if not results.n_problems:
        return []
    wanted = [unit for unit in UNITS if any(cell.plan.unit == unit for cell in results.cells)]
    known = [unit for unit in UNITS if any(cell.cost.amount(unit) for cell in results.cells)]
    return [_cost(results, unit) for unit in (wanted or known)]


def _cost(results: Results, unit: Unit) -> Shown[CellResult]:
    costs = {_name(cell): cell.cost.amount(unit) for cell in results.cells}
    own = {name: None if cost is None else cost / results.n_problems for name, cost in costs.items()}
    each, scale = amounts.readable(unit, own.values()), amounts.flops_scale(own.values())

    def entry(cell: CellResult) -> Entry:
        cost = own[_name(cell)]
        made = number(cost, scale.text if unit == "flops" else lambda cost: amounts.usd(cost * each.problems))
        return Entry(text=made.text, value=cost, remark=made.remark)

    title = f"Cost {each.words} ({scale.unit if unit == 'flops' else 'USD'})"
    return Shown(column=Column(title=title, key=f"cost_per_problem_{unit}"), entry=entry)


def lead(sections: Iterable[Section]) -> Figure | None:
    """Return the figure to show first."""
    figures = {figure.key: figure for section in sections for figure in section.figures}
    return next((figures[key] for key in _LEADING if key in figures), None)


def ledger(results: Results) -> tuple[tuple[str, str], ...]:
    """Return the money in a few lines: what was paid for data, for the rest, and in all, and the time that it took."""
    if not results.bill:
        return ()
    units = [unit for unit in UNITS if any(line.cost.amount(unit) for line in results.bill)]
    accounts = dict.fromkeys(line.account for line in results.bill)
    lines = [(account.capitalize(), _said([line for line in results.bill if line.account == account], units)) for account in accounts]
    if len(lines) > 1:
        lines.append(("In all", _said(results.bill, units)))
    if results.seconds:
        lines.append(("Time", amounts.duration(sum(results.seconds.values()))))
    return tuple(lines)


def _said(lines: Iterable[BillLine], units: Sequence[Unit]) -> str:
    """Format the cost of these lines in the units in which the run paid anything."""
    total = Cost(flops=0.0, usd=0.0)
    for line in lines:
        total = total + Cost(flops=line.cost.flops, usd=line.cost.usd)
    if not units:
        return "not known" if total.flops is None and total.usd is None else "nothing"
    known = {unit: total.amount(unit) for unit in units}
    return ", ".join("not known" if amount is None else amounts.format_amount(unit, amount) for unit, amount in known.items())


def solved_estimate(covered: Estimate | None, kept: Estimate | None) -> Estimate | None:
    """Return kept solutions per covered problem, from the two means; None where one is not measured or nothing is covered."""
    if covered is None or kept is None or not covered.value or kept.value is None:
        return None
    low = None if kept.low is None or not covered.high else kept.low / covered.high
    high = None if kept.high is None or not covered.low else kept.high / covered.low
    return Estimate(value=kept.value / covered.value, low=low, high=high, n=covered.n)
