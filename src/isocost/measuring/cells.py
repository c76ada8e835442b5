"""Measures of the samples that a cell bought. They hold for any allocation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from isocost.measuring.columns import Columns, estimates
from isocost.measuring.draws import load
from isocost.measuring.solutions import solutions
from isocost.metrics.coverage import Floats, Ints, covered, pass_at_1
from isocost.metrics.diversity import kept_per_problem
from isocost.records import Estimate


def measure_cell(table: pl.DataFrame, problem_ids: Sequence[str], cap: int | None = None) -> dict[str, Estimate]:
    """Return `covered`, `kept_per_problem` and `pass@1` of the samples that a cell bought, over all problems of the study.

    A problem without a correct sample in the cell, bought or not, graded or not, is not covered and keeps nothing: these measures describe
    the data in hand. pass@1 is the mean share correct over the problems with a graded sample. An adaptive policy that stops at successes
    biases it upwards.

    Args:
        table: The cell's samples, of all its models. kept_per_problem needs `generation`.
        problem_ids: All problems that the cell could buy for.
        cap: Largest number of distinct correct solutions kept per problem; None keeps all.
    """
    # All models of the cell count as one: the training set does not care who solved a problem.
    lazy = table.lazy().filter(pl.col("problem_id").is_in(list(problem_ids))).with_columns(model=pl.lit(""))
    draws = load(lazy)
    place = {problem: i for i, problem in enumerate(problem_ids)}
    at = np.array([place[problem] for problem in draws.problems], dtype=np.int64)[draws.problem]
    drawn, correct = (_spread(counts, at, len(problem_ids)) for counts in (draws.drawn, draws.n_correct))
    n_ungraded = int(draws.rows.sum() - draws.drawn.sum())
    found = cell_estimates(drawn, correct, n_ungraded=n_ungraded)
    if "generation" in table.columns:
        distinct = np.bincount(solutions(lazy, draws, "string").group, minlength=at.size)
        kept: Floats = kept_per_problem(_spread(distinct, at, len(problem_ids)), cap)
        found |= estimates([Columns(names=["kept_per_problem"], values=kept[:, None], most=[cap])], n_ungraded)
    return found


def cell_estimates(drawn: Ints, correct: Ints, *, n_ungraded: int) -> dict[str, Estimate]:
    """`covered` and `pass@1` as `measure_cell`, from graded and correct draws of every problem of the study, int[problems]."""
    return estimates(
        [Columns(names=["covered", "pass@1"], values=np.column_stack([covered(correct), pass_at_1(drawn, correct)]))], n_ungraded
    )


def _spread(counts: Ints, at: Ints, n: int) -> Ints:
    """Return counts of some problems as counts of all, 0 elsewhere."""
    every = np.zeros(n, dtype=np.int64)
    every[at] = counts
    return every
