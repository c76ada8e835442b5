"""Figures of the models' curves: each measure against cost in every unit of the budgets, and against draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from isocost import amounts
from isocost.records import ModelCurve, Results, Unit
from isocost.reporting import axes, drawing, numbers
from isocost.reporting.blocks import Column, Figure, Row, Table, integer, number
from isocost.reporting.blocks import estimated as entry
from isocost.reporting.drawing import Scaled
from isocost.reporting.leading import MEASURES, interval, main_models
from isocost.reporting.marks import curve_marks
from isocost.reporting.panels import LONGEST_NAME, Crossing, Line, Panel, draw

_UNITS: tuple[Unit, ...] = ("flops", "usd")
_TITLES = {"coverage": "coverage (% of problems)", "diversity": "distinct correct solutions a problem"}
_WHAT = {
    "coverage": "Share of problems with a correct one among k draws of a model",
    "diversity": "Distinct correct solutions (every character) among k draws of a model, expected, a problem",
}
_READ = (
    "Bands: pointwise 95% intervals over problems. Marks: 1, 2, 5, 10, ... draws a problem. Thin lines: less than one draw a problem, for "
    "a part of the problems. Vertical lines: the budgets."
)
_NEAR = 1.5  # times the longest curve: a budget beyond that is in the caption, because a line for it would squeeze the curves
_CROSS = " Ring: where {models} cross; bar: its 95% interval, an arrow where it goes beyond what was drawn or shown."


def figures(results: Results) -> tuple[Figure, ...]:
    """Draw each measure at equal cost in each unit, then at equal numbers; nothing where no model has two draws per problem."""
    found: list[Figure] = []
    for measure in MEASURES:
        curves = [curve for curve in results.curves if measure in curve.measures]
        if not any(len(curve.ks) > 1 for curve in curves):
            continue
        panels = {unit: _cost_panel(results, measure, unit) for unit in _units(results)}
        found += [_by_cost(results, measure, unit, panel, first=not i) for i, (unit, panel) in enumerate(panels.items())]
        found.append(_by_draws(results, measure, curves, next(iter(panels.values()), None)))
    return tuple(found)


def _units(results: Results) -> list[Unit]:
    """Return the budgets' units in which some curve can be drawn; without budgets, the first unit in which all can."""
    budgets = dict.fromkeys(cell.plan.unit for cell in results.cells if cell.plan.unit)
    known: list[Unit] = [unit for unit in _UNITS if all(curve.cost.amount(unit) for curve in results.curves)]
    wanted: list[Unit] = [unit for unit in budgets if any(len(c.ks) > 1 and c.cost.amount(unit) for c in results.curves)]
    return wanted if budgets else known[:1]


def _cost_panel(results: Results, measure: str, unit: Unit) -> Panel:
    each = _costs(results, unit)
    curves = _with_cost(results, unit)
    drawn = [k * each[curve.model] for curve in curves for k in (1, curve.ks[-1])]
    guides = [(at, name) for at, name in _budgets(results, unit) if at <= _NEAR * max(drawn)]
    return Panel(
        title="At equal cost",
        x=_cost_axis([*drawn, *(at for at, _ in guides)], unit),
        y=_height(results, measure),
        lines=_lines(results, measure, curves, each),
        guides=guides,
        crossing=_crossing(results, measure, unit, each),
    )


def _by_cost(results: Results, measure: str, unit: Unit, panel: Panel, *, first: bool) -> Figure:
    each, models = _costs(results, unit), main_models(results)
    caption = f"{_WHAT[measure]}, at k times the mean cost of a draw. {_READ}"
    caption += "".join(_explain(curve) for curve in _with_cost(results, unit) if curve.mix)
    caption += _CROSS.format(models=" and ".join(models)) if panel.crossing and models else ""
    far = [f"{name} ({amounts.format_amount(unit, at)})" for at, name in _budgets(results, unit) if (at, name) not in panel.guides]
    caption += f" Budgets far beyond what was drawn: {', '.join(far)}." if far else ""
    key = f"{measure}_by_cost" + ("" if first else f"_{unit}")
    title = f"{MEASURES[measure]} at equal cost"
    columns = Column(title="k", key="k"), Column(title=panel.x.title, key=f"{unit}_per_problem")
    return _figure(title, caption, panel, _table(key, title, measure, _with_cost(results, unit), columns, each))


