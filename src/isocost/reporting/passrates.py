"""The figure of pass rates: how many problems each model solves seldom, often, never and always."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isocost.passrates.binning import BINS
from isocost.records import Results
from isocost.reporting.blocks import Column, Figure, Row, Table, integer, words
from isocost.reporting.charts import histograms
from isocost.reporting.marks import model_marks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HEIGHT = 3.2  # inches
_KEY, _TITLE = "pass_rates", "Pass rates of the problems"
_CAPTION = "Problems by share of correct draws, in tenths; draws that depend on outcomes are left out."


def pass_rates(results: Results) -> Figure | None:
    """Draw the problems by pass rate, a bar per model; None where no model has two draws of a problem."""
    counts = results.pass_rates
    if not counts:
        return None
    marks = model_marks(results)
    bins = ("never", *(f"from_{10 * i}_percent" for i in range(BINS - 2)), "always")
    titles = ("never", *(f"from {10 * i}%" for i in range(BINS - 2)), "always")
    rows = tuple(Row(entries=(words(model), *map(integer, found)), mark=marks[model]) for model, found in counts.items())
    columns = (Column(title="Model", key="model", kind="text"), *(Column(title=t, key=k) for t, k in zip(titles, bins, strict=True)))
    counted = "; ".join(f"{model}: of {sum(found):,} problems {found[0]:,} never, {found[-1]:,} always" for model, found in counts.items())

    def draw(axes: Axes) -> None:
        histograms.draw(axes, counts, marks, "")

    return Figure(
        key=_KEY,
        title=_TITLE,
        caption=_CAPTION,
        alternative=f"{_CAPTION} {counted}.",
        height=HEIGHT,
        draw=draw,
        table=Table(key=_KEY, title=_TITLE, caption=_CAPTION, columns=columns, rows=rows),
    )
