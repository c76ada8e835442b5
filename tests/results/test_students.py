"""What evaluations of students come to: the baseline's prompt, comparisons over seeds, and measures.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isocost.evaluating import Outcomes, ProblemOutcome
from isocost.metrics.intervals import seeded_difference
from isocost.preparing.prepare import Prepared
from isocost.records import ALL_STUDENTS, Cell, FailedTraining
from isocost.results.students import better_prompt, by_variant, comparisons, evaluations, students_json
from isocost.students.evaluate import Evaluated
from tests.reporting.builder import results
from tests.students.setting import prepared

WEAK, STRONG = Cell(arm="weak", budget="low"), Cell(arm="strong", budget="low")


def scored(right: int, of: int = 20) -> Outcomes:
    return tuple(ProblemOutcome(problem_id=str(n), score=float(n < right), predicted_answer=None) for n in range(of))


def evaluated(
    cell: Cell | None, prompt: str, split: str, right: int, seed: int = 0, student: str = "strong", **more: Outcomes
) -> Evaluated:
    outcomes: Mapping[str, Outcomes] = {"pass@1": scored(right), **more}
    return Evaluated(
        student=student, cell=cell, seed=seed, prompt=prompt, split=split, outcomes=outcomes, answers=20, tokens=9, seconds=1.0
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


@pytest.mark.parametrize(("checkpoints", "marked"), [(1, set()), (2, {"validation"})])
def test_a_difference_on_the_set_on_which_checkpoints_were_chosen_is_marked(tmp_path: Path, checkpoints: int, marked: set[str]) -> None:
    chosen = [evaluated(WEAK, "plain", "validation", 12, seed) for seed in range(3)]
    study = made(tmp_path)
    assert study.study.finetune is not None
    finetune = study.study.finetune.model_copy(update={"checkpoints": checkpoints})
    study = replace(study, study=study.study.model_copy(update={"finetune": finetune}))
    compared = tuple(comparisons(study, by_variant([*FOUND, *chosen])))
    assert {each.split for each in compared if each.selected_on} == marked
    told: Any = students_json(replace(results(), comparisons=compared))["comparisons"]
    assert {each["split"] for each in told if "selected_on" in each} == marked


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


def without_grades(outcomes: Outcomes, places: range) -> Outcomes:
    return tuple(replace(each, score=None) if place in places else each for place, each in enumerate(outcomes))


def test_prompts_are_compared_on_the_problems_that_are_graded_with_both(tmp_path: Path) -> None:
    """With the long prompt only the first ten problems could be asked, which are the easy ones."""
    plain, long = (evaluated(None, prompt, "validation", 9) for prompt in ("plain", "gsm8k"))
    part = replace(long, outcomes={"pass@1": without_grades(scored(8), range(10, 20))})
    assert better_prompt(by_variant([plain, part]), "strong", "test") == "plain"
    better = replace(long, outcomes={"pass@1": without_grades(scored(10), range(10, 20))})
    assert better_prompt(by_variant([plain, better]), "strong", "test") == "gsm8k"


def test_a_prompt_without_a_graded_answer_is_not_chosen(tmp_path: Path) -> None:
    none = replace(evaluated(None, "gsm8k", "validation", 0), outcomes={"pass@1": without_grades(scored(0), range(20))})
    assert better_prompt(by_variant([none, evaluated(None, "plain", "validation", 0)]), "strong", "test") == "plain"
    on_test = [evaluated(None, "gsm8k", "test", 3), evaluated(None, "plain", "test", 4)]
    assert better_prompt(by_variant([none, *on_test]), "strong", "test") == "plain"
    assert better_prompt(by_variant([none, on_test[0]]), "strong", "test") == "gsm8k"


def test_arms_are_compared_on_the_same_problems_over_their_seeds(tmp_path: Path) -> None:
    (found,) = (c for c in comparisons(made(tmp_path), by_variant(FOUND)) if c.right == "strong@low")
    assert (found.left, found.split, found.metric) == ("weak@low", "test", "pass@1")
    assert found.difference.value == (13 - 10) / 20
    assert found.difference.n == 20


def of_two_students(right: Mapping[str, tuple[int, int]]) -> list[Evaluated]:
    """Each student on both cells with two seeds, of which the second solves one problem more, and untrained."""
    found = []
    for student, (on_weak, on_strong) in right.items():
        found += [evaluated(WEAK, "plain", "test", on_weak + seed, seed, student) for seed in range(2)]
        found += [evaluated(STRONG, "plain", "test", on_strong, seed, student) for seed in range(2)]
        found += [evaluated(None, prompt, "test", 5, student=student) for prompt in ("plain", "gsm8k")]
    return found


def test_the_mean_over_students_is_compared_once_on_the_same_problems_and_seeds(tmp_path: Path) -> None:
    compared = list(comparisons(made(tmp_path), by_variant(of_two_students({"strong": (12, 10), "weak": (11, 5)}))))
    mean = {(c.left, c.right): c for c in compared if c.student == ALL_STUDENTS}
    assert set(mean) == {("weak@low", "strong@low"), ("weak@low", None), ("strong@low", None)}
    found = mean["weak@low", "strong@low"]
    # (2.5 + 6.5) / 2 of 20 problems; with seeds that differ by 1 of 20 in each student, so by as much in the mean.
    assert found.difference.value == pytest.approx(4.5 / 20)
    assert (found.difference.n, found.setup, found.split, found.metric) == (20, None, "test", "pass@1")
    by_hand = np.zeros((2, 2, 20))
    for seed in range(2):
        for on_weak, on_strong in ((12, 10), (11, 5)):
            by_hand[0, seed] += (np.arange(20) < on_weak + seed) / 2
            by_hand[1, seed] += (np.arange(20) < on_strong) / 2
    expected = seeded_difference(by_hand[0], by_hand[1])
    assert (found.difference.low, found.difference.high) == (pytest.approx(expected.low), pytest.approx(expected.high))
    assert mean["weak@low", None].right_prompt == "plain"


def test_data_that_are_the_same_differ_by_chance_in_one_student_more_often_than_in_the_mean(tmp_path: Path) -> None:
    study, lots = made(tmp_path), np.random.default_rng(0)
    mean = single = 0
    for _ in range(300):
        found = []
        for student in ("student", "weak", "strong"):
            for cell in (WEAK, STRONG):
                scores = enumerate(lots.random(100) < 0.5)
                outcomes = tuple(ProblemOutcome(problem_id=str(n), score=float(right), predicted_answer=None) for n, right in scores)
                found.append(replace(evaluated(cell, "plain", "test", 0, student=student), outcomes={"pass@1": outcomes}))
        excludes = {c.student: not c.difference.low < 0 < c.difference.high for c in comparisons(study, by_variant(found))}
        mean += excludes.pop(ALL_STUDENTS)
        single += any(excludes.values())
    # At the level of 95%, 15 and 43 of 300 are expected, with standard deviations of 4 and 6.
    assert mean <= 27 < single


def test_a_mean_over_students_needs_all_of_them_and_all_of_their_seeds(tmp_path: Path) -> None:
    whole = of_two_students({"strong": (12, 10), "weak": (11, 5)})
    without_seed = [each for each in whole if (each.student, each.cell, each.seed) != ("weak", WEAK, 1)]
    found = {(c.left, c.right) for c in comparisons(made(tmp_path), by_variant(without_seed)) if c.student == ALL_STUDENTS}
    assert found == {("strong@low", None)}
    without_cell = [each for each in whole if (each.student, each.cell) != ("weak", WEAK)]
    found = {(c.left, c.right) for c in comparisons(made(tmp_path), by_variant(without_cell)) if c.student == ALL_STUDENTS}
    assert found == {("strong@low", None)}
    alone = [each for each in whole if each.student == "weak"]
    assert not [c for c in comparisons(made(tmp_path), by_variant(alone)) if c.student == ALL_STUDENTS]


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
