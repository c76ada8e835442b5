"""Processor seconds and sizes of pages: `python -m tests.viewer.measure`. Prints the table of docs/viewer.md.

`python -m tests.viewer.measure RUN` measures those of a run directory.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
from starlette.testclient import TestClient

from isocost.viewer.app import viewer
from isocost.viewer.choosing import OpenRun
from isocost.viewer.labelbook import LabelBook
from isocost.viewer.rundata import RunData
from tests.viewer.conftest import ORIGIN, PORT, TOKEN
from tests.viewer.rundirs import write_run

SIZES = ((625, 16), (10_000, 100))  # problems, samples of each
ROW_GROUP = 20_000  # rows, as a run writes them
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
    ).write_parquet(path / "samples.parquet", row_group_size=ROW_GROUP)
    questions = {"id": [f"p{i}" for i in range(n_problems)], "question": ["How many are left in the end, and why? " * 6] * n_problems}
    pl.DataFrame(questions).with_columns(answer=pl.lit("1"), metadata=pl.lit('{"level": "3"}')).write_parquet(
        path / "problems" / "train.parquet"
    )


def row(path: Path) -> str:
    """The row of a run: start, first list, a list by correct before and after distinct solutions are counted, a problem, largest page."""
    data, sizes = RunData(path), []
    cells = [taken(data.counts)]
    run = OpenRun(name="run", data=data, book=LabelBook(path, "ann"))
    client = TestClient(viewer([run], token=TOKEN, port=PORT), base_url=ORIGIN)

    def get(address: str) -> str:
        return taken(lambda: sizes.append(len(client.get(address).content)))

    cells += [get(f"/?token={TOKEN}"), get("/?sort=-solved&page=3")]
    data.count_ahead()
    last = data.counts().problems["id"][-1]
    cells += [get("/?sort=solved&page=3"), get(f"/problem?id={last}")]
    return f"| {data.counts().problems['n'].sum():,} | {' | '.join(cells)} | {max(sizes) / 1000:.0f} KB |\n"


def taken(work: Callable[[], object]) -> str:
    started = time.process_time()
    work()
    return f"{time.process_time() - started:.2f} s"


def main() -> None:
    sys.stdout.write("| samples | start | first list | by correct | by correct, counted | a problem | largest page |\n")
    sys.stdout.write("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n")
    for given in sys.argv[1:]:
        sys.stdout.write(row(Path(given)))
    for n_problems, n_samples in () if sys.argv[1:] else SIZES:
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder), n_problems, n_samples)
            sys.stdout.write(row(Path(folder)))


if __name__ == "__main__":
    main()
