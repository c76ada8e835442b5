import pytest

from isocost.graders.base import AnswerGrader
from isocost.graders.math import MathGrader
from isocost.graders.mathematics.chains import contradicts
from isocost.graders.number import NumberGrader

GRADERS = pytest.mark.parametrize("grader", [MathGrader(), NumberGrader()], ids=["math", "number"])


@GRADERS
@pytest.mark.parametrize(
    "answer",
    ["9=4", "x=9=4", "4=x=9", "\\pi=4", "\\sqrt{3}=4", "2^5 = 7 = 4", "\\frac{10}{3} = 4", "3, 9=4", "3.9 = 4.1 = 4", "-4 = 4"],
)
def test_a_chain_of_different_numbers_answers_none_of_them(grader: AnswerGrader, answer: str) -> None:
    assert grader.grade("4", f"\\boxed{{{answer}}}").correct is False


@GRADERS
@pytest.mark.parametrize("answer", ["48/2 = 4", "x = 2 + 3 = 4", "3 + 1 = 5 = 4"])
def test_a_slip_in_a_calculation_before_the_answer_is_forgiven(grader: AnswerGrader, answer: str) -> None:
    assert grader.grade("4", f"\\boxed{{{answer}}}").correct is True


@GRADERS
@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("4", "x = 12/3 = 4"),
        ("4", "4 = \\sqrt{16}"),
        ("4", "400\\text{ cm} = 4\\text{ m}"),
        ("4", "e = 4"),
        ("2.67", "8/3 = 2.67"),
        ("1.41", "\\sqrt{2} = 1.41"),
        ("40", "2/5 = 0.4 = 40\\%"),
        ("1234", "x = 1,234"),
        ("17", "50/3 = 17"),
        ("17", "16.67 = 17"),
        ("6", "25/4 = 6.25 = 6"),
    ],
)
def test_a_chain_of_equal_or_rounded_numbers_answers_its_last_one(grader: AnswerGrader, reference: str, answer: str) -> None:
    assert grader.grade(reference, f"\\boxed{{{answer}}}").correct is True


def test_sides_without_a_value_contradict_nothing() -> None:
    assert not contradicts(["x", "y", "7"])
    assert not contradicts(["6"])
    assert contradicts(["7", "x", "6"])
