"""Figures of a run, drawn onto matplotlib axes: the same functions draw those of the report.

    import isocost.plots
    isocost.plots.curves("runs/study", measure="coverage")

Each function takes a run that was opened, or the path of its directory, draws onto `ax`, or onto new axes if none are given, and returns
them. What the run does not have is a `MissingFigureError` that says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from isocost.errors import InputError
from isocost.records import UNITS, Results, Unit
from isocost.reporting import curvefigures, dotfigures, passrates
from isocost.reporting.blocks import Figure
from isocost.reporting.charts import canvas
from isocost.reporting.charts import curves as curve_chart
from isocost.results.stored import read_results

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["MissingFigureError", "cells", "curves", "forecasts", "pass_rates", "students"]


class MissingFigureError(InputError, ValueError):
    """A figure of something that the run does not have. It is a `ValueError` too, as earlier versions raised."""


class HasResults(Protocol):
    """A run that has been opened."""

    @property
    def results(self) -> Results:
        """Return everything that the report is made from."""


Source = str | Path | HasResults | Results


def curves(
    run: Source,
    *,
    measure: Literal["coverage", "diversity"] = "coverage",
    against: Literal["cost", "draws"] = "cost",
    unit: Unit | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw coverage, or distinct correct solutions, of each model with its band, the budgets and the crossover.

    Args:
        run: The run.
        measure: `coverage` or `diversity`.
        against: `cost` per problem, or `draws` per problem.
        unit: Unit of the cost: `flops` or `usd`; by default that of the first budget.
        ax: The axes to draw onto.

    Raises:
        InputError: `measure`, `against` or `unit` is none of these.
        MissingFigureError: no model has a curve, or none has a known cost in the unit.
    """
    _check("measure", measure, ("coverage", "diversity"))
    _check("against", against, ("cost", "draws"))
    _check("unit", unit, (None, *UNITS))
    results = _results(run)
    if against == "draws":
        panel = curvefigures.draws_panel(results, measure)
    else:
        units = [unit] if unit else curvefigures.units(results)
        if not units:
            raise MissingFigureError(f"no curve of {measure} has a known cost")
        panel = curvefigures.cost_panel(results, measure, units[0])
    return _drawn(lambda axes: curve_chart.draw(axes, panel), curvefigures.HEIGHT, ax)


def students(run: Source, *, ax: Axes | None = None) -> Axes:
    """Draw what each student solves, untrained and after each data set, with 95% intervals.

    Raises:
        MissingFigureError: nothing was evaluated.
    """
    return _figure(dotfigures.students_by_data(_results(run)), "no student was evaluated", ax)


def cells(run: Source, *, ax: Axes | None = None) -> Axes:
    """Draw the share of problems that the data of each cell covers, with 95% intervals.

    Raises:
        MissingFigureError: no cell was measured.
    """
    return _figure(dotfigures.coverage_by_cell(_results(run)), "no cell was measured", ax)


def forecasts(run: Source, *, ax: Axes | None = None) -> Axes:
    """Draw the pilot's forecast of each cell's coverage above what came of it.

    Raises:
        MissingFigureError: nothing was forecast.
    """
    return _figure(dotfigures.forecast_by_cell(_results(run).forecasts), "no coverage was forecast", ax)


def pass_rates(run: Source, *, ax: Axes | None = None) -> Axes:
    """Draw the share of problems by pass rate, a bar per model: never solved, by tenths, always solved.

    Draws that depend on outcomes are left out, as in the report.

    Raises:
        MissingFigureError: no model has two draws of a problem that do not depend on outcomes.
    """
    return _figure(passrates.pass_rates(_results(run)), "no model has two draws of a problem that do not depend on outcomes", ax)


def _check(argument: str, value: object, known: Sequence[object]) -> None:
    if value not in known:
        listed = ", ".join(str(each) for each in known if each is not None)
        raise InputError(f'{argument}: must be one of {listed}, not "{str(value)[:80]}"')


def _results(run: Source) -> Results:
    if isinstance(run, Results):
        return run
    return read_results(Path(run)) if isinstance(run, str | Path) else run.results


def _figure(figure: Figure | None, missing: str, ax: Axes | None) -> Axes:
    if figure is None:
        raise MissingFigureError(missing)
    return _drawn(figure.draw, figure.height, ax)


def _drawn(draw: Callable[[Axes], None], height: float, ax: Axes | None) -> Axes:
    """Draw onto the given axes; without, onto a new figure of pyplot, which a notebook shows."""
    if ax is None:
        import matplotlib.pyplot as plt

        ax = plt.figure(figsize=(canvas.WIDTH, height), layout="constrained").subplots()
    draw(ax)
    return ax
