"""How far the math grader agrees with the cases of other projects' test suites, beside math-verify in the same run.

    python benchmarks/grader_cases.py [CASES.jsonl]

A line has `kind`, `gold`, `prediction` and `expected`. A case agrees if it is called correct just where it is expected to be. Choices of a
letter (`mcq_text`) are judged by the choice grader. Prints a table and every disagreement.
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

from isocost.grading import GradingPool
from isocost.metrics.intervals import proportion
from isocost.records import Pair

CASES = Path(__file__).resolve().parents[1] / ".." / "shared" / "data" / "grader_cases.jsonl"


def main() -> None:
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else CASES
    cases = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    ours = {**isocost(cases, "math"), **isocost([case for case in cases if case["kind"] == "mcq_text"], "choice")}
    theirs = math_verify(cases)
    print("| kind | n | isocost agrees | false positives | math-verify agrees | false positives |\n|---|---:|---:|---:|---:|---:|")
    for kind in [*dict.fromkeys(case["kind"] for case in cases), "text + answer + issue"]:
        chosen = [i for i, case in enumerate(cases) if case["kind"] in kind.split(" + ")]
        print(f"| {kind} | {len(chosen)} | {summary(cases, chosen, ours)} | {summary(cases, chosen, theirs)} |")
    for i, case in enumerate(cases):
        if ours[id(case)] is not case["expected"]:
            print(f"{case['kind']} ({case['source']}): expected {case['expected']}: {case['gold']!r} and {case['prediction'][-80:]!r}", i)


def summary(cases: list[dict[str, object]], chosen: list[int], found: dict[int, bool]) -> str:
    agreed = sum(found[id(cases[i])] is cases[i]["expected"] for i in chosen)
    wrong = sum(found[id(cases[i])] and not cases[i]["expected"] for i in chosen)
    share = proportion(agreed, len(chosen))
    return f"{100 * (share.value or 0):.1f}% [{100 * (share.low or 0):.1f}, {100 * (share.high or 0):.1f}] | {wrong}"


def isocost(cases: list[dict[str, str]], grader: str) -> dict[int, bool]:
    pairs = [Pair(key=str(i), reference=case["gold"], generation=case["prediction"]) for i, case in enumerate(cases)]
    with GradingPool(grader, workers=2, time_limit=20.0) as pool:
        verdicts = pool.submit(pairs).result()
    return {id(case): verdict.correct is True for case, verdict in zip(cases, verdicts, strict=True)}


def _delimited(text: str, kind: str) -> str:
    """math-verify looks for LaTeX between delimiters: a bare answer gets them, which helps it."""
    return text if kind.startswith(("text", "mcq")) or "$" in text or "\\boxed" in text else f"${text}$"


def math_verify(cases: list[dict[str, str]]) -> dict[int, bool]:
    from math_verify import parse, verify

    logging.getLogger("math_verify").setLevel(logging.CRITICAL)
    found: dict[int, bool] = {}
    for case in cases:
        gold, answer = (parse(_delimited(case[side], case["kind"])) for side in ("gold", "prediction"))
        found[id(case)] = bool(verify(gold, answer))
    return found


if __name__ == "__main__":
    main()
