"""One mark per data set, the same in every figure. Shape and dashes repeat what colour says, for readers who do not see colours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from isocost.records import Results

Shape = Literal["circle", "square", "triangle", "diamond", "ring"]
Tone = Literal["blue", "orange", "text", "muted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A shape, a colour of the palette, and the dashes of its line: lengths of ink and gap in widths of the line, empty for a solid one."""

    shape: Shape
    tone: Tone
    dash: tuple[float, ...] = ()


NEUTRAL = Mark(shape="circle", tone="text")
UNTRAINED = Mark(shape="ring", tone="muted")
DECIDED = Mark(shape="circle", tone="text")  # of a difference; its side of 0 shows the sign, and colours belong to models
UNDECIDED = Mark(shape="ring", tone="text")
_SERIES = (
    Mark(shape="circle", tone="blue"),
    Mark(shape="square", tone="orange", dash=(4, 1.7)),
    Mark(shape="triangle", tone="text", dash=(1.2, 1.4)),
    Mark(shape="diamond", tone="muted", dash=(5, 1.7, 1.2, 1.7)),
    Mark(shape="diamond", tone="blue", dash=(2.3, 1.2)),
    Mark(shape="triangle", tone="orange", dash=(7, 1.7)),
)


def model_marks(results: Results) -> Mapping[str, Mark]:
    """Assign a mark to each model, those of cells first and in their order."""
    sellers = dict.fromkeys(model for cell in results.cells for model in cell.plan.models)
    names = dict.fromkeys([*sellers, *results.pools, *(curve.model for curve in results.curves)])
    return series_marks(names)


def series_marks(names: Iterable[str]) -> Mapping[str, Mark]:
    """Assign a mark to each name, in order."""
    return {name: _SERIES[i % len(_SERIES)] for i, name in enumerate(names)}


def cell_marks(results: Results) -> Mapping[str, Mark]:
    """Assign a mark to each cell: its model's, or for a mixture the next mark after those of models."""
    by_model = model_marks(results)
    mixed = dict.fromkeys(cell.plan.cell.arm for cell in results.cells if len(cell.plan.models) != 1)
    by_arm = {arm: _SERIES[(len(by_model) + i) % len(_SERIES)] for i, arm in enumerate(mixed)}
    return {
        cell.plan.cell.name: by_model[cell.plan.models[0]] if len(cell.plan.models) == 1 else by_arm[cell.plan.cell.arm]
        for cell in results.cells
    }


def curve_marks(results: Results) -> Mapping[str, Mark]:
    """Assign a mark to each model and each mixture with a curve: that of a cell of the same models, else the next free one."""
    cells = cell_marks(results)
    # Where outcomes decide the shares, the cell is no such mixture.
    fixed = [cell.plan for cell in results.cells if len(cell.plan.models) != 1 and not cell.plan.at_most_per_problem]
    of_cells = {frozenset(plan.models): cells[plan.cell.name] for plan in fixed}
    marks = dict(model_marks(results))
    used = len(marks) + len({cell.plan.cell.arm for cell in results.cells if len(cell.plan.models) != 1})
    for curve in results.mixtures:
        mark = of_cells.get(frozenset(curve.mix))
        if curve.model not in marks:
            marks[curve.model] = mark or _SERIES[used % len(_SERIES)]
            used += mark is None
    return marks
