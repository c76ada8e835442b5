"""Whole numbers of thousands of digits: where they come in, and what becomes of them."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from isocost.cli.arguments import whole_numbers
from isocost.digits import MOST_DIGITS, json_int, to_digits, to_int, whole_number
from isocost.equations import audit_steps, signature
from isocost.errors import InputError
from isocost.graders.base import AnswerGrader
from isocost.graders.choice import ChoiceGrader
from isocost.graders.exact import ExactGrader
from isocost.graders.math import MathGrader
from isocost.graders.number import NumberGrader
from isocost.records import Verdict
from tests.matrices import first_fast

LONG = "7" * 5000
OTHER = LONG[:-1] + "8"
HUGE = "3" * 90_000
GROUPED = "7" + ",777" * 1700


def graded(grader: AnswerGrader, reference: str, solution: str) -> Verdict:
    started = time.process_time()
    answer = grader.extract(solution)
    verdict = grader.settle(reference, answer)
    assert verdict is not None, "left to a worker"
    assert time.process_time() - started < 5
    return verdict


@given(st.integers(-(10**300), 10**300), st.sampled_from([0, 3999, 4000, 4001, 9000, 30_000]))
@example(0, 8000)
@example(10**200, 12_000)
@example(-1, 3913)  # about the number of bits up to which Python's own conversion is taken
@example(9, 3913)
def test_digits_are_those_of_the_number(value: int, zeros: int) -> None:
    digits = to_digits(value * 10**zeros)
    assert digits == (str(value) + "0" * zeros if value else "0")
    assert to_int(digits.lstrip("-")) == abs(value) * 10**zeros


def test_what_is_no_number_or_too_long_is_refused() -> None:
    for text in ("x", "1" * (MOST_DIGITS + 1), "1_0" * 2000 + "x"):
        with pytest.raises(ValueError, match=r"digits|invalid literal"):
            to_int(text)
    assert json.loads(f'{{"a": {LONG}, "b": 12}}', parse_int=json_int) == {"a": LONG, "b": 12}


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", "12"),
        (" -0012. ", "-12"),
        ("-0", "0"),
        ("+5", "5"),
        ("$1,234,567", "1234567"),
        ("1{,}234", "1234"),
        (r"1\,234\,567", "1234567"),
        ("1 234", "1234"),
        ("−7.000", "-7"),
        ("12,34", None),
        ("1,2345", None),
        ("1.5", None),
        ("", None),
        ("-", None),
        ("1 2", None),
        ("5 apples", None),
        ("٣", None),
    ],
)
def test_a_text_that_is_one_whole_number(text: str, number: str | None) -> None:
    assert whole_number(text) == number


@pytest.mark.parametrize(
    "form", ["\\boxed{{{}}}", "#### {}", "The answer is {}.", "<answer>{}</answer>", "{}", "So it is {}", "Answer: $ {}$"]
)
@pytest.mark.parametrize("grader", [NumberGrader(), MathGrader(), ExactGrader()], ids=lambda grader: grader.name)
@pytest.mark.parametrize("number", first_fast([LONG, "-" + LONG, HUGE, "1" + "0" * 4400], 2))
def test_equal_digits_are_equal_and_others_are_not(grader: AnswerGrader, form: str, number: str) -> None:
    if grader.name == "exact" and form in ("So it is {}", "Answer: $ {}$"):
        pytest.skip("the last line is the answer")
    solution = form.format(number)
    assert graded(grader, number, solution).outcome == "correct"
    for other in (number[:-1] + "9", number + "1", number[:-1], number[:200], number[:1000], number[:2000], "12", "not a number"):
        assert graded(grader, other, solution).outcome != "correct", other[:20]
        assert graded(grader, number, form.format(other)).outcome != "correct", other[:20]


@pytest.mark.parametrize("grader", [NumberGrader(), MathGrader()], ids=lambda grader: grader.name)
def test_separators_and_zeros_do_not_matter(grader: AnswerGrader) -> None:
    plain = GROUPED.replace(",", "")
    for reference, answer in (
        (plain, GROUPED),
        (GROUPED, plain),
        (plain, "000" + plain),
        (plain, plain + ".0"),
        (f"#### {plain}", GROUPED),
    ):
        assert graded(grader, reference, f"\\boxed{{{answer}}}").outcome == "correct"


@pytest.mark.parametrize("grader", [NumberGrader(), MathGrader()], ids=lambda grader: grader.name)
@pytest.mark.parametrize(
    "text", ["10^5000", "2^{20000}", "1500!", "(10^900)^5", "10^4400\\%", "9" * 150 + "^{29}", "10**5000", "-10^5000", "1/10^5000"]
)
def test_what_comes_to_thousands_of_digits_is_another_answer(grader: AnswerGrader, text: str) -> None:
    assert graded(grader, "12", f"\\boxed{{{text}}}").outcome == "incorrect"
    assert graded(grader, LONG, f"\\boxed{{{text}}}").outcome == "incorrect"


def test_a_power_is_the_number_that_it_comes_to() -> None:
    power = "1" + "0" * 5000
    assert graded(MathGrader(), power, "\\boxed{10^{5000}}").correct
    assert graded(MathGrader(), "10^{5000}", f"\\boxed{{{power}}}").correct
    assert graded(NumberGrader(), power, "\\boxed{10^5000}").correct
    assert not graded(MathGrader(), "10^{5000}", f"\\boxed{{{power}0}}").correct


def test_a_cut_number_is_not_taken_for_the_whole() -> None:
    # 200 characters of an answer that is no number are kept.
    assert not graded(NumberGrader(), "7" * 200, "\\boxed{" + "7" * 900 + " 1 " + "x" * 50 + "}").correct


def test_numbers_in_an_option_list_may_be_long() -> None:
    reference = f'{{"answer": "B", "choices": [{OTHER}, {LONG}]}}'
    assert graded(ChoiceGrader(), reference, "The answer is B").correct
    assert graded(ChoiceGrader(), f'{{"answer": {LONG}, "choices": [1, 2]}}', "B").outcome == "ungraded"


@pytest.mark.parametrize(
    "text",
    [
        f"{LONG} + 1 = 2",
        f"1 + 1 = {LONG}",
        f"<<{LONG}*1={LONG}>>",
        f"2^{LONG} = 4",
        f"\\frac{{{LONG}}}{{2}} + 1 = 3",
        f"{LONG} 1/2 + 1 = 3",
        f"{LONG}½ + 1 = 2",
        f"0.\\overline{{{LONG}}} + 1 = 2",
        f"1e{LONG} + 1 = 2",
        f"√{LONG} + 1 = 2",
        f"{LONG}! = 1",
        f"{GROUPED} + 1 = 2",
        f"{'9' * 600} * {'9' * 600} = 1",
        "*".join(["9" * 30] * 2000) + " = 4",
        f"1/{LONG} = 2",
        f"{LONG}% of 3 = 2",
    ],
)
def test_equations_leave_out_what_is_too_long(text: str) -> None:
    started = time.process_time()
    audit_steps(text)
    assert isinstance(signature(text), str)
    assert audit_steps(f"{text}\n2 + 2 = 5")[0] is False
    assert time.process_time() - started < 5


@pytest.mark.parametrize("text", [LONG, "9" * 400, "1,100000000000000000000", "10001"])
def test_a_number_of_samples_that_no_table_has_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="no table has more than 10,000 samples"):
        whole_numbers(text, "--k")
    assert whole_numbers("1, 3,10000", "--k") == [1, 3, 10_000]


def isocost(folder: Path, *arguments: str) -> tuple[int, str, str]:
    done = subprocess.run([sys.executable, "-m", "isocost", *arguments], capture_output=True, text=True, timeout=100, cwd=folder)
    assert "fault of isocost" not in done.stderr
    return done.returncode, done.stdout, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("grader", ["number", "math", "exact"])
def test_lines_with_long_numbers_are_graded(tmp_path: Path, grader: str) -> None:
    lines = [
        f'{{"gold": {LONG}, "prediction": {LONG}}}',
        f'{{"gold": "{LONG}", "prediction": "#### {OTHER}", "extra": {LONG}}}',
        f'{{"gold": 3, "prediction": "3", "x": [{LONG}], "outcome": {LONG}}}',
    ]
    (tmp_path / "lines.jsonl").write_text("\n".join(lines) + "\n")
    code, out, _ = isocost(tmp_path, "verify", "lines.jsonl", "--grader", grader)
    assert code == 0
    assert [line.count(LONG) for line in out.splitlines()] == [3, 2, 1]
    assert ['"outcome": "correct"' in line for line in out.splitlines()] == [True, False, True]
    (tmp_path / "problems.jsonl").write_text(f'{{"id": {LONG}, "question": "Why?", "answer": {LONG}, "extra": {LONG}}}\n')
    (tmp_path / "lines.jsonl").write_text(f'{{"problem_id": {LONG}, "prediction": {LONG}}}\n')
    code, out, _ = isocost(tmp_path, "verify", "lines.jsonl", "--problems", "problems.jsonl", "--grader", grader)
    assert (code, '"outcome": "correct"' in out) == (0, True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("field", "code"),
    [('"x": [{}]', 0), ('"predicted_answer": {}', 0), ('"num_generated_tokens": {}', 2), ('"cost": {}', 2)],
)
@pytest.mark.parametrize("number", [LONG, "9" * 400])
def test_tables_with_long_numbers_are_read_or_refused_in_a_line(tmp_path: Path, field: str, code: int, number: str) -> None:
    rows = [f'{{"problem_id": {i}{number}, "model": "m", "correct": true, {field.format(number)}}}' for i in (1, 2)]
    (tmp_path / "table.jsonl").write_text("\n".join(rows) + "\n")
    found, out, complaints = isocost(tmp_path, "measure", "table.jsonl")
    assert found == code, complaints
    assert (out == "") is (code == 2)
    assert code == 0 or (complaints.startswith("error: table.jsonl:1: ") and len(complaints) < 300)
