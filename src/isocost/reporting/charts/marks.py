"""Marks of data sets as matplotlib draws them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from isocost.reporting.charts.palette import light
from isocost.reporting.marks import Mark

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

_SHAPES = {"circle": "o", "ring": "o", "square": "s", "triangle": "^", "diamond": "D"}


def style(mark: Mark) -> dict[str, Any]:
    """Return the keywords of a line's markers: a hollow shape for a ring."""
    colour = light()[mark.tone]
    face = light()["paper"] if mark.shape == "ring" else colour
    return {"marker": _SHAPES[mark.shape], "markersize": 5.5, "markerfacecolor": face, "markeredgecolor": colour, "markeredgewidth": 1.2}


def draw_mark(axes: Axes, mark: Mark, points: Sequence[tuple[float, float]]) -> None:
    """Draw a mark at each point."""
    if points:
        axes.plot(*zip(*points, strict=True), linestyle="none", zorder=3, **style(mark))


def handle(mark: Mark, label: str, *, line: bool) -> Line2D:
    """Return a legend's entry for a mark, with its line if it has one."""
    from matplotlib.lines import Line2D

    dashes: Any = (0, mark.dash) if mark.dash else "solid"
    return Line2D([], [], color=light()[mark.tone], linewidth=2.0, linestyle=dashes if line else "none", label=label, **style(mark))
