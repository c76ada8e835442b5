"""A recorded pool: the draws of several models for the same problems, as arrays."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from isocost.arrays import Bools, Floats, Ints
from isocost.costs.given import COST, GivenCosts
from isocost.errors import TableError
from isocost.metrics.diversity import Level, distinct_key

T = TypeVar("T", bound=np.generic)

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_GIVE_COSTS = (
    "give a column cost, or for each model ",
    replace(COST, value="MODEL=AMOUNT/draw", argument_value="{MODEL: AMOUNT}"),
)
_SHOWN = 80  # characters of a name in a message


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Recorded draws. The arrays have a place for every draw of the pair that has the most; places from `drawn` on are empty.

    Attributes:
        problems: Ids.
        models: Names.
        drawn: Recorded draws of each pair, int[problems, models].
        graded: bool[problems, models, draws].
        correct: bool[problems, models, draws].
        solution: Number of the draw's solution, int[problems, models, draws]; equal numbers of one problem are equal solutions. A draw that
            was cut off has -1: it adds none to a training set.
        cost: Cost of each draw, float[problems, models, draws].
        unit: Unit of costs: flops, usd, tokens, priced tokens, or cost if it is not known.
        distinct: Level at which solutions count as the same; None counts each as different.
        labels: A number per problem that goes with its difficulty, or None.
    """

    problems: tuple[str, ...]
    models: tuple[str, ...]
    drawn: Ints
    graded: Bools
    correct: Bools
    solution: Ints
    cost: Floats
    unit: str
    distinct: Level | None
    labels: tuple[float | None, ...]

    @property
    def total(self) -> float:
        """Cost of all draws."""
        return float(self.cost.sum())

    @property
    def rates(self) -> Floats:
        """Share of graded draws that are correct, float[problems, models]; 0 where none is graded."""
        return np.asarray(self.correct.sum(axis=2) / np.maximum(self.graded.sum(axis=2), 1), np.float64)

    @property
    def mean_costs(self) -> Floats:
        """Mean cost of a draw of each model, float[models]."""
        return np.asarray(self.cost.sum(axis=(0, 2)) / self.drawn.sum(axis=0), np.float64)

    def shuffled(self, generator: np.random.Generator) -> Pool:
        """Return the pool with the draws of each pair in a random order."""
        keys = generator.random(self.cost.shape)
        keys[np.arange(keys.shape[2]) >= self.drawn[:, :, None]] = 2.0  # empty places stay last
        order = np.argsort(keys, axis=2)
        return replace(
            self,
            graded=np.take_along_axis(self.graded, order, 2),
            correct=np.take_along_axis(self.correct, order, 2),
            solution=np.take_along_axis(self.solution, order, 2),
            cost=np.take_along_axis(self.cost, order, 2),
        )

    def of_problems(self, chosen: Ints) -> Pool:
        """Return the pool of these problems, by index. A problem that is chosen twice becomes two problems."""
        return replace(
            self,
            problems=tuple(f"{self.problems[i]}#{place}" for place, i in enumerate(chosen.tolist())),
            labels=tuple(self.labels[i] for i in chosen.tolist()),
            drawn=self.drawn[chosen],
            graded=self.graded[chosen],
            correct=self.correct[chosen],
            solution=self.solution[chosen],
            cost=self.cost[chosen],
        )

    def of_models(self, chosen: Sequence[int]) -> Pool:
        """Return the pool of these models, by index."""
        return replace(
            self,
            models=tuple(self.models[m] for m in chosen),
            drawn=self.drawn[:, chosen],
            graded=self.graded[:, chosen],
            correct=self.correct[:, chosen],
            solution=self.solution[:, chosen],
            cost=self.cost[:, chosen],
        )


def pool_of(table: pl.DataFrame, *, given: GivenCosts | None = None, label: str | None = None, distinct: Level | None = None) -> Pool:
    """Return the pool of a table of samples, as `tables.scan_table` finds it.

    Args:
        table: The table. A draw costs what is given for its model, else its `cost`, else its `num_generated_tokens`.
        given: Costs of every model, or None.
        label: Column with a number, or text with one number in it, that goes with a problem's difficulty.
        distinct: Level at which texts of correct solutions count as the same. None, or no column `generation`, counts each as different.

    Raises:
        InputError: the given costs are not those of the table's models.
        TableError: models were sampled on different problems, no draw is correct, costs are not known, or the label cannot be used.
    """
    problems = tuple(table["problem_id"].unique(maintain_order=True).to_list())
    models = tuple(table["model"].unique(maintain_order=True).to_list())
    problem = _places(table["problem_id"], problems)
    model = _places(table["model"], models)
    drawn = np.zeros((len(problems), len(models)), np.int64)
    np.add.at(drawn, (problem, model), 1)
    _check_problems(drawn, problems, models)
    correct = table["correct"].fill_null(value=False).to_numpy()
    if not correct.any():
        raise TableError("no draw of the table is correct: there is nothing to reach\n  look at its column correct")
    # Draws of a pair in the order of rows. Every replay shuffles them, so their indices do not matter.
    pair = problem * len(models) + model
    order = np.argsort(pair, kind="stable")
    starts = np.cumsum(drawn.ravel()) - drawn.ravel()
    place = np.empty(len(pair), np.int64)
    place[order] = np.arange(len(pair)) - starts[pair[order]]
    at = (problem, model, place)
    paid, unit = _costs(table, models, model, given)
    shape = (*drawn.shape, int(drawn.max()))
    return Pool(
        problems=problems,
        models=models,
        drawn=drawn,
        graded=_filled(shape, at, table["correct"].is_not_null().to_numpy()),
        correct=_filled(shape, at, correct),
        solution=_filled(shape, at, _solutions(table, distinct)),
        cost=_filled(shape, at, paid),
        unit=unit,
        distinct=distinct,
        labels=tuple(_labels(table, label, problems)) if label else (None,) * len(problems),
    )


