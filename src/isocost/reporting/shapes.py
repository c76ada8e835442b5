"""SVG elements that all figures use. Text is escaped here and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence

from isocost.reporting.axes import Axis
from isocost.reporting.escaping import xml
from isocost.reporting.marks import Mark

WIDTH = 420


def svg(height: float, name: str, description: str, parts: Sequence[str]) -> str:
    """Return a whole figure. The page or the file brings its style sheet."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="figure" viewBox="0 0 {WIDTH} {height:g}" role="img">'
        f"<title>{xml(name)}</title><desc>{xml(description)}</desc>{''.join(parts)}</svg>"
    )


def symbol(mark: Mark, x: float, y: float) -> str:
    """Draw a mark's shape."""
    shapes = {
        "circle": "m-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z",
        "ring": "m-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z",
        "square": "m-3.7-3.7h7.4v7.4h-7.4z",
        "triangle": "m0-4.8l4.6 8.2h-9.2z",
        "diamond": "m0-5l4.6 5l-4.6 5l-4.6-5z",
    }
    kind = "hollow" if mark.shape == "ring" else "mark"
    return f'<path class="{kind} {mark.tone}" d="M{x:.1f} {y:.1f}{shapes[mark.shape]}"/>'


def across(axis: Axis, value: float, left: float, right: float) -> float:
    """Return the position of a value between two ends, in pixels."""
    return left + axis.place(value) * (right - left)


def tick(axis: Axis, value: float, y: float, left: float, right: float, label: str) -> str:
    """Draw a tick's label, kept inside the drawing at both ends."""
    place = axis.place(value)
    anchor = "start" if place < 0.04 else "end" if place > 0.96 else "middle"
    shift = {"start": -4, "end": 4, "middle": 0}[anchor]
    return text(across(axis, value, left, right) + shift, y, label, "tick", anchor=anchor)


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """Draw a straight line."""
    return f'<path class="{kind}" d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}"/>'


def text(x: float, y: float, words: str, kind: str, anchor: str = "start") -> str:
    """Draw one line of text."""
    end = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}"{end}>{xml(shortened(words))}</text>'


def shortened(words: str, longest: int = 44) -> str:
    """Cut text off where it is longer than `longest` characters."""
    return words if len(words) <= longest else words[: longest - 1] + "…"
