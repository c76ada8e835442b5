"""Tables as CSV: numbers in full precision and raw units, shares as shares of 1, an estimate as its value, interval and n."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from isocost.records import Estimate
from isocost.reporting import escaping
from isocost.reporting.blocks import Column, Entry, Table

_ENDS = ("low", "high")
_COUNTS = ("n", "n_ungraded")


def table_csv(table: Table) -> str:
    """Format a table as CSV with a header line. Groups become the first column, and missing values are empty."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    group = [_key(table.group_title)] if table.group_title else []
    writer.writerow([*group, *(name for column in table.columns for name in _names(column))])
    for row in table.rows:
        values = (value for column, entry in zip(table.columns, row.entries, strict=True) for value in _values(column, entry))
        writer.writerow([*([escaping.csv(row.raw_group or row.group)] if group else []), *values])
    return out.getvalue()


def _names(column: Column) -> Iterator[str]:
    key = f"{column.key}_share" if column.share and column.key != "share" else column.key
    yield escaping.csv(key)
    if column.kind == "estimate":
        yield from (escaping.csv(f"{key}_{end}") for end in _ENDS)
        yield from (escaping.csv(f"{column.key}_{many}") for many in _COUNTS)


def _values(column: Column, entry: Entry) -> Iterator[str | float | None]:
    value = entry.value
    if isinstance(value, Estimate):
        yield from (value.value, value.low, value.high, value.n, value.n_ungraded)
        return
    yield escaping.csv(value) if isinstance(value, str) else value
    if column.kind == "estimate":
        yield from (None for _ in _ENDS + _COUNTS)


def _key(title: str) -> str:
    return title.lower().replace(", ", "_").replace(" ", "_")
