"""The training sets of a run's cells: chosen from the table of draws, their texts read as they are written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from isocost import curating
from isocost.curating import Curated
from isocost.metrics.diversity import Level, distinct_key
from isocost.records import Cell
from isocost.results.drawtable import PART, DrawTable

_COLUMNS = ("model", "problem_id", "sample_index", "finish_reason", "outcome")


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """Every draw that may go into a training set, in the order in which training sets choose.

    Attributes:
        table: The draws.
        found: `place` of each candidate, its `lot` and its `solution`.
        distinct: What makes two solutions the same.
    """

    table: DrawTable
    found: pl.DataFrame
    distinct: Level | None

    @classmethod
    def of(cls, table: DrawTable, distinct: Level | None, seed: int) -> Candidates:
        """Read the text of every candidate once, whatever the number of cells."""
        fit = curating.candidates(table.draws.select("finish_reason", "outcome"))
        ids = table.draws["sample_id"].filter(pl.Series(fit))
        lots = pl.DataFrame({"place": np.flatnonzero(fit), "lot": curating.lots(seed, ids)})
        if distinct is None:
            return cls(table=table, found=lots.with_columns(solution=pl.lit(None, dtype=pl.Binary)), distinct=None)
        parts = [
            pl.DataFrame({"place": places, "solution": curating.solutions(texts, distinct, distinct_key)})
            for places, texts in table.texts(fit)
        ]
        none = pl.DataFrame(schema={"place": pl.Int64, "solution": pl.Binary})
        return cls(table=table, found=lots.join(pl.concat([none, *parts]), on="place", how="left"), distinct=distinct)

    def curate(self, cell: Cell, per_problem: int | None) -> Curated:
        """Choose the training set of a cell."""
        draws = self.table.draws.select(*_COLUMNS).with_columns(place=pl.int_range(pl.len(), dtype=pl.Int64)).filter(self.table.cells[cell])
        return curating.curate(draws.join(self.found, on="place", how="left"), distinct=self.distinct, per_problem=per_problem)


def rows(table: DrawTable, curated: Curated, questions: Mapping[str, str], prompt: Callable[[str], str]) -> Iterator[pl.DataFrame]:
    """A training set a part at a time, as `curating.to_rows` has it; its texts are read from the table."""
    for kept in np.split(curated.kept, range(PART, curated.kept.size, PART)) if curated.kept.size else ():
        part = table.draws.select("problem_id", "model", "sample_id")[kept]
        yield curating.to_rows(part, table.texts_of(kept), questions, prompt)
