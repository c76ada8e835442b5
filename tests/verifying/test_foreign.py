"""`isocost verify` on files of other tools."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import polars as pl
import pytest

from isocost.cli import main
from isocost.verifying import lines_of
from tests.tables import foreign


def verified(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], path: Path) -> list[dict[str, object]]:
    monkeypatch.setattr(sys, "argv", ["isocost", "verify", str(path), "--grader", "number"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    return [json.loads(line) for line in capfd.readouterr().out.splitlines()]


def test_a_log_of_inspect_comes_out_as_rows_with_outcomes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    log = foreign.inspect_log([foreign.inspect_sample(i, 1, {"match": "I"}, target=str(3 + i)) for i in range(2)])
    rows = verified(monkeypatch, capfd, foreign.write_eval(tmp_path / "log.eval", log))
    assert [(row["problem_id"], row["outcome"], row["correct"]) for row in rows] == [
        ("gsm8k/0", "incorrect", None),
        ("gsm8k/1", "correct", None),
    ]


def test_a_table_in_parquet_comes_out_graded_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    row = {"problem_id": "p", "model": "m", "correct": False, "generation": "#### 4", "expected_answer": "4"}
    pl.DataFrame([row]).write_parquet(tmp_path / "t.parquet")
    assert [row["outcome"] for row in verified(monkeypatch, capfd, tmp_path / "t.parquet")] == ["correct"]


def test_lines_with_a_reference_and_a_generation_stay_as_they_are(tmp_path: Path) -> None:
    path = foreign.nemo(tmp_path / "output-rs0.jsonl", [True])
    assert lines_of(str(path), has_references=False) == str(path)
    assert lines_of(str(path), has_references=True) != str(path)  # the lines have no problem_id, their samples have
    assert lines_of("-", has_references=False) == "-"
    rows = foreign.lines(tmp_path / "answers.txt", [{"problem_id": 1, "gold": 1, "prediction": "1"}])
    assert lines_of(str(rows), has_references=False) == str(rows)  # whatever the name


def test_a_list_of_objects_becomes_lines(tmp_path: Path) -> None:
    path = tmp_path / "answers.json"
    path.write_text('[{"problem_id": 1, "gold": 1, "prediction": "1"}]', encoding="utf-8")
    assert json.loads(Path(lines_of(str(path), has_references=False)).read_text(encoding="utf-8"))["generation"] == "1"


def test_the_files_of_a_pattern_or_a_folder_become_rows(tmp_path: Path) -> None:
    for seed in range(2):
        foreign.nemo(tmp_path / "m" / f"output-rs{seed}.jsonl", [True])
    for source in (tmp_path / "m", tmp_path / "m" / "*.jsonl"):
        text = Path(lines_of(str(source), has_references=False)).read_text(encoding="utf-8")
        assert [json.loads(line)["sample_index"] for line in text.splitlines()] == [0, 1]
    one = str(tmp_path / "m" / "output-rs0.jsonl")
    assert lines_of(str(tmp_path / "m" / "*0.jsonl"), has_references=False) == one
