"""A panel of curves in SVG: lines with bands and names, budgets as vertical hairlines, and a crossover with its interval."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from isocost.records import Estimate
from isocost.reporting import shapes
from isocost.reporting.drawing import Scaled
from isocost.reporting.endlabels import Label, placed
from isocost.reporting.marks import Mark
from isocost.reporting.shapes import WIDTH

_LEFT, _HEIGHT, _HEAD, _STEP = 44.0, 236.0, 46.0, 4.0
LONGEST_NAME = 15  # most characters of a name at the end of a line
_BELOW = 30.0  # room under the curves for the crossover's interval
_TALL = 14.0  # height of a row of hairline names


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
    """The content of a panel; `guides` are positions and names of vertical hairlines.

    Its y axis starts as high as that of the panel `beside` it, so that the two line up.
    """

    title: str
    x: Scaled
    y: Scaled
    lines: Sequence[Line]
    guides: Sequence[tuple[float, str]] = ()
    crossing: Crossing | None = None
    beside: Panel | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """The position of the panel's axes in the drawing."""

    panel: Panel
    right: float
    top: float
    floor: float
    bottom: float

    def x(self, value: float) -> float:
        return shapes.across(self.panel.x.axis, value, _LEFT, self.right)

    def y(self, value: float) -> float:
        return shapes.across(self.panel.y.axis, value, self.floor, self.top)


def draw(panel: Panel, name: str, description: str) -> str:
    """Draw a panel as SVG without its style sheet. At least one line needs a point."""
    names = [shapes.shortened(line.label, LONGEST_NAME) for line in panel.lines]
    rows = _guide_rows(panel)
    highest = max([*rows, *(_guide_rows(panel.beside) if panel.beside else [])], default=-1)
    top = _HEAD + (_TALL * (1 + highest) + 4 if highest >= 0 else 0)
    crossed = panel.crossing or (panel.beside and panel.beside.crossing)
    bottom = top + _HEIGHT
    frame = _Frame(
        panel=panel,
        right=WIDTH - 22.0 - 7.0 * max(len(each) for each in names),
        top=top,
        floor=bottom - (_BELOW if crossed else 0),
        bottom=bottom,
    )
    parts = [
        shapes.text(2, 15, panel.title, "head"),
        shapes.text(2, 33, panel.y.title, "tick"),
        *_axes(frame),
        *_guides(frame, rows),
        *(part for line in panel.lines for part in _band(frame, line)),
        *(part for line in panel.lines for part in _line(frame, line)),
        *_crossing(frame),
        *_names(frame, names),
    ]
    return shapes.svg(bottom + 42, name, description, parts)


def _axes(frame: _Frame) -> Iterator[str]:
    x_axis, y_axis = frame.panel.x, frame.panel.y
    for value in y_axis.axis.ticks:
        y = frame.y(value)
        yield shapes.line(_LEFT, y, frame.right, y, "grid")
        yield shapes.text(_LEFT - 6, y + 4, y_axis.tick(value), "tick", anchor="end")
    yield shapes.line(_LEFT, frame.bottom, frame.right, frame.bottom, "rule")
    for value in x_axis.axis.ticks:
        yield shapes.line(frame.x(value), frame.bottom, frame.x(value), frame.bottom + 4, "rule")
        yield shapes.tick(x_axis.axis, value, frame.bottom + 18, _LEFT, frame.right, x_axis.tick(value))
    yield shapes.text(_LEFT, frame.bottom + 36, x_axis.title, "tick")


def _guide_rows(panel: Panel) -> list[int]:
    """Return the row of each hairline's name, chosen so that names do not overlap."""
    rows: list[int] = []
    ends: list[float] = []
    for at, name in panel.guides:
        middle, half = panel.x.axis.place(at) * 300, 3.3 * len(shapes.shortened(name, 14)) + 4
        row = next((i for i, end in enumerate(ends) if middle - half > end), len(ends))
        ends[row : row + 1] = [middle + half]
        rows.append(row)
    return rows


def _guides(frame: _Frame, rows: Sequence[int]) -> Iterator[str]:
    places = [(frame.x(at), _HEAD + 4 + _TALL * row, name) for (at, name), row in zip(frame.panel.guides, rows, strict=True)]
    yield from (shapes.line(x, y + 4, x, frame.bottom, "guide") for x, y, _ in places)
    yield from (shapes.text(x, y, shapes.shortened(name, 14), "tick haloed", anchor="middle") for x, y, name in places)


