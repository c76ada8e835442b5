"""The draws of a run as a table, which every stage after sampling reads."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, get_args

import numpy as np
import polars as pl
import pyarrow.parquet as pq
from numpy.typing import NDArray

from isocost import paths
from isocost.arrays import Bools, Floats, Ints
from isocost.executors.storing import EXTRAS
from isocost.machine import memory_returned
from isocost.records import Allocation, Cell, Cost, FinishReason, Outcome, Unit
from isocost.store import atomic_write

Places = NDArray[np.integer[Any]]  # row numbers in the table of draws
PART = 20_000  # texts in memory at once: some MB at some hundred bytes each
_ROW_GROUP = 5_000  # rows; polars reads some fifty row groups ahead of what uses them
_COSTS = ("cost_flops", "cost_usd", "cost_seconds")

_SAMPLES = pl.Schema(
    {
        "problem_id": pl.String,
        "model": pl.String,
        "pool": pl.String,
        "sample_index": pl.Int64,
        "generation": pl.String,
        "num_prompt_tokens": pl.Int64,
        "num_generated_tokens": pl.Int64,
        "finish_reason": pl.String,
        "expected_answer": pl.String,
        "predicted_answer": pl.String,
        "correct": pl.Boolean,
        "cost": pl.Float64,
        "cost_unit": pl.String,
    }
)


@dataclass(frozen=True, kw_only=True)
class DrawTable:
    """Every draw of a run in about 50 bytes, and the file that has its text.

    Attributes:
        draws: A row per draw, models by name, problems in the study's order, then by index: `row` (its place in the file), `id` (its
            sample id as a number), `model`, `problem_id`, `sample_index`, `num_generated_tokens`, `finish_reason`, `outcome`,
            `cost_flops`, `cost_usd`, `cost_seconds`.
        cells: A mask of the draws of each cell, bool[draws]; cells share draws.
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
        extras: Collection[str] = (),
    ) -> DrawTable:
        """Write the table of samples, and keep its columns without the texts.

        Args:
            parts: As `write_samples`, with `id`, `outcome` and `cost_seconds`.
            path: The file.
            unit: As `write_samples`.
            models: Every model that may have drawn.
            problem_ids: In the study's order.
            allocations: The draws of every cell.
            extras: As `write_samples`.

        Raises:
            StorageError: As `write_samples`.
        """
        schema = _schema(models, problem_ids)
        # A sample id is 16 hexadecimal digits: 8 bytes as a number.
        columns = [pl.col("id").str.to_integer(base=16, dtype=pl.UInt64), *(pl.col(name).cast(dtype) for name, dtype in schema.items())]
        kept = [pl.DataFrame(schema={"id": pl.UInt64, **schema})]

        # The parts can be read once only, so the columns are kept while the file is written.
        def keeping() -> Iterator[pl.DataFrame]:
            for part in parts:
                kept.append(part.select(columns))
                yield part

        write_samples(keeping(), path, unit, extras)
        draws = _in_order(pl.concat(kept).with_row_index("row"))
        return cls(draws=draws, cells={cell: _drawn(draws, own) for cell, own in allocations.items()}, path=path)

    @cached_property
    def correct(self) -> Bools:
        """A mask of the correct draws, bool[draws]."""
        return (self.draws["outcome"] == Outcome.CORRECT).to_numpy()

    @cached_property
    def graded(self) -> Bools:
        """A mask of the graded draws, bool[draws]."""
        return (self.draws["outcome"] != Outcome.UNGRADED).to_numpy()

    @cached_property
    def drawn(self) -> Bools:
        """A mask of the draws of any cell, bool[draws]."""
        drawn: Bools = np.logical_or.reduce([*self.cells.values(), np.zeros(self.draws.height, dtype=np.bool_)])
        return drawn

    @cached_property
    def problem(self) -> Ints:
        """The place of each draw's problem in the study, int[draws]."""
        return self.draws["problem_id"].to_physical().to_numpy()

    @property
    def problem_ids(self) -> list[str]:
        """The problems of the study, in its order."""
        return _categories(self.draws["problem_id"])

    @property
    def models(self) -> list[str]:
        """The models that may have drawn, by name."""
        return _categories(self.draws["model"])

    def drawn_by(self, allocations: Sequence[Allocation]) -> Bools:
        """Return a mask of the draws that allocations name, bool[draws]."""
        return _drawn(self.draws, allocations)

    def is_of(self, model: str) -> Bools:
        """Return a mask of the model's draws, bool[draws]."""
        return (self.draws["model"] == model).to_numpy()

    def count(self, which: Bools) -> Ints:
        """Count the draws in a mask by problem, int[problems]."""
        return np.bincount(self.problem[which], minlength=len(self.problem_ids))

    def tokens(self, which: Bools) -> int:
        """Return the number of tokens generated in the draws of a mask."""
        return int(self.draws["num_generated_tokens"].to_numpy()[which].sum())

    def cost(self, which: Bools) -> Cost:
        """Return the total cost of the draws in a mask; a unit is None where the cost of any of them is unknown."""
        flops, usd, seconds = (_sum(self._amounts(f"cost_{unit}", which)) for unit in ("flops", "usd", "seconds"))
        return Cost(flops=flops, usd=usd, seconds=seconds)

    def amounts(self, model: str, unit: Unit, which: Bools) -> Floats:
        """Return the cost of a model's draws in a mask by problem, float[problems]; nan where the cost of any draw is unknown."""
        mine = self.is_of(model) & which
        costs = self._amounts(f"cost_{unit}", mine)
        # An unknown cost is nan, and makes the sum of its problem nan.
        return np.bincount(self.problem[mine], weights=costs, minlength=len(self.problem_ids)).astype(np.float64)

    def _amounts(self, column: str, which: Bools) -> Floats:
        """Return the costs of the draws in a mask; nan where unknown."""
        return self.draws[column].filter(pl.Series(which)).cast(pl.Float64).fill_null(float("nan")).to_numpy()

    def sample_ids(self, which: Bools | Places) -> Iterator[str]:
        """Return the sample ids of draws, given as a mask or as places."""
        # All digits at once, which takes a third of the time of formatting one number after the other.
        digits = self.draws["id"].to_numpy()[which].astype(">u8").tobytes().hex()
        return (digits[start : start + 16] for start in range(0, len(digits), 16))

    def scan(self) -> pl.LazyFrame:
        """Return the file as a lazy frame, with texts and the columns that measuring reads."""
        return paths.scan_parquet(self.path)

    @cached_property
    def has_reasoning(self) -> bool:
        """True if some draws have reasoning beside their texts."""
        return "reasoning" in self.scan().collect_schema().names()

    @cached_property
    def places(self) -> NDArray[np.uint32]:
        """The place in `draws` of each row of the file, int[draws]."""
        # The inverse permutation of the column `row`.
        places = np.empty(self.draws.height, dtype=np.uint32)
        places[self.draws["row"].to_numpy()] = np.arange(places.size, dtype=np.uint32)
        return places

    def texts(self, wanted: Bools, column: str = "generation") -> Iterator[tuple[Ints, pl.Series]]:
        """Read the texts of some draws, a part at a time, in the order of the file.

        Args:
            wanted: A mask of the draws, bool[draws].
            column: The column that has the texts.

        Yields:
            Places in `draws`, and the texts of the draws at these places.
        """
        start = 0
        # A row group at a time: a query of polars reads some seventy ahead, and pre_buffer would read all of them.
        with self.path.open("rb") as file, pq.ParquetFile(file, pre_buffer=False) as parquet:
            for group in range(parquet.num_row_groups):
                places = self.places[start : start + parquet.metadata.row_group(group).num_rows].astype(np.int64)
                mine = np.flatnonzero(wanted[places])
                for at in np.split(mine, range(PART, mine.size, PART)) if mine.size else ():
                    with memory_returned():
                        # pyarrow copies what is taken; polars would keep the texts of the whole group in memory.
                        found = pl.Series(parquet.read_row_group(group, columns=[column], use_threads=False)[column].take(at))
                    yield places[at], found
                start += places.size

    def texts_of(self, places: Places, column: str = "generation") -> pl.Series:
        """Return the texts of the draws at `places`, in this order; all are in memory at once, so give at most `PART`."""
        wanted = np.zeros(self.draws.height, dtype=np.bool_)
        wanted[places] = True
        found = list(self.texts(wanted, column))
        if not found:
            return pl.Series(column, [], dtype=pl.String)
        order = np.concatenate([at for at, _ in found])
        texts = pl.concat([text for _, text in found])
        by_place = np.argsort(order)
        return texts.gather(by_place[np.searchsorted(order, places, sorter=by_place)])


