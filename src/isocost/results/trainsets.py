"""Build the training sets of a run's cells from the table of draws; texts are read while a set is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from isocost import curating
from isocost.curating import Curated
from isocost.metrics.coverage import Ints
from isocost.metrics.diversity import Level, distinct_key
from isocost.records import Cell
from isocost.results.drawtable import PART, DrawTable


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """Every draw that may go into a training set.

    Attributes:
        table: The draws.
        found: The candidates, in the form that `curating.curate` takes.
    """

    table: DrawTable
    found: pl.DataFrame

    @classmethod
    def of(cls, table: DrawTable, distinct: Level | None, seed: int) -> Candidates:
        """Read the text of every candidate once, whatever the number of cells.

        Args:
            table: The draws.
            distinct: What makes two solutions of a problem the same; None keeps duplicates.
            seed: Seed of the random choice.
        """
        fit = curating.candidates(table.draws.select("finish_reason", "outcome"))
        ranks = curating.seeded_ranks(seed, table.sample_ids(fit)).astype(np.uint32)
        found = table.draws.select("model", "problem_id", "sample_index").filter(pl.Series(fit))
        found = found.with_columns(place=pl.Series(np.flatnonzero(fit).astype(np.uint32)), rank=pl.Series(ranks))
        if distinct is not None:
            same = np.zeros((2, found.height), dtype=np.uint64)
            problems, problem = table.problem_ids, table.problem
            # Texts are hashed as they are read: all of them would not fit into memory.
            for places, texts in table.texts(fit):
                own = (problems[code] for code in problem[places])
                at = np.searchsorted(found["place"].to_numpy(), places)
                same[:, at] = curating.solutions(own, texts, distinct, distinct_key).T
            found = found.with_columns(a=pl.Series(same[0]), b=pl.Series(same[1]))
        return cls(table=table, found=found)

    def solutions(self) -> Ints:
        """Return the number of each draw's solution, int[draws]: equal for equal solutions, and -1 for draws that are no candidates."""
        numbers = np.full(self.table.draws.height, -1, dtype=np.int64)
        same = np.arange(self.found.height)
        # Without hashes every solution counts by itself.
        if "a" in self.found.columns:
            same = np.unique(self.found.select("a", "b").to_numpy(), axis=0, return_inverse=True)[1].ravel()
        numbers[self.found["place"].to_numpy()] = same
        return numbers

    def curate(self, cell: Cell, per_problem: int | None) -> Curated:
        """Choose the training set of a cell."""
        drawn = self.table.cells[cell]
        draws = self.table.draws.select("finish_reason", "outcome").filter(pl.Series(drawn))
        own = self.found.filter(pl.Series(drawn[self.found["place"].to_numpy()]))
        return curating.curate(draws, own, per_problem=per_problem)


def rows(
    table: DrawTable, curated: Curated, questions: Mapping[str, str], prompt: Callable[[str], str], form: str | None = None
) -> Iterator[pl.DataFrame]:
    """Yield a training set in parts of at most `PART` rows, as `curating.to_rows` returns them.

    Args:
        table: The draws, whose file has the texts.
        curated: The training set.
        questions: By problem id.
        prompt: Puts a question the way the student will be asked.
        form: As `curating.to_rows`.
    """
    has_reasoning = "reasoning" in table.scan().collect_schema().names()
    # np.split would return one empty part for an empty set.
    for kept in np.split(curated.kept, range(PART, curated.kept.size, PART)) if curated.kept.size else ():
        ids = pl.Series(list(table.sample_ids(kept)), dtype=pl.String)
        part = table.draws.select("problem_id", "model")[kept].with_columns(sample_id=ids)
        reasoning = table.texts_of(kept, "reasoning") if has_reasoning else None
        yield curating.to_rows(part, table.texts_of(kept), questions, prompt, reasoning=reasoning, form=form)
