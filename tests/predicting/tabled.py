"""Tables of simulated samples."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl

RATES = {"weak": (0.0, 0.1, 0.3, 0.6), "strong": (0.0, 0.3, 0.6, 0.9)}
TOKENS = {"weak": 10, "strong": 30}


def sampled(
    problems: int = 40, draws: int = 20, seed: int = 0, rates: Mapping[str, tuple[float, ...]] = RATES, tokens: Mapping[str, int] = TOKENS
) -> pl.DataFrame:
    """Return a table in which each problem has one of a model's rates; an incorrect answer is one of three."""
    generator = np.random.default_rng(seed)
    rows = []
    for model, own in rates.items():
        for problem in range(problems):
            for index in range(draws):
                correct = bool(generator.random() < own[problem % len(own)])
                answer = "5" if correct else str(generator.integers(3))
                text = f"{problem}: {generator.integers(4)} so {answer}"
                rows.append((f"p{problem}", model, index, correct, text, answer, "5", tokens[model]))
    names = ["problem_id", "model", "sample_index", "correct", "generation", "predicted_answer", "expected_answer", "num_generated_tokens"]
    return pl.DataFrame(rows, schema=names, orient="row")


def written(table: pl.DataFrame, folder: Path) -> Path:
    path = folder / "samples.parquet"
    table.write_parquet(path)
    return path
