"""Histograms of pass rates: how many problems each model solves seldom, often, never and always."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from isocost.passrates.binning import BINS
from isocost.reporting.charts import ticks
from isocost.reporting.charts.palette import light
from isocost.reporting.charts.text import shortened
from isocost.reporting.marks import Mark

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def _fill(mark: Mark) -> dict[str, Any]:
    """Return the keywords of a model's bars and of its swatch in the legend: hatched for a dashed line."""
    colour = light()[mark.tone]
    return {
        "facecolor": light()["paper"] if mark.dash else colour,
        "edgecolor": colour,
        "linewidth": 0.8,
        "hatch": "////" if mark.dash else None,
    }


def draw(axes: Axes, counts: Mapping[str, Sequence[int]], marks: Mapping[str, Mark], title: str) -> None:
    """Draw the share of problems by pass rate, a group of bars per bin and a bar per model; `counts` are int[BINS] by model."""
    from matplotlib.patches import Patch

    colours = light()
    wide = 0.8 / max(len(counts), 1)
    shares = {model: [count / max(sum(found), 1) for count in found] for model, found in counts.items()}
    for i, (model, found) in enumerate(shares.items()):
        shift = (i - (len(counts) - 1) / 2) * wide
        axes.bar([x + shift for x in range(BINS)], found, wide * 0.9, **_fill(marks[model]))
    axes.set_facecolor(colours["paper"])
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(colours["rule"])
    ticks.linear(axes.yaxis, 0.0, max((max(found) for found in shares.values()), default=1.0), ticks.in_percent, most=5)
    axes.set_xticks(range(BINS), ["never", *(f"{10 * i}–\n{10 * i + 10}" for i in range(10)), "always"], fontsize=8)
    axes.tick_params(colors=colours["muted"], length=3)
    axes.grid(axis="y", color=colours["grid"], linewidth=0.8)
    axes.set_axisbelow(True)
    axes.set_xlabel("correct draws of a problem (%)", color=colours["muted"])
    axes.set_ylabel("problems (%)", color=colours["muted"])
    handles = [Patch(label=shortened(model, 30), **_fill(marks[model])) for model in counts]
    legend = axes.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(0, 1), ncols=min(3, max(len(handles), 1)), frameon=False, fontsize=9,
        labelcolor=colours["text"], title=title or None, alignment="left", title_fontproperties={"weight": "bold", "size": 10},
    )  # fmt: skip
    legend.get_title().set_color(colours["text"])
    for text in legend.get_texts():
        text.set_parse_math(False)
    ticks.thin(axes)
