"""isocost run --until: where a run stops, and what it says then."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from isocost.cli import app
from isocost.running import runs
from isocost.summaries.status import status_of
from tests.builders import InlineExecutor, write_study


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "LocalExecutor", InlineExecutor)


def stopped(study: Path, out: Path, stage: str, *more: str) -> Result:
    return CliRunner().invoke(app, ["run", str(study), "-o", str(out), "--until", stage, *more], catch_exceptions=False)


def test_a_run_stops_after_the_named_stage_and_says_what_goes_on(tmp_path: Path) -> None:
    study, out = write_study(tmp_path, pilot={"problems": 5, "samples_per_problem": 2}), tmp_path / "a run"
    of_pilot = stopped(study, out, "pilot", "--set", "seed=0")
    assert f"what each budget would bring: isocost plan {study} -o '{out}' --set seed=0" in of_pilot.stderr
    assert status_of(out)["report"] is None
    of_curate = stopped(study, out, "curate")
    assert f"stopped after curate; resume with: isocost run {study} -o '{out}'\n" in of_curate.stderr
    assert (out / "trainsets").is_dir()
    assert not (out / "report.md").exists()
    whole = stopped(study, out, "report")
    assert whole.stdout.endswith(f"report: {out}/report.html\n")
    assert "resume with" not in whole.stderr
    told = f"solutions and labels: isocost view '{out}'\nthe largest training set: isocost export '{out}' --arm weak@low -o data\n"
    assert whole.stderr.endswith(told)


def test_an_unknown_stage_is_one_line(tmp_path: Path) -> None:
    study = write_study(tmp_path)
    found = CliRunner().invoke(app, ["run", str(study), "--until", "plot"])
    assert str(found.exception) == 'no stage "plot"\n  did you mean "pilot"?'
