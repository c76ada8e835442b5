"""Whole runs over rows that are no problems, and over questions that occur again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from isocost.errors import EngineError, InputError
from isocost.events import Note, StageProgress
from isocost.running import run, runs
from tests.builders import InlineExecutor, write_study


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "LocalExecutor", InlineExecutor)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A study of 30 problems, with three rows more: a proof, and a question that occurs again."""
    path = write_study(tmp_path)
    more = [{"id": "x1", "question": "Prove it.", "answer": "proof"}, {"id": "x2", "question": "What is 0 + 7?", "answer": "7"}]
    with (tmp_path / "problems.jsonl").open("a") as file:
        file.writelines(json.dumps(row) + "\n" for row in more)
    return path


MERGED = ["problems.train.repeated=merge"]


def test_rows_that_are_no_problems_are_left_out_and_listed(tmp_path: Path, study: Path) -> None:
    heard: list[StageProgress | Note] = []
    run(study, tmp_path / "run", settings=MERGED, listener=heard.append)
    (left_out,) = [json.loads(line) for line in (tmp_path / "run" / "excluded.jsonl").read_text().splitlines()]
    assert (left_out["id"], left_out["reason"]) == ("x1", "no_reference: proof")
    assert left_out["where"].endswith("problems.jsonl:31")
    assert any("1 of 31 problems of train left out" in event.text for event in heard if isinstance(event, Note))


def test_strict_refuses_them(tmp_path: Path, study: Path) -> None:
    with pytest.raises(InputError, match=r"problems\.jsonl:31\) is refused with 'no_reference: proof'"):
        run(study, tmp_path / "run", settings=MERGED, strict=True)


def test_a_filter_of_the_study_leaves_them_out_unlisted(tmp_path: Path, study: Path) -> None:
    rows = [json.loads(line) | {"kind": "sum"} for line in (tmp_path / "problems.jsonl").read_text().splitlines()]
    rows[30]["kind"] = "proof"
    (tmp_path / "problems.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    run(study, tmp_path / "run", settings=[*MERGED, "problems.train.where={kind: sum}"], strict=True)
    assert not (tmp_path / "run" / "excluded.jsonl").exists()


def test_a_question_that_occurs_again_is_named(tmp_path: Path, study: Path) -> None:
    heard: list[StageProgress | Note] = []
    with pytest.raises(EngineError, match="x2"):  # the recorded table has no draws of it
        run(study, tmp_path / "run", listener=heard.append)
    notes = [event.text for event in heard if isinstance(event, Note)]
    assert any("1 question occurs more than once (first: p00, x2); problems.train.repeated: merge" in note for note in notes)
