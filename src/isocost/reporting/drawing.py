"""SVG by hand: small, crisp, and coloured by the page's style sheet, so that it follows light, dark and print."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from isocost.records import Estimate
from isocost.reporting import shapes
from isocost.reporting.axes import Axis
from isocost.reporting.marks import Mark
from isocost.reporting.numbers import MINUS
from isocost.reporting.shapes import WIDTH

_EDGE = 12
_STRIP = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """One estimate of a dot chart; `text` stands above it at the right end. A dot without an estimate is a heading."""

    label: str
    text: str = ""
    estimate: Estimate | None = None
    mark: Mark | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One curve: where its points stand on the x axis, and what they are."""

    label: str
    mark: Mark
    points: tuple[tuple[float, Estimate], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaled:
    """An axis with how its ticks are written and, if it needs one, a title."""

    axis: Axis
    tick: Callable[[float], str]
    title: str = ""


def dot_chart(dots: Sequence[Dot], scaled: Scaled, name: str, description: str) -> str:
    """Dots with intervals under each other on one axis, each with its label and its numbers above it."""
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


def curve_chart(curves: Sequence[Curve], x_axis: Scaled, y_axis: Scaled, name: str, description: str) -> str:
    """Curves with an interval at each point; names stand in a legend above, with the mark they have in the plot."""
    left, right, top, bottom = 46.0, WIDTH - 16.0, 22.0 + 18 * ((len(curves) + 1) // 2), 300.0
    parts = []
    for i, curve in enumerate(curves):
        x, y = 20.0 + (i % 2) * 200, 18.0 + 18 * (i // 2)
        parts += [shapes.symbol(curve.mark, x, y - 4), shapes.text(x + 10, y, curve.label, "name")]
    for value in y_axis.axis.ticks:
        y = bottom - y_axis.axis.place(value) * (bottom - top)
        parts += [shapes.line(left, y, right, y, "grid"), shapes.text(left - 6, y + 4, y_axis.tick(value), "tick", anchor="end")]
    for value in x_axis.axis.ticks:
        x = shapes.across(x_axis.axis, value, left, right)
        parts += [
            shapes.line(x, bottom, x, bottom + 4, "rule"),
            shapes.tick(x_axis.axis, value, bottom + 18, left, right, x_axis.tick(value)),
        ]
    parts += [_drawn(curve, x_axis.axis, y_axis.axis, (left, right), (top, bottom)) for curve in curves]
    parts.append(shapes.text((left + right) / 2, bottom + 36, x_axis.title, "tick", anchor="middle"))
    return shapes.svg(bottom + 44, name, description, parts)


def strip(estimate: Estimate, mark: Mark, axis: Axis) -> str:
    """An estimate as a dot and a bar, to stand in a row of a table; its numbers stand beside it as text."""
    zero = shapes.line(x := shapes.across(axis, 0, 8, _STRIP - 8), 0, x, 20, "rule") if axis.low <= 0 <= axis.high else ""
    inner = zero + _spread(estimate, mark, axis, 10, 0, _STRIP, margin=8)
    return f'<svg class="strip" width="{_STRIP}" height="20" viewBox="0 0 {_STRIP} 20" aria-hidden="true">{inner}</svg>'


def ruler(axis: Axis, tick: Callable[[float], str]) -> str:
    """The axis above a column of strips."""
    middle = [0.0] if axis.low < 0 < axis.high else [(axis.low + axis.high) / 2]
    crowded = any(min(axis.place(value), 1 - axis.place(value)) < 0.2 for value in middle)
    labels = "".join(
        shapes.tick(axis, value, 13, 8, _STRIP - 8, tick(value)) for value in (axis.low, *([] if crowded else middle), axis.high)
    )
    return f'<svg class="strip" width="{_STRIP}" height="16" viewBox="0 0 {_STRIP} 16" aria-hidden="true">{labels}</svg>'


def in_percent(share: float) -> str:
    """A tick of an axis of shares, as short as it goes: 2.5, −10."""
    return f"{round(share * 100, 6):g}".replace("-", MINUS)


def _drawn(curve: Curve, x_axis: Axis, y_axis: Axis, across: tuple[float, float], down: tuple[float, float]) -> str:
    parts, path = [], []
    for value, estimate in curve.points:
        if estimate.value is None:
            continue
        x = shapes.across(x_axis, value, *across)
        y, *ends = (
            down[1] - y_axis.place(end) * (down[1] - down[0]) for end in (estimate.value, estimate.low, estimate.high) if end is not None
        )
        path.append(f"{x:.1f},{y:.1f}")
        if len(ends) == 2:
            parts.append(shapes.line(x, ends[0], x, ends[1], f"bar {curve.mark.tone}"))
        parts.append(shapes.symbol(curve.mark, x, y))
    return f'<polyline class="curve {curve.mark.tone}" points="{" ".join(path)}"/>' + "".join(parts)


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
