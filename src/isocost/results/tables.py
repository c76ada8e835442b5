"""Tables of samples: graded draws as a frame, and as the file that a run leaves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from isocost.records import Problem, Sample, Unit, Verdict
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
    }
)


_PRICED = pl.Schema([*_SCHEMA.items(), ("cost", pl.Float64()), ("cost_unit", pl.String())])


def frame_of(graded: Sequence[tuple[Sample, Verdict]], problems: Sequence[Problem]) -> pl.DataFrame:
    """Graded draws in the columns that a table of samples has everywhere; a problem without a reference answer has none there either."""
    answers = {p.id: p.answer or None for p in problems}
    rows = [
        (
            s.problem_id, s.model, s.pool, s.sample_index, s.generation, s.num_prompt_tokens, s.num_generated_tokens, s.finish_reason,
            answers[s.problem_id], v.predicted_answer, v.correct,
        )
        for s, v in graded
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


def write_samples(parts: Iterable[pl.DataFrame], path: Path, unit: Unit | None) -> None:
    """Write a table of samples, a part at a time: texts of a million samples need not fit into memory.

    Args:
        parts: Draws, with their costs as cost_flops and cost_usd.
        path: The file.
        unit: Of the column `cost`; None where no unit is known of all draws, then the column is null.

    Raises:
        StorageError: the disk is full or cannot be written; a former table is as it was.
    """
    schema = pl.DataFrame(schema=_PRICED).to_arrow().schema
    cost = {"cost": pl.col(f"cost_{unit}") if unit else pl.lit(None), "cost_unit": pl.lit(unit)}
    with atomic_write(path) as temporary, temporary.open("wb") as file, pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for part in parts:
            writer.write_table(part.with_columns(**cost).select(_PRICED.names()).cast(_PRICED).to_arrow())
