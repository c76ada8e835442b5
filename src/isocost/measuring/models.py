"""One model's part of a table, its measures, and the problems and draws that its curves use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
import polars as pl

from isocost.arrays import Bools, Floats, Ints
from isocost.measuring.columns import Columns, where_drawn
from isocost.measuring.draws import Draws
from isocost.measuring.equationcache import EquationCache
from isocost.measuring.solutions import Classes, Texts, answers, solutions_by_level
from isocost.metrics.coverage import coverage_curve, covered, pass_at_1
from isocost.metrics.diversity import Level, diversity_curve
from isocost.metrics.majority import majorities
from isocost.metrics.stopped import Stopped, looks_stopped

LEVELS: dict[str, Level] = {"diversity": "string", "diversity_normalised": "normalised", "diversity_equations": "equations"}
_REACHED_BY = 0.95  # with 1, a single problem with few draws would cut every curve short


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """The draws of one model, one value per problem that it has rows for.

    Attributes:
        name: Name of the model.
        problem: Index of the table's problem, int[problems].
        rows: Draws, graded or not, int[problems].
        drawn: Graded draws, int[problems].
        correct: Correct draws, int[problems].
        first: Correct ones among the first k graded draws, int[problems], by k; undefined if there are fewer.
        solutions: Distinct correct solutions, by the name of their diversity.
        answers: Distinct answers; None without the column.
        cost: Cost of all its draws of the problem, ungraded ones included, float[problems]; None if unknown.
        stopped: Evidence that draws were stopped by their outcomes, or None.
    """

    name: str
    problem: Ints
    rows: Ints
    drawn: Ints
    correct: Ints
    first: Mapping[int, Ints]
    solutions: Mapping[str, Classes]
    answers: Classes | None
    cost: Floats | None
    stopped: Stopped | None

    @property
    def n_ungraded(self) -> int:
        """Draws that could not be graded."""
        return int(self.rows.sum() - self.drawn.sum())


@dataclass(frozen=True, slots=True, kw_only=True)
class Votes:
    """maj@k.

    Attributes:
        columns: The values.
        errors: Standard error that resampling adds to the mean over problems, for those not counted exactly.
    """

    columns: Columns
    errors: Mapping[str, float]


def models(
    table: pl.LazyFrame,
    draws: Draws,
    ks: Sequence[int],
    *,
    levels: Sequence[Level] = ("string", "normalised", "equations"),
    cost: Floats | None = None,
    votes: bool = True,
    identified: bool = False,
    known: EquationCache | None = None,
    texts: Texts | None = None,
) -> list[Model]:
    """Return every model of a table, in order of first appearance.

    Args:
        table: The table from `tables.scan_table`. Diversity needs `generation`, votes need `predicted_answer`.
        draws: The same table, loaded.
        ks: Each k for which the first k draws are counted.
        levels: Levels of diversity: the keys that make two solutions equal.
        cost: Cost of the draws of each group, float[groups], nan where unknown.
        votes: Count answers.
        identified: Keep digests, by which mixtures find equal solutions of different models.
        known: Equations that are known; those that are parsed are added.
        texts: As in `solutions_by_level`.

    Raises:
        TableError: The file behind the table cannot be read to its end.
    """
    present = table.collect_schema().names()
    asked = set(levels) if "generation" in present else set[Level]()
    by_level = solutions_by_level(table, draws, asked, identified=identified, known=known, texts=texts)
    classes = {name: by_level[level] for name, level in LEVELS.items() if level in by_level}
    voted = answers(table, draws) if votes and "predicted_answer" in present else None
    first = {k: draws.correct_of_first(k) for k in ks}
    # Groups ascend by model, so each model is a slice.
    bounds = np.searchsorted(draws.model, np.arange(len(draws.models) + 1))
    found: list[Model] = []
    for name, low, high in zip(draws.models, bounds[:-1], bounds[1:], strict=True):
        mine = slice(low, high)
        # One unknown cost makes the model's costs unknown: a partial sum would look like a low price.
        spent = None if cost is None or np.isnan(cost[mine]).any() else cost[mine]
        found.append(
            Model(
                name=name,
                problem=draws.problem[mine],
                rows=draws.rows[mine],
                drawn=draws.drawn[mine],
                correct=draws.n_correct[mine],
                first={k: counts[mine] for k, counts in first.items()},
                solutions={kind: every.of(low, high) for kind, every in classes.items()},
                answers=None if voted is None else voted.of(low, high),
                cost=spent,
                stopped=_stopped(draws, mine),
            )
        )
    return found


def coverage(model: Model, ks: Sequence[int]) -> Columns:
    """Return coverage@k."""
    return Columns(names=[f"coverage@{k}" for k in ks], values=coverage_curve(model.drawn, model.correct, ks))


def diversity(model: Model, kind: str, ks: Sequence[int]) -> Columns:
    """Return diversity@k of one level, named as in `LEVELS`."""
    classes = model.solutions[kind]
    values = diversity_curve(model.drawn, classes.group, classes.count, ks)
    return Columns(names=[f"{kind}@{k}" for k in ks], values=values, most=[float(k) for k in ks])


def pass_at_first(model: Model, ks: Sequence[int]) -> Columns:
    """Return pass@1[avg-of-k]: the share correct of the first k graded draws, by sample_index; undefined if there are fewer."""
    shares = [np.where(model.drawn >= k, model.first[k] / k, np.nan) for k in ks]
    return Columns(names=[f"pass@1[avg-of-{k}]" for k in ks], values=np.column_stack(shares))


def majority(model: Model, ks: Sequence[int]) -> Votes | None:
    """Return maj@k of a model, or None if its answers were not counted."""
    classes = model.answers
    if classes is None:
        return None
    found = {k: majorities(model.drawn, classes.group, classes.count, classes.right, k) for k in ks}
    columns = Columns(names=[f"maj@{k}" for k in ks], values=np.column_stack([f.values for f in found.values()]))
    errors = {f"maj@{k}": float(np.sqrt(np.square(f.errors).sum())) / max(1, f.errors.size) for k, f in found.items()}
    return Votes(columns=columns, errors={name: error for name, error in errors.items() if error > 0})


def in_hand(model: Model) -> Columns:
    """Return pass@1 and covered, over every problem with a graded draw."""
    solved = where_drawn(model.drawn, covered(model.correct))
    return Columns(names=["pass@1", "covered"], values=np.column_stack([pass_at_1(model.drawn, model.correct), solved]))


def _stopped(draws: Draws, mine: slice) -> Stopped | None:
    drawn = draws.drawn[mine]
    known = drawn[drawn > 0]
    if known.size == 0 or known.min() == known.max():  # equal numbers are never flagged, and sorting the draws is slow
        return None
    return looks_stopped(drawn, draws.n_correct[mine], draws.last_correct[mine], draws.places[mine])


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
