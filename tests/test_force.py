"""The option --force of the commands for stages does what its help says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

from isocost.cli import app
from isocost.cli.arguments import FORCE
from isocost.running import STAGES, run, run_stage, runs
from isocost.running.stages import StudyRun
from tests.builders import InlineExecutor, write_study
from tests.matrices import first_fast


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "LocalExecutor", InlineExecutor)


def contents(folder: Path) -> dict[str, bytes]:
    """What the files of a run hold, but for those that say when something was done and how long it took."""
    timed = ("seconds.json", "start.json", "progress.json", "measures.json", "plan.json", "lock")
    paths = (path for path in folder.rglob("*") if path.is_file() and path.name not in timed and not path.name.startswith("report"))
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def test_each_stage_has_a_help_of_its_own() -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    helps = {
        name: option.help for name, command in commands.items() for option in command.params if "--force" in getattr(option, "opts", ())
    }
    assert helps == FORCE
    assert set(FORCE) == set(STAGES) - {"measure"}  # isocost measure needs no run
    assert len(set(FORCE.values())) == len(FORCE)


def numberless(files: dict[str, bytes]) -> dict[str, bytes]:
    """Name sealed parts without their numbers, which are never used twice; a stage of this run seals one part per folder."""
    return {re.sub(r"\d{4}\.parquet$", "part", name): content for name, content in files.items()}


@pytest.mark.parametrize("stage", first_fast(["curate", "report", "audit", "grade"]))
def test_forcing_a_stage_that_buys_nothing_gives_the_same_files(stage: str, tmp_path: Path) -> None:
    out = tmp_path / "run"
    run(write_study(tmp_path), out)
    before = numberless(contents(out))
    run_stage(out, stage, force=True)
    after = numberless(contents(out))
    assert after.keys() == before.keys()
    assert [name for name in after if after[name] != before[name] and name.startswith(("pools", "ledger", "trainsets", "verdicts"))] == []


@pytest.mark.parametrize(
    ("stage", "removed"),
    [
        ("sample", []),
        ("grade", ["verdicts/number-2"]),
        ("audit", []),
        ("curate", []),
        ("finetune", ["models", "evaluations"]),
        ("evaluate", ["evaluations"]),
        ("report", []),
    ],
)
def test_what_is_discarded(stage: str, removed: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    class Directory:
        def __init__(self) -> None:
            self.removed: list[str] = []

        def remove(self, *names: str) -> None:
            self.removed.append("/".join(names))

    started = StudyRun.__new__(StudyRun)
    directory = Directory()
    monkeypatch.setattr(started, "directory", directory, raising=False)
    monkeypatch.setattr(started, "grading", None, raising=False)
    monkeypatch.setattr("isocost.running.stages.grader_key", lambda grading: "number-2")
    started._discard(stage)
    assert directory.removed == removed
    assert FORCE[stage].startswith("Discard") == bool(removed)
