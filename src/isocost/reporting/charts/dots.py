"""Dots with intervals, one below the other on a shared axis, each with its name at the left and its numbers at the right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from isocost.records import Estimate
from isocost.reporting.charts import ticks
from isocost.reporting.charts.marks import draw_mark
from isocost.reporting.charts.palette import light
from isocost.reporting.charts.text import shortened
from isocost.reporting.marks import Mark

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ROW = 0.27  # inches
_NAME = 30  # most characters of a name
_MOST = 60  # dots of a figure; the table has all


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """One estimate of a dot chart, with `text` at its right. A dot without an estimate is a heading."""

    label: str
    text: str = ""
    estimate: Estimate | None = None
    mark: Mark | None = None


def height(dots: Sequence[Dot]) -> float:
    """Return the height that a figure of these dots needs, in inches."""
    return 0.75 + _ROW * min(len(dots), _MOST)


def draw(
    axes: Axes, dots: Sequence[Dot], tick: Callable[[float], str], *, title: str, log: bool = False, include: Sequence[float] = ()
) -> None:
    """Draw dots onto axes.

    Args:
        axes: The axes.
        dots: From top to bottom.
        tick: Formats a tick.
        title: Title of the axis.
        log: Whether the axis is logarithmic.
        include: Values that the axis covers besides; a line is drawn through each.
    """
    colours, dots = light(), list(dots)[:_MOST]
    held = [dot for dot in dots if dot.estimate is not None and dot.estimate.value is not None and dot.mark]
    ends = [end for dot in held if dot.estimate for end in (dot.estimate.value, dot.estimate.low, dot.estimate.high) if end is not None]
    axes.set_facecolor(colours["paper"])
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(colours["rule"])
    if log:
        ticks.logarithmic(axes, [*include, *ends], tick)
    else:
        ticks.linear(axes.xaxis, min([*include, *ends], default=0.0), max([*include, *ends], default=1.0), tick)
    for value in include:
        axes.axvline(value, color=colours["muted"], linewidth=0.9, zorder=1)
    axes.set_ylim(len(dots) - 0.4, -0.6)
    axes.set_yticks(range(len(dots)), [shortened(dot.label, _NAME if dot.estimate else 44) for dot in dots])
    axes.tick_params(colors=colours["muted"], length=3)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color=colours["grid"], linewidth=0.8)
    axes.set_axisbelow(True)
    axes.set_xlabel(title, color=colours["muted"], loc="left")
    for y, (dot, name) in enumerate(zip(dots, axes.get_yticklabels(), strict=True)):
        name.set_parse_math(False)
        name.set_color(colours["text"])
        if dot.estimate is None:
            name.set_fontweight("bold")
        _dot(axes, dot, y)
    ticks.thin(axes)


def _dot(axes: Axes, dot: Dot, y: int) -> None:
    if dot.estimate is None or dot.estimate.value is None or dot.mark is None:
        return
    colour = light()[dot.mark.tone]
    if dot.estimate.low is not None and dot.estimate.high is not None:
        axes.hlines(y, dot.estimate.low, dot.estimate.high, color=colour, linewidth=1.6)
    draw_mark(axes, dot.mark, [(dot.estimate.value, y)])
    axes.text(1.02, y, dot.text, transform=axes.get_yaxis_transform(), va="center", color=light()["muted"], fontsize=9, parse_math=False)