def _places(column: pl.Series, names: Sequence[str]) -> Ints:
    return column.replace_strict({name: i for i, name in enumerate(names)}, return_dtype=pl.Int64).to_numpy()


def _filled(shape: tuple[int, ...], at: tuple[Ints, ...], values: NDArray[T]) -> NDArray[T]:
    found = np.zeros(shape, values.dtype)
    found[at] = values
    return found


def _check_problems(drawn: Ints, problems: Sequence[str], models: Sequence[str]) -> None:
    lacking = np.argwhere(drawn == 0)
    if len(lacking):
        problem, model = lacking[0]
        more = f", nor for {len(lacking) - 1:,} other pairs" if len(lacking) > 1 else ""
        raise TableError(
            f'the table has no draw of model "{models[model][:_SHOWN]}" for problem "{problems[problem][:_SHOWN]}"{more}\n'
            "  a backtest compares models on the same problems: keep the rows of problems that every model has"
        )


def _solutions(table: pl.DataFrame, distinct: Level | None) -> Ints:
    """Return numbers of solutions; equal ones have the same number, cut off ones have -1. Only correct draws are read."""
    numbers = np.arange(table.height)
    if distinct is not None and "generation" in table.columns:
        texts = table["generation"].fill_null("").to_list()
        right = table["correct"].fill_null(value=False).to_list()
        known: dict[str, int] = {}
        keys = [distinct_key(text, distinct) if correct else "" for text, correct in zip(texts, right, strict=True)]
        numbers = np.array([known.setdefault(key, len(known)) for key in keys], np.int64)
    if "finish_reason" in table.columns:
        numbers[table["finish_reason"].eq_missing("length").to_numpy()] = -1
    return numbers


def _costs(table: pl.DataFrame, models: Sequence[str], model: Ints, given: GivenCosts | None) -> tuple[Floats, str]:
    """Return the cost of each row, and its unit."""
    if given is not None:
        given.check(models)
        each = np.array([given.amounts[name] for name in models])[model]
        return (each, given.unit) if given.per == "draw" else (each * _paid(table, "num_generated_tokens", models, model), given.unit)
    source = next((column for column in ("cost", "num_generated_tokens") if column in table.columns), None)
    if source is None:
        raise TableError("the table has neither the column cost nor num_generated_tokens", advice=_GIVE_COSTS)
    costs = _paid(table, source, models, model)
    if source == "num_generated_tokens":
        return costs, "tokens"
    # A table has costs in one unit: `scan_table` refuses others.
    units = table["cost_unit"].drop_nulls().to_list() if "cost_unit" in table.columns else []
    return costs, units[0] if units else "cost"


def _paid(table: pl.DataFrame, column: str, models: Sequence[str], model: Ints) -> Floats:
    """Return a column of costs or of tokens, float[rows]."""
    if column not in table.columns:
        raise TableError(f"the table has no column {column}", advice=_GIVE_COSTS)
    if unknown := table[column].null_count():
        raise TableError(f"the column {column} is empty for {unknown:,} draws", advice=_GIVE_COSTS)
    found = table[column].cast(pl.Float64).to_numpy()
    of_model = np.bincount(model, weights=found)
    if not of_model.min() > 0:
        raise TableError(f'all draws of model "{models[int(of_model.argmin())][:_SHOWN]}" cost 0', advice=_GIVE_COSTS)
    return found


def _labels(table: pl.DataFrame, label: str, problems: Sequence[str]) -> list[float | None]:
    values = table.select("problem_id", pl.col(label).alias("label")).drop_nulls().unique()
    twice = values["problem_id"].filter(values["problem_id"].is_duplicated())
    if len(twice):
        raise TableError(
            f'column {label}: problem "{twice[0][:_SHOWN]}" has several values\n  a label is known before drawing: one per problem'
        )
    texts = dict(values.iter_rows())
    return [None if problem not in texts else _number(texts[problem], label) for problem in problems]


def _number(text: str, label: str) -> float:
    numbers = _NUMBER.findall(text)
    if len(numbers) != 1:
        raise TableError(f'column {label}: "{text[:_SHOWN]}" is not a number, nor text with one number in it, such as Level 3')
    return float(numbers[0])
