"""A million samples through replay and the number grader, from sampling to the report and to later reports: speed and memory.

Memory is that of all processes together, measured twice a second. Pages that several of them share count once, and in full also where
other programs on the machine have the same files open, whose work would change the figure otherwise. Run it with fewer samples to see that
memory hardly grows with them: `python benchmarks/million.py --samples 250000`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import polars as pl
import psutil

PROBLEMS = 1000
STUDY = """\
name: million
problems: {{train: {{source: jsonl, path: problems.jsonl}}}}
models: {{recorded: {{engine: replay, table: table.parquet, model: recorded, params: 1000000}}}}
prompt: {{template: gsm8k}}
grader: {{name: number}}
arms: {{all: {{models: [recorded], samples_per_problem: {count}}}}}
"""
RUN = "from pathlib import Path; from isocost import run; run(Path('study.yaml'), Path('out'))"

LEFT = {"sample": "samples.parquet", "audit": "audits/rates.json", "curate": "trainsets/all@number/README.md", "report": "report.html"}


class Look(NamedTuple):
    """Memory of all processes in bytes, so many seconds after the start, in the first stage that has not left its last file."""

    seconds: float
    stage: str
    memory: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=1_000_000)
    samples = parser.parse_args().samples
    # polars, imported above, would set the allocator of the processes that are started here too, in place of `isocost`.
    os.environ.pop("_RJEM_MALLOC_CONF", None)
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        write_table(base, samples // PROBLEMS)
        seconds, looks = measured([sys.executable, "-c", RUN], base)
        status = status_seconds(base / "out")
        sampled = next(look.seconds for look in looks if look.stage != "sample")
        peaks = {stage: max((look.memory for look in looks if look.stage == stage), default=0) for stage in LEFT}
        print(f"samples          {samples:>12,}   in {sampled:,.1f} s, start included")
        print(f"samples/s        {samples / sampled:>12,.0f}   to the end of sampling")
        print(f"report           {seconds:>12,.1f} s")
        by_stage = ", ".join(f"{stage} {memory / 1e6:,.0f}" for stage, memory in peaks.items())
        print(f"peak memory      {max(peaks.values()) / 1e6:>9,.0f} MB   all processes; by stage {by_stage}")
        print(f"isocost status   {status:>10,.2f} s")
        rows = pl.scan_parquet(base / "out" / "samples.parquet").select(pl.len(), pl.col("correct").null_count()).collect()
        print(f"stored           {rows.row(0)[0]:>12,}   {rows.row(0)[1]} not graded")
        more = f"arms.all.samples_per_problem={samples // PROBLEMS + 1}"
        for change in ("", "audit.per_model=150", more):
            print(f"later report     {report_seconds(base, change):>12,.1f} s of processor time   {change or 'nothing has changed'}")


def write_table(base: Path, count: int) -> None:
    """Solutions of some 300 characters, two in five of them right; one more per problem than the study draws at first."""
    rng = random.Random(0)
    with (base / "problems.jsonl").open("w") as problems:
        parts = []
        for number in range(PROBLEMS):
            a, b = rng.randrange(10, 999), rng.randrange(10, 999)
            problems.write(json.dumps({"id": f"p{number}", "question": f"Tom has {a} apples and buys {b}.", "answer": str(a + b)}) + "\n")
            solutions = [solution(a, b, a + b if rng.random() < 0.4 else a + b + rng.randrange(1, 9), i) for i in range(count + 1)]
            parts.append(pl.DataFrame({"problem_id": f"p{number}", "sample_index": range(count + 1), "generation": solutions}))
    table = pl.concat(parts).with_columns(
        model=pl.lit("recorded"), num_prompt_tokens=pl.lit(120), num_generated_tokens=pl.col("generation").str.len_bytes() // 4
    )
    table.write_parquet(base / "table.parquet")
    (base / "study.yaml").write_text(STUDY.format(count=count))


def solution(a: int, b: int, answer: int, draw: int) -> str:
    return (
        f"Tom starts with {a} apples, and that is what we have to begin with in this problem.\n"
        f"He then goes to the market and buys {b} more of them, so we have to add the two: {a} + {b} = {answer}.\n"
        f"This is try number {draw} at the problem, and the steps hold.\n#### {answer}"
    )


def measured(command: list[str], folder: Path) -> tuple[float, list[Look]]:
    """Seconds that a command takes, and the memory of it and its children twice a second."""
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder)
    looks: list[Look] = []
    done = threading.Event()

    def look() -> None:
        root = psutil.Process(process.pid)
        while not done.wait(0.5):
            stage = next((stage for stage, left in LEFT.items() if not (folder / "out" / left).exists()), "report")
            with contextlib.suppress(psutil.Error):  # it has ended
                memory = memory_of([root, *root.children(recursive=True)])
                looks.append(Look(time.perf_counter() - started, stage, memory))

    watcher = threading.Thread(target=look)
    watcher.start()
    code = process.wait()
    seconds = time.perf_counter() - started
    done.set()
    watcher.join()
    if code:
        raise SystemExit(f"the run failed with exit status {code}")
    return seconds, looks


def memory_of(processes: Iterable[psutil.Process]) -> int:
    """Return the bytes that processes have in memory, the pages of a file once."""
    own, files = 0, dict[str, int]()
    for process in processes:
        with contextlib.suppress(psutil.Error):  # it has ended
            mapped = Counter[str]()
            for each in process.memory_maps(grouped=False):
                is_file = each.path.startswith("/")
                own += each.anonymous if is_file else each.pss  # pages that a fork shares with its parent
                mapped[each.path] += is_file * (each.rss - each.anonymous)
            files |= {path: max(size, files.get(path, 0)) for path, size in mapped.items()}
    return own + sum(files.values())


def report_seconds(base: Path, change: str) -> float:
    """Processor seconds of another start with a setting changed, of all its processes."""
    command = [Path(sys.executable).with_name("isocost"), "run", "study.yaml", "-o", "out", *(["--set", change] if change else [])]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=base, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def status_seconds(directory: Path) -> float:
    started = time.perf_counter()
    subprocess.run([Path(sys.executable).with_name("isocost"), "status", directory], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