def _schema(models: Iterable[str], problem_ids: Sequence[str]) -> dict[str, pl.DataType]:
    return {
        # Enums store a small number per row; strings would take most of the memory of the table.
        "model": pl.Enum(sorted(models)),
        "problem_id": pl.Enum(problem_ids),
        "sample_index": pl.UInt32(),
        "num_generated_tokens": pl.Int64(),
        "finish_reason": pl.Enum(get_args(FinishReason)),
        "outcome": pl.Enum([str(outcome) for outcome in Outcome]),
        **dict.fromkeys(_COSTS, pl.Float64()),
    }


def _in_order(draws: pl.DataFrame) -> pl.DataFrame:
    """Sort the draws, one column at a time: a sorted copy of the whole table would be the peak memory of a run."""
    for name in _COSTS:
        if draws[name].null_count() == draws.height:  # a column of nulls takes no memory as the type Null
            draws = draws.with_columns(pl.lit(None).alias(name))
    keys, _ = _keys(draws)
    # Draws usually arrive in order; then no column is copied.
    if (keys[1:] > keys[:-1]).all():
        return draws
    order = pl.Series(np.argsort(keys, kind="stable").astype(np.uint32))
    for name in draws.columns:
        draws = draws.with_columns(draws[name].gather(order))
    return draws


