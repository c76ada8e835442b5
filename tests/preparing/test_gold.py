"""What a plan and a dry run tell of problem sets before anything is bought: the same as a run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from isocost.errors import InputError
from isocost.events import Note, StageProgress
from isocost.preparing.gold import drop_refused
from isocost.running import dry_run, plan_from_pilot, plan_study, run, runs
from tests.builders import InlineExecutor, Raw, raw_study, write_study

assert drop_refused  # what all of this is about

ROWS = [
    {"question": "What is 0 + 7?", "solution": "0 and 7 is 7", "target": "7"},
    {"question": "What is 1 + 7?", "solution": "1 and 7 is 8", "target": "8"},
    {"question": "What is 2 + 7?", "solution": "2 and 7 is 9", "target": "proof"},
    {"question": "What is 3 + 7?", "solution": "3 and 7 is 10", "target": "10"},
    {"question": "What is 3 + 7?", "solution": "3 and 7 is 10", "target": "10"},
    {"question": "What is 4 + 7?", "solution": "4 and 7 is 11", "target": None},
    {"question": "What is 5 + 7?", "solution": "5 and 7 is 12", "target": "12"},
]
FIELD = (
    'problems.train: the reference answer of 5 problems is the field "target", not "solution"; problems.train.answer_field names another'
)
REPEATED = (
    "problems.train: 1 question occurs more than once (first: problems-4, problems-5); problems.train.repeated: merge takes each once"
)


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "LocalExecutor", InlineExecutor)


def own_study(folder: Path, **problems: object) -> Path:
    raw: Raw = raw_study()
    path = write_study(folder, **raw | {"problems": {"train": raw["problems"]["train"] | problems}})
    (folder / "problems.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return path


def told(start: Callable[[Callable[[StageProgress | Note], None]], object]) -> list[str]:
    heard: list[str] = []
    start(lambda event: heard.append(event.text) if isinstance(event, Note) else None)
    return heard


def test_plan_and_dry_run_tell_what_a_run_tells(tmp_path: Path) -> None:
    path = own_study(tmp_path)
    planned = told(lambda listener: plan_study(path, (), listener))
    assert told(lambda listener: plan_from_pilot(path, listener=listener)) == planned
    assert told(lambda listener: dry_run(path, listener=listener)) == planned
    assert planned[:2] == [FIELD, REPEATED]
    (left_out,) = planned[2:]
    assert left_out.startswith(
        "2 of 7 problems of train left out: the grader refuses their reference answer (problems-3, problems.jsonl:3: "
    )
    with pytest.raises(InputError):
        told(lambda listener: run(path, tmp_path / "out", strict=True, listener=listener))
    with pytest.raises(InputError, match="the grader number refuses 2 of 7 reference answers"):
        dry_run(path, strict=True)


def test_a_plan_counts_the_problems_that_a_run_will_buy_for(tmp_path: Path) -> None:
    prepared, _, _ = plan_study(own_study(tmp_path))
    assert len(prepared.problems["train"]) == 5
    assert [each.reason for each in prepared.refused] == ["no_reference: proof", "no_reference: null"]


def test_a_field_that_the_study_names_is_no_choice(tmp_path: Path) -> None:
    found = told(lambda listener: plan_study(own_study(tmp_path, answer_field="target"), (), listener))
    assert not [note for note in found if "answer_field" in note]


def test_a_plan_goes_on_where_the_grader_does_not_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object, **options: object) -> None:
        raise InputError("code: bubblewrap is not installed")

    path = own_study(tmp_path)
    monkeypatch.setattr("isocost.preparing.gold.GradingPool", broken)
    found = told(lambda listener: plan_study(path, (), listener))
    assert found == ["reference answers were not checked: code: bubblewrap is not installed", FIELD.replace("5", "6"), REPEATED]
    with pytest.raises(InputError, match="bubblewrap is not installed"):
        dry_run(path)
