"""Pairs graded a second, beside math-verify in the same run: 30 samples a problem with the repeats that real pools have, and all distinct.

    python benchmarks/grading.py [--data FOLDER] [--problems 200] [--samples 30] [--show 20]

The texts are MATH-500's own solutions; a sample is one of them with another answer in its box: the reference as it stands or written in
another way, or, of a wrong sample, the answer of another problem of the same subject. A problem is solved by a share of its samples that is
drawn from Beta(1, 1), and its wrong answers fall off as 1/rank. Both sides see the same texts in one process each; math-verify reads each
reference once, without its timers, which is the fastest way to use it. Speeds are per second of processor time, workers included.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import re
import resource
import time
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from isocost.graders.extract import brace_pairs
from isocost.grading import GradingPool
from isocost.records import Pair

DATA = Path(__file__).resolve().parents[1] / ".." / "shared" / "data"


class Speed(NamedTuple):
    """Verdicts in order, and what they took."""

    verdicts: list[bool | None]
    wall: float
    processor: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--problems", type=int, default=200)
    parser.add_argument("--samples", type=int, default=30)
    parser.add_argument("--show", type=int, default=20, help="disagreements to print")
    arguments = parser.parse_args()
    logging.getLogger("math_verify").setLevel(logging.CRITICAL)
    rows = [json.loads(line) for line in (arguments.data / "math500.jsonl").read_text(encoding="utf-8").splitlines()]
    random.seed(0)
    compare("30 samples a problem", repeated(rows[: arguments.problems], rows, arguments.samples), arguments.show)
    compare("all distinct", distinct(rows), arguments.show)


def compare(name: str, pairs: list[Pair], show: int) -> None:
    """Grade the pairs with both and print the ratio."""
    ours, peer = isocost(pairs), math_verify(pairs)
    answers = {(pair.reference, pair.generation) for pair in pairs}
    print(f"\n{name}: {len(pairs):,} pairs, {len(answers):,} different texts")
    print("| | pairs/s of processor time | pairs/s of wall time | correct |\n|---|---:|---:|---:|")
    for label, run in (("isocost math", ours), ("math-verify", peer)):
        print(f"| {label} | {len(pairs) / run.processor:,.0f} | {len(pairs) / run.wall:,.0f} | {run.verdicts.count(True):,} |")
    print(f"ratio: {peer.processor / ours.processor:.1f}x a core")
    differing = Counter(
        (pair.reference, _boxed(pair.generation), mine, theirs)
        for pair, mine, theirs in zip(pairs, ours.verdicts, peer.verdicts, strict=True)
        if mine is not theirs
    )
    print(f"verdicts differ on {sum(differing.values()):,} pairs, {len(differing):,} of them distinct")
    for (reference, answer, mine, theirs), count in differing.most_common(show):
        print(f"  {count}x  reference {reference!r}  answer {answer!r}  isocost {mine}  math-verify {theirs}")


def isocost(pairs: list[Pair]) -> Speed:
    """The pool with one worker, its start included; the worker's imports too."""
    before, start = _processor(), time.perf_counter()
    with GradingPool("math", workers=1, time_limit=5.0) as pool:
        verdicts = [verdict.correct for i in range(0, len(pairs), 512) for verdict in pool.submit(pairs[i : i + 512]).result()]
    return Speed(verdicts, time.perf_counter() - start, _processor() - before)


def math_verify(pairs: list[Pair]) -> Speed:
    """math-verify as its documentation shows, each reference read once."""
    from math_verify import parse, verify

    parse("$1$", parsing_timeout=None)  # its imports are not counted
    references: dict[str, object] = {}
    verdicts: list[bool | None] = []
    before, start = _processor(), time.perf_counter()
    for pair in pairs:
        if pair.reference not in references:
            references[pair.reference] = parse(f"${pair.reference}$", parsing_timeout=None)
        verdicts.append(bool(verify(references[pair.reference], parse(pair.generation, parsing_timeout=None), timeout_seconds=None)))
    return Speed(verdicts, time.perf_counter() - start, _processor() - before)


def repeated(chosen: list[dict[str, str]], rows: list[dict[str, str]], samples: int) -> list[Pair]:
    """Samples of each problem, the answers of which repeat as those of a model do."""
    pairs: list[Pair] = []
    for row in chosen:
        others = [other["answer"] for other in rows if other["subject"] == row["subject"] and other["answer"] != row["answer"]]
        wrong = random.sample(others, min(8, len(others)))
        weights = [1 / rank for rank in range(1, len(wrong) + 1)]
        solved = random.betavariate(1, 1)
        for number in range(samples):
            answer = rewritten(row["answer"]) if random.random() < solved else random.choices(wrong, weights)[0]
            pairs.append(Pair(key=f"{row['unique_id']}-{number}", reference=row["answer"], generation=answered(row["solution"], answer)))
    return pairs


def distinct(rows: list[dict[str, str]]) -> list[Pair]:
    """Every reference once with each of its writings, and with three answers of other problems."""
    found: dict[tuple[str, str], Pair] = {}
    for row in rows:
        answers = [way(row["answer"]) for way in WRITINGS] + [other["answer"] for other in random.sample(rows, 3)]
        for answer in answers:
            pair = Pair(key=str(len(found)), reference=row["answer"], generation=answered(row["solution"], answer))
            found.setdefault((row["answer"], answer), pair)
    return list(found.values())


def _decimal(answer: str) -> str:
    found = re.fullmatch(r"(-?)\\frac\{(\d+)\}\{(\d+)\}", answer)
    if found is None:
        return answer
    value = Fraction(int(found[2]), int(found[3]))
    return f"{found[1]}{float(value)}" if (value * 1000).denominator == 1 else f"{found[1]}{value}"


WRITINGS: tuple[Callable[[str], str], ...] = (
    lambda answer: answer,
    lambda answer: answer.replace("\\frac", "\\dfrac"),
    lambda answer: answer.replace("\\left", "").replace("\\right", ""),
    lambda answer: re.sub(r"\\frac\{(\w+)\}\{(\w+)\}", r"\1/\2", answer),
    _decimal,
    lambda answer: answer.replace(",", ", ").replace("  ", " "),
    lambda answer: f"x = {answer}" if re.fullmatch(r"-?\d+", answer) else answer,
    lambda answer: f"{answer}.0" if re.fullmatch(r"-?\d+", answer) else answer,
    lambda answer: f"{answer}\\text{{ units}}" if re.fullmatch(r"-?\d+", answer) else answer,
    lambda answer: re.sub(r"(\d+)\\sqrt", r"\1 \\cdot \\sqrt", answer),
    lambda answer: re.sub(r"^([^-+]+) ?\+ ?([^-+,()]+)$", r"\2+\1", answer),
)


def rewritten(answer: str) -> str:
    """The answer as one model or another would write it: mostly as the reference does."""
    return answer if random.random() < 0.6 else random.choice(WRITINGS)(answer)


def answered(solution: str, answer: str) -> str:
    """The solution with another answer in its last box."""
    start = solution.rfind("\\boxed{") + len("\\boxed")
    end = brace_pairs(solution).get(start)
    return f"{solution} \\boxed{{{answer}}}" if end is None else f"{solution[: start + 1]}{answer}{solution[end:]}"


def _boxed(text: str) -> str:
    start = text.rfind("\\boxed{") + len("\\boxed")
    return text[start + 1 : brace_pairs(text).get(start)]


def _processor() -> float:
    return sum(usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


if __name__ == "__main__":
    main()
