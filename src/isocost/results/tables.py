"""Write the table of samples of a run."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from isocost.records import Unit
from isocost.store import atomic_write

_SCHEMA = pl.Schema(
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


def write_samples(parts: Iterable[pl.DataFrame], path: Path, unit: Unit | None) -> None:
    """Write a table of samples, a part at a time: texts of a million samples need not fit into memory.

    Args:
        parts: Draws, with their costs as cost_flops and cost_usd.
        path: The file.
        unit: The unit of the column `cost`; None makes the column null, where no unit is known for all draws.

    Raises:
        StorageError: the disk is full or cannot be written; an earlier table is left unchanged.
    """
    schema = pl.DataFrame(schema=_SCHEMA).to_arrow().schema
    cost = {"cost": pl.col(f"cost_{unit}") if unit else pl.lit(None), "cost_unit": pl.lit(unit)}
    with atomic_write(path) as temporary, temporary.open("wb") as file, pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for part in parts:
            writer.write_table(part.with_columns(**cost).select(_SCHEMA.names()).cast(_SCHEMA).to_arrow())
