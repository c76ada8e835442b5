"""Groups of problems, by level, subject or another property."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from isocost.arrays import Ints
from isocost.errors import Option, TableError
from isocost.measuring.draws import Draws
from isocost.tables.coding import coded, codes
from isocost.tables.columns import COLUMNS


def problem_groups(table: pl.LazyFrame, draws: Draws, by: str | Mapping[str, str]) -> dict[str, Ints]:
    """Return the problems of each group, in the order of the groups' names.

    Args:
        table: The table from `tables.scan_table`.
        draws: The same table, loaded.
        by: A column of the table, or the group of each problem id. A problem without a group is left out.

    Returns:
        Indices into `draws.problems`, by group.

    Raises:
        TableError: The table lacks the column, it belongs to samples, or a problem is in two groups.
    """
    if isinstance(by, str):
        return _sorted({name: np.flatnonzero(of == i) for of, names in [_column(table, draws, by)] for i, name in enumerate(names)})
    found: dict[str, list[int]] = {}
    for i, problem in enumerate(draws.problems):
        if problem in by:
            found.setdefault(by[problem], []).append(i)
    return _sorted({name: np.array(members, dtype=np.int64) for name, members in found.items()})


def _column(table: pl.LazyFrame, draws: Draws, by: str) -> tuple[Ints, list[str]]:
    """Return the group of each problem, -1 for none, and the names of the groups."""
    if COLUMNS.get(by, pl.String()) != pl.String():
        raise TableError(
            f'column "{by}" belongs to a sample, not to a problem, so it cannot group problems',
            advice="name another column",
            option=Option(name="by"),
        )
    if by not in table.collect_schema().names():
        raise TableError(f'the table has no column "{by[:80]}" to group problems by')
    frame = coded(table.filter(pl.col(by).is_not_null()), {"problem": "problem_id", "group": by}, [])
    group, names = codes(frame["group"])
    problem, ids = codes(frame["problem"])
    place = {name: i for i, name in enumerate(draws.problems)}
    at = np.array([place[name] for name in ids], dtype=np.int64)[problem]
    of = np.full(len(place), -1, dtype=np.int64)
    of[at] = group
    # A problem with two groups was written twice above; the first value is lost, which shows here.
    if np.any(of[at] != group):
        row = int(np.flatnonzero(of[at] != group)[0])
        pair = " and ".join(f'"{names[i][:80]}"' for i in (group[row], of[at[row]]))
        raise TableError(f'problem "{draws.problems[at[row]][:80]}" is in two groups of column "{by[:80]}": {pair}')
    return of, names


def _sorted(groups: dict[str, Ints]) -> dict[str, Ints]:
    # Numbers by length first, so that level 10 follows level 9.
    return {name: groups[name] for name in sorted(groups, key=lambda name: (len(name), name) if name.isdecimal() else (0, name))}
