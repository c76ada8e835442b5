"""A dot and a bar for an estimate of a table, in HTML: all rows of a table share one axis, and the numbers stand beside it as text."""

from __future__ import annotations

from collections.abc import Callable

from markupsafe import Markup

from isocost.records import Estimate
from isocost.reporting.axes import Axis
from isocost.reporting.marks import Mark


def strip(estimate: Estimate, mark: Mark, axis: Axis) -> Markup:
    """Draw an estimate: a bar for its interval, the mark at its value, and a line at 0 if the axis has it within."""
    if estimate.value is None:
        return Markup("")
    parts = [Markup('<i class="zero" style="left:{}%"></i>').format(_percent(axis, 0.0))] if axis.low < 0 < axis.high else []
    if estimate.low is not None and estimate.high is not None:
        low, high = _percent(axis, estimate.low), _percent(axis, estimate.high)
        parts.append(Markup('<i class="bar {}" style="left:{}%;right:{}%"></i>').format(mark.tone, low, round(100 - high, 2)))
    parts.append(Markup('<i class="{} {}" style="left:{}%"></i>').format(mark.shape, mark.tone, _percent(axis, estimate.value)))
    return Markup('<span class="strip" aria-hidden="true">{}</span>').format(Markup("").join(parts))


def ruler(axis: Axis, tick: Callable[[float], str]) -> Markup:
    """Name the ends of the axis above a column of strips, and 0 if it lies far enough from both."""
    middle = [0.0] if axis.low < 0 < axis.high and 0.2 <= axis.place(0.0) <= 0.8 else []
    shown = [axis.low, *middle, axis.high]
    labels = (Markup('<i style="left:{}%">{}</i>').format(_percent(axis, value), tick(value)) for value in shown)
    return Markup('<span class="strip ruler" aria-hidden="true">{}</span>').format(Markup("").join(labels))


def _percent(axis: Axis, value: float) -> float:
    return round(100 * min(max(axis.place(value), 0.0), 1.0), 2)
