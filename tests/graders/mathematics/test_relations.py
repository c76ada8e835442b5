import pytest

from isocost.graders.math import MathGrader
from isocost.graders.mathematics.relations import without_signs
from isocost.records import Outcome

GRADER = MathGrader()


def outcome(reference: str, answer: str) -> Outcome:
    return GRADER.grade(reference, f"\\boxed{{{answer}}}").outcome


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("x=\\pm 2", "y=7"),
        ("x=\\pm 2", "x^2=4"),
        ("t = 3 \\pm \\sqrt{5}", "t^2 - 6t + 4 = 0"),
        ("x=\\{1,2\\}", "x^2=4"),
        ("x^2=4", "x=\\{2,-2\\}"),
        ("y^2=x", "y=\\pm\\sqrt{x+1}"),
        ("x+y = [1,2]", "x^2=4"),
        ("x = \\emptyset", "x^2 = -1"),
        ("y = 5", "x=\\pm 1 \\pm \\sqrt{2}"),
        ("x > \\pm 2", "x > 3"),
        ("a \\mp b = c", "c = 2"),
    ],
)
def test_a_relation_with_several_values_on_a_side_is_another_answer_not_an_error(reference: str, answer: str) -> None:
    assert outcome(reference, answer) == Outcome.INCORRECT
    assert outcome(answer, reference) == Outcome.INCORRECT


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("v^2=u", "v=\\pm\\sqrt{u}"),
        ("x^2+y^2=1", "y=\\pm\\sqrt{1-x^2}"),
        ("a=\\pm 3b", "a^2 = 9b^2"),
        ("x=\\pm 2", "x=-2 \\text{ or } x=2"),
    ],
)
def test_both_signs_of_an_equation_are_one_curve(reference: str, answer: str) -> None:
    assert outcome(reference, answer) == Outcome.CORRECT
    assert outcome(answer, reference) == Outcome.CORRECT


def test_other_texts_have_no_signs_to_resolve() -> None:
    assert without_signs("a = \\pm b \\pm c") == "a = \\pm b \\pm c"
    assert without_signs("x < \\pm 2") == "x < \\pm 2"
