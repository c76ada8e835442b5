"""Values of a measure, one per problem, and estimates from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from isocost.arrays import Bools, Floats, Ints
from isocost.metrics.coverage import covered, pass_at_1
from isocost.metrics.intervals import count_intervals, mean_intervals
from isocost.records import Estimate

Measures = Mapping[str, Mapping[str, Estimate]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Some measures of one kind.

    Attributes:
        names: One per column.
        values: float[problems, columns]; nan is undefined for that problem.
        most: The largest possible value per column, for counts; None for shares.
    """

    names: Sequence[str]
    values: Floats
    most: Sequence[float | None] | None = None


def estimates(columns: Sequence[Columns], n_ungraded: int, problems: Bools | None = None) -> dict[str, Estimate]:
    """Return the mean over problems of each column, with its interval over problems.

    Args:
        columns: Columns of the same problems.
        n_ungraded: Draws that could not be graded.
        problems: Selected problems, bool[problems]; None is all.
    """
    found: dict[str, Estimate] = {}
    for some in columns:
        values = some.values if problems is None else some.values[problems]
        # Shares lie in [0, 1]; the range of counts has to be read from the data.
        made = mean_intervals(values) if some.most is None else count_intervals(values, some.most)
        found |= dict(zip(some.names, made, strict=True))
    return {name: replace(estimate, n_ungraded=n_ungraded) for name, estimate in found.items()}


def where_drawn(drawn: Ints, values: Floats) -> Floats:
    """Return the values, nan where nothing was drawn."""
    return np.where(drawn > 0, values, np.nan)


def cell_estimates(drawn: Ints, correct: Ints, *, n_ungraded: int) -> dict[str, Estimate]:
    """Return `covered` and `pass@1` of the samples that a cell bought, over all problems of the study.

    A problem without a correct sample in the cell, bought or not, graded or not, is not covered: these measures describe the data in hand.
    pass@1 is the mean share correct over the problems with a graded sample. An adaptive policy that stops at successes biases it upwards.

    Args:
        drawn: Graded draws of each problem, of all models of the cell, int[problems]. 0 for a problem that was not bought.
        correct: Correct ones among them, int[problems].
        n_ungraded: Draws of the cell without a grade.
    """
    return estimates(
        [Columns(names=["covered", "pass@1"], values=np.column_stack([covered(correct), pass_at_1(drawn, correct)]))], n_ungraded
    )
