"""The gate for reference answers: the same values are none for a run and for `isocost verify`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from isocost.errors import ProblemsError
from isocost.problems import load_problems
from isocost.problems.references import reference_flaw
from isocost.records import Problem
from isocost.verifying.lines import read_line

NO_ANSWERS = ['"proof"', '" NotFound "', "NaN", "Infinity", "-Infinity", '""', '"  "', "null", "[1, 2]", "[]", '{"a": 1}', "true", '"N/A"']
ANSWERS = ['"none"', '"no solution"', '"\\\\infty"', '"Infinity"', "0", "1.5", '"[1, 2]"', '"A"', '"prove"']


@pytest.mark.parametrize("written", NO_ANSWERS)
def test_what_is_no_answer(written: str, tmp_path: Path) -> None:
    assert (reference_flaw(json.loads(written)) or "").startswith("no_reference: ")
    (problem,) = load(tmp_path, f'{{"question": "q?", "answer": {written}}}')
    assert problem.flaw.startswith("no_reference: ")
    assert problem.where.endswith("problems.jsonl:1")
    line = read_line(f'{{"gold": {written}, "prediction": "1"}}'.encode(), 1, None)
    assert (line.flaw, line.pair) == (problem.flaw, None)


@pytest.mark.parametrize("written", ANSWERS)
def test_what_is_an_answer(written: str, tmp_path: Path) -> None:
    assert reference_flaw(json.loads(written)) is None
    (problem,) = load(tmp_path, f'{{"question": "q?", "answer": {written}}}')
    assert (problem.flaw, problem.answer) == ("", str(json.loads(written)))
    assert read_line(f'{{"gold": {written}, "prediction": "1"}}'.encode(), 1, None).pair is not None


ROWS = (
    '{"id": "a", "question": "1+1?", "answer": "2", "question_type": "numeric", "level": 1}',
    '{"id": "b", "question": "Prove it.", "answer": "proof", "question_type": "proof", "level": 2}',
    '{"id": "c", "question": "1+1?", "answer": "2", "question_type": "numeric", "level": 3}',
    '{"id": "d", "question": "2+2?", "answer": "4", "question_type": "numeric", "level": 1}',
)


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        ({}, "abcd"),
        ({"where": {"question_type": "numeric"}}, "acd"),
        ({"where": {"level": [1, 2]}}, "abd"),
        ({"where": {"level": 1, "question_type": "numeric"}, "skip": 1}, "d"),
        ({"where": {"question_type": "numeric"}, "limit": 2}, "ac"),
        ({"repeated": "merge"}, "abd"),
        ({"repeated": "keep"}, "abcd"),
    ],
)
def test_where_and_repeated_choose_problems(tmp_path: Path, options: dict[str, object], ids: str) -> None:
    assert "".join(problem.id for problem in load(tmp_path, *ROWS, **options)) == ids


@pytest.mark.parametrize("options", [{"where": {"level": 9}}, {"where": ["level"]}, {"repeated": "drop"}])
def test_where_and_repeated_that_choose_nothing(tmp_path: Path, options: dict[str, object]) -> None:
    with pytest.raises(ProblemsError):
        load(tmp_path, *ROWS, **options)


def test_a_question_with_two_answers_is_refused(tmp_path: Path) -> None:
    problems = load(tmp_path, *ROWS, '{"id": "e", "question": "1+1?", "answer": "3"}')
    assert {problem.id: problem.flaw for problem in problems if problem.flaw} == {
        "a": "contradicted: a and e ask the same",
        "b": "no_reference: proof",
        "c": "contradicted: a and e ask the same",
        "e": "contradicted: a and e ask the same",
    }


def load(folder: Path, *rows: str, **options: object) -> list[Problem]:
    (folder / "problems.jsonl").write_text("".join(f"{row}\n" for row in rows))
    return load_problems("jsonl", {"path": "problems.jsonl", **options}, base=folder)
