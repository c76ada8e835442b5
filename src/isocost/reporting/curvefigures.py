"""Figures of the models' curves: each measure against cost in every unit of the budgets, and against draws."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from isocost import amounts
from isocost.records import UNITS, ModelCurve, Results, Unit
from isocost.reporting import numbers
from isocost.reporting.blocks import Column, Figure, Row, Table, integer, number
from isocost.reporting.blocks import estimated as entry
from isocost.reporting.charts import curves as chart
from isocost.reporting.charts.curves import Crossing, Line, Panel, Spot
from isocost.reporting.charts.ticks import in_percent, plain
from isocost.reporting.leading import MEASURES, interval, main_models
from isocost.reporting.marks import cell_marks, curve_marks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_TITLES = {"coverage": "coverage (% of problems)", "diversity": "distinct correct solutions per problem"}
_WHAT = {
    "coverage": "Share of problems with a correct one among k draws of a model",
    "diversity": "Distinct correct solutions (every character) among k draws of a model, expected, per problem",
}
_READ = "Bands: 95% intervals; marks: 1, 2, 5, 10, ... draws; vertical lines: budgets."
_NEAR = 1.5  # times the longest curve: a budget beyond that is in the caption, because a line for it would squeeze the curves
HEIGHT = 3.7  # inches
LONGEST_NAME = 36  # most characters of the name of a mixture; beyond that it is called a mixture


def figures(results: Results) -> tuple[Figure, ...]:
    """Draw each measure at equal cost in each unit, then at equal numbers; nothing where no model has two draws per problem."""
    found: list[Figure] = []
    for measure in MEASURES:
        if not _drawable(results, measure):
            continue
        found += [_by_cost(results, measure, unit, first=not i) for i, unit in enumerate(units(results))]
        found.append(_by_draws(results, measure))
    return tuple(found)


def _drawable(results: Results, measure: str) -> bool:
    return any(len(curve.ks) > 1 for curve in results.curves if measure in curve.measures)


def units(results: Results) -> list[Unit]:
    """Return the budgets' units in which some curve can be drawn; without budgets, the first unit in which all can."""
    budgets = dict.fromkeys(cell.plan.unit for cell in results.cells if cell.plan.unit)
    known: list[Unit] = [unit for unit in UNITS if all(curve.cost.amount(unit) for curve in results.curves)]
    wanted: list[Unit] = [unit for unit in budgets if any(len(c.ks) > 1 and c.cost.amount(unit) for c in results.curves)]
    return wanted if budgets else known[:1]


def cost_panel(results: Results, measure: str, unit: Unit) -> Panel:
    """Return the curves of a measure against cost; costs below a cent are those of 1,000 problems or more.

    Raises:
        ValueError: no curve has this measure and a known cost in this unit.
    """
    curves = [curve for curve in _with_cost(results, unit) if measure in curve.measures]
    if not curves:
        raise ValueError(f"no curve of {measure} has a known cost in {unit}")
    single = _costs(results, unit)
    drawn = [k * single[curve.model] for curve in curves for k in (1, curve.ks[-1])]
    guides = [(at, name) for at, name in _budgets(results, unit) if at <= _NEAR * max(drawn)]
    spots = _spots(results, unit) if measure == "coverage" else []
    places = [*drawn, *(at for at, _ in guides), *(spot.at for spot in spots)]
    each = amounts.readable(unit, places)
    scale = amounts.flops_scale(places)
    factor, name = (each.problems, "USD") if unit == "usd" else (1 / scale.divisor, scale.unit)
    return Panel(
        title=f"{MEASURES[measure]} at equal cost",
        x=f"cost {each.words} ({name}), log scale",
        y=_TITLES[measure],
        lines=_lines(results, measure, curves, {model: cost * factor for model, cost in single.items()}),
        span=(min(places) * factor, max(places) * factor),
        height=_height(results, measure),
        x_tick=plain,
        y_tick=_tick(measure),
        guides=[(at * factor, name) for at, name in guides],
        crossing=_crossing(results, measure, unit, single, factor),
        spots=[replace(spot, at=spot.at * factor) for spot in spots],
    )


def draws_panel(results: Results, measure: str) -> Panel:
    """Return the curves of a measure against draws per problem.

    Raises:
        ValueError: no curve has this measure.
    """
    curves = [curve for curve in results.curves if measure in curve.measures]
    if not curves:
        raise ValueError(f"no curve of {measure}")
    each = dict.fromkeys((curve.model for curve in curves), 1.0)
    return Panel(
        title=f"{MEASURES[measure]} at equal numbers",
        x="draws per problem (k), log scale",
        y=_TITLES[measure],
        lines=_lines(results, measure, curves, each),
        span=(1.0, float(max(curve.ks[-1] for curve in curves))),
        height=_height(results, measure),
        y_tick=_tick(measure),
        whole=True,  # the curves are measured at whole k only
    )


