"""The graders accept every reference answer of the problem sets that come with the project or stand in shared/data."""

from pathlib import Path

import pytest

from isocost.grading import GradingPool, check_gold
from isocost.problems import load_problems

DATA = Path(__file__).resolve().parents[1] / ".." / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.exists(), reason="shared/data is not there")


def refused(grader: str, source: str, options: dict[str, object]) -> list[tuple[str, str]]:
    problems = load_problems(source, options, base=DATA)
    with GradingPool(grader, workers=1, time_limit=20.0) as pool:
        return check_gold(problems, pool)


@needs_data
@pytest.mark.parametrize(("split", "count"), [("train", 7473), ("test", 1319)])
def test_gsm8k(split: str, count: int) -> None:
    assert len(load_problems("gsm8k", {"path": "gsm8k", "split": split}, base=DATA)) == count
    assert refused("number", "gsm8k", {"path": "gsm8k", "split": split}) == []


@needs_data
def test_gsm8k_with_the_math_grader() -> None:
    assert refused("math", "gsm8k", {"path": "gsm8k", "split": "test"}) == []


@needs_data
def test_math500() -> None:
    assert refused("math", "math", {"path": "math500.jsonl"}) == []


@pytest.mark.parametrize("grader", ["number", "math", "exact"])
def test_lab(grader: str) -> None:
    assert refused(grader, "lab", {"split": "train", "limit": 200}) == []
