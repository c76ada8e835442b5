"""One model's part of a table, and its measures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from isocost.measuring.columns import Columns, where_drawn
from isocost.measuring.draws import Draws
from isocost.measuring.solutions import Classes, answers, solutions
from isocost.metrics.coverage import Floats, Ints, coverage_curve, covered, pass_at_1
from isocost.metrics.diversity import Level, diversity_curve
from isocost.metrics.majority import majorities
from isocost.metrics.stopped import Stopped, looks_stopped

LEVELS: dict[str, Level] = {"diversity": "string", "diversity_normalised": "normalised", "diversity_equations": "equations"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What one model drew, a value a problem that it has rows for.

    Attributes:
        name: Of the model.
        problem: Which of the table's problems, int[problems].
        rows: Draws, graded or not, int[problems].
        drawn: Graded draws, int[problems].
        correct: Correct ones, int[problems].
        first: Correct ones among the first k graded draws, int[problems], by k; of no meaning where there are fewer.
        solutions: Distinct correct solutions, by the name of the diversity they make.
        answers: Distinct answers; None without the column.
        cost: What all its draws of the problem cost, ungraded ones included, float[problems]; None where that is not known.
        stopped: What speaks for draws that were stopped by their outcomes; None if nothing does.
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
        errors: Standard error that resampling adds to the mean over problems, of those that were not counted exactly.
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
) -> list[Model]:
    """Every model of a table, in order of first appearance.

    Args:
        table: As `tables.scan_table` gives it; diversity needs `generation`, votes need `predicted_answer`.
        draws: The same table, loaded.
        ks: For which k the first k draws are counted.
        levels: What makes two solutions the same.
        cost: What the draws of each group cost, float[groups], nan where unknown.
        votes: Whether answers are counted.
        identified: Whether solutions of different models will be told apart, as mixtures need it.

    Raises:
        TableError: The file behind the table cannot be read to its end.
    """
    present = table.collect_schema().names()
    texts = [(name, level) for name, level in LEVELS.items() if level in levels and "generation" in present]
    classes = {name: solutions(table, draws, level, identified=identified) for name, level in texts}
    voted = answers(table, draws) if votes and "predicted_answer" in present else None
    first = {k: draws.correct_of_first(k) for k in ks}
    bounds = np.searchsorted(draws.model, np.arange(len(draws.models) + 1))
    found: list[Model] = []
    for name, low, high in zip(draws.models, bounds[:-1], bounds[1:], strict=True):
        mine = slice(low, high)
        spent = None if cost is None else cost[mine]
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
                cost=None if spent is None or np.isnan(spent).any() else spent,
                stopped=_stopped(draws, mine),
            )
        )
    return found


def coverage(model: Model, ks: Sequence[int]) -> Columns:
    """coverage@k."""
    return Columns(names=[f"coverage@{k}" for k in ks], values=coverage_curve(model.drawn, model.correct, ks))


def diversity(model: Model, kind: str, ks: Sequence[int]) -> Columns:
    """diversity@k of one level, named as in `LEVELS`."""
    classes = model.solutions[kind]
    values = diversity_curve(model.drawn, classes.group, classes.count, ks)
    return Columns(names=[f"{kind}@{k}" for k in ks], values=values, most=[float(k) for k in ks])


def pass_at_first(model: Model, ks: Sequence[int]) -> Columns:
    """pass@1[avg-of-k]: the share correct of the first k graded draws, by sample_index; not defined where there are fewer."""
    shares = [np.where(model.drawn >= k, model.first[k] / k, np.nan) for k in ks]
    return Columns(names=[f"pass@1[avg-of-{k}]" for k in ks], values=np.column_stack(shares))


def majority(model: Model, ks: Sequence[int]) -> Votes | None:
    """maj@k of a model; None where its answers were not counted."""
    classes = model.answers
    if classes is None:
        return None
    found = {k: majorities(model.drawn, classes.group, classes.count, classes.right, k) for k in ks}
    columns = Columns(names=[f"maj@{k}" for k in ks], values=np.column_stack([f.values for f in found.values()]))
    errors = {f"maj@{k}": float(np.sqrt(np.square(f.errors).sum())) / max(1, f.errors.size) for k, f in found.items()}
    return Votes(columns=columns, errors={name: error for name, error in errors.items() if error > 0})


def in_hand(model: Model) -> Columns:
    """pass@1 and covered: over every problem with a graded draw."""
    solved = where_drawn(model.drawn, covered(model.correct))
    return Columns(names=["pass@1", "covered"], values=np.column_stack([pass_at_1(model.drawn, model.correct), solved]))


def _stopped(draws: Draws, mine: slice) -> Stopped | None:
    drawn = draws.drawn[mine]
    known = drawn[drawn > 0]
    if known.size == 0 or known.min() == known.max():  # what looks_stopped never flags needs no sorting of the draws
        return None
    return looks_stopped(drawn, draws.n_correct[mine], draws.last_correct[mine], draws.places[mine])
