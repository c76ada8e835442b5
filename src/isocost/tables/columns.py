"""The columns of a table of samples, and their valid values."""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from typing import Any

import polars as pl

from isocost.errors import TableError

NEEDED = ("problem_id", "model", "correct")
COLUMNS: dict[str, pl.DataType] = {
    "problem_id": pl.String(),
    "model": pl.String(),
    "pool": pl.String(),
    "sample_index": pl.Int64(),
    "generation": pl.String(),
    "num_prompt_tokens": pl.Int64(),
    "num_generated_tokens": pl.Int64(),
    "cost": pl.Float64(),
    "cost_unit": pl.String(),
    "finish_reason": pl.String(),
    "expected_answer": pl.String(),
    "predicted_answer": pl.String(),
    "correct": pl.Boolean(),
}
KNOWN = (*COLUMNS, "outcome", "reason")  # columns that isocost writes or reads, with those of `isocost verify`
ALWAYS = (*NEEDED, "pool", "sample_index")  # read in any case: they identify a sample and its outcome
NEVER_NULL = tuple(name for name in ALWAYS if name != "correct")
COUNTS = ("sample_index", "num_prompt_tokens", "num_generated_tokens")  # never below 0
MAY_BE_NUMBERS = ("problem_id", "expected_answer", "predicted_answer")  # written as numbers by many tools, read as text
# A cost is 0 or between these: sums, squares and quotients of others leave the range of a float.
LEAST_COST, MOST_COST = 1e-60, 1e60
COST_RANGE = f"from {LEAST_COST:g} to {MOST_COST:g}"
_MEANINGS: dict[pl.DataType, str] = {
    pl.Boolean(): "true, false or null",
    pl.Int64(): "a whole number",
    pl.Float64(): "a number of at least 0",
}


def require(present: Sequence[str], where: str) -> None:
    """Reject a file or line that lacks a needed column.

    Raises:
        TableError: a column is missing. The message suggests a similar name.
    """
    missing = [name for name in NEEDED if name not in present]
    if not missing:
        return
    # A lower cutoff than the default: column names are short, and a wrong suggestion costs little.
    near = [match for name in missing for match in difflib.get_close_matches(name, present, n=1, cutoff=0.5)]
    hint = f"did you mean {json.dumps(near[0][:80])}? " if near else ""
    grade = "; correct is true, false or null: isocost verify grades solutions" if missing == ["correct"] and not near else ""
    raise TableError(f"{where}: missing column {', '.join(missing)}\n  {hint}needed: {', '.join(NEEDED)}{grade}")


def is_cost(value: float) -> bool:
    """Return True for a number that costs can be reckoned with."""
    return value == 0 or LEAST_COST <= value <= MOST_COST


def refuse(where: str, name: str, value: object) -> TableError:
    """Return the error that names the valid values of a column, and the value found."""
    meaning = _MEANINGS.get(COLUMNS.get(name, pl.String()), "text") + (" of at least 0" if name in COUNTS else "")
    if name == "cost" and isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < float("inf"):
        meaning = f"0 or {COST_RANGE}"
    hint = ""
    if name == "correct":
        hint = "\n  write it without quotes" if isinstance(value, str) else "\n  1 and 0 are read as true and false; null is not graded"
    if name == "problem_id" and isinstance(value, float):
        hint = "\n  isocost import FILE -o TABLE makes whole numbers of such ids"
    return TableError(f"{where}: {name} must be {meaning}, found {json.dumps(value, default=str)[:80]}{hint}")


def fits(value: object, name: str) -> bool:
    """Return True if a value of a JSON object is valid in a column."""
    return all_fit([value], name, given=True) and (not isinstance(value, str) or _is_text(value))


def all_fit(values: list[Any], name: str, *, given: bool) -> bool:
    """Return True if all values of a column are valid, in a fraction of the time that a check of each takes.

    Lone surrogates are not looked for: the fast parser lets none through.

    Args:
        values: The values, None also for an object without the column.
        name: Name of the column.
        given: True if some object has the column. Then a missing value in a column that may not be null gives False, even if all others
            are valid: `fits` of each decides such cases.
    """
    # The types first: for a column of one type, min, max and set run at C speed.
    kinds = set(map(type, values))
    if type(None) in kinds:
        if given and name in NEVER_NULL:
            return False
        kinds.remove(type(None))
        values = [value for value in values if value is not None]
    target = COLUMNS.get(name, pl.String())
    if target == pl.Boolean():
        return kinds <= {bool, int, float} and set(values) <= {0, 1}
    if target == pl.Float64():
        return kinds <= {int, float} and all(map(is_cost, values))
    if target == pl.Int64():
        if not kinds <= {int}:  # before the comparison, which fails for text
            return False
        return not values or (_least(name) <= min(values) and max(values) < 2**63)
    return kinds <= ({str, int} if _may_be_numbers(name) else {str})


def _least(name: str) -> int:
    return 0 if name in COUNTS else -(2**63)


def _may_be_numbers(name: str) -> bool:
    return name in MAY_BE_NUMBERS or name not in COLUMNS


def _is_text(value: str) -> bool:
    """Return False for text with a lone surrogate, which cannot be encoded."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
