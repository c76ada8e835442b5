"""How long pages take and how large they are: `python -m tests.viewer.measure`. Prints the table of docs/viewer.md."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl
from starlette.testclient import TestClient

from isocost.viewer.app import viewer
from isocost.viewer.labelbook import LabelBook
from isocost.viewer.rundata import RunData
from tests.viewer.conftest import ORIGIN, PORT, TOKEN
from tests.viewer.rundirs import write_run

SIZES = ((625, 16), (10_000, 100))  # problems, samples of each
WORDS = np.array([*(f"word{i}" for i in range(40)), "12 + 35 = 47", "6 * 8 = 48"])


def write(path: Path, n_problems: int, n_samples: int) -> None:
    """Samples of some 500 characters, all different, of two models."""
    write_run(path, n_problems=2, n_chosen=0)
    n, lots = n_problems * n_samples, np.random.default_rng(0)
    texts = [" ".join(lots.choice(WORDS, 120)) for _ in range(2000)]
    heads = pl.Series(lots.integers(0, 1 << 40, n)).cast(pl.String)
    pl.DataFrame(
        {
            "problem_id": np.repeat(np.char.add("p", np.arange(n_problems).astype(str)), n_samples),
            "model": np.tile(np.array(["a", "b"]), n // 2),
            "sample_index": np.tile(np.arange(n_samples) // 2, n_problems),
            "generation": heads + " " + pl.Series(texts)[lots.integers(0, len(texts), n)],
            "num_generated_tokens": lots.integers(10, 300, n),
            "finish_reason": ["stop"] * n,
            "predicted_answer": ["1"] * n,
            "correct": lots.random(n) < 0.5,
        }
    ).write_parquet(path / "samples.parquet")
    questions = {"id": [f"p{i}" for i in range(n_problems)], "question": ["How many are left in the end, and why? " * 6] * n_problems}
    pl.DataFrame(questions).with_columns(answer=pl.lit("1"), metadata=pl.lit('{"level": "3"}')).write_parquet(
        path / "problems" / "train.parquet"
    )


def main() -> None:
    sys.stdout.write("| samples | first list | a filter | a problem | largest page |\n| ---: | ---: | ---: | ---: | ---: |\n")
    for n_problems, n_samples in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder)
            write(path, n_problems, n_samples)
            client = TestClient(viewer(RunData(path), LabelBook(path, "ann"), token=TOKEN, port=PORT), base_url=ORIGIN)
            cells, largest = [], 0
            for address in (f"/?token={TOKEN}", "/?show=disagree&page=2", "/problem?id=p77"):
                started = time.perf_counter()
                largest = max(largest, len(client.get(address).content))
                cells.append(f"{time.perf_counter() - started:.2f} s")
            sys.stdout.write(f"| {n_problems * n_samples:,} | {' | '.join(cells)} | {largest / 1000:.0f} KB |\n")


if __name__ == "__main__":
    main()
