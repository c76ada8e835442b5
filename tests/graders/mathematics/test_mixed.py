from fractions import Fraction

import pytest

from isocost.graders.base import AnswerGrader
from isocost.graders.math import MathGrader
from isocost.graders.mathematics.mixed import as_fraction, in_latex, with_mixed_numbers
from isocost.graders.number import NumberGrader

GRADERS = pytest.mark.parametrize("grader", [MathGrader(), NumberGrader()], ids=["math", "number"])


@GRADERS
@pytest.mark.parametrize(
    ("reference", "solution"),
    [
        ("7.5", "\\boxed{7\\text{ and a half}}"),
        ("7.5", "\\boxed{7 and one half hours}"),
        ("7.75", "\\boxed{7\\text{ and three quarters miles}}"),
        ("7.5", "The answer is that it takes 7 and a half hours."),
        ("7.5", "So it took them 7 and a half hours."),
    ],
)
def test_a_fraction_in_words_is_a_part_of_the_number(grader: AnswerGrader, reference: str, solution: str) -> None:
    assert grader.grade(reference, solution).correct is True
    assert grader.grade("7", solution).correct is False


def test_other_words_stay() -> None:
    for text in ("3 and a dog", "3 and two halves", "12.5 and a half", "3 and half"):
        assert with_mixed_numbers(text, in_latex) == text
    assert with_mixed_numbers("3 and two thirds", as_fraction) == str(3 + Fraction(2, 3))


@pytest.mark.parametrize(
    "sentence", ["He ate 12 and a third were bad.", "Answer: 12 and a quarter of them are red.", "12 and a third party."]
)
def test_a_fraction_that_begins_another_clause_is_no_part_of_the_number(sentence: str) -> None:
    assert with_mixed_numbers(sentence, as_fraction) == sentence
