"""The sets that training problems are compared with."""

from __future__ import annotations

import json
from pathlib import Path

from isocost.preparing.heldout import held_out_questions
from isocost.records import Problem
from tests.builders import study


def test_sets_are_the_studys_own_a_sources_split_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "held.jsonl").write_text(json.dumps({"id": "h1", "question": "One?", "answer": "1"}) + "\n")
    source = {"source": "jsonl", "path": "problems.jsonl"}
    made = study(problems={"train": source, "test": source}, curate={"decontaminate": ["test", "held.jsonl"]})
    mistakes: list[str] = []
    problems = {"test": [Problem(id="t1", question="Two?", answer="2")]}
    assert held_out_questions(made, tmp_path, problems, mistakes) == {"test": {"t1": "Two?"}, "held.jsonl": {"h1": "One?"}}
    assert mistakes == []


def test_each_set_that_cannot_be_loaded_is_a_mistake(tmp_path: Path) -> None:
    mistakes: list[str] = []
    made = study(curate={"decontaminate": ["a.jsonl", "lab:test"]})
    assert held_out_questions(made, tmp_path, {}, mistakes) == {}
    assert [mistake.split(":")[:2] for mistake in mistakes] == [["curate.decontaminate", " a.jsonl"], ["curate.decontaminate", " lab"]]
