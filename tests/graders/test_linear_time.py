"""Repeated characters cost no more than their number: what runs in the driver, past every time limit, takes linear time."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from isocost.equations import signature
from isocost.graders import GRADERS, load_grader
from isocost.graders.base import AnswerGrader
from isocost.graders.code.programs import find_program
from isocost.graders.code.references import can_grade
from isocost.graders.math import MathGrader
from isocost.grading import GradingPool
from isocost.records import Pair
from tests.matrices import first_fast

SPACES = [*" \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2003\u2028\u2029\u202f\u205f\u3000", "\r\n", " \n", "\u3000 ", "\u3000\n"]
INVISIBLE = ["\u200b", "\u200d", "\ufeff", "\u0301", "e\u0301", "\x00", "\u202e", "\U000e0041"]
BRACKETS = [*"()[]{}<>|$\\/", "()", "{}", "[]", "$$", "\\(", "\\]", "\\{", "\\\\", "\\ ", "\\,", "\\!", "\\left(", "\\boxed{", "\\boxed{1}"]
DIGITS = [
    *"0199.,:;-+=*^_%!#'`\"",
    "1,",
    "1 ",
    "1.",
    "1/",
    "1+1=",
    "12,345,",
    "{,}",
    "**",
    "__",
    "--",
    "####",
    "#### 1\n",
    "...",
    "٣",
    "½",
    "²",
]
WORDS = [
    "the answer is ",
    "The answer is 1. ",
    "answer",
    "answer of ",
    "result is ",
    "答案是",
    "is ",
    "A ",
    "(A) ",
    "A, ",
    "A or ",
    "option A ",
]
WORDS += ["therefore ", "not ", "because ", "and ", "a", "é", "ſ", "İ", "km ", "million ", "\\text{", "\\text{a}", "\\frac{", "\\sqrt{"]
WORDS += [
    "</think>",
    "<answer>",
    "<answer>1</answer>",
    "<<1+1=2>>",
    "\\begin{matrix}",
    "^\\circ",
    "\\approx",
    "\\boxed ",
    "def f():\n",
    "```\n",
    "<think>",
    "<|im_end|>",
    "</s>\n",
    "[EOS]",
    "assistantfinal",
    "so it is ",
    "for all x, ",
    "x \\in R, ",
    "1 und ",
    "1.234.",
    "1'234",
    "\u00ab",
    "\u2212",
    "\u20131 ",
    "1 1/",
    "1 1/2 ",
    "123,456 1/2",
    "1:",
    "1 to ",
    "5 \u00d7 10^",
    "m^2 ",
]
UNITS = [*SPACES, *INVISIBLE, *BRACKETS, *DIGITS, *WORDS]
PLACES = ["{}", "The answer is 5{}x", "\\boxed{{5{}x}}", "(B){}x 12", "#### 5{}6", "2 + 2{}=4", "```{}`"]
LENGTH = 20_000
# All that find an answer in a text in the driver. The grader `code` finds a program there, which has a test of its own.
NAMES = [name for name in GRADERS if name != "code"]
ANSWER_GRADERS = [grader for name in NAMES if isinstance(grader := load_grader(name), AnswerGrader)]


def seconds(work: Callable[[str], object], text: str) -> float:
    """Processor seconds of the quickest of two runs."""
    found = []
    for _ in range(2):
        started = time.process_time()
        work(text)
        found.append(time.process_time() - started)
        if found[-1] < 0.1:
            break
    return min(found)


def slow(work: Callable[[str], object], units: list[str]) -> list[tuple[str, str, float, float]]:
    """Units and places where twice the text takes much more than twice the time."""
    found = []
    for unit in units:
        for place in PLACES:
            once, twice = (place.format(unit * (n // len(unit))) for n in (LENGTH, 2 * LENGTH))
            first = seconds(work, once)
            assert first < 3, (unit, place, first)
            # What is quadratic takes four times as long whenever it is measured; what a busy machine adds does not come each time.
            for _ in range(4):
                if first < 0.1 or (second := seconds(work, twice)) <= 3 * first:
                    break
                first = seconds(work, once)
            else:
                found.append((unit, place, first, second))
    return found


def as_solution(grader: AnswerGrader) -> Callable[[str], object]:
    return lambda text: grader.settle("12", grader.extract(text))


def as_reference(grader: AnswerGrader) -> Callable[[str], object]:
    def work(text: str) -> None:
        grader.settle(text, "12")
        grader.settle(text, None)
        grader.extract(grader.gold(text) or "")

    return work


@pytest.mark.slow
@pytest.mark.parametrize("grader", ANSWER_GRADERS, ids=lambda grader: grader.name)
def test_solutions_are_read_in_linear_time(grader: AnswerGrader) -> None:
    assert slow(as_solution(grader), UNITS) == []


@pytest.mark.slow
@pytest.mark.parametrize("grader", ANSWER_GRADERS, ids=lambda grader: grader.name)
def test_references_are_read_in_linear_time(grader: AnswerGrader) -> None:
    assert slow(as_reference(grader), UNITS) == []


@pytest.mark.slow
@pytest.mark.parametrize("work", [signature, find_program])
def test_equations_and_programs_are_found_in_linear_time(work: Callable[[str], object]) -> None:
    assert slow(work, UNITS) == []


@pytest.mark.parametrize("grader", first_fast(ANSWER_GRADERS), ids=lambda grader: grader.name)
def test_white_space_of_every_kind_is_read_in_linear_time(grader: AnswerGrader) -> None:
    assert slow(as_solution(grader), SPACES) == []


@pytest.mark.parametrize("deep", ["not " * 900, "1 + " * 900, "a" + ".a" * 900 + " + "])
def test_tests_with_deep_conditions_are_read(deep: str) -> None:
    assert can_grade(f"if {deep}1:\n    pass\nassert f(1)\n")
    assert not can_grade(f"if {deep}1:\n    pass\nelse:\n    f == 1\n")


def test_tests_with_many_statements_are_read_in_linear_time() -> None:
    body = "  x\n" * 40_000
    assert seconds(can_grade.__wrapped__, f"def f():\n try:\n{body} except E:\n  assert x\nf()\n") < 3


@pytest.mark.parametrize("grader", NAMES)
def test_the_driver_is_not_held_up(grader: str) -> None:
    pairs = [Pair(key="", reference="12", generation=f"The answer is 12{unit * LENGTH}x") for unit in SPACES if len(unit) == 1]
    with GradingPool(grader, workers=1, time_limit=1) as pool:
        started = time.process_time()  # of this process: the workers are others
        verdicts = pool.submit(pairs).result()
        assert time.process_time() - started < 5
    assert len(verdicts) == len(pairs)


@pytest.mark.slow
@pytest.mark.parametrize("grader", ["number", "choice"])
def test_verify_keeps_to_its_time_limit(tmp_path: Path, grader: str) -> None:
    unit = "\\u3000"
    (tmp_path / "lines.jsonl").write_text(
        "".join(f'{{"gold": "B", "prediction": "\\\\boxed{{{unit * n}12{unit * n}x}}"}}\n' for n in (20_000, 30_000, 40_000))
    )
    command = [sys.executable, "-m", "isocost", "verify", "lines.jsonl", "--grader", grader, "--time-limit", "1", "-j", "1"]
    started = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, cwd=tmp_path)
    assert len(done.stdout.splitlines()) == 3
    assert time.monotonic() - started < 30


@pytest.mark.parametrize("unit", [",", ", ", "、", "，", " ,", "1,", ";", "\\text{ ", "(", "^(", "sqrt(", "0.", "\\%"])
def test_an_answer_of_the_longest_that_is_read_takes_no_time(unit: str) -> None:
    work = as_solution(MathGrader())
    work("The answer is 1")
    assert seconds(work, f"The answer is {unit * (1900 // len(unit))}") < 0.5
    assert seconds(work, f"\\boxed{{5{unit * (1900 // len(unit))}x}}") < 0.5
