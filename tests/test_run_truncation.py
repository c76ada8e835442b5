"""Whole runs of models that are cut off or that reason: the share cut off is told everywhere, and reasoning is no answer."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from isocost.events import Note, StageProgress
from isocost.running import run, runs
from isocost.summaries.status import status_of, to_text
from tests.builders import InlineExecutor, Rows, raw_study, recorded, write_study, write_table

WARNING = "50% of weak's samples hit max_tokens 64: raise it before you believe this"


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "LocalExecutor", InlineExecutor)


def cut_off() -> Rows:
    """Draws of which every other one of the weak model was cut off."""
    rows = recorded(30, 12)
    for row in rows:
        if row["model"] == "weak" and int(str(row["sample_index"])) % 2:
            right = f"#### {row['generation']!s}".rpartition("#### ")[2]
            text = (" So 1 + 2 =", f" The sum is {right}, so", f" The answer is {right}")[int(str(row["sample_index"])) // 2 % 3]
            row |= {"generation": text, "finish_reason": "length", "num_generated_tokens": 64}
    return rows


def test_the_share_cut_off_is_told_everywhere(tmp_path: Path) -> None:
    study, out = write_study(tmp_path), tmp_path / "run"
    write_table(tmp_path, cut_off())
    heard: list[StageProgress | Note] = []
    finished = run(study, out, listener=heard.append)
    lines = [event.detail for event in heard if isinstance(event, StageProgress) and event.stage == "sample"]
    assert "cut off weak 50%" in lines[-1]
    assert WARNING in [event.text for event in heard if isinstance(event, Note)]
    assert finished.headline.endswith(f"{WARNING}.")
    text = to_text(status_of(out))
    assert WARNING in text
    assert "strong's" not in text
    json.dumps(status_of(out))
    reasons = {
        row["reason"]
        for file in (out / "verdicts").rglob("*.parquet")
        for row in pl.read_parquet(file).filter(pl.col("outcome") != "correct").iter_rows(named=True)
    }
    assert reasons == {"truncated", "different"}


@pytest.mark.slow
def test_reasoning_in_delimiters_of_a_models_own_is_no_answer(tmp_path: Path) -> None:
    study, out = write_study(tmp_path), tmp_path / "run"
    rows = recorded(30, 12)
    for row in rows:
        right = f"#### {row['generation']!s}".rpartition("#### ")[2]
        closed = int(str(row["sample_index"])) % 2 == 0
        row["generation"] = f"<<mull>> perhaps #### {right}" + (f" <</mull>> so\n#### {right}" if closed else "")
    write_table(tmp_path, rows)
    models = raw_study()["models"]
    run(study, out, settings=[f"models={json.dumps(models)}"])
    assert answered(out)["weak", 1] == {True}
    for model in models.values():
        model["reasoning"] = {"open": "<<mull>>", "close": "<</mull>>"}
    run(study, out, settings=[f"models={json.dumps(models)}"])
    assert answered(out)["weak", 1] == {False}
    assert answered(out)["weak", 0] == {True}


def answered(out: Path) -> dict[tuple[str, int], set[bool]]:
    found: dict[tuple[str, int], set[bool]] = {}
    for row in pl.read_parquet(out / "samples.parquet").iter_rows(named=True):
        found.setdefault((row["model"], row["sample_index"] % 2), set()).add(row["predicted_answer"] is not None)
    return found
