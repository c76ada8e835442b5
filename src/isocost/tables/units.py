"""The unit of the column `cost`. A table has one unit, because costs in two units cannot be compared."""

from __future__ import annotations

import json

import polars as pl

from isocost.errors import TableError
from isocost.tables.coding import collected
from isocost.tables.source import Source

UNITS = ("flops", "usd")


def refuse_mixed_units(lazy: pl.LazyFrame, source: Source) -> None:
    """Check that all costs are in one unit. A null cost needs no unit.

    Raises:
        TableError: A unit is unknown, or rows differ in it. It names the row.
    """
    # Costs without a unit are allowed: they are compared within the table only.
    if not {"cost", "cost_unit"} <= set(lazy.collect_schema().names()):
        return
    places = collected(
        lazy.select(pl.col("cost_unit").cast(pl.String), priced=pl.col("cost").is_not_null())
        .with_row_index("row")
        .filter(pl.col("priced") | pl.col("cost_unit").is_not_null())
        .group_by("cost_unit")
        .agg(pl.col("row").min())
    ).sort("row")
    rows = list(places.iter_rows())
    for unit, row in rows:
        if unit is not None and unit not in UNITS:
            raise TableError(f"{source.at(row)}: cost_unit must be {' or '.join(UNITS)}, found {json.dumps(unit)[:80]}")
    if len(rows) > 1:
        (first, at), (unit, row) = rows[:2]
        raise TableError(
            f"{source.at(row)}: cost_unit is {json.dumps(unit)}, and {json.dumps(first)} in {source.at(at).rpartition('/')[2]}\n"
            "  give every cost of a table in one unit"
        )