def _by_draws(results: Results, measure: str, curves: Sequence[ModelCurve], beside: Panel | None) -> Figure:
    each = dict.fromkeys((curve.model for curve in curves), 1.0)
    axis = axes.logarithmic([float(k) for curve in curves for k in (1, curve.ks[-1])])
    # The curves are measured at whole k only, so ticks such as 1.5 are dropped.
    whole = replace(axis, ticks=tuple(tick for tick in axis.ticks if tick == int(tick)))
    panel = Panel(
        title="At equal numbers",
        x=Scaled(axis=whole, tick=_plain, title="draws a problem (k), log scale"),
        y=_height(results, measure),
        lines=_lines(results, measure, curves, each),
        beside=beside,
    )
    caption = f"{_WHAT[measure]}: the same curves at equal numbers of draws, which is not equal cost. Bands and marks as at equal cost."
    key, title = f"{measure}_by_draws", f"{MEASURES[measure]} at equal numbers"
    return _figure(title, caption, panel, _table(key, title, measure, curves, (Column(title="k", key="k"),), {}))


def _costs(results: Results, unit: Unit) -> dict[str, float]:
    """Return the cost of a draw by model or mixture; unknown costs are left out."""
    return {curve.model: curve.cost.amount(unit) or 0.0 for curve in _with_cost(results, unit)}


def _with_cost(results: Results, unit: Unit) -> list[ModelCurve]:
    """Return the curves of models, then of mixtures, whose cost of a draw is known."""
    return [curve for curve in (*results.curves, *results.mixtures) if curve.cost.amount(unit)]


def _figure(title: str, caption: str, panel: Panel, table: Table) -> Figure:
    """Make a figure. Its text alternative gives each model's values at the marks."""
    said = []
    for (model, rows), line in zip(table.groups(), panel.lines, strict=True):
        marked = [rows[i].entries for i in sorted(line.marked)]
        said.append(f"{model}: " + ", ".join(f"k {entries[0].text} {entries[-1].text}" for entries in marked))
    crossing = f" {panel.crossing.text.capitalize()}." if panel.crossing else ""
    alternative = f"{caption}{crossing} {'; '.join(said)}."
    svg = draw(panel, title, alternative)
    return Figure(key=table.key, title=title, caption=caption, alternative=alternative, svg=svg, table=table)


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


def _crossing(results: Results, measure: str, unit: Unit, each: Mapping[str, float]) -> Crossing | None:
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
            return Crossing(at=item.cost, height=height, low=item.low, high=item.high, reach=item.reach, text=f"crossover {interval(item)}")
    return None


def _at(curve: ModelCurve, measure: str, k: float) -> float:
    """Interpolate a curve at a fractional number of draws; at no draws it is 0."""
    points = [(0.0, 0.0), *((float(x), e.value or 0.0) for x, e in zip(curve.ks, curve.measures[measure], strict=True))]
    for (x0, y0), (x1, y1) in pairwise(points):
        if k <= x1:
            return y0 + (y1 - y0) * (k - x0) / (x1 - x0)
    return points[-1][1]


def _height(results: Results, measure: str) -> Scaled:
    """Return the y axis that all panels of a measure share, so that they can be compared."""
    estimates = [e for curve in (*results.curves, *results.mixtures) if measure in curve.measures for e in curve.measures[measure]]
    title = _TITLES[measure]
    if measure == "coverage":
        return Scaled(axis=axes.shares(estimates), tick=drawing.in_percent, title=title)
    ends = [end for e in estimates for end in (e.value, e.high) if end is not None]
    return Scaled(axis=axes.linear([0.0, *ends]), tick=_plain, title=title)


def _cost_axis(places: Sequence[float], unit: Unit) -> Scaled:
    axis = axes.logarithmic(places)
    if unit == "usd":
        return Scaled(axis=axis, tick=_plain, title="cost a problem (USD), log scale")
    scale = amounts.flops_scale(axis.ticks)
    return Scaled(axis=axis, tick=lambda cost: _plain(cost / scale.divisor), title=f"cost a problem ({scale.unit}), log scale")


def _plain(value: float) -> str:
    """Format a tick without trailing zeros and without an exponent."""
    return f"{value:,.9f}".rstrip("0").rstrip(".")


def _end_name(curve: ModelCurve) -> str:
    """Return the name at the end of a line: the model, or for a mixture its models if there is room for them."""
    names = " + ".join(curve.mix)
    return curve.model if not curve.mix else names if len(names) <= LONGEST_NAME else "mixture"


def _explain(curve: ModelCurve) -> str:
    """Explain a mixture's line, so that a reader can follow the other sentences."""
    *most, last = (f"{amounts.fixed(100 * share, 0)}% {model}" for model, share in curve.mix.items())
    draws = f"{', '.join(most)} and {last}"
    return f" {curve.model}: not drawn, but worked out from the models' own draws; k counts all of its draws, {draws}."