def _by_cost(results: Results, measure: str, unit: Unit, *, first: bool) -> Figure:
    panel, each = cost_panel(results, measure, unit), _costs(results, unit)
    curves = [curve for curve in _with_cost(results, unit) if measure in curve.measures]
    caption = _READ
    known = {name for _, name in panel.guides}
    far = [f"{name} ({amounts.per_problem(unit, at)})" for at, name in _budgets(results, unit) if name not in known]
    caption += f" Budgets far beyond what was drawn: {', '.join(far)}." if far else ""
    key = f"{measure}_by_cost" + ("" if first else f"_{unit}")
    columns = (
        Column(title="k", key="k"),
        Column(title=f"cost per problem ({'USD' if unit == 'usd' else 'FLOPs'})", key=f"{unit}_per_problem"),
    )
    more = f" {_WHAT[measure]}, at k times the mean cost of a draw." + "".join(_explain(curve) for curve in curves if curve.mix)
    numbered = _table(key, panel.title, measure, curves, columns, each)
    if panel.spots:
        more += " Single points: cells whose policy observes outcomes, at their cost."
        numbered = replace(numbered, rows=numbered.rows + tuple(_row(spot) for spot in _spots(results, unit)))
    return _figure(panel, caption, numbered, more)


def _spots(results: Results, unit: Unit) -> list[Spot]:
    """Return the coverage of each cell whose policy observes outcomes, at its cost per problem: no curve of fixed draws shows it."""
    marks, observing = cell_marks(results), {each.cell for each in results.spendings}
    found = []
    for cell in results.cells:
        name, cost, covered = cell.plan.cell.name, cell.cost.amount(unit), cell.measures.get("covered")
        if name in observing and cost and results.n_problems and covered is not None and covered.value is not None:
            found.append(Spot(label=name, mark=marks[name], at=cost / results.n_problems, estimate=covered))
    return found


def _row(spot: Spot) -> Row:
    """Return the row of a cell in the table of the curves; it has no k."""
    k, cost = number(None, str, ""), number(spot.at, repr)
    return Row(group=spot.label, entries=(k, cost, entry(spot.estimate, numbers.percent, "not defined")))


def _by_draws(results: Results, measure: str) -> Figure:
    panel = draws_panel(results, measure)
    curves = [curve for curve in results.curves if measure in curve.measures]
    caption = "The same curves at equal numbers of draws, which is not equal cost."
    return _figure(
        panel,
        caption,
        _table(f"{measure}_by_draws", panel.title, measure, curves, (Column(title="k", key="k"),), {}),
        f" {_WHAT[measure]}.",
    )


def _costs(results: Results, unit: Unit) -> dict[str, float]:
    """Return the cost of a draw by model or mixture; unknown costs are left out."""
    return {curve.model: curve.cost.amount(unit) or 0.0 for curve in _with_cost(results, unit)}


def _with_cost(results: Results, unit: Unit) -> list[ModelCurve]:
    """Return the curves of models, then of mixtures, whose cost of a draw is known."""
    return [curve for curve in (*results.curves, *results.mixtures) if curve.cost.amount(unit)]


def _figure(panel: Panel, caption: str, table: Table, more: str = "") -> Figure:
    """Make a figure. Its text alternative gives each model's values at the marks, and those of single points."""
    values = []
    groups = table.groups()
    for (model, rows), line in zip(groups[: len(panel.lines)], panel.lines, strict=True):
        marked = [rows[i].entries for i in sorted(line.marked)]
        values.append(f"{model}: " + ", ".join(f"k {entries[0].text} {entries[-1].text}" for entries in marked))
    values += [f"{cell}: {rows[0].entries[-1].text}" for cell, rows in groups[len(panel.lines) :]]
    crossing = f" C{panel.crossing.text[1:]}." if panel.crossing else ""

    def draw(axes: Axes) -> None:
        chart.draw(axes, panel)

    return Figure(
        key=table.key,
        title=panel.title,
        caption=caption,
        alternative=f"{caption}{more}{crossing} {'; '.join(values)}.",
        height=HEIGHT,
        draw=draw,
        table=table,
    )


