"""Measures of the samples that a cell bought. They hold for any allocation."""

from __future__ import annotations

import numpy as np

from isocost.measuring.columns import Columns, estimates
from isocost.metrics.coverage import Ints, covered, pass_at_1
from isocost.records import Estimate


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
