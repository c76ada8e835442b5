"""Checks over all rows of a table: no sample twice, no gaps, one unit of cost."""

from __future__ import annotations

import json

import numpy as np
import polars as pl

from isocost.arrays import Ints
from isocost.errors import TableError
from isocost.records import UNITS
from isocost.tables.coding import coded, codes, collected, combined
from isocost.tables.columns import refuse
from isocost.tables.source import Source


def refuse_gaps_and_duplicates(lazy: pl.LazyFrame, source: Source) -> None:
    """Check the columns that identify a sample.

    Raises:
        TableError: The table is empty; a name or an index is null; or a sample_index occurs twice in a model, pool and problem.
            The message names the row.
    """
    present = lazy.collect_schema().names()
    names = [name for name in ("problem_id", "model", "pool") if name in present]
    numbers = [name for name in ("sample_index",) if name in present]
    frame = coded(lazy, {name: name for name in names}, numbers)
    # An empty table would give measures without any value, which reads like a result.
    if frame.is_empty():
        raise TableError(f"{source.path}: the table is empty")
    for name in (*names, *numbers):
        if frame[name].null_count():
            raise refuse(source.at(int(frame[name].is_null().arg_true()[0])), name, None)
    if not numbers:
        return
    # Models are part of the key: two models of a study can be the same weights under two names, and then share a pool.
    owner = codes(frame["problem_id"])[0]
    for name in names[1:]:
        owner = combined(codes(frame[name])[0], owner)
    again = _again(owner, frame["sample_index"].to_numpy())
    if again is None:
        return
    problem, pool = str(frame["problem_id"][again]), str(frame["pool" if "pool" in names else "model"][again])
    raise TableError(
        f'{source.at(again)}: sample_index {frame["sample_index"][again]} occurs twice in pool "{pool[:80]}", problem "{problem[:80]}"\n'
        "  number the samples of a pool and problem 0, 1, 2, ..., or leave the column out"
    )


def _again(owner: Ints, index: Ints) -> int | None:
    """Return the first row whose owner and index occurred before, or None."""
    if int(index.max()) >= 2**62 // (int(owner.max()) + 1):  # the keys below would overflow int64
        index = np.unique(index, return_inverse=True)[1].reshape(-1).astype(np.int64)
    keys = owner * (int(index.max()) + 1) + index
    if _ascends(keys):  # most tables are sorted, which settles the question in one pass
        return None
    top = int(keys.max()) + 1
    # Flags over the range are faster than a hash table as long as they fit in memory.
    if top <= 64 * keys.size + 1024:
        seen = np.zeros(top, dtype=np.bool_)
        seen[keys] = True
        if int(np.count_nonzero(seen)) == keys.size:
            return None
    repeats = ~pl.Series(keys).is_first_distinct()
    return int(repeats.arg_true()[0]) if repeats.any() else None


def _ascends(keys: Ints) -> bool:
    return bool(np.all(keys[1:] > keys[:-1]))


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
