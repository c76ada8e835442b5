"""What evaluations of students come to: the baseline's prompt, comparisons over seeds, and measures.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from isocost.evaluating import Outcomes, ProblemOutcome
from isocost.preparing.prepare import Prepared
from isocost.records import Cell, FailedTraining
from isocost.results.students import better_prompt, by_variant, comparisons, evaluations, students_json
from isocost.students.evaluate import Evaluated
from tests.reporting.builder import results
from tests.students.setting import prepared

WEAK, STRONG = Cell(arm="weak", budget="low"), Cell(arm="strong", budget="low")


def scored(right: int, of: int = 20) -> Outcomes:
    return tuple(ProblemOutcome(problem_id=str(n), score=float(n < right), predicted_answer=None) for n in range(of))


def evaluated(cell: Cell | None, prompt: str, split: str, right: int, seed: int = 0, **more: Outcomes) -> Evaluated:
    outcomes: Mapping[str, Outcomes] = {"pass@1": scored(right), **more}
    return Evaluated(
        student="strong", cell=cell, seed=seed, prompt=prompt, split=split, outcomes=outcomes, answers=20, tokens=9, seconds=1.0
    )


FOUND = [
    evaluated(None, "gsm8k", "validation", 9),
    evaluated(None, "plain", "validation", 4),
    evaluated(None, "gsm8k", "test", 6),
    evaluated(None, "plain", "test", 8),
    *(evaluated(WEAK, "plain", "test", 12 + seed, seed, response_tokens=scored(20)) for seed in range(3)),
    *(evaluated(STRONG, "plain", "test", 10, seed) for seed in range(3)),
]


def made(folder: Path) -> Prepared:
    return prepared(folder)


def test_the_baseline_has_the_prompt_that_is_better_on_validation(tmp_path: Path) -> None:
    """On the test problems the other prompt is better."""
    seeds = by_variant(FOUND)
    assert better_prompt(seeds, "strong", "test") == "gsm8k"
    compared = {(c.left, c.right): c for c in comparisons(made(tmp_path), seeds)}
    assert compared["weak@low", None].right_prompt == "gsm8k"
    assert compared["weak@low", None].difference.value == (13 - 6) / 20
    without = by_variant([each for each in FOUND if each.split != "validation"])
    assert better_prompt(without, "strong", "test") == "plain"
    assert better_prompt({}, "strong", "test") == "plain"


def test_arms_are_compared_on_the_same_problems_over_their_seeds(tmp_path: Path) -> None:
    (found,) = (c for c in comparisons(made(tmp_path), by_variant(FOUND)) if c.right == "strong@low")
    assert (found.left, found.split, found.metric) == ("weak@low", "test", "pass@1")
    assert found.difference.value == (13 - 10) / 20
    assert found.difference.n == 20


def test_lengths_are_told_and_not_compared(tmp_path: Path) -> None:
    seeds = by_variant(FOUND)
    assert {e.metric for e in evaluations(made(tmp_path), seeds)} == {"pass@1", "response_tokens"}
    assert {c.metric for c in comparisons(made(tmp_path), seeds)} == {"pass@1"}


def test_measures_have_every_row_and_comparison_in_points(tmp_path: Path) -> None:
    seeds = by_variant(FOUND)
    rows, pairs = tuple(evaluations(made(tmp_path), seeds)), tuple(comparisons(made(tmp_path), seeds))
    failed = (FailedTraining(student="strong", cell="weak@low", seed=2, reason="out of memory"),)
    found: Any = json.loads(json.dumps(students_json(replace(results(), evaluations=rows, comparisons=pairs, failed_trainings=failed))))
    assert (len(found["students"]), len(found["comparisons"])) == (len(rows), len(pairs))
    untrained = next(each for each in found["students"] if each["cell"] is None and each["split"] == "test" and each["prompt"] == "plain")
    assert untrained["value"]["value"] == 0.4
    assert set(untrained["value"]) == {"value", "low", "high", "n", "n_ungraded", "level"}
    against = next(each for each in found["comparisons"] if each["right"] is None and each["left"] == "weak@low")
    assert (against["difference"]["value"], against["right_prompt"], against["metric"]) == (35.0, "gsm8k", "pass@1")
    assert found["failed"] == [{"student": "strong", "cell": "weak@low", "seed": 2, "reason": "out of memory"}]
    assert students_json(replace(results(), evaluations=(), comparisons=())) == {}
