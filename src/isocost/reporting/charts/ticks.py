"""Ticks of axes: at round numbers, with short labels, of which no two touch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from isocost.amounts import MINUS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.transforms import Bbox

_LARGE = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e4, "K"))
_GAP = 4.0  # pixels that two labels keep apart


def plain(value: float) -> str:
    """Format a tick without trailing zeros and exponent; from ten thousand on with K, M, B or T: 0.25, 5,000, 2.5M."""
    for size, letter in _LARGE:
        if abs(value) >= size * (1 - 1e-9):
            size = 1e3 if letter == "K" else size
            return f"{value / size:,.6g}{letter}".replace("-", MINUS)
    return f"{value:,.12f}".rstrip("0").rstrip(".").replace("-", MINUS)


def in_percent(share: float) -> str:
    """Format a share as a tick in percent, without trailing zeros: 2.5, −10."""
    return f"{round(share * 100, 6):g}".replace("-", MINUS)


def logarithmic(axes: Axes, values: Iterable[float], text: Callable[[float], str], *, whole: bool = False) -> None:
    """Make the x axis logarithmic over positive values, slightly wider than their range.

    Args:
        axes: The axes.
        values: What it covers.
        text: Formats a tick.
        whole: Whether ticks are whole numbers only.
    """
    values = list(values)
    low, high = min(values) / 1.15, max(values) * 1.15
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    places = [tick for tick in _round_numbers(low, high) if not whole or tick == int(tick)]
    axes.set_xticks(places, [text(tick) for tick in places])
    axes.set_xticks([], minor=True)


def _round_numbers(low: float, high: float) -> list[float]:
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    wide = high / low
    # Fewer ticks per power of ten on a long axis, more on a short one.
    factors: tuple[float, ...] = (1,) if wide > 2000 else (1, 3) if wide > 300 else (1, 2, 5) if wide > 6 else (1, 1.5, 2, 3, 4, 5, 7)
    found = [float(f"{factor}e{power}") for power in powers for factor in factors]
    return [tick for tick in found if low <= tick <= high]


def linear(axis: Axis, low: float, high: float, text: Callable[[float], str], *, most: int = 6) -> None:
    """Set the limits of an axis to round numbers around two values, and ticks between them at steps of 1, 2, 2.5 or 5."""
    from matplotlib.axis import XAxis
    from matplotlib.ticker import MaxNLocator

    if high - low < 1e-12 + 1e-9 * abs(high):  # equal values still need an axis with a length
        low, high = low - max(0.05, abs(low) / 20), high + max(0.05, abs(high) / 20)
    places = [float(tick) for tick in MaxNLocator(nbins=most, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)]
    axis.set_view_interval(places[0], places[-1], ignore=True)
    # What is drawn later would lengthen the axis beyond its ticks.
    (axis.axes.set_autoscalex_on if isinstance(axis, XAxis) else axis.axes.set_autoscaley_on)(False)
    axis.set_ticks(places, labels=[text(tick) for tick in places])


def lay_out(axes: Axes) -> None:
    """Give the axes their place in the figure, so that boxes of texts can be measured; drawing it all would take three times as long."""
    figure = axes.get_figure(root=True)
    engine = None if figure is None else figure.get_layout_engine()
    if figure is not None and engine is not None:
        engine.execute(figure)


def thin(axes: Axes) -> None:
    """Remove labels of ticks that touch another one, as the axes are laid out now: along each axis, and in the corner of both."""
    lay_out(axes)
    kept = _thin(axes.yaxis, along="y", others=[])
    _thin(axes.xaxis, along="x", others=kept)


def _thin(axis: Axis, *, along: str, others: Sequence[Bbox]) -> list[Bbox]:
    boxes = [(label, label.get_window_extent()) for label in axis.get_ticklabels() if label.get_text() and label.get_visible()]
    kept: list[Bbox] = []
    after = -math.inf
    for label, box in sorted(boxes, key=lambda each: each[1].x0 if along == "x" else each[1].y0):
        start, end, gap = (box.x0, box.x1, _GAP) if along == "x" else (box.y0, box.y1, _GAP / 2)
        if start < after + gap or box.count_overlaps(others):
            label.set_visible(False)
        else:
            after = end
            kept.append(box)
    return kept


def rows(spans: Sequence[tuple[float, float]]) -> list[int]:
    """Return a row for each label, given its start and end, so that no two in a row touch: the first row that has room."""
    found: list[int] = []
    ends: list[float] = []
    for start, end in spans:
        row = next((i for i, last in enumerate(ends) if start > last + _GAP), len(ends))
        ends[row : row + 1] = [end]
        found.append(row)
    return found
