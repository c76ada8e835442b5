"""Curves with bands on logarithmic axes: budgets as vertical lines, a crossover with its interval, and names outside of the drawing."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from textwrap import fill
from typing import TYPE_CHECKING, Any

from isocost.records import Estimate
from isocost.reporting.charts import ticks
from isocost.reporting.charts.marks import draw_mark, handle
from isocost.reporting.charts.palette import light
from isocost.reporting.charts.text import shortened
from isocost.reporting.marks import Mark

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D
    from matplotlib.text import Text

_NAME, _GUIDE, _TEXT = 36, 14, 44  # most characters of a line's name, of a budget's, and of a line of the crossover's text
_ROWS = 3  # of names of budgets; those without room are drawn without one
_ROW = 12.0  # points
_PIECES = 150  # of a curve from end to end of the axis
_THICK, _THIN = 2.0, 1.3  # points of a curve, and of what leads to it and of a budget: a page scales a point to 1.15 pixels

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A curve: positions on the x axis with estimates, and the indices of the points that get a mark.

    Left of its first point, a thin line leads towards 0 at no cost, as far left as the other lines start.
    """

    label: str
    mark: Mark
    points: tuple[tuple[float, Estimate], ...]
    marked: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A single point with its interval, such as a cell that no curve passes through."""

    label: str
    mark: Mark
    at: float
    estimate: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """The point where two lines cross, and its interval. An end that is None lies beyond the `reach`."""

    at: float
    height: float
    low: float | None
    high: float | None
    reach: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """The content of a panel.

    Attributes:
        title: Its title.
        x: Title of the x axis.
        y: Title of the y axis.
        lines: The curves.
        spots: Single points beside the curves.
        span: The values that the x axis covers.
        height: The values that the y axis covers: the same for panels that are compared.
        x_tick: Formats a tick of the x axis.
        y_tick: Formats a tick of the y axis.
        whole: Whether ticks of the x axis are whole numbers.
        guides: Positions and names of vertical lines.
        crossing: The crossover, if it lies within the panel.
    """

    title: str
    x: str
    y: str
    lines: Sequence[Line]
    span: tuple[float, float]
    height: tuple[float, float]
    x_tick: Callable[[float], str] = ticks.plain
    y_tick: Callable[[float], str] = ticks.plain
    whole: bool = False
    guides: Sequence[tuple[float, str]] = ()
    crossing: Crossing | None = None
    spots: Sequence[Spot] = ()


def draw(axes: Axes, panel: Panel) -> None:
    """Draw a panel onto axes. All names lie outside of the lines: in a legend, and above the axes."""
    colours = light()
    axes.set_facecolor(colours["paper"])
    axes.set_xlabel(panel.x, color=colours["muted"])
    axes.set_ylabel(panel.y, color=colours["muted"])
    axes.tick_params(colors=colours["muted"], length=3)
    axes.grid(axis="y", color=colours["grid"], linewidth=0.8)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(colours["rule"])
    ticks.logarithmic(axes, panel.span, panel.x_tick, whole=panel.whole)
    ticks.linear(axes.yaxis, *panel.height, panel.y_tick)
    names = [_guide(axes, at, name) for at, name in panel.guides]
    start = min((line.points[0][0] for line in panel.lines if line.points), default=1.0)
    handles = [_line(axes, line, start) for line in panel.lines]
    handles += [_spot(axes, spot) for spot in panel.spots]
    if panel.crossing is not None:
        handles.append(_crossing(axes, panel.crossing))
    high = _arrange(axes, names)
    _legend(axes, handles, high, panel.title)
    ticks.thin(axes)


def _guide(axes: Axes, at: float, name: str) -> Text:
    colours = light()
    axes.axvline(at, color=colours["muted"], linewidth=_THIN, zorder=1)
    found = axes.text(
        at, 1.0, shortened(name, _GUIDE), transform=axes.get_xaxis_transform(), ha="center", va="bottom", color=colours["muted"], fontsize=9
    )
    found.set_parse_math(False)
    return found


def _line(axes: Axes, line: Line, start: float) -> Line2D:
    colour = light()[line.mark.tone]
    dashes: Any = {"linestyle": (0, line.mark.dash)} if line.mark.dash else {}
    held = [(x, e.low, e.high) for x, e in line.points if e.low is not None and e.high is not None]
    if len(held) == 1:
        axes.vlines(held[0][0], held[0][1], held[0][2], color=colour, linewidth=_THICK)
    elif held:
        lower, upper = (_dense(axes, [(each[0], each[side]) for each in held]) for side in (1, 2))
        axes.fill(*zip(*upper, *lower[::-1], strict=True), color=colour, alpha=0.13, linewidth=0)
    known = [(x, e.value) for x, e in line.points if e.value is not None]
    if known and start < known[0][0]:
        first, value = known[0]
        towards = [(start + (first - start) * i / 12, value * (start + (first - start) * i / 12) / first) for i in range(13)]
        axes.plot(*zip(*towards, strict=True), color=colour, linewidth=_THIN, alpha=0.6, **dashes)
    if len(known) > 1:
        axes.plot(*zip(*_dense(axes, known), strict=True), color=colour, linewidth=_THICK, **dashes)
    draw_mark(axes, line.mark, [known[i] for i in sorted(line.marked) if i < len(known)])
    return handle(line.mark, shortened(line.label, _NAME), line=True)


def _spot(axes: Axes, spot: Spot) -> Line2D:
    """Draw a point with its interval, and return its entry of the legend."""
    if spot.estimate.low is not None and spot.estimate.high is not None:
        axes.vlines(spot.at, spot.estimate.low, spot.estimate.high, color=light()[spot.mark.tone], linewidth=_THICK)
    if spot.estimate.value is not None:
        draw_mark(axes, spot.mark, [(spot.at, spot.estimate.value)])
    return handle(spot.mark, shortened(spot.label, _NAME), line=False)


def _dense(axes: Axes, points: Points) -> list[tuple[float, float]]:
    """Return points of a polyline. Lines that are straight on linear axes are curved on logarithmic ones."""
    low, high = axes.get_xlim()
    step = math.log(high / low) / _PIECES
    path = [points[0]]
    for (x0, y0), (x1, y1) in pairwise(points):
        # Points this close cannot be told apart, and a curve may have thousands.
        if math.log(x1 / path[-1][0]) < step and x1 != points[-1][0]:
            continue
        pieces = max(1, int(math.log(x1 / x0) / (2 * step)))
        places = [x0 * (x1 / x0) ** (i / pieces) for i in range(1, pieces)]
        path += [(x, y0 + (y1 - y0) * (x - x0) / (x1 - x0)) for x in places]
        path.append((x1, y1))
    return path


def _crossing(axes: Axes, found: Crossing) -> Line2D:
    """Draw a ring where the lines cross, and its interval along the lower edge. The text goes into the legend."""
    from matplotlib.lines import Line2D

    colour = light()["text"]
    low_end, high_end = axes.get_xlim()
    axes.plot([found.at], [found.height], marker="o", markersize=9, markerfacecolor="none", markeredgecolor=colour, linestyle="none")
    # An unknown end lies beyond the reach: the bar stops there with an arrow. So does one that starts left of the axis.
    low = max(found.low, low_end) if found.low is not None else min(found.reach, high_end)
    high = min(found.high, high_end) if found.high is not None else min(found.reach, high_end)
    shapes = [(low, "|" if found.low is not None and found.low >= low_end else "<")]
    shapes.append((high, "|" if found.high is not None and found.high <= high_end else ">"))
    across = axes.get_xaxis_transform()
    axes.plot([low, high], [0.03, 0.03], transform=across, color=colour, linewidth=_THIN)
    for at, shape in (*shapes, (found.at, "|")):
        axes.plot([at], [0.03], transform=across, marker=shape, markersize=6, color=colour, linestyle="none", clip_on=False)
    return Line2D(
        [], [], marker="o", markersize=8, markerfacecolor="none", markeredgecolor=colour, linestyle="none", label=fill(found.text, _TEXT)
    )


def _arrange(axes: Axes, names: Sequence[Text]) -> float:
    """Put the names of budgets into rows above the axes, so that none covers another; return the height of the rows in points."""
    if not names:
        return 0.0
    from matplotlib.transforms import ScaledTranslation

    ticks.lay_out(axes)
    spans = [(box.x0, box.x1) for box in (name.get_window_extent() for name in names)]
    placed = ticks.rows(spans)
    for name, row in zip(names, placed, strict=True):
        if row >= _ROWS:
            name.remove()
            continue
        up = ScaledTranslation(0, (2 + _ROW * row) / 72, axes.figure.dpi_scale_trans)
        name.set_transform(axes.get_xaxis_transform() + up)
    return 4 + _ROW * (1 + min(max(placed), _ROWS - 1))


def _legend(axes: Axes, handles: Sequence[Line2D], high: float, title: str) -> None:
    """Put the legend above the axes and above `high` points of names, in as many columns as have room."""
    from matplotlib.transforms import ScaledTranslation

    colours = light()
    above = axes.transAxes + ScaledTranslation(0, (high + 2) / 72, axes.figure.dpi_scale_trans)
    for columns in range(len(handles), 0, -1):
        legend = axes.legend(
            handles=list(handles), loc="lower left", bbox_to_anchor=(0, 1), bbox_transform=above, ncols=columns, frameon=False,
            borderpad=0.1, handlelength=2.6, columnspacing=1.4, labelcolor=colours["text"], fontsize=9,
            title=title or None, alignment="left", title_fontproperties={"weight": "bold", "size": 10},
        )  # fmt: skip
        legend.get_title().set_color(colours["text"])
        for text in (*legend.get_texts(), legend.get_title()):
            text.set_parse_math(False)
        if legend.get_window_extent().width <= 0.88 * axes.figure.bbox.width:
            break
