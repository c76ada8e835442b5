"""Distinct solutions among the correct draws of a pilot, as a training set tells them apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import polars as pl

from isocost.arrays import Bools
from isocost.forecasting import DistinctLaw, NoRepeats
from isocost.measuring.draws import Draws
from isocost.measuring.solutions import Classes, solutions
from isocost.metrics.diversity import Level
from isocost.tables.coding import collected

_CUT_OFF = pl.col("finish_reason").eq_missing("length")


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeats:
    """Distinct solutions of each model.

    Attributes:
        classes: By model, those of its groups; None if the table has no texts.
        together: Law of distinct solutions among those of all models. Equal solutions of different models are one.
        cut_off: Correct draws that were cut off. A training set leaves them out, so they are no solutions.
    """

    classes: Sequence[Classes] | None
    together: DistinctLaw
    cut_off: int


def repeats(table: pl.LazyFrame, draws: Draws, distinct: Level | None) -> Repeats:
    """Return the distinct solutions of a table.

    Args:
        table: The table.
        draws: The same table, loaded.
        distinct: As `Curate.distinct`: the level at which solutions count as the same; None counts each as different.

    Raises:
        TableError: The file behind the table cannot be read to its end.
    """
    columns = table.collect_schema().names()
    fit = draws.correct
    if "finish_reason" in columns:
        fit = fit & ~_cut_off(table)
        table = table.with_columns(correct=pl.col("correct") & ~_CUT_OFF)
    kept = replace(draws, correct=fit)
    cut_off = int(draws.n_correct.sum() - kept.n_correct.sum())
    if distinct is None:
        every = _all_different(kept)
    elif "generation" in columns:
        every = solutions(table, kept, distinct, identified=True)
    else:
        return Repeats(classes=None, together=DistinctLaw([], [], [], []), cut_off=cut_off)
    bounds = np.searchsorted(draws.model, np.arange(len(draws.models) + 1)).tolist()
    classes = [every.of(low, high) for low, high in pairwise(bounds)]
    together = NoRepeats() if distinct is None else _together(draws, every)
    return Repeats(classes=classes, together=together, cut_off=cut_off)


def _cut_off(table: pl.LazyFrame) -> Bools:
    return collected(table.select(_CUT_OFF.alias("cut_off")))["cut_off"].to_numpy()


def _all_different(draws: Draws) -> Classes:
    """Return a class for each correct draw."""
    group = np.repeat(np.arange(draws.model.size, dtype=np.int32), draws.n_correct)
    return Classes(group=group, count=np.ones_like(group), right=np.ones_like(group))


def _together(draws: Draws, classes: Classes) -> DistinctLaw:
    problem, problems = draws.problem[classes.group], len(draws.problems)
    correct, drawn = (
        np.bincount(draws.problem, weights=each, minlength=problems).astype(np.int64) for each in (draws.n_correct, draws.drawn)
    )
    if classes.digests is None:
        return DistinctLaw(problem, classes.count, correct, drawn)
    rows = np.column_stack([problem, classes.digests.T.astype(np.int64)])
    distinct, which = np.unique(rows, axis=0, return_inverse=True)
    count = np.bincount(which.ravel(), weights=classes.count, minlength=len(distinct))
    return DistinctLaw(distinct[:, 0], count, correct, drawn)
