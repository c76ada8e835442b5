"""Values of other tools in the types of a table's columns."""

from __future__ import annotations

import re

import polars as pl

from isocost.tables.columns import COLUMNS, COST_RANGE, COUNTS, is_cost

# Looked up for every value of every row; polars compares types slowly.
_WHOLE = frozenset(name for name, kind in COLUMNS.items() if kind == pl.Int64())
_AMOUNTS = frozenset(name for name, kind in COLUMNS.items() if kind == pl.Float64())
_NAMES = frozenset(("problem_id", "model", "pool"))  # two that differ must stay two
_DIGITS = re.compile(r"[0-9]{1,18}(?:\.0*)?")


class ValueFlawError(ValueError):
    """Raised for a value that does not fit its column; the message says what the column holds."""


def column_value(name: str, value: object) -> str | int | float | None:
    """Return a value in the type of its column. A name outside `COLUMNS` is the user's own column, a text.

    Raises:
        ValueFlawError: The value does not fit.
    """
    if value is None:
        return None
    if name in _WHOLE:
        return _whole(name, value)
    if name in _AMOUNTS:
        return _amount(name, value)
    if isinstance(value, str):
        return _text(name, value)
    # Answers, ids and the user's own columns are written as numbers by many tools. A generation never is.
    if name == "problem_id" and isinstance(value, float) and value.is_integer():
        return str(int(value))  # pandas makes floats of whole ids if one is missing
    if isinstance(value, bool | int | float) and name != "generation":
        return str(value)
    raise ValueFlawError(f"{name} must be text")


def _whole(name: str, value: object) -> int:
    """Return a count. Tools write 12.0 too, and CSV has texts only."""
    number = value
    if isinstance(value, str) and _DIGITS.fullmatch(value.strip()):
        number = int(value.partition(".")[0])
    if isinstance(value, float) and value.is_integer():
        number = int(value)
    if isinstance(number, bool) or not isinstance(number, int) or not (0 if name in COUNTS else -(2**63)) <= number < 2**63:
        raise ValueFlawError(f"{name} must be a whole number of at least 0")
    return number


def _amount(name: str, value: object) -> float:
    try:
        number = float("nan") if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        number = float("nan")
    if not is_cost(number):
        raise ValueFlawError(f"{name} must be {f'0 or {COST_RANGE}' if 0 < number < float('inf') else 'a number of at least 0'}")
    return number


def _text(name: str, text: str) -> str:
    """Return the same object if the text encodes as UTF-8, else the text with U+FFFD for each lone surrogate."""
    try:
        text.encode()
    except UnicodeEncodeError:
        if name in _NAMES:
            raise ValueFlawError(f"{name} holds half a character (a lone surrogate), which no table can hold") from None
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
