"""isocost report: of several runs it compares, of what is no run it says so."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from isocost.cli import app
from isocost.errors import InputError, RunDirectoryError
from isocost.results.stored import RESULTS, results_json
from tests.reporting.builder import results


@pytest.fixture
def runs(tmp_path: Path) -> list[str]:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "study.yaml").write_text("name: lab-small\n")
        (tmp_path / name / RESULTS).write_text(json.dumps(results_json(replace(results(), study=name))))
    return [str(tmp_path / name) for name in ("a", "b")]


def test_two_runs_are_compared_and_nothing_is_written(runs: list[str], tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    found = CliRunner().invoke(app, ["report", *runs], catch_exceptions=False)
    assert found.exit_code == 0
    assert found.stdout.count("| weak@low |") == 2
    assert sorted(tmp_path.rglob("*")) == before


def test_runs_that_cannot_be_compared_are_named(runs: list[str], tmp_path: Path) -> None:
    def error(*arguments: str) -> BaseException | None:
        return CliRunner().invoke(app, ["report", *arguments]).exception

    assert isinstance(error(runs[0], runs[0]), InputError)
    assert "named twice" in str(error(runs[0], f"{tmp_path}/b/../a"))
    assert isinstance(error(runs[0], str(tmp_path / "none")), RunDirectoryError)
    assert "--pdf" in str(error(*runs, "--pdf"))
