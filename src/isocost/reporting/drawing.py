"""Charts in SVG. The page's style sheet colours them, so that they follow light, dark and print."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from isocost.amounts import MINUS
from isocost.records import Estimate
from isocost.reporting import shapes
from isocost.reporting.axes import Axis
from isocost.reporting.marks import Mark
from isocost.reporting.shapes import WIDTH

_EDGE = 12
_STRIP = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """One estimate of a dot chart, with `text` above it at the right end. A dot without an estimate is a heading."""

    label: str
    text: str = ""
    estimate: Estimate | None = None
    mark: Mark | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaled:
    """An axis with a function that formats its ticks and an optional title."""

    axis: Axis
    tick: Callable[[float], str]
    title: str = ""


def dot_chart(dots: Sequence[Dot], scaled: Scaled, name: str, description: str) -> str:
    """Draw dots with intervals on one axis, one below the other, each with its label and numbers above it."""
    axis, parts, y = scaled.axis, [], 0.0
    for dot in dots:
        y += 25
        parts.append(shapes.text(_EDGE, y, dot.label, "name" if dot.estimate else "head"))
        if dot.estimate is None:
            continue
        parts.append(shapes.text(WIDTH - _EDGE, y, dot.text, "value", anchor="end"))
        y += 11
        parts.append(shapes.line(_EDGE, y, WIDTH - _EDGE, y, "rule"))
        if dot.mark:
            parts.append(_spread(dot.estimate, dot.mark, axis, y, _EDGE, WIDTH - _EDGE))
    bottom = y + 12
    grid = [shapes.line(x := shapes.across(axis, value, _EDGE + 4, WIDTH - _EDGE - 4), 8, x, bottom, "grid") for value in axis.ticks]
    labels = [shapes.tick(axis, value, bottom + 14, _EDGE + 4, WIDTH - _EDGE - 4, scaled.tick(value)) for value in axis.ticks]
    return shapes.svg(bottom + 22, name, description, [*grid, *parts, *labels])


def strip(estimate: Estimate, mark: Mark, axis: Axis) -> str:
    """Draw an estimate as a dot and a bar for a row of a table, which gives the numbers as text."""
    zero = shapes.line(x := shapes.across(axis, 0, 8, _STRIP - 8), 0, x, 20, "rule") if axis.low <= 0 <= axis.high else ""
    inner = zero + _spread(estimate, mark, axis, 10, 0, _STRIP, margin=8)
    return f'<svg class="strip" width="{_STRIP}" height="20" viewBox="0 0 {_STRIP} 20" aria-hidden="true">{inner}</svg>'


def ruler(axis: Axis, tick: Callable[[float], str]) -> str:
    """Draw the axis above a column of strips."""
    # A strip has room for three labels; the middle one is dropped where it would touch an end.
    middle = [0.0] if axis.low < 0 < axis.high else [(axis.low + axis.high) / 2]
    crowded = any(min(axis.place(value), 1 - axis.place(value)) < 0.2 for value in middle)
    labels = "".join(
        shapes.tick(axis, value, 13, 8, _STRIP - 8, tick(value)) for value in (axis.low, *([] if crowded else middle), axis.high)
    )
    return f'<svg class="strip" width="{_STRIP}" height="16" viewBox="0 0 {_STRIP} 16" aria-hidden="true">{labels}</svg>'


def in_percent(share: float) -> str:
    """Format a share as a tick in percent, without trailing zeros: 2.5, −10."""
    return f"{round(share * 100, 6):g}".replace("-", MINUS)


def _spread(estimate: Estimate, mark: Mark, axis: Axis, y: float, left: float, right: float, margin: float = 4) -> str:
    if estimate.value is None:
        return ""
    left, right = left + margin, right - margin
    bar = ""
    if estimate.low is not None and estimate.high is not None:
        bar = shapes.line(
            shapes.across(axis, estimate.low, left, right), y, shapes.across(axis, estimate.high, left, right), y, f"bar {mark.tone}"
        )
    return bar + shapes.symbol(mark, shapes.across(axis, estimate.value, left, right), y)
