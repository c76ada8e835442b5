import pytest

from isocost.graders.base import AnswerGrader
from isocost.graders.math import MathGrader
from isocost.graders.number import NumberGrader
from isocost.graders.wording import changes_behind, is_changed

GRADERS = pytest.mark.parametrize("grader", [MathGrader(), NumberGrader()], ids=["math", "number"])


@GRADERS
@pytest.mark.parametrize(
    "answer",
    [
        "\\text{all primes but }7",
        "\\text{every digit except }7",
        "\\text{anything other than }7",
        "\\text{everything apart from }7",
        "\\text{factors of }7",
        "\\text{the cube of }7",
        "\\text{not divisible by }7",
        "\\text{numbers up to }7",
        "\\text{before }7",
        "\\text{omitting }7",
        "7\\text{ tripled}",
        "7\\text{ inverted}",
        "7\\text{ fewer}",
        "7\\text{ too many}",
        "7\\text{ lower}",
        "7\\text{ incorrect}",
        "7\\text{ exceedingly small}",
        "7\\text{ degrees below zero}",
    ],
)
def test_words_that_change_a_number_make_it_another_answer(grader: AnswerGrader, answer: str) -> None:
    assert grader.grade("7", f"\\boxed{{{answer}}}").correct is False


@GRADERS
@pytest.mark.parametrize("sentence", ["The answer is anything but 7.", "The answer is 7 squared.", "The answer is the square of 7."])
def test_a_changed_number_in_a_stated_answer_is_another_answer(grader: AnswerGrader, sentence: str) -> None:
    assert grader.grade("7", sentence).correct is False


@GRADERS
@pytest.mark.parametrize(
    "answer",
    [
        "7\\text{ wrong guesses}",
        "7\\text{ painted eggs}",
        "7\\text{ seed packets}",
        "7\\text{ small dogs}",
        "7\\text{ pages left}",
        "7\\text{ more}",
        "7\\text{ in total}",
        "7\\text{ Stunden}",
        "7\\text{ exactly}",
        "\\text{a total of }7",
        "\\text{It is equal to }7",
        "\\text{They add up to }7",
        "\\text{They meet after }7\\text{ hours}",
        "\\text{Cut it into }7\\text{ pieces}",
        "\\text{Ann bakes }7\\text{ pies}",
        "\\text{The volume is }7",
    ],
)
def test_words_that_name_what_is_counted_leave_a_number_as_it_is(grader: AnswerGrader, answer: str) -> None:
    assert grader.grade("7", f"\\boxed{{{answer}}}").correct is True


def test_only_the_words_next_to_a_number_count() -> None:
    assert is_changed("multiples of ", "")
    assert not is_changed("Of all multiples the smallest is ", "")
    assert is_changed("", " doubled, as asked")
    assert not is_changed("", ", which I doubled")
    assert changes_behind("wrong")
    assert not changes_behind("wrong answers")
