"""The data: what each cell bought, what it is worth, and what each model's pool would give at k draws a problem."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from isocost.records import CellResult, Cost, Estimate, Results
from isocost.reporting import axes, numbers
from isocost.reporting.blocks import Column, Entry, Row, Section, Table, drawable, estimated, integer, number, sized, words
from isocost.reporting.figures import coverage_by_cell
from isocost.reporting.marks import cell_marks
from isocost.reporting.numbers import Scale

_AT_K = {"diversity": "diversity@k, by text", "diversity_normalised": "by words", "diversity_equations": "by equations"}
_MAIN = ("covered", "kept_per_problem", "pass@1", "fpr")
_COVERED = "no problem could be graded"


def data(results: Results) -> Section:
    """The section on data; tables and figures without rows are left out."""
    cells = tuple(cell for cell in results.cells if cell.plan.unit) + tuple(cell for cell in results.cells if not cell.plan.unit)
    tables = [_bought(results, cells), _worth(results, cells), _differences(results), _by_name(results, cells), _by_model(results)]
    figures = [coverage_by_cell(results)]
    return Section(
        key="data",
        title="The data",
        paragraphs=() if cells else ("No data was bought.",),
        figures=tuple(figure for figure in figures if figure is not None),
        tables=tuple(table for table in tables if table.rows),
    )


def cost_columns(costs: Sequence[Cost], what: str, key: str) -> tuple[tuple[Column, ...], Scale]:
    """A column for every unit that is known of at least one cost, and the scale of the FLOPs."""
    scale = numbers.flops_scale(cost.flops for cost in costs)
    columns = []
    if any(cost.flops is not None for cost in costs):
        columns.append(Column(title=f"{what} ({scale.unit})", key=f"{key}_flops"))
    if any(cost.usd is not None for cost in costs):
        columns.append(Column(title=f"{what} (USD)", key=f"{key}_usd"))
    if any(cost.seconds is not None for cost in costs):
        columns.append(Column(title=f"{what} engine time (h:mm:ss)", key=f"{key}_seconds"))
    return tuple(columns), scale


def cost_entries(cost: Cost, columns: Sequence[Column], scale: Scale) -> tuple[Entry, ...]:
    """The cost in the units of these columns."""
    entries = {
        "flops": number(cost.flops, scale.text),
        "usd": number(cost.usd, numbers.usd),
        "seconds": number(cost.seconds, numbers.duration),
    }
    return tuple(entries[column.key.rpartition("_")[2]] for column in columns)


def _differences(results: Results) -> Table:
    """Paired differences between the data of two cells."""
    rows = []
    for item in results.cell_comparisons:
        shares = item.measure == "covered"
        text = numbers.points(item.difference) if shares else numbers.mean(item.difference)
        entries = (words(f"{item.left} {numbers.MINUS} {item.right}"), Entry(text=text, value=item.difference), sized(item.difference))
        rows.append(Row(group="Covered (points)" if shares else "Kept per problem (solutions)", entries=entries))
    return Table(
        key="cell_differences",
        title="Paired differences in data",
        caption="Left minus right on the same problems, with its 95% interval over problems. A problem without a correct solution counts "
        "as not covered.",
        columns=(
            Column(title="Left − right", key="difference_of", kind="text"),
            Column(title="Difference [95% interval]", key="difference", kind="estimate"),
            Column(title="n problems", key="n"),
        ),
        rows=tuple(sorted(rows, key=lambda row: row.group)),
        group_title="Measure",
    )


def _group(results: Results, cell: CellResult) -> str:
    plan = cell.plan
    if plan.unit is None or plan.amount is None:
        return "Number-matched: counts are given, cost is not equal"
    each = f", {numbers.budget(plan.unit, plan.amount / results.n_problems)} a problem" if results.n_problems else ""
    return f"Cost-matched at budget {plan.cell.budget}: {numbers.budget(plan.unit, plan.amount)}{each} ({plan.basis})"


def _bought(results: Results, cells: Sequence[CellResult]) -> Table:
    planned, planned_scale = cost_columns([cell.plan.cost for cell in cells], "Planned", "planned")
    realised, realised_scale = cost_columns([cell.cost for cell in cells], "Realised", "realised")
    rows = tuple(
        Row(
            group=_group(results, cell),
            entries=(
                words(cell.plan.cell.name),
                words(" + ".join(f"{model} {numbers.fixed(mean, 2)}" for model, mean in cell.plan.samples_per_problem.items())),
                integer(cell.n_samples),
                integer(cell.n_tokens),
                *cost_entries(cell.plan.cost, planned, planned_scale),
                *cost_entries(cell.cost, realised, realised_scale),
            ),
        )
        for cell in cells
    )
    return Table(
        key="cells_bought",
        title="What each cell bought",
        caption="Planned counts assume a number of tokens a sample; realised cost is what the samples really had. A cell is charged for "
        "every draw it used, also for those it shares with other cells.",
        columns=(
            Column(title="Cell", key="cell", kind="text"),
            Column(title="Samples a problem, planned", key="samples_per_problem", kind="text"),
            Column(title="Samples", key="samples"),
            Column(title="Tokens", key="tokens"),
            *planned,
            *realised,
        ),
        rows=rows,
        group_title="Matching",
    )


def _worth(results: Results, cells: Sequence[CellResult]) -> Table:
    marks = cell_marks(results)
    rows = tuple(
        Row(
            group=_group(results, cell),
            mark=marks[cell.plan.cell.name],
            entries=(
                words(cell.plan.cell.name),
                estimated(cell.measures.get("covered"), numbers.percent, _COVERED),
                sized(cell.measures.get("covered")),
                estimated(cell.measures.get("kept_per_problem"), numbers.mean, _COVERED),
                estimated(cell.measures.get("pass@1"), numbers.percent, _COVERED),
                estimated(cell.measures.get("fpr"), numbers.percent, "nothing audited"),
                sized(cell.measures.get("fpr"), of="audits"),
                integer(cell.n_kept),
            ),
        )
        for cell in cells
    )
    return Table(
        key="cells_worth",
        title="What each cell is worth",
        caption="Covered: problems with a correct sample in the cell's own data. Kept a problem: mean of distinct correct solutions, "
        "up to the cap. False positives: answer-correct solutions that write out a false equation, among those with equations, in the "
        "cell's own data; what else is known stands under False positives. 95% intervals over problems, never over samples.",
        columns=(
            Column(title="Cell", key="cell", kind="text"),
            Column(title="Covered (%) [95% interval]", key="covered", kind="estimate"),
            Column(title="n problems", key="n"),
            Column(title="Kept a problem [95% interval]", key="kept_per_problem", kind="estimate"),
            Column(title="pass@1 (%) [95% interval]", key="pass@1", kind="estimate"),
            Column(title="False positives (%) [95% interval]", key="fpr", kind="estimate"),
            Column(title="n audited", key="n_audited"),
            Column(title="Solutions kept", key="kept"),
        ),
        rows=rows,
        group_title="Matching",
        drawn=1,
        axis=axes.shares(drawable(rows, 1)),
    )


def _by_name(results: Results, cells: Sequence[CellResult]) -> Table:
    """Measures of cells that have no column of their own, such as coverage@3."""
    names = [
        name
        for name in dict.fromkeys(name for cell in cells for name in cell.measures)
        if name not in _MAIN and not name.startswith("fpr/")
    ]
    rows = tuple(
        Row(group=_group(results, cell), entries=(words(cell.plan.cell.name), *(_measure(name, cell.measures) for name in names)))
        for cell in cells
        if any(name in cell.measures for name in names)
    )
    columns = (
        Column(title="Cell", key="cell", kind="text"),
        *(Column(title=f"{name}{_unit(name)} [95% interval]", key=name, kind="estimate") for name in names),
    )
    caption = (
        "Coverage@k and diversity@k need k draws of every problem: adaptive and fractional cells have none. 95% intervals over problems."
    )
    title = "Cells at k draws a problem"
    return Table(key="cells_at_k", title=title, caption=caption, columns=columns, rows=rows, group_title="Matching")


def _by_model(results: Results) -> Table:
    """One row a model and k; the measures with a k are the columns."""
    parsed = {name: _at(name) for measures in results.pools.values() for name in measures}
    stems = [stem for stem in dict.fromkeys(at[0] for at in parsed.values() if at) if stem != "pass"]  # pass@k is coverage@k
    rows = []
    for model, measures in results.pools.items():
        for k in sorted({at[1] for name in measures if (at := parsed[name]) and at[0] in stems}):
            found = {stem: f"{stem}@{k}" for stem in stems}
            size = next((measures[name] for name in found.values() if name in measures), None)
            entries = (integer(k), *(_measure(name, measures) for name in found.values()), sized(size))
            rows.append(Row(group=model, entries=entries))
    columns = (
        Column(title="k", key="k", kind="text"),
        *(Column(title=f"{_AT_K.get(stem, f'{stem}@k')}{_unit(stem)} [95% interval]", key=stem, kind="estimate") for stem in stems),
        Column(title="n problems", key="n"),
    )
    caption = (
        "Of each model's whole pool. Coverage@k: share of problems with a correct sample among k draws. Diversity@k: expected number of "
        "distinct correct solutions among k draws. Both from unbiased formulas over all draws; 95% intervals over problems."
    )
    title = "Each model at k draws a problem"
    return Table(key="models_at_k", title=title, caption=caption, columns=columns, rows=tuple(rows), group_title="Model")


def _measure(name: str, measures: Mapping[str, Estimate]) -> Entry:
    at = _at(name)
    why = f"fewer than {at[1]} draws" if at else "not defined"
    return estimated(measures.get(name), numbers.percent if _unit(name) else numbers.mean, why)


def _unit(name: str) -> str:
    return " (%)" if name.startswith(("coverage", "covered", "pass", "maj", "fpr")) else ""


def _at(name: str) -> tuple[str, int] | None:
    found = re.fullmatch(r"(.+)@(\d+)", name)
    return (found[1], int(found[2])) if found else None
