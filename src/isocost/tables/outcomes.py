"""The column `outcome` of `isocost verify`, converted to the column `correct`."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import polars as pl

from isocost.errors import TableError
from isocost.records import Outcome
from isocost.tables.source import Source

CORRECT: dict[str, bool | None] = {
    Outcome.CORRECT.value: True,
    Outcome.INCORRECT.value: False,
    Outcome.NO_ANSWER.value: False,
    Outcome.UNGRADED.value: None,
}
_ADVICE = "grade again and leave the old column out, or drop outcome"


@dataclass(slots=True)
class Verdicts:
    """Counts of the samples of a table that has `correct` and `outcome`.

    Attributes:
        both: Samples with both.
        filled: Samples with an outcome and no value in `correct`.
    """

    both: int = 0
    filled: int = 0


def settle(row: dict[str, Any], where: str, verdicts: Verdicts | None = None) -> None:
    """Set `correct` of a JSON object from its `outcome` if `correct` is null or absent, and count it in `verdicts`.

    An outcome outside `CORRECT` is the user's own field, provided that there is a `correct`.

    Raises:
        TableError: `correct` and `outcome` disagree, or there is no `correct` and the outcome is outside `CORRECT`.
    """
    outcome, given = row["outcome"], row.get("correct")
    if not isinstance(outcome, str) or outcome not in CORRECT:
        if "correct" not in row:
            raise _unknown(where, outcome)
        return
    if given in (0, 1) and bool(given) is not CORRECT[outcome]:  # another value is reported by the check of the column
        raise _disagree(where, bool(given), outcome)
    if given is None:
        row["correct"] = CORRECT[outcome]
    if verdicts:
        verdicts.both += given is not None
        verdicts.filled += given is None


def settled(lazy: pl.LazyFrame, typed: Callable[[], pl.Expr], source: Source, verdicts: Verdicts) -> pl.LazyFrame:
    """Return a Parquet table with `correct` set from its `outcome`, as `settle` does for an object; else the table itself.

    Args:
        lazy: The table.
        typed: Checks its column `correct` and returns it as booleans.
        source: The file.
        verdicts: Counts to fill.

    Raises:
        TableError: As `settle`, for the first such row.
    """
    schema = lazy.collect_schema()
    if not isinstance(schema.get("outcome"), pl.String | pl.Categorical | pl.Enum):
        return lazy
    outcome = pl.col("outcome").cast(pl.String)
    known = outcome.is_in(list(CORRECT)).fill_null(value=False)
    graded = outcome.replace_strict(CORRECT, default=None, return_dtype=pl.Boolean)
    if "correct" not in schema:
        if found := _first(lazy, ~known):
            raise _unknown(source.at(found[0]), found[1])
        return lazy.with_columns(correct=graded)
    correct = typed()
    if found := _first(lazy, known & correct.is_not_null() & correct.ne_missing(graded), correct):
        raise _disagree(source.at(found[0]), found[2], found[1])
    has_correct = correct.is_not_null()
    counts = lazy.select(both=(known & has_correct).sum(), filled=(known & ~has_correct).sum()).collect(engine="streaming")
    verdicts.both, verdicts.filled = counts.row(0)
    return lazy.with_columns(correct=pl.coalesce(correct, graded))


def _first(lazy: pl.LazyFrame, wrong: pl.Expr, *more: pl.Expr) -> tuple[Any, ...] | None:
    """Return the first row for which `wrong` is true: its number, its outcome, and further values; None if there is none."""
    columns = [pl.col("outcome").cast(pl.String), *(each.alias(f"more{i}") for i, each in enumerate(more)), wrong.alias("wrong")]
    found = lazy.select(columns).with_row_index("row").filter("wrong").drop("wrong").head(1).collect(engine="streaming")
    return found.row(0) if found.height else None


def _unknown(where: str, outcome: object) -> TableError:
    return TableError(
        f"{where}: missing column correct, and outcome must be {', '.join(CORRECT)}, found {json.dumps(outcome, default=str)[:80]}\n"
        "  isocost verify writes outcomes; or give correct, as true, false or null"
    )


def _disagree(where: str, correct: object, outcome: object) -> TableError:
    return TableError(f"{where}: correct is {json.dumps(correct)} and outcome is {json.dumps(outcome)}\n  {_ADVICE}")
