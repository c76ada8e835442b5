"""Answers with clauses, corrections, units and abbreviations around them. `reading.jsonl` has the cases."""

from __future__ import annotations

from pathlib import Path

import pytest

from isocost.graders.extract import extract_answer
from tests.graders.test_answers import read, refused

CASES = Path(__file__).with_name("reading.jsonl")


@pytest.mark.parametrize("grader", ["number", "math", "exact", "choice"])
def test_the_answer_is_read_without_what_is_around_it(grader: str) -> None:
    assert refused([case for case in read(CASES) if case["grader"] == grader]) == []


@pytest.mark.parametrize(
    "word", ["Wait,", "Actually,", "Oops,", "No,", "Hmm,", "Finally,", "However,", "Sorry,", "Thus,", "In short,", "Better:"]
)
def test_boxes_with_other_words_between_them_are_not_joined(word: str) -> None:
    found = extract_answer(f"\\boxed{{6}}\n\n{word} \\boxed{{5}}")
    assert found is not None
    assert found.text == "5"
