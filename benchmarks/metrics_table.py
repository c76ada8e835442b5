"""A seeded table of samples for benchmarks/metrics.py, written in parts so that making it needs little memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq

PHRASES = [
    f"{verb} {thing} {place}, "
    for verb in ("count the", "add up the", "take away", "first we double", "then halve the", "compare all")
    for thing in ("red apples", "small boxes", "train tickets", "pages", "minutes left")
    for place in ("of the morning", "on the table", "in his bag")
]
PART = 250_000


def write_table(path: Path, *, models: int, problems: int, draws: int, row_group: int = PART, seed: int = 0) -> int:
    """Write models x problems x draws samples, sorted by model, problem and sample_index; texts of some 200 characters.

    Each (model, problem) has a pass rate of its own, Beta(0.5, 1), and draws its solutions from a pool of 40 with Zipf-like shares, so that
    some come often and many once.
    """
    rng = np.random.default_rng(seed)
    rates = rng.beta(0.5, 1, models * problems)
    weights = 1 / np.arange(1, 41)
    weights /= weights.sum()
    total = models * problems * draws
    temporary = path.with_suffix(".part")
    schema = _part(rng, np.arange(1), rates, weights, problems, draws).to_arrow().schema
    with pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
        for start in range(0, total, row_group):
            pieces = [
                _part(rng, np.arange(first, min(first + PART, start + row_group, total)), rates, weights, problems, draws)
                for first in range(start, min(start + row_group, total), PART)
            ]
            writer.write_table(pl.concat(pieces).to_arrow().cast(schema), row_group_size=row_group)
    temporary.rename(path)
    return total


def _part(rng: np.random.Generator, rows: np.ndarray, rates: np.ndarray, weights: np.ndarray, problems: int, draws: int) -> pl.DataFrame:
    group = rows // draws
    correct = rng.random(rows.size) < rates[group]
    solution = rng.choice(weights.size, rows.size, p=weights)
    seeds = (group * 1_000_003 + solution * 7919 + np.where(correct, 0, 3)) % (2**31)
    words = [pl.Series(np.array(PHRASES, dtype=object)[(seeds // 90**i) % 90], dtype=pl.String) for i in range(6)]
    numbers = pl.Series(seeds).cast(pl.String)
    return pl.DataFrame(
        {
            "problem_id": pl.Series(group % problems).cast(pl.String).str.pad_start(6, "0"),
            "model": pl.Series(group // problems).cast(pl.String),
            "sample_index": rows % draws,
            "num_generated_tokens": rng.integers(20, 90, rows.size),
            "correct": correct,
        }
    ).select(
        pl.format("problem-{}", "problem_id").alias("problem_id"),
        pl.format("model-{}", "model").alias("model"),
        "sample_index",
        "num_generated_tokens",
        "correct",
        pl.concat_str([*words, pl.lit("so the answer is "), numbers]).alias("generation"),
    )
