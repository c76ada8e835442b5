import json
from pathlib import Path

import pytest

from isocost.errors import ProblemsError
from isocost.problems import load_problems
from isocost.records import Problem

ASKED = "Which barks?"
LISTED = "Which barks?\n(A) cat\n(B) dog"
REFERENCE = '{"answer": "B", "choices": ["cat", "dog"]}'


def load(folder: Path, options: dict[str, object] | None = None, **row: object) -> Problem:
    (folder / "own.jsonl").write_text(json.dumps({"question": ASKED, **row}), encoding="utf-8")
    (problem,) = load_problems("jsonl", {"path": "own.jsonl", **(options or {})}, base=folder)
    return problem


@pytest.mark.parametrize(
    ("choices", "answer"),
    [
        (["cat", "dog"], "B"),
        (["cat", "dog"], "(b)"),
        (["cat", "dog"], "dog"),
        (["cat", "dog"], 1),
        ({"A": "cat", "B": "dog"}, "B"),
        ({"A": "cat", "B": "dog"}, 1),
        ({"A": "cat", "B": "dog"}, "dog"),
        ({"text": ["cat", "dog"], "label": ["A", "B"]}, "B"),
        ({"text": ["cat", "dog"], "label": ["1", "2"]}, "2"),
        ({"text": ["cat", "dog"], "label": ["1", "2"]}, 2),
        ({"text": ["cat", "dog"]}, 1),
    ],
)
def test_choices_are_listed_and_the_answer_names_one(tmp_path: Path, choices: object, answer: object) -> None:
    problem = load(tmp_path, choices=choices, answer=answer, subject="animals")
    assert problem == Problem(id="own-1", question=LISTED, answer=REFERENCE, metadata={"subject": "animals"})


def test_an_index_counts_from_zero(tmp_path: Path) -> None:
    assert json.loads(load(tmp_path, choices=["1", "2", "3"], answer=0).answer)["answer"] == "A"
    assert json.loads(load(tmp_path, choices=["1", "2", "3"], answer="2").answer)["answer"] == "B"  # a text, since it is one


def test_several_answers(tmp_path: Path) -> None:
    assert json.loads(load(tmp_path, choices=["cat", "dog", "hound"], answer=["hound", "B"]).answer)["answer"] == ["B", "C"]


@pytest.mark.parametrize("row", [{}, {"answer": None}, {"answer": " "}, {"answer": None, "expected_answer": ""}])
def test_an_answer_may_be_missing_where_that_is_said(tmp_path: Path, row: dict[str, object]) -> None:
    assert load(tmp_path, {"unanswered": True}, **row) == Problem(id="own-1", question=ASKED, answer="")
    assert load(tmp_path, {"unanswered": True}, **row, choices=["cat", "dog"]) == Problem(id="own-1", question=LISTED, answer="")
    if "answer" not in row:
        with pytest.raises(ProblemsError, match=r"own\.jsonl:1: "):
            load(tmp_path, **row)
    else:
        assert load(tmp_path, **row).flaw.startswith("no_reference: ")


def test_an_answer_that_is_there_is_taken(tmp_path: Path) -> None:
    assert load(tmp_path, {"unanswered": True}, answer=0).answer == "0"
    assert load(tmp_path, {"unanswered": True, "answer_field": "gold"}, gold="dog").answer == "dog"
    assert load(tmp_path, {"unanswered": True, "answer_field": "gold"}, gold=None).answer == ""
    assert load(tmp_path, {"unanswered": True}, choices=["cat", "dog"], answer="B").answer == REFERENCE


def test_no_choices_is_an_ordinary_row(tmp_path: Path) -> None:
    assert load(tmp_path, choices=None, answer="dog") == Problem(id="own-1", question=ASKED, answer="dog")