def _table(key: str, title: str, measure: str, curves: Sequence[ModelCurve], columns: Sequence[Column], each: Mapping[str, float]) -> Table:
    """Return every point of the curves; `each` is the cost of a draw by model, or empty for no cost column."""
    text = numbers.percent if measure == "coverage" else numbers.mean
    rows = tuple(
        Row(
            group=curve.model,
            entries=(integer(k), *([number(k * each[curve.model], repr)] if each else []), entry(estimate, text, "not defined")),
        )
        for curve in curves
        for k, estimate in zip(curve.ks, curve.measures[measure], strict=True)
    )
    last = Column(title=f"{measure}@k [95% interval]", key=measure, kind="estimate", share=measure == "coverage")
    return Table(
        key=key, title=title, caption="Every point of the curves.", columns=(*columns, last), rows=rows, group_title="Model"
    )  # fmt: skip


def _lines(results: Results, measure: str, curves: Sequence[ModelCurve], each: Mapping[str, float]) -> tuple[Line, ...]:
    marks = curve_marks(results)
    return tuple(
        Line(
            label=_end_name(curve),
            mark=marks[curve.model],
            points=tuple((k * each[curve.model], e) for k, e in zip(curve.ks, curve.measures[measure], strict=True)),
            marked=frozenset(
                i for i, k in enumerate(curve.ks) if k in (curve.ks[0], curve.ks[-1]) or str(k).rstrip("0") in ("1", "2", "5")
            ),
        )
        for curve in curves
    )


def _budgets(results: Results, unit: Unit) -> list[tuple[float, str]]:
    """Return each budget's amount per problem with its name, smallest first."""
    found = {
        cell.plan.cell.budget: cell.plan.amount / results.n_problems
        for cell in results.cells
        if cell.plan.unit == unit and cell.plan.cell.budget and cell.plan.amount and results.n_problems
    }
    return sorted((at, name) for name, at in found.items())


def _crossing(results: Results, measure: str, unit: Unit, each: Mapping[str, float], factor: float) -> Crossing | None:
    """Return the crossover of the two main models, if it lies within the figure: right of the first draw of the cheapest curve."""
    models = main_models(results)
    for item in results.crossovers:
        if (
            (item.models, item.measure, item.unit) != (models, measure, unit)
            or not item.cost
            or item.ahead is None
            or item.ahead not in each
        ):
            continue
        if min(each.values()) <= item.cost <= max(curve.ks[-1] * each[curve.model] for curve in results.curves if curve.model in each):
            curve = next(curve for curve in results.curves if curve.model == item.ahead)
            height = _at(curve, measure, item.cost / each[item.ahead])
            low, high = (None if end is None else end * factor for end in (item.low, item.high))
            return Crossing(
                at=item.cost * factor, height=height, low=low, high=high, reach=item.reach * factor, text=f"crossover {interval(item)}"
            )
    return None


def _at(curve: ModelCurve, measure: str, k: float) -> float:
    """Interpolate a curve at a fractional number of draws; at no draws it is 0."""
    points = [(0.0, 0.0), *((float(x), e.value or 0.0) for x, e in zip(curve.ks, curve.measures[measure], strict=True))]
    for (x0, y0), (x1, y1) in pairwise(points):
        if k <= x1:
            return y0 + (y1 - y0) * (k - x0) / (x1 - x0)
    return points[-1][1]


def _height(results: Results, measure: str) -> tuple[float, float]:
    """Return the ends of the y axis that all panels of a measure share, so that they can be compared."""
    estimates = [e for curve in (*results.curves, *results.mixtures) if measure in curve.measures for e in curve.measures[measure]]
    if measure == "coverage":
        estimates += [spot.estimate for unit in units(results) for spot in _spots(results, unit)]
    known = [end for e in estimates for end in (e.value, e.low, e.high) if end is not None]
    return (min(known, default=0.0), max(known, default=1.0)) if measure == "coverage" else (0.0, max(known, default=1.0))


def _tick(measure: str) -> Callable[[float], str]:
    return in_percent if measure == "coverage" else plain


def _end_name(curve: ModelCurve) -> str:
    """Return the name of a line: the model, or for a mixture its models if there is room for them, and that it is computed."""
    if not curve.mix:
        return curve.model
    halves = len(curve.mix) == 2
    name = f"{', '.join(f'half {model}' for model in curve.mix)} (computed)" if halves else f"{' + '.join(curve.mix)} (computed)"
    return name if len(name) <= LONGEST_NAME else "mixture (computed)"


def _explain(curve: ModelCurve) -> str:
    """Explain a mixture's line, so that a reader can follow the other sentences."""
    *most, last = (f"{amounts.fixed(100 * share, 0)}% {model}" for model, share in curve.mix.items())
    draws = f"{', '.join(most)} and {last}"
    return f" {curve.model}: not drawn, but worked out from the models' own draws; k counts all of its draws, {draws}."
