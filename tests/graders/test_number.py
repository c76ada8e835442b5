import time
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isocost.graders.exact import ExactGrader
from isocost.graders.extract import LONGEST
from isocost.graders.number import NumberGrader, canonical, parse_number
from isocost.records import Outcome

GRADER = NumberGrader()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("72", Fraction(72)),
        ("-3", Fraction(-3)),
        ("\N{MINUS SIGN}3", Fraction(-3)),
        ("$1,234.50", Fraction(2469, 2)),
        ("10,\\!080", Fraction(10080)),
        ("3/4", Fraction(3, 4)),
        ("\\frac{3}{4}", Fraction(3, 4)),
        ("2 2/3", Fraction(8, 3)),
        ("-1\\frac{4}{5}", Fraction(-9, 5)),
        ("50\\%", Fraction(50)),
        ("**73**.", Fraction(73)),
        (".5", Fraction(1, 2)),
        ("1e-3", Fraction(1, 1000)),
        ("0.1000000000000000000000000000000001", Fraction(1, 10) + Fraction(1, 10**34)),
    ],
)
def test_numbers_are_read_exactly(text: str, value: Fraction) -> None:
    assert parse_number(text) == value


@pytest.mark.parametrize("text", ["", "x", "4 10/3", "5/0", "1 2", "1,23", "3 apples", "1" * 2000, "__import__('os')", "1-2"])
def test_other_texts_are_no_number(text: str) -> None:
    assert parse_number(text) is None


@pytest.mark.parametrize(
    ("reference", "generation", "outcome", "reason"),
    [
        ("18", "The answer is $18 per day.", Outcome.CORRECT, "equal"),
        ("7", "Answer: 3 + 4 = 7 apples", Outcome.CORRECT, "equal"),
        ("1,000", "#### 1000", Outcome.CORRECT, "equal"),
        ("0.5", "\\boxed{\\frac{1}{2}}", Outcome.CORRECT, "equal"),
        ("12", "He has 3 and then 12.", Outcome.CORRECT, "equal"),
        ("12", "#### 12.0001", Outcome.INCORRECT, "different"),
        ("2", "From 10-2", Outcome.CORRECT, "equal"),
        ("12", "I do not know.", Outcome.NO_ANSWER, "no_number"),
        ("12", "12 so the answer is unknown.", Outcome.NO_ANSWER, "no_number"),
        ("a dozen", "a dozen", Outcome.UNGRADED, "bad_reference"),
        ("", "12", Outcome.UNGRADED, "bad_reference"),
    ],
)
def test_verdicts(reference: str, generation: str, outcome: Outcome, reason: str) -> None:
    verdict = GRADER.grade(reference, generation)
    assert (verdict.outcome, verdict.reason) == (outcome, reason)


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("5", "\\sqrt{5}"), ("5", "5^2"), ("5", "5!"), ("5", "5x"), ("5", "5\\pi"), ("5", "5-3"), ("5", "5 or 6"), ("5", "5, 6"),
        ("6", "5; 6"), ("6", "5 6"), ("6", "5 | 6"), ("6", "5 6 apples"),
        ("5", "x > 5"), ("5", "at least 5"), ("5", "\\frac{5}{x}"), ("5", "5 hours 30 minutes"), ("10", "10\\sqrt{2}"), ("10", "10:30"),
        ("3", "(3,4)"), ("3", "3+2i"), ("1", "1k"), ("1", "\\frac{1}{-2}"), ("1/2", "1/2/3"), ("2.5", "2.5.3"),
    ],
)  # fmt: skip
def test_a_boxed_answer_that_is_not_one_number_is_wrong(reference: str, answer: str) -> None:
    assert GRADER.grade(reference, f"\\boxed{{{answer}}}").outcome is Outcome.INCORRECT


@pytest.mark.parametrize(
    ("reference", "answer"),
    [("25", "5^2"), ("8", "5+3"), ("1000", "1 000"), ("1000000", "1 million"), ("42000", "42 thousand dollars"), ("-0.5", "\\frac{1}{-2}")],
)
def test_a_boxed_answer_that_comes_to_one_number(reference: str, answer: str) -> None:
    assert GRADER.grade(reference, f"\\boxed{{{answer}}}").correct


@given(st.fractions())
def test_canonical_spelling_is_read_back(value: Fraction) -> None:
    assert parse_number(canonical(value)) == value


@given(st.integers(-(10**9), 10**9), st.integers(-(10**9), 10**9))
def test_equal_numbers_only(gold: int, answer: int) -> None:
    assert GRADER.grade(str(gold), f"#### {answer:,}").correct == (gold == answer)


@pytest.mark.parametrize("piece", ["1", "1 ", "1,000,", "\\frac{1}", "1/", "-", "$", "1 1/"])
def test_hostile_text_takes_linear_time(piece: str) -> None:
    start = time.thread_time()
    GRADER.grade("1", piece * (2 * LONGEST // len(piece)))
    GRADER.grade("1", "#### " + piece * (LONGEST // len(piece) - 10))
    assert time.thread_time() - start < 3.0


def test_exact_compares_text() -> None:
    grader = ExactGrader()
    assert grader.grade("North  West", "So:\nnorth west").correct
    assert grader.grade("B", "Answer: B").correct
    assert not grader.grade("B", "Answer: C").correct
    assert grader.grade("B", " ").outcome is Outcome.NO_ANSWER
    assert grader.grade(" ", "B").reason == "bad_reference"


@pytest.mark.parametrize("behind", ["a" * 5000 + "#", "ab " * 2000 + "#", "(" * 5000 + "#", "1 and a " * 1000])
def test_what_stands_behind_a_number_takes_linear_time(behind: str) -> None:
    start = time.thread_time()
    assert GRADER.grade("5", f"\\boxed{{5 {behind}}}").reason in ("equal", "not_one_number")
    assert time.thread_time() - start < 1.0


@pytest.mark.parametrize(
    ("reference", "text", "outcome"),
    [
        ("23", "#### 2**3", "incorrect"),
        ("8", "\\boxed{2**3}", "correct"),
        ("12", "\\boxed{共有**12**个苹果}", "correct"),
        ("12", "**12**", "correct"),
        ("12", "The answer is **12**.", "correct"),
        ("2**3", "8", "ungraded"),
    ],
)
def test_stars_between_numbers_are_a_power_and_others_emphasis(reference: str, text: str, outcome: str) -> None:
    assert NumberGrader().grade(reference, text).outcome == outcome