def _keys(draws: pl.DataFrame) -> tuple[Ints, int]:
    """Return one number per draw that sorts by model, problem and index, and the difference between neighbouring problems."""
    index = draws["sample_index"].to_numpy().astype(np.int64)
    width = int(index.max(initial=0)) + 2  # one key more than indices, so that the end of a range is below the next problem
    # Added in place, as each temporary array takes 8 bytes per draw.
    index += width * draws["problem_id"].to_physical().to_numpy().astype(np.int64)
    index += width * len(_categories(draws["problem_id"])) * draws["model"].to_physical().to_numpy().astype(np.int64)
    return index, width


def _drawn(draws: pl.DataFrame, allocations: Sequence[Allocation]) -> Bools:
    """Return a mask of the draws that the allocations name, bool[draws].

    Draws that were allocated and not delivered have no row, so they are ignored. Each allocation adds 1 at its start and -1 at its end; the
    cumulative sum is above 0 inside any range. This takes two binary searches per allocation, however long it is.
    """
    models = {name: code for code, name in enumerate(_categories(draws["model"]))}
    problems = {name: code for code, name in enumerate(_categories(draws["problem_id"]))}
    keys, width = _keys(draws)  # ascend: the draws are sorted
    named = np.array([models[a.model] * len(problems) + problems[a.problem_id] for a in allocations], dtype=np.int64) * width
    # Clipped to the range of the problem: an allocation may reach beyond the draws that were delivered.
    first = np.array([min(a.first_index, width - 1) for a in allocations], dtype=np.int64)
    end = np.array([min(a.first_index + a.count, width - 1) for a in allocations], dtype=np.int64)
    steps = np.zeros(keys.size + 1, dtype=np.int32)
    np.add.at(steps, np.searchsorted(keys, named + first), 1)
    np.add.at(steps, np.searchsorted(keys, named + end), -1)
    return np.cumsum(steps, dtype=np.int32)[:-1] > 0


def _categories(column: pl.Series) -> list[str]:
    return pl.Series(column.dtype.categories).to_list() if isinstance(column.dtype, pl.Enum) else []


def _sum(amounts: Floats) -> float | None:
    if np.isnan(amounts).any():
        return None
    # cumsum adds one amount after the other, as the ledger does; np.sum adds pairwise, which changes the last digits.
    return float(np.cumsum(amounts)[-1]) if amounts.size else 0.0


def write_samples(parts: Iterable[pl.DataFrame], path: Path, unit: Unit | None, extras: Collection[str] = ()) -> None:
    """Write a table of samples, a part at a time: texts of a million samples need not fit into memory.

    Args:
        parts: Draws, with their costs as cost_flops and cost_usd.
        path: The file.
        unit: The unit of the column `cost`; None makes the column null, where no unit is known for all draws.
        extras: Those of `EXTRAS` that some draw has; a part may lack them.

    Raises:
        StorageError: the disk is full or cannot be written; an earlier table is left unchanged.
    """
    columns = pl.Schema({**_SAMPLES, **{name: dtype for name, dtype in EXTRAS.items() if name in extras}})
    schema = pl.DataFrame(schema=columns).to_arrow().schema
    cost = {"cost": pl.col(f"cost_{unit}") if unit else pl.lit(None), "cost_unit": pl.lit(unit)}
    with atomic_write(path) as temporary, temporary.open("wb") as file, pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for part in parts:
            absent = {name: pl.lit(None) for name in extras if name not in part.columns}
            rows = part.with_columns(**cost, **absent).select(columns.names()).cast(columns)
            writer.write_table(rows.to_arrow(), row_group_size=_ROW_GROUP)