@pytest.mark.parametrize(
    ("choices", "answer", "message"),
    [
        (["cat", "dog"], "C", r'own\.jsonl:1: the answer "C" fits none of the choices'),
        (["cat", "dog"], 2, r"own\.jsonl:1: the answer 2 fits none"),
        (["cat", "dog"], -1, r"own\.jsonl:1: the answer -1 fits none"),
        (["cat", "dog"], True, r"own\.jsonl:1: the answer true fits none"),
        (["cat", "dog"], "cow", r'own\.jsonl:1: the answer "cow" fits none'),
        (["cat", "dog"], ["A", "cow"], r'own\.jsonl:1: the answer "cow" fits none'),
        (["B", "A"], "A", r'own\.jsonl:1: the answer "A" fits two of the choices'),
        (["dog", "dog"], "dog", r'own\.jsonl:1: the answer "dog" fits two'),
        (["cat"], "A", r"own\.jsonl:1: .* must have 2 to 10 texts, not 1"),
        (list("abcdefghijk"), 0, r"must have 2 to 10 texts, not 11"),
        (["cat", ""], "A", r"own\.jsonl:1: .* must be a list of texts"),
        (["cat", ["dog"]], "A", r"own\.jsonl:1: .* must be a list of texts"),
        ("cat, dog", "A", r"own\.jsonl:1: .* must be a list of texts"),
        ({"text": ["cat", "dog"], "label": ["1"]}, "1", r"own\.jsonl:1: .* must have one label per text"),
        ({"text": ["cat", "dog"], "label": ["1", "2"]}, "B", r'own\.jsonl:1: the answer "B" fits none'),
    ],
)
def test_bad_choices_are_refused_with_file_and_line(tmp_path: Path, choices: object, answer: object, message: str) -> None:
    with pytest.raises(ProblemsError, match=message):
        load(tmp_path, choices=choices, answer=answer)


def test_a_key_that_occurs_twice_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "problems.jsonl"
    path.write_text('{"question": "1+1?", "answer": "2"}\n{"question": "1+2?", "answer": "2", "answer": "3"}\n', encoding="utf-8")
    with pytest.raises(ProblemsError, match=r'problems\.jsonl:2: key "answer" occurs twice in one object; keep one'):
        list(load_problems("jsonl", {"path": "problems.jsonl"}, base=tmp_path))


def test_a_file_in_utf_16_names_the_command_that_converts_it(tmp_path: Path) -> None:
    (tmp_path / "problems.jsonl").write_text('{"question": "1+1?", "answer": "2"}\n', encoding="utf-16")
    with pytest.raises(ProblemsError, match=r"problems\.jsonl: is UTF-16 text, not UTF-8\n  convert it: iconv -f UTF-16 -t UTF-8"):
        list(load_problems("jsonl", {"path": "problems.jsonl"}, base=tmp_path))


@pytest.mark.parametrize(
    ("row", "read", "told"),
    [
        ({"solution": "so it is 3", "target": "3"}, "3", ("target", "solution")),
        ({"solution": "so it is 3", "answer": "3"}, "3", ("answer", "solution")),
        ({"ground_truth": "4", "solution": "so it is 3"}, "4", ("ground_truth", "solution")),
        ({"target": "5", "answer": "6", "final_answer": "7"}, "6", ("answer", "target", "final_answer")),
        ({"solution": "3", "answer": "3"}, "3", ()),
        ({"solution": "3"}, "3", ()),
        ({"solution": "so it is 3", "target": None}, "", ()),
    ],
)
def test_the_reference_is_the_first_of_the_usual_fields_and_the_others_are_told(
    tmp_path: Path, row: dict[str, object], read: str, told: tuple[str, ...]
) -> None:
    problem = load(tmp_path, **row)
    assert (problem.answer, problem.choices.get("answer", ())) == (read, told)
    assert "answer" not in load(tmp_path, {"answer_field": next(iter(row))}, **row).choices


def test_two_questions_are_told_too(tmp_path: Path) -> None:
    problem = load(tmp_path, prompt="Answer in one word: which barks?", answer="dog")
    assert (problem.question, dict(problem.choices)) == (ASKED, {"question": ("question", "prompt")})
