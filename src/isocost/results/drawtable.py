"""The draws of a run by column: what every stage after sampling reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import get_args

import numpy as np
import polars as pl
import pyarrow.parquet as pq

from isocost import paths
from isocost.metrics.coverage import Bools, Floats, Ints
from isocost.records import Allocation, Cell, Cost, FinishReason, Outcome, Unit
from isocost.results.tables import write_samples

PART = 50_000  # texts in memory at once
_COSTS = {"cost_flops": pl.Float64(), "cost_usd": pl.Float64(), "cost_seconds": pl.Float64()}


@dataclass(frozen=True, kw_only=True)
class DrawTable:
    """Every draw of a run in some 80 bytes, and where to read its text.

    Attributes:
        draws: A row per draw, models by name, problems in the study's order, then by index: `row` (its place in the file), `sample_id`,
            `model`, `problem_id`, `sample_index`, `num_generated_tokens`, `finish_reason`, `outcome`, `cost_flops`, `cost_usd`,
            `cost_seconds`.
        cells: Which of them each cell drew, bool[draws]; cells share draws.
        path: samples.parquet, which has the texts.
    """

    draws: pl.DataFrame
    cells: Mapping[Cell, Bools]
    path: Path

    @classmethod
    def write(
        cls,
        parts: Iterable[pl.DataFrame],
        path: Path,
        unit: Unit | None,
        *,
        models: Iterable[str],
        problem_ids: Sequence[str],
        allocations: Mapping[Cell, Sequence[Allocation]],
    ) -> DrawTable:
        """Write the table of samples, and keep its columns without the texts.

        Args:
            parts: As `write_samples`, with `id`, `outcome` and `cost_seconds`.
            path: The file.
            unit: As `write_samples`.
            models: Every model that may have drawn.
            problem_ids: In the study's order.
            allocations: What every cell drew.

        Raises:
            StorageError: As `write_samples`.
        """
        schema = _schema(models, problem_ids)
        kept = [pl.DataFrame(schema=schema)]

        def keeping() -> Iterator[pl.DataFrame]:
            for part in parts:
                kept.append(part.rename({"id": "sample_id"}).select(pl.col(name).cast(dtype) for name, dtype in schema.items()))
                yield part

        write_samples(keeping(), path, unit)
        draws = pl.concat(kept).with_row_index("row").sort("model", "problem_id", "sample_index")
        return cls(draws=draws, cells={cell: _drawn(draws, own) for cell, own in allocations.items()}, path=path)

    @cached_property
    def correct(self) -> Bools:
        """Whether each draw is correct, bool[draws]."""
        return (self.draws["outcome"] == Outcome.CORRECT).to_numpy()

    def graded(self, which: Bools) -> pl.Series:
        """Whether each of some draws is correct, null where it is not graded."""
        outcome = self.draws["outcome"].filter(pl.Series(which))
        return (outcome == Outcome.CORRECT).set(outcome == Outcome.UNGRADED, None)

    @cached_property
    def drawn(self) -> Bools:
        """Whether any cell drew it, bool[draws]."""
        drawn: Bools = np.logical_or.reduce([*self.cells.values(), np.zeros(self.draws.height, dtype=np.bool_)])
        return drawn

    @cached_property
    def places(self) -> Ints:
        """The place in `draws` of each row of the file, int[draws]."""
        places = np.empty(self.draws.height, dtype=np.int64)
        places[self.draws["row"].to_numpy()] = np.arange(places.size)
        return places

    def of_cell(self, cell: Cell, *columns: str) -> pl.DataFrame:
        """Columns of the draws of a cell."""
        return self.draws.select(columns).filter(self.cells[cell])

    def of_model(self, model: str, *columns: str) -> pl.DataFrame:
        """Columns of the draws of a model, whoever drew them."""
        return self.draws.lazy().filter(pl.col("model") == model).select(columns).collect()

    def amounts(self, model: str, unit: Unit) -> Floats:
        """What a model's draws of each problem cost, float[problems], nan where that of one is not known."""
        draws = self.of_model(model, "problem_id", f"cost_{unit}")
        costs = draws[f"cost_{unit}"].fill_null(float("nan")).to_numpy()
        n_problems = len(_categories(draws["problem_id"]))
        return np.bincount(draws["problem_id"].to_physical().to_numpy(), weights=costs, minlength=n_problems).astype(np.float64)

    def scan(self) -> pl.LazyFrame:
        """The file, with texts and the columns that measuring knows."""
        return paths.scan_parquet(self.path)

    def texts(self, wanted: Bools) -> Iterator[tuple[Ints, pl.Series]]:
        """Read the texts of some draws, a part at a time, in the order of the file.

        Args:
            wanted: Which, bool[draws].

        Yields:
            Places in `draws`, and the texts of the draws there.
        """
        of_file = wanted[self.places]
        start = 0
        with self.path.open("rb") as file, pq.ParquetFile(file, pre_buffer=False) as parquet:
            for group in range(parquet.num_row_groups):
                size = parquet.metadata.row_group(group).num_rows
                mine = np.flatnonzero(of_file[start : start + size])
                if mine.size:
                    texts = pl.Series(parquet.read_row_group(group, columns=["generation"], use_threads=False)["generation"])
                    for at in np.split(mine, range(PART, mine.size, PART)):
                        yield self.places[start + at], texts.gather(at)
                start += size

    def texts_of(self, places: Ints) -> pl.Series:
        """Return the texts of these draws, in this order; hold no more than `PART` of them."""
        wanted = np.zeros(self.draws.height, dtype=np.bool_)
        wanted[places] = True
        found = list(self.texts(wanted))
        if not found:
            return pl.Series("generation", [], dtype=pl.String)
        order = np.concatenate([at for at, _ in found])
        texts = pl.concat([text for _, text in found])
        by_place = np.argsort(order)
        return texts.gather(by_place[np.searchsorted(order, places, sorter=by_place)])


