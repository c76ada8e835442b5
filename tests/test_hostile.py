"""Hostile text as solution and as reference: nothing hangs past its limit, nothing stops the pool, nothing is run."""

import time
from collections import Counter
from pathlib import Path

import pytest

from isocost.grading import GradingPool
from isocost.records import Pair, Verdict
from tests.hostile_strings import LONG, ODD, TOWERS, code, made

TIME_LIMIT = 1.0
MADE = 10_000


def graded(grader: str, pairs: list[tuple[str, str]]) -> list[Verdict]:
    with GradingPool(grader, workers=2, time_limit=TIME_LIMIT) as pool:
        return pool.submit([Pair(key="", reference=reference, generation=text) for reference, text in pairs]).result()


def both_ways(texts: list[str]) -> list[tuple[str, str]]:
    """As solution, as reference, and as both."""
    boxed = [text if "boxed" in text else f"\\boxed{{{text}}}" for text in texts]
    return [*(("12", text) for text in boxed), *((text, "\\boxed{12}") for text in texts), *zip(texts, boxed, strict=True)]


@pytest.mark.slow
@pytest.mark.parametrize("grader", ["exact", "number", "choice", "math"])
def test_strings_that_were_chosen(grader: str, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    pairs = both_ways([*TOWERS, *LONG, *ODD, *code(marker)])
    start = time.monotonic()
    verdicts = graded(grader, pairs)
    reasons = Counter(verdict.reason for verdict in verdicts)
    assert len(verdicts) == len(pairs)
    assert not marker.exists()
    assert reasons["crash"] == 0, [pair for pair, verdict in zip(pairs, verdicts, strict=True) if verdict.reason == "crash"]
    # `math` allows four times the limit by the clock, and twice the limit in processor time.
    assert time.monotonic() - start < 60 + (4 * reasons["timeout"] + 2 * reasons["too_long"] + reasons["memory"]) * TIME_LIMIT


@pytest.mark.slow
@pytest.mark.parametrize("grader", ["exact", "number", "choice", "math"])
def test_strings_that_were_made(grader: str) -> None:
    pairs = [("12" if i % 2 else text, text if i % 2 else "\\boxed{12}") for i, text in enumerate(made(MADE, seed=0))]
    reasons = Counter(verdict.reason for verdict in graded(grader, pairs))
    assert reasons.total() == MADE
    assert reasons["crash"] == 0
    assert reasons["timeout"] + reasons["memory"] < MADE / 500


@pytest.mark.parametrize("grader", ["exact", "number", "math"])
def test_a_correct_answer_beside_hostile_ones(grader: str) -> None:
    pairs = [("12", text) for text in (*TOWERS[:10], "\\boxed{12}", *ODD[:10])]
    assert graded(grader, pairs)[10].correct
