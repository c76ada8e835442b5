"""Rows with the columns of a table of samples, or with the fields of `isocost verify`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from isocost.errors import TableError
from isocost.tables.columns import COLUMNS
from isocost.tables.formats.base import Choice, Known, Sample
from isocost.tables.outcomes import settle
from isocost.tables.reading.base import Record, Unread

# Fields that `isocost verify` reads too, by the column that they stand for; the column's own name goes before them.
ALIASES = {"generation": ("prediction",), "expected_answer": ("gold", "answer")}
_KNOWN = {"correct", "outcome", "reason", "reward", *COLUMNS, *(alias for names in ALIASES.values() for alias in names)}


class Rows(Known):
    """A row per sample. A reward in the place of `correct` is a field of the name `reward`."""

    title = "rows"

    def __init__(self, path: Path, choice: Choice) -> None:
        pass

    @staticmethod
    def recognises(fields: Mapping[str, Any]) -> bool:
        """Return True for an object of this kind."""
        return "problem_id" in fields and not fields.keys().isdisjoint({"model", "correct", "outcome", "generation", "prediction"})

    def samples(self, record: Record) -> Iterator[Sample | Unread]:
        """Yield the responses of a record, and what gives none."""
        fields = dict(record.fields)
        if "outcome" in fields:
            try:
                settle(fields, record.at)
            except TableError as error:
                yield Unread(at=record.at, reason=error.happened.removeprefix(f"{record.at}: "))
                return
        values = {name: fields[name] for name in COLUMNS if name in fields and name != "correct"}
        for column, aliases in ALIASES.items():
            found = next((alias for alias in aliases if alias in fields), None)
            if column not in values and found:
                values[column] = fields[found]
        scores: dict[str, Any] = {name: fields[name] for name in ("correct", "reward") if name in fields}
        yield Sample(values=values, scores=scores, settles=True, source=record.fields)

    def unknown(self, record: Record) -> Iterable[str]:
        """Return the fields that are not read."""
        return [name for name in record.fields if name not in _KNOWN]