def _schema(models: Iterable[str], problem_ids: Sequence[str]) -> pl.Schema:
    return pl.Schema(
        {
            "sample_id": pl.String(),
            "model": pl.Enum(sorted(models)),
            "problem_id": pl.Enum(problem_ids),
            "sample_index": pl.Int64(),
            "num_generated_tokens": pl.Int64(),
            "finish_reason": pl.Enum(get_args(FinishReason)),
            "outcome": pl.Enum([str(outcome) for outcome in Outcome]),
            **_COSTS,
        }
    )


def _drawn(draws: pl.DataFrame, allocations: Sequence[Allocation]) -> Bools:
    """Which draws these allocations name, bool[draws]; what was not delivered is not there."""
    models = {name: code for code, name in enumerate(_categories(draws["model"]))}
    problems = {name: code for code, name in enumerate(_categories(draws["problem_id"]))}
    owner, index = _owners(draws, len(problems)), draws["sample_index"].to_numpy()
    width = int(index.max(initial=0)) + 2
    keys = owner * width + index  # ascend: the draws are sorted
    named = np.array([models[a.model] * len(problems) + problems[a.problem_id] for a in allocations], dtype=np.int64) * width
    first = np.array([min(a.first_index, width - 1) for a in allocations], dtype=np.int64)
    end = np.array([min(a.first_index + a.count, width - 1) for a in allocations], dtype=np.int64)
    steps = np.zeros(keys.size + 1, dtype=np.int64)
    np.add.at(steps, np.searchsorted(keys, named + first), 1)
    np.add.at(steps, np.searchsorted(keys, named + end), -1)
    return np.cumsum(steps)[:-1] > 0


def _categories(column: pl.Series) -> list[str]:
    return pl.Series(column.dtype.categories).to_list() if isinstance(column.dtype, pl.Enum) else []


def _owners(draws: pl.DataFrame, n_problems: int) -> Ints:
    """One number per model and problem, int[draws]."""
    model, problem = (draws[name].to_physical().to_numpy().astype(np.int64) for name in ("model", "problem_id"))
    return model * n_problems + problem


def cost_of(draws: pl.DataFrame) -> Cost:
    """Add up costs one after the other in the order of the rows, each unit where all of the draws know it."""
    flops, usd, seconds = (_sum(draws[name]) for name in _COSTS)
    return Cost(flops=flops, usd=usd, seconds=seconds)


def _sum(amounts: pl.Series) -> float | None:
    if amounts.null_count():
        return None
    return float(np.cumsum(amounts.to_numpy())[-1]) if amounts.len() else 0.0
