"""Overlap: the problems that only one model solves, that all solve, and that none solves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from isocost.metrics.intervals import mean_interval
from isocost.records import Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """Shares of the problems. With two models they add up to 1.

    Attributes:
        only: Solved by this model and by no other, one per model.
        all: Solved by every model.
        none: Solved by no model.
    """

    only: tuple[Estimate, ...]
    all: Estimate
    none: Estimate


def overlap(chances: ArrayLike) -> Overlap:
    """Return the shares of problems solved by one model only, by all and by none, for any number of models.

    Chances of 0 or 1 describe the draws in hand, and then the intervals are Wilson's. Chances of coverage@k describe k draws. Models draw
    independently of each other, so the chances of one problem multiply, and shares are means over problems.

    Args:
        chances: Chance that the model solves the problem, float[models, problems]; a problem that is nan for any model is left out.

    Raises:
        ValueError: There are not two axes and at least one model, or a chance lies outside [0, 1].
    """
    solved = np.asarray(chances, dtype=np.float64)
    if solved.ndim != 2 or solved.shape[0] == 0:
        raise ValueError(f"chances must be models by problems, got shape {solved.shape}")
    # Every share must be over the same problems, or they would not add up.
    solved = solved[:, ~np.isnan(solved).any(axis=0)]
    unsolved = 1 - solved
    ones = np.ones((1, solved.shape[1]))
    # Products over the other models from both sides: dividing the product of all by one's own factor would be 0 / 0 for a solved problem.
    before = np.cumprod(np.vstack([ones, unsolved[:-1]]), axis=0)
    after = np.cumprod(np.vstack([ones, unsolved[:0:-1]]), axis=0)[::-1]
    return Overlap(
        only=tuple(mean_interval(row) for row in solved * before * after),
        all=mean_interval(solved.prod(axis=0)),
        none=mean_interval(unsolved.prod(axis=0)),
    )
