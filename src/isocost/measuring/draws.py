"""The draws of a table as small arrays: model, problem, and outcome. Texts are not loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from isocost.arrays import Bools, Floats, Ints
from isocost.tables.coding import coded, codes, collected, combined

Numbers = NDArray[np.integer[Any]]  # of any width: a run gives numbers of 4 bytes


@dataclass(frozen=True, kw_only=True)
class Draws:
    """All rows of a table. A group is a model and a problem that it has rows for. Groups ascend by model, then by problem.

    Attributes:
        models: Names, in order of first appearance.
        problems: Ids, in order of first appearance.
        group: Group of each row, int[rows].
        model: Model of each group, int[groups].
        problem: Problem of each group, int[groups].
        graded: bool[rows].
        correct: bool[rows].
        index: sample_index, int[rows]; None if the rows are in the order of the draws.
        tokens: Generated tokens, float[rows], nan where unknown; None without the column.
        cost: The table's costs, float[rows], nan where unknown; None without the column.
        cost_unit: Unit of `cost`, flops or usd; None if the table has none.
    """

    models: list[str]
    problems: list[str]
    group: Numbers
    model: Ints
    problem: Ints
    graded: Bools
    correct: Bools
    index: Numbers | None
    tokens: Floats | None
    cost: Floats | None
    cost_unit: str | None = None

    @cached_property
    def drawn(self) -> Ints:
        """Graded draws, int[groups]."""
        return self._count(self.graded)

    @cached_property
    def n_correct(self) -> Ints:
        """Correct draws, int[groups]."""
        return self._count(self.correct)

    @cached_property
    def rows(self) -> Ints:
        """Draws, graded or not, int[groups]."""
        return np.bincount(self.group, minlength=self.model.size)

    def correct_of_first(self, k: int) -> Ints:
        """Return the number of correct draws among the first k graded ones, int[groups]; undefined if there are fewer."""
        if self.index is not None:  # most tables number draws 0, 1, 2, ... without a gap, and then need no sorting
            early = self.graded & (self.index < k)
            if np.all((self._count(early) == k) | (self.drawn < k)):
                return self._count(early & self.correct)
        return self._count_ranked(self._rank < k)

    @cached_property
    def last_correct(self) -> Bools:
        """True if the last graded draw is correct, bool[groups]."""
        return self._count_ranked(self._rank == self.drawn[self._ranked_group] - 1) > 0

    @cached_property
    def places(self) -> Ints:
        """Sum of the places of the correct draws among the graded ones of their group, the first being 1, int[groups]."""
        right = self.correct[self._order]
        sums = np.bincount(self._ranked_group[right], weights=self._rank[right] + 1, minlength=self.model.size)
        return sums.astype(np.int64)

    @cached_property
    def _order(self) -> Ints:
        """The graded rows by group, then by index, then by row."""
        rows: Ints = np.flatnonzero(self.graded)
        group = self.group[rows]
        if self.index is None:
            return rows[np.argsort(group, kind="stable")]
        return rows[np.lexsort((self.index[rows], group))]

    @cached_property
    def _ranked_group(self) -> Numbers:
        return self.group[self._order]

    @cached_property
    def _rank(self) -> Ints:
        """The place of each graded row among those of its group, in the order of `_order`."""
        starts = np.cumsum(self.drawn) - self.drawn
        rank: Ints = np.arange(self._order.size) - starts[self._ranked_group]
        return rank

    def _count_ranked(self, wanted: Bools) -> Ints:
        return np.bincount(self._ranked_group[wanted & self.correct[self._order]], minlength=self.model.size)

    def _count(self, rows: Bools) -> Ints:
        return np.bincount(self.group[rows], minlength=self.model.size)


def load(table: pl.LazyFrame, order: Sequence[str] = ()) -> Draws:
    """Read the small columns of a table from `tables.scan_table`. Texts are not read.

    It needs some 50 bytes per row, 60 while reading.

    Args:
        table: The table.
        order: Problems that come first, in this order. Others follow in order of first appearance. Resampling depends on the order.

    Raises:
        TableError: The file behind the table cannot be read to its end.
    """
    present = table.collect_schema().names()
    numbers: list[str] = [name for name in ("sample_index", "num_generated_tokens", "cost", "correct") if name in present]
    frame = coded(table, {"problem": "problem_id", "model": "model"}, numbers)
    problem, problems = _in_order(*codes(frame["problem"]), order)
    model, models = codes(frame["model"])
    group = combined(model, problem)
    # Every row of a group writes the same two numbers, so any order of writing gives the same result.
    of_group = np.zeros((2, int(group.max(initial=-1)) + 1), dtype=np.int64)
    of_group[0, group], of_group[1, group] = model, problem
    return Draws(
        models=models,
        problems=problems,
        group=group,
        model=of_group[0],
        problem=of_group[1],
        graded=frame["correct"].is_not_null().to_numpy(),
        correct=frame["correct"].fill_null(value=False).to_numpy(),
        index=frame["sample_index"].to_numpy() if "sample_index" in numbers else None,
        tokens=_floats(frame, "num_generated_tokens"),
        cost=_floats(frame, "cost"),
        cost_unit=_unit(table) if "cost_unit" in present else None,
    )


def rows_of(table: pl.LazyFrame, wanted: Bools) -> pl.LazyFrame:
    """Return the wanted rows of a table, in their order."""
    places = pl.Series(np.flatnonzero(wanted), dtype=pl.UInt32).implode()
    return table.with_row_index("row").filter(pl.col("row").is_in(places)).drop("row")


def _in_order(problem: Ints, problems: list[str], order: Sequence[str]) -> tuple[Ints, list[str]]:
    """Return codes and names of problems, with the problems of `order` first."""
    known = {name: code for code, name in enumerate(problems)}
    # Problems that the table lacks are left out of the order.
    wanted = list(dict.fromkeys([*(name for name in order if name in known), *problems]))
    place = np.empty(len(problems), dtype=np.int64)
    place[[known[name] for name in wanted]] = np.arange(len(problems))
    return place[problem], wanted


def _unit(table: pl.LazyFrame) -> str | None:
    found = collected(table.select(pl.col("cost_unit").drop_nulls().head(1)))["cost_unit"]
    return None if found.is_empty() else str(found[0])


def _floats(frame: pl.DataFrame, name: str) -> Floats | None:
    return frame[name].cast(pl.Float64).fill_null(float("nan")).to_numpy() if name in frame.columns else None
