"""Load a recorded pool from a table of samples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from isocost.backtesting.pool import Pool, pool_of
from isocost.costs.given import GivenCosts
from isocost.errors import TableError
from isocost.metrics.diversity import Level
from isocost.nearest import did_you_mean
from isocost.policies.base import KeptPerProblem, Objective
from isocost.tables import scan_table, table_notes
from isocost.tables.coding import collected

_COLUMNS = ("num_generated_tokens", "cost", "cost_unit", "finish_reason")
_FEW_PROBLEMS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A pool, and what a reader of its results should know, a sentence each."""

    pool: Pool
    notes: tuple[str, ...]


def load(
    path: Path, objective: Objective, *, given: GivenCosts | None = None, label: str | None = None, distinct: Level | None = "string"
) -> Recorded:
    """Load the columns that a backtest needs. Texts are read only if the objective compares solutions.

    Args:
        path: The table of samples.
        objective: What is to be reached.
        given: Costs that take the place of the table's own.
        label: Column with a number that goes with a problem's difficulty.
        distinct: Level at which solutions count as the same; None counts each as different.

    Raises:
        InputError: the given costs are not those of the table's models.
        TableError: the file is not a table of samples, or its rows are not a pool (`pool_of`).
    """
    wants_texts = isinstance(objective, KeptPerProblem) and distinct is not None
    lazy = scan_table(str(path), [*_COLUMNS, *(["generation"] if wants_texts else []), *([label] if label else [])])
    present = lazy.collect_schema().names()
    if label and label not in present:
        hint = f"{did_you_mean(label, present)} " if did_you_mean(label, present) else ""
        raise TableError(f'{path}: has no column "{label[:80]}"', advice=f"{hint}--label names a column of the table")
    table = collected(lazy)
    pool = pool_of(table, given=given, label=label, distinct=distinct)
    notes = [f"{note}." for note in table_notes(str(path))]
    return Recorded(pool=pool, notes=(*notes, *_notes(table, pool, wants_texts=wants_texts, label=label)))


def _notes(table: pl.DataFrame, pool: Pool, *, wants_texts: bool, label: str | None) -> Iterator[str]:
    if "sample_index" not in table.columns:
        yield "The table has no sample_index: each row counts as a draw of its own, even if it was written twice."
    if wants_texts and "generation" not in table.columns:
        yield "The table has no column generation: all correct draws of a problem count as different solutions."
    if ungraded := table["correct"].null_count():
        yield f"{ungraded:,} draws are not graded: they are bought and paid, and count as neither correct nor incorrect."
    unknown = [problem for problem, value in zip(pool.problems, pool.labels, strict=True) if value is None]
    if label and unknown:
        yield f"{len(unknown):,} of {len(pool.problems):,} problems have no {label}, such as {unknown[0][:80]}: of unknown difficulty."
    if len(pool.problems) < _FEW_PROBLEMS:
        yield f"Few problems: {len(pool.problems)}."
