"""The problems and draws that curves of models use, and the cost of a draw on them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np

from isocost.measuring.models import LEVELS, Model
from isocost.metrics.coverage import Bools, Floats, Ints

_REACHED_BY = 0.95  # with 1, a single problem with few draws would cut every curve short


def draw_cost(model: Model, at: Ints | Bools) -> Floats:
    """Return the cost per graded draw of these problems, with that of ungraded draws added, float[at]; empty if costs are unknown."""
    return np.zeros(0) if model.cost is None else model.cost[at] / model.drawn[at]


def reach_of(drawn: Ints) -> tuple[Bools, int]:
    """Return the problems that have at least as many draws as 95% of the problems with any, and that number of draws."""
    some = np.sort(drawn[drawn > 0])
    if some.size == 0:
        return np.zeros(drawn.shape, dtype=np.bool_), 0
    most = int(some[int((1 - _REACHED_BY) * some.size)])
    return drawn >= most, most


def common_places(models: Sequence[Model]) -> list[Ints]:
    """Return, for each model, the places of the problems that all models have rows for."""
    # Sorted and unique, as each model's own problems are.
    common = reduce(np.intersect1d, [model.problem for model in models])
    return [np.searchsorted(model.problem, common) for model in models]


def levels_of(model: Model) -> list[str]:
    """Return the levels of diversity that a model's solutions were counted by, named as in `LEVELS`."""
    return [kind for kind in LEVELS if kind in model.solutions]


def all_true(masks: Sequence[Bools]) -> Bools:
    """Return where all masks are true."""
    every: Bools = np.logical_and.reduce(masks)
    return every