def _band(frame: _Frame, line: Line) -> Iterator[str]:
    """Draw the band of the intervals. A line with one interval gets a bar instead."""
    held = [(x, e.low, e.high) for x, e in line.points if e.low is not None and e.high is not None]
    if len(held) == 1:
        x, low, high = held[0]
        yield shapes.line(frame.x(x), frame.y(low), frame.x(x), frame.y(high), f"bar {line.mark.tone}")
    if len(held) < 2:
        return
    lower, upper = (_path(frame, [(item[0], item[side]) for item in held]) for side in (1, 2))
    tone = line.mark.tone
    yield f'<path class="area {tone}" d="M{_joined(upper)}L{_joined(lower[::-1])}z"/>'
    yield from (f'<path class="side {tone}" d="M{_joined(side)}"/>' for side in (lower, upper))


def _line(frame: _Frame, line: Line) -> Iterator[str]:
    known = [(x, e.value) for x, e in line.points if e.value is not None]
    tone, dash = line.mark.tone, f' stroke-dasharray="{line.mark.dash}"' if line.mark.dash else ""
    start = min(points[0][0] for points in (each.points for each in frame.panel.lines) if points)
    if known and start < known[0][0]:
        first, value = known[0]
        part = [(start + (first - start) * i / 12, value * (start + (first - start) * i / 12) / first) for i in range(13)]
        shown = [(x, y) for x, y in part if y >= frame.panel.y.axis.low]
        if shown:
            yield f'<path class="curve part {tone}"{dash} d="M{_joined([(frame.x(x), frame.y(y)) for x, y in shown])}"/>'
    if len(known) > 1:
        yield f'<path class="curve full {tone}"{dash} d="M{_joined(_path(frame, known))}"/>'
    yield from (shapes.symbol(line.mark, frame.x(x), frame.y(y)) for i, (x, y) in enumerate(known) if i in line.marked)


def _path(frame: _Frame, points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return points of a polyline, a few pixels apart. Lines that are straight on linear axes are curved on logarithmic ones."""
    path = [(frame.x(points[0][0]), frame.y(points[0][1]))]
    for (x0, y0), (x1, y1) in pairwise(points):
        left, right = frame.x(x0), frame.x(x1)
        # Points closer than a few pixels cannot be seen, and a curve may have thousands.
        if right - path[-1][0] < _STEP and x1 != points[-1][0]:
            continue
        pieces = max(1, int((right - left) / (2 * _STEP)))
        for i in range(1, pieces + 1):
            x, y = (a + (b - a) * i / pieces for a, b in ((x0, x1), (y0, y1)))
            path.append((frame.x(x), frame.y(y)))
    return path


def _crossing(frame: _Frame) -> Iterator[str]:
    found = frame.panel.crossing
    if found is None:
        return
    x, bar, axis = frame.x(found.at), frame.bottom - 7, frame.panel.x.axis
    yield shapes.line(x, frame.y(found.height) + 6, x, bar - 5, "drop")
    yield f'<circle class="cross" cx="{x:.1f}" cy="{frame.y(found.height):.1f}" r="6"/>'
    # An unknown end lies beyond the reach: the bar stops there with an arrow. So does one that starts left of the axis.
    low = frame.x(max(found.low, axis.low)) if found.low is not None else frame.x(found.reach)
    high = frame.x(min(found.high, axis.high)) if found.high is not None else frame.x(found.reach)
    yield shapes.line(low, bar, high, bar, "cross")
    ends = [(low, found.low is not None and found.low >= axis.low, -1), (high, found.high is not None, 1)]
    for end, closed, way in ends:
        shape = "m0-3.5v7" if closed else f"m{-5 * way}-3.5l{5 * way} 3.5l{-5 * way} 3.5"
        yield f'<path class="cross" d="M{end:.1f} {bar:.1f}{shape}"/>'
    yield f'<path class="cross" d="M{x:.1f} {bar - 4:.1f}v8"/>'
    half = 3.1 * len(found.text)
    # The text is centred under the crossover, but stays inside the panel.
    middle = min(max(x, _LEFT + half), frame.right - half)
    yield shapes.text(middle, bar - 9, found.text, "tick haloed", anchor="middle")


def _names(frame: _Frame, names: Sequence[str]) -> Iterator[str]:
    """Draw each line's name at its end, moved where it would cover another line or name."""
    lines = [[(frame.x(x), frame.y(e.value)) for x, e in line.points if e.value is not None] for line in frame.panel.lines]
    labels = [
        Label(text=name, x=points[-1][0] + 8, y=points[-1][1] + 4, tone=line.mark.tone)
        for line, name, points in zip(frame.panel.lines, names, lines, strict=True)
        if points
    ]
    for label in placed(labels, lines):
        yield shapes.text(label.x, label.y, label.text, f"end haloed {label.tone}")


def _joined(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
