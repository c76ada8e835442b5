"""What a start does with files of arms and budgets that the study has no more."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from isocost.errors import RunDirectoryError
from isocost.running import Note, run, runs
from isocost.running.leftovers import mark_leftovers
from isocost.store import RunDirectory
from tests.builders import InlineExecutor, raw_study, study, write_study

ARMS = raw_study()["arms"]


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "LocalExecutor", InlineExecutor)


def cells(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("*@*")}


def started(tmp_path: Path, **changes: Any) -> list[str]:
    found: list[str] = []
    path = write_study(tmp_path, n_problems=6, **changes)
    run(path, tmp_path / "run", until="curate", listener=lambda event: found.append(event.text) if isinstance(event, Note) else None)
    return [text for text in found if text.startswith("files of arms")]


def test_a_renamed_arm_leaves_no_training_set_among_the_current_ones(tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert started(tmp_path) == []
    before = {name: (out / "trainsets" / name / "train.parquet").read_bytes() for name in cells(out / "trainsets")}
    bought = pl.read_parquet(out / "samples.parquet")
    renamed = {"cheap": ARMS["weak"], **{name: arm for name, arm in ARMS.items() if name != "weak"}}
    (said,) = started(tmp_path, arms=renamed)
    assert said == (
        "files of arms or budgets that the study has no more; training sets moved to trainsets/stale/: weak@low; "
        "kept, and not used: arms/weak@low; stale.json names all"
    )
    assert cells(out / "trainsets") == {"cheap@low", "strong@low", "equal@number"}
    assert cells(out / "trainsets" / "stale") == {"weak@low"}
    assert (out / "arms" / "weak@low" / "rounds.jsonl").exists()
    assert json.loads((out / "stale.json").read_text()) == {
        "cells": ["cheap@low", "equal@number", "strong@low"],
        "not_of_these": ["arms/weak@low", "trainsets/stale/weak@low"],
    }
    assert started(tmp_path, arms=renamed) == []  # said once
    (back,) = started(tmp_path)
    assert "cheap@low" in back
    assert cells(out / "trainsets" / "stale") == {"cheap@low"}
    assert before == {name: (out / "trainsets" / name / "train.parquet").read_bytes() for name in cells(out / "trainsets")}
    assert pl.read_parquet(out / "samples.parquet").height == bought.height


def test_files_of_earlier_versions_give_way_to_folders(tmp_path: Path) -> None:
    sets = tmp_path / "run" / "trainsets"
    started(tmp_path)
    for name in ("weak@low.parquet", "weak@low.md", "gone@low.parquet"):
        (sets / name).write_bytes(b"of an earlier version")
    (said,) = started(tmp_path)
    assert cells(sets) == {"weak@low", "strong@low", "equal@number"}
    assert cells(sets / "stale") == {"gone@low.parquet", "weak@low.parquet", "weak@low.md"}
    assert "gone@low.parquet" in said


def test_nothing_that_somebody_else_put_among_the_training_sets_is_deleted(tmp_path: Path) -> None:
    directory, sets = RunDirectory(tmp_path / "run"), tmp_path / "run" / "trainsets"
    mine = {
        sets / "weak@low.md": sets / "stale" / "weak@low.md",
        sets / "gone@low" / "notes.txt": sets / "stale" / "gone@low.2" / "notes.txt",
        sets / "stale" / "gone@low" / "of-before.txt": sets / "stale" / "gone@low" / "of-before.txt",
        sets / "stale" / "weak@low" / "looked-at.csv": sets / "stale" / "weak@low" / "looked-at.csv",
        sets / "stale" / "weak@low.parquet": sets / "stale" / "weak@low.parquet",
    }
    for path in mine:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"mine: {path.name}")
    ours = [sets / "stale" / "weak@low" / name for name in ("train.parquet", "README.md")]
    for path in ours:
        path.write_text("built again")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "train.parquet").write_text("mine")
    (sets / "stale" / "strong@low").symlink_to(elsewhere)
    for _ in range(2):  # a second start finds the same
        mark_leftovers(study(), directory, lambda event: None)
    assert {place: place.read_text() for place in mine.values()} == {place: f"mine: {path.name}" for path, place in mine.items()}
    assert not any(path.exists() for path in ours)
    assert (sets / "stale" / "strong@low" / "train.parquet").read_text() == "mine"


@pytest.mark.slow
def test_a_renamed_budget_does_so_too(tmp_path: Path) -> None:
    started(tmp_path)
    (said,) = started(tmp_path, budgets={"small": raw_study()["budgets"]["low"]})
    assert "strong@low, weak@low" in said
    assert "arms/strong@low, arms/weak@low" in said
    assert "equal@number" not in said


def made(path: Path, names: Mapping[str, bool]) -> None:
    for name in names:
        (path / name).mkdir(parents=True)


def test_models_and_evaluations_of_other_cells_are_named_and_stay(tmp_path: Path) -> None:
    kept = {
        "models/weak-strong@low-0-abc": False,
        "models/weak-old@low-0-abc": True,
        "models/gone-weak@low-0-abc": True,
        "models/.half": False,
        "evaluations/weak+untrained+0+plain+test": False,
        "evaluations/weak+strong@low+0+plain+test": False,
        "evaluations/weak+strong@gone+0+plain+test": True,
        "arms/weak@low": False,
        "arms/weak@high": True,
    }
    made(tmp_path / "run", kept)
    said: list[Any] = []
    with RunDirectory(tmp_path / "run") as directory:
        mark_leftovers(study(), directory, said.append)
        listed = directory.read_json("stale.json")["not_of_these"]
        assert listed == sorted(name for name, is_stale in kept.items() if is_stale)
        assert len(said) == 1
        assert all((tmp_path / "run" / name).is_dir() for name in kept)
        mark_leftovers(study(), directory, said.append)
        assert len(said) == 1


def test_a_renamed_model_is_not_bought_again(tmp_path: Path) -> None:
    started(tmp_path)
    before = (tmp_path / "run" / "ledger.jsonl").read_bytes()
    models = {"cheap": raw_study()["models"]["weak"], "strong": raw_study()["models"]["strong"]}
    arms = {name: {**arm, "models": ["cheap" if model == "weak" else model for model in arm["models"]]} for name, arm in ARMS.items()}
    with pytest.raises(RunDirectoryError, match=r'models\.cheap was called "weak" when its draws were stored'):
        started(tmp_path, models=models, arms=arms)
    assert (tmp_path / "run" / "ledger.jsonl").read_bytes() == before
