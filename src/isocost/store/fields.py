"""The fields that an entry of a log must have, with their types."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

_ROOM = 40  # longest value that a message quotes, in characters


@dataclass(frozen=True, slots=True)
class Field:
    """The type of a field.

    Attributes:
        what: The type in words.
        fits: Returns True for a valid value, as read from JSON.
        optional: True if the value may be null.
        among: The allowed texts, empty for any.
        number: True for a number that is not negative.
    """

    what: str
    fits: Callable[[Any], bool]
    optional: bool = False
    among: tuple[str, ...] = ()
    number: bool = False


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_count(value: Any) -> bool:
    # `type is` and not isinstance: True is an int. The bound is that of the 64-bit columns of Parquet.
    return type(value) is int and 0 <= value < 2**63


def _is_amount(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value < float("inf")  # false for nan too


TEXT = Field("a text", _is_text)
TEXT_OR_NULL = Field("a text or null", _is_text, optional=True)
COUNT = Field("a count", _is_count, number=True)
AMOUNT = Field("an amount", _is_amount, number=True)
AMOUNT_OR_NULL = Field("an amount or null", _is_amount, optional=True, number=True)
LIST = Field("a list", lambda value: isinstance(value, list))

Fields = Mapping[str, Field]


def one_of(names: Collection[str]) -> Field:
    """Return the field of a text that is one of these."""
    among = tuple(names)
    return Field(f"one of {', '.join(among)}", lambda value: isinstance(value, str) and value in among, among=among)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of log.

    Attributes:
        remedy: The remedy for a damaged line. `{line}` stands for its number, `{path}` for the file.
        fields: The fields of an entry.
        rows: The fields of each row, for logs of batches.
        paid: True if the content was paid for.
        checked: True if each line is written with a checksum, which reveals edits.
        one_writer: True if a single log object appends, so that it knows the length of the file.
        unique: True if no line is ever written twice.
    """

    remedy: str
    fields: Fields = field(default_factory=dict)
    rows: Fields = field(default_factory=dict)
    paid: bool = False
    checked: bool = False
    one_writer: bool = False
    unique: bool = False


def flaw_of(entry: Any, fields: Fields) -> str:
    """Return why an entry cannot be used, or "" if it can."""
    if not isinstance(entry, dict):
        return "is not an object"
    for name, wanted in fields.items():
        if name not in entry:
            return f'lacks "{name}"'
        value = entry[name]
        if not (wanted.optional if value is None else wanted.fits(value)):
            return f'"{name}" is {short(value)}, not {wanted.what}'
    return ""


def flaw_of_batch(entry: Any, kind: Kind) -> str:
    """Return why a batch of rows cannot be used, or "" if it can."""
    if flaw := flaw_of(entry, kind.fields):
        return flaw
    return next((f"row {number} {flaw}" for number, row in enumerate(entry["rows"], start=1) if (flaw := flaw_of(row, kind.rows))), "")


def flaw_of_frame(frame: pl.DataFrame, fields: Fields) -> str:
    """Return why sealed rows cannot be used, or "" if they can. Columns that were not read are not checked."""
    import polars as pl

    for name in frame.columns:
        wanted = fields.get(name)
        if wanted is None:
            continue
        column = frame[name]
        if column.null_count() and not wanted.optional:
            return f'column "{name}" has empty rows'
        if column.dtype == pl.Null:  # all rows are null, which leaves the type open
            continue
        if not (column.dtype.is_numeric() if wanted.number else column.dtype == pl.String):
            return f'column "{name}" is {column.dtype}, not {wanted.what}'
        if wanted.number and not column.drop_nulls().is_between(0, float("inf"), closed="left").all():
            return f'column "{name}" has a row that is not {wanted.what}'
        if wanted.among and not column.is_in(list(wanted.among)).all():
            return f'column "{name}" has a row that is not {wanted.what}'
    return ""


def short(value: Any) -> str:
    """Return a JSON value as a message quotes it: cut off if it is long."""
    text = json.dumps(value)
    return text if len(text) <= _ROOM else text[: _ROOM - 1] + "…"
