"""How students are evaluated in a run."""

import pytest

from isocost.evaluating import ProblemOutcome
from isocost.students.evaluate import average


def outcome(problem: str, score: float | None) -> ProblemOutcome:
    return ProblemOutcome(problem_id=problem, score=score, predicted_answer="1")


def test_a_problem_that_one_seed_could_not_grade_is_not_graded() -> None:
    one, other = (outcome("p", 1.0), outcome("q", 1.0)), (outcome("p", 0.0), outcome("q", None))
    assert average([one]) == one
    assert [(o.problem_id, o.score) for o in average([one, other])] == [("p", pytest.approx(0.5)), ("q", None)]
