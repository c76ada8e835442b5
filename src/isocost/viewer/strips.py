"""Strips of marks, one per sample of a problem and model.

Up is correct, down is wrong, a dash is cut off, a hollow square has failed.
"""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup

from isocost.viewer.rundata import KINDS

_ROOM, _LEAST = 40, 6  # marks of all models together, and of each at least; with more samples, a mark stands for several
_PITCH, _HEIGHT = 8, 20
_SHAPES = {"correct": "M{x} 1v9", "wrong": "M{x} 11v8", "cut off": "M{left} 10.5h6", "failed": "M{left}.5 7.5h5v5h-5z"}


def most(n_models: int) -> int:
    """Return the number of marks that fit into one model's strip."""
    return max(_LEAST, _ROOM // max(2, n_models))


def width(n_models: int) -> int:
    """Return the width of the column of a strip, in pixels."""
    return (most(n_models) + len(KINDS)) * _PITCH  # each kind may be rounded up by one mark, and the next column needs a gap


def scale(n: int, n_models: int) -> int:
    """Return the number of samples per mark, so that n samples of a model fit into its strip."""
    return max(1, -(-n // most(n_models)))


def strip(counts: Mapping[str, int], per_mark: int = 1) -> Markup:
    """Draw the counts of `KINDS` as marks in SVG, in that order. The title gives the counts in words."""
    counted = ", ".join(f"{counts[kind]} {kind}" for kind in KINDS if counts[kind]) or "none"
    paths, at = [], 0
    for kind in KINDS:
        marks = -(-counts[kind] // per_mark)
        places = range(at, at + marks)
        if marks:
            line = "".join(_SHAPES[kind].format(x=i * _PITCH + 3, left=i * _PITCH) for i in places)
            paths.append(f'<path class="{kind.replace(" ", "-")}" d="{line}"/>')
        at += marks
    drawn = "".join(paths)
    return Markup(f'<svg class="marks" role="img" width="{max(1, at) * _PITCH}" height="{_HEIGHT}"><title>{counted}</title>{drawn}</svg>')


def legend() -> dict[str, Markup]:
    """Draw one mark per kind for the legend, which has the kind's name beside it."""
    kinds = {kind: _SHAPES[kind].format(x=3, left=0) for kind in KINDS}
    size = f'width="7" height="{_HEIGHT}"'
    drawn = {
        kind: f'<svg class="marks" aria-hidden="true" {size}><path class="{kind.replace(" ", "-")}" d="{path}"/></svg>'
        for kind, path in kinds.items()
    }
    return {kind.replace(" ", "_"): Markup(svg) for kind, svg in drawn.items()}
