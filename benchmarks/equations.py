"""The steps audit on real solutions: how fast it reads them and, with --audit, how many it can check and which it calls unsound.

Speed is process time on one core, the best of several rounds over GSM8K's training solutions. `--audit` prints a table over GSM8K, MATH-500
and the model samples in shared/data, answer-correct solutions only; `--list` prints each false equation with its solution's id;
`--draw N` prints N answer-correct solutions at random that it did not call unsound, for reading by hand.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq

from isocost.equations import audit_steps, find_equations
from isocost.metrics.intervals import proportion

DATA = Path(__file__).parents[2] / "shared/data"
ROUNDS, SEED = 5, 0
Solutions = list[tuple[str, str]]  # id and text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--audit", action="store_true", help="coverage and unsound, of each set")
    parser.add_argument("--list", action="store_true", help="each false equation")
    parser.add_argument("--draw", type=int, metavar="N", help="N solutions of each set that are not called unsound")
    options = parser.parse_args()
    if options.audit:
        print_table()
    if options.list:
        for _, solutions in sets():
            print_false(solutions)
    if options.draw:
        print_drawn(options.draw)
    if not (options.audit or options.list or options.draw):
        print_speed()


def print_speed() -> None:
    texts = [text for _, text in gsm8k("train")]
    times = []
    for _ in range(ROUNDS):
        started = time.process_time()
        for text in texts:
            audit_steps(text)
        times.append(time.process_time() - started)
    size = sum(map(len, texts)) / 1e6
    print(f"{len(texts):,} solutions, {size:.2f} MB, {ROUNDS} rounds, one core, process time")
    for name, seconds in (("best", min(times)), ("worst", max(times))):
        print(f"{name:6} {len(texts) / seconds:8,.0f} solutions/s {size / seconds:6.2f} MB/s")


def print_table() -> None:
    print("| solutions | n | with equations | unsound, of these | equations |\n| --- | ---: | ---: | ---: | ---: |")
    for name, solutions in sets():
        found = [find_equations(text) for _, text in solutions]
        checked = [equations for equations in found if equations]
        false = sum(not all(equation.holds for equation in equations) for equations in checked)
        cells = (share(len(checked), len(found)), f"{false}: {share(false, len(checked))}", f"{sum(map(len, found)):,}")
        print(f"| {name} | {len(found):,} | {' | '.join(cells)} |")


def print_false(solutions: Solutions) -> None:
    for name, text in solutions:
        for equation in find_equations(text):
            if not equation.holds:
                print(f"{name}: {equation.text}")


def print_drawn(count: int) -> None:
    for _, solutions in sets():
        kept = [(name, text) for name, text in solutions if audit_steps(text)[0] is not False]
        for name, text in random.Random(SEED).sample(kept, min(count, len(kept))):
            print(f"## {name}\n{text}\n-> {'; '.join(equation.normal for equation in find_equations(text))}\n")


def share(part: int, whole: int) -> str:
    found = proportion(part, whole)
    if found.value is None or found.low is None or found.high is None:
        return "none"
    return f"{found.value:.2%} [{100 * found.low:.2f}, {100 * found.high:.2f}]"


def sets() -> Iterator[tuple[str, Solutions]]:
    """Each set of answer-correct solutions by name."""
    yield "GSM8K train", gsm8k("train")
    yield "GSM8K test", gsm8k("test")
    yield "MATH-500", [(row["unique_id"], row["solution"]) for row in lines(DATA / "math500.jsonl")]
    for file in ("samples_gsm8k_openai", "pool_game24"):
        rows = [row for row in pq.read_table(DATA / f"{file}.parquet").to_pylist() if row["correct"]]
        for model in sorted({row["model"] for row in rows}):
            own = (row for row in rows if row["model"] == model)
            yield model, [(f"{model}/{row['problem_id']}/{row['sample_index']}", row["generation"]) for row in own]


def gsm8k(split: str) -> Solutions:
    return [(f"gsm8k-{split}-{i:05d}", row["answer"]) for i, row in enumerate(lines(DATA / f"gsm8k/{split}.jsonl"))]


def lines(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:  # splitlines would also cut at the line separators within a text
        return [json.loads(line) for line in file]


if __name__ == "__main__":
    main()
