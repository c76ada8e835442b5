"""Notes on files that are read all the same."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import polars as pl
import pytest

from isocost.errors import TableError
from isocost.measuring import survey_file
from isocost.policies.base import Coverage
from isocost.predicting import forecast_markdown, predict
from isocost.tables import scan_table, table_notes
from isocost.tables.notes import doubts
from tests.tables import foreign
from tests.tables.test_formats import lm_eval, read


def notes(*sources: Path, **wishes: object) -> list[str]:
    return list(doubts(read(*sources, **wishes)[1]))


def test_a_second_verdict_that_differs_is_named(tmp_path: Path) -> None:
    rows = [
        {"doc": doc, "responses": ["a"], "filtered": ["1"], "metrics": {"exact_match": 0, "math_verify": int(doc < 2), "turns": 1}}
        for doc in range(3)
    ]
    path = foreign.harness(tmp_path / "samples_math.jsonl", rows)
    (note,) = notes(path)
    assert note == "verdicts are of exact_match, and math_verify differs in 2 of 3 samples: isocost import --scorer math_verify takes it"
    assert not notes(path, scorer="math_verify")
    assert not notes(path, rule="exact_match>=1")
    assert f"{note}." in survey_file(path, [1]).warnings


def test_half_characters_are_replaced_in_texts_and_counted_and_never_make_one_name_of_two(tmp_path: Path) -> None:
    texts = {"a": "fine", "b": "cut \\ud83d", "c": "\\udfff"}
    path = tmp_path / "t.jsonl"
    lines = [f'{{"problem_id": "{name}", "model": "m", "correct": true, "generation": "{text}"}}' for name, text in texts.items()]
    names = ['{"problem_id": "p\\ud800", "model": "m", "correct": true}', '{"problem_id": "p\\ud801", "model": "m", "correct": true}']
    path.write_text("\n".join([*lines, *names]))
    rows, account = read(path)
    assert [row["generation"] for row in rows] == ["fine", "cut \ufffd", "\ufffd"]
    assert list(doubts(account)) == [f"half characters (lone surrogates) became U+FFFD in generation of 2 samples (first: {path}:2)"]
    assert account.skipped == {"problem_id holds half a character (a lone surrogate), which no table can hold": (2, f"{path}:4")}


VERIFIED = {"problem_id": "p", "model": "m", "correct": True, "outcome": "correct", "predicted_answer": "1", "reason": "equal"}


@pytest.mark.parametrize("suffix", ["jsonl", "parquet", "csv"])
def test_misspelt_columns_are_named_in_every_kind_of_file(tmp_path: Path, suffix: str) -> None:
    frame = pl.DataFrame([{"problem_id": "p", "model": "m", "correct": 1, "generaton": "x", "cost_usd": 1.0, "problem": "What is 1?"}])
    path = tmp_path / f"table.{suffix}"
    {"jsonl": frame.write_ndjson, "parquet": frame.write_parquet, "csv": frame.write_csv}[suffix](path)
    scan_table(str(path))
    assert table_notes(str(path)) == ['column "generaton" is not read: it may be a misspelt "generation", which is missing']


def test_a_column_that_the_user_names_is_read_and_not_taken_as_misspelt(tmp_path: Path) -> None:
    path = foreign.lines(tmp_path / "table.jsonl", [{"problem_id": "p", "model": "m", "correct": True, "costs": "high"}])
    scan_table(str(path), ["costs"])
    assert table_notes(str(path)) == []


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_a_table_with_two_verdicts_says_which_was_used(tmp_path: Path, suffix: str) -> None:
    def warned(rows: list[dict[str, object]]) -> list[str]:
        path = tmp_path / f"table.{suffix}"
        frame = pl.DataFrame(rows, schema_overrides={"correct": pl.Boolean})
        frame.write_parquet(path) if suffix == "parquet" else frame.write_ndjson(path)
        forecast, survey = forecast_markdown(predict(path, pilot=None, objective=Coverage())), survey_file(path, [1])
        found = [note for note in table_notes(str(path)) if "outcome" in note]
        assert all(f"{note}." in survey.warnings and f"{note}." in forecast for note in found)
        return found

    rows = [{**VERIFIED, "problem_id": f"p{i}"} for i in range(5)]
    used = "the table has the columns correct and outcome, which agree in 5 samples: correct is used"
    assert warned(rows) == [used]
    assert warned([*rows, {**VERIFIED, "problem_id": "q", "correct": None}]) == [f"{used}; 1 samples without it count by outcome"]
    assert warned([{**row, "correct": None} for row in rows]) == []  # there is one verdict only
    assert warned([{name: value for name, value in row.items() if name != "outcome"} for row in rows]) == []
    assert warned([{**row, "outcome": "mine"} for row in rows]) == []  # a field of the user's own


def test_verdicts_that_agree_and_numbers_that_are_none_need_no_note(tmp_path: Path) -> None:
    assert not notes(foreign.nemo(tmp_path / "output.jsonl", [True, True], judgement="Judgement: yes"))
    path = foreign.nemo(tmp_path / "other.jsonl", [True, True], judgement="Judgement: no")
    assert "judgement differs in 2 of 2 samples" in notes(path)[0]
    assert not notes(foreign.lines(tmp_path / "results.jsonl", [foreign.rollout(0, 0.0)]))  # one turn in all rollouts


def test_a_second_run_of_a_task_of_lm_eval_is_refused(tmp_path: Path) -> None:
    first = lm_eval(tmp_path)
    second = tmp_path / "samples_gsm8k_2026-11-02T10-00-00.000001.jsonl"
    second.write_text(first.read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(TableError, match="is there already\n  leave one out, or number the samples in order"):
        read(first, second, model="m")
    rows, account = read(first, second, model="m", columns={"sample_index": ""})
    assert [row["sample_index"] for row in rows] == [0, 0, 1, 1]
    assert list(account.further) == ["m"]


def test_files_that_repeat_problems_are_named(tmp_path: Path) -> None:
    for seed in (0, 1):
        foreign.nemo(tmp_path / "m" / f"output-rs{seed}.jsonl", [True])
    expected = f'samples of "m" count as further draws of problems that earlier files have: {tmp_path / "m" / "output-rs1.jsonl"}'
    assert notes(tmp_path / "m") == [expected]


@pytest.mark.parametrize("form", ["json", "eval"])
def test_a_log_of_inspect_that_failed_is_named(tmp_path: Path, form: str) -> None:
    log = foreign.inspect_log([foreign.inspect_sample(1, 1, {"match": "C"})])
    log["eval"] |= {"dataset": {"samples": 10, "sample_ids": [1, 2]}, "config": {"epochs": 3}}
    path = tmp_path / f"log.{form}"
    for status, expected in (
        ("success", []),
        ("error", [f'{path}: the log is not complete: its status is "error", and it has 1 of 6 samples']),
    ):
        log["status"] = status
        path.write_text(json.dumps(log, indent=1), encoding="utf-8") if form == "json" else foreign.write_eval(path, log)
        assert notes(path) == expected


def test_a_log_of_inspect_that_is_being_written_is_named(tmp_path: Path) -> None:
    log = foreign.inspect_log([foreign.inspect_sample(1, 1, {"match": "C"})])
    with zipfile.ZipFile(tmp_path / "log.eval", "w") as archive:
        archive.writestr("_journal/start.json", json.dumps({"version": 2, "eval": log["eval"]}))
        archive.writestr("samples/1_epoch_1.json", json.dumps(log["samples"][0]))
    assert notes(tmp_path / "log.eval") == [
        f'{tmp_path / "log.eval"}: the log is not complete: its status is "started", and it has 1 samples'
    ]
