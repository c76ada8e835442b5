"""How far models' draws go, on which problems, and what a draw costs there."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np

from isocost.measuring.models import LEVELS, Model
from isocost.metrics.coverage import Bools, Floats, Ints

_REACHED_BY = 0.95


def draw_cost(model: Model, at: Ints | Bools) -> Floats:
    """What a graded draw of each of these problems costs, ungraded ones laid on it, float[at]; of no length where that is not known."""
    return np.zeros(0) if model.cost is None else model.cost[at] / model.drawn[at]


def reach_of(drawn: Ints) -> tuple[Bools, int]:
    """Which problems have as many draws as 95% of those with any have, and that many."""
    some = np.sort(drawn[drawn > 0])
    if some.size == 0:
        return np.zeros(drawn.shape, dtype=np.bool_), 0
    most = int(some[int((1 - _REACHED_BY) * some.size)])
    return drawn >= most, most


def common_places(models: Sequence[Model]) -> list[Ints]:
    """Where in each model the problems stand that all of them have rows for."""
    common = reduce(np.intersect1d, [model.problem for model in models])
    return [np.searchsorted(model.problem, common) for model in models]


def levels_of(model: Model) -> list[str]:
    """The levels of diversity that a model's solutions were told apart by, named as in `LEVELS`."""
    return [kind for kind in LEVELS if kind in model.solutions]


def all_true(masks: Sequence[Bools]) -> Bools:
    """Where all of them are true."""
    every: Bools = np.logical_and.reduce(masks)
    return every
