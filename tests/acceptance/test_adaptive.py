"""Policies that observe outcomes, in whole runs: on published samples, killed with -9, and on a Ray cluster."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from isocost.preparing.executing import ExecutorChoice
from isocost.running import run, runs
from tests.acceptance import game24
from tests.acceptance.test_kills import finish, lines
from tests.builders import InlineExecutor, write_study
from tests.running.adaptive import best, drawn, rounds, stored

pytestmark = pytest.mark.slow
UNIFORM = {"cheap": {"models": ["cheap"]}, "dear": {"models": ["dear"]}}
BOTH = ["cheap", "dear"]
SEVERAL = {
    "adaptive": {"policy": "adaptive", "models": BOTH},
    "cascade": {"policy": "cascade", "models": BOTH},
    "first-hit": {"policy": "first-hit", "models": ["cheap"]},
}


@pytest.mark.skipif(not game24.TABLE.exists(), reason="shared/data is not there")
def test_on_game24_two_models_and_outcomes_cover_more_than_one_model_for_the_same_money(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "LocalExecutor", InlineExecutor)
    run(game24.write(tmp_path, {**UNIFORM, **SEVERAL}, dear_samples=12), tmp_path / "run")
    cells = json.loads((tmp_path / "run" / "measures.json").read_text())["cells"]
    covered = {name.removesuffix("@low"): cell["covered"]["value"] for name, cell in cells.items()}
    uniform = max(covered["cheap"], covered["dear"])
    assert covered["adaptive"] > uniform
    assert covered["cascade"] > uniform
    # Few puzzles are solved, so dropping them frees little money; it must not cost coverage.
    assert covered["first-hit"] >= covered["cheap"]
    amount = 45 * 12 * 75
    for name in SEVERAL:
        counts = drawn(tmp_path / "run", f"{name}@low")
        assert sum(n * game24.MODELS[model][1] for (_, model), n in counts.items()) <= amount


def test_killed_between_and_within_rounds_it_ends_like_one_that_was_not(tmp_path: Path) -> None:
    study = write_study(tmp_path, n_samples=20, arms=best(objective={"kept_per_problem": 5}))
    out, whole = tmp_path / "run", tmp_path / "whole"
    finish(study, whole)
    for enough in (3, 20, 45):
        process = subprocess.Popen(
            [sys.executable, "-m", "isocost", "run", str(study), "-o", str(out)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        deadline = time.monotonic() + 120
        while not (out / "ledger.jsonl").exists() or len(lines(out)) < enough:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.002)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    finish(study, out)
    assert rounds(out) == rounds(whole)
    assert drawn(out) == stored(out)
    assert (out / "samples.parquet").read_bytes() == (whole / "samples.parquet").read_bytes()
    assert json.loads((out / "measures.json").read_text()) == json.loads((whole / "measures.json").read_text())


def test_a_ray_cluster_buys_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray")
    study = write_study(tmp_path, arms=best(objective={"kept_per_problem": 3}))
    run(study, tmp_path / "ray", until="sample", executor=ExecutorChoice(name="ray"))
    monkeypatch.setattr(runs, "LocalExecutor", InlineExecutor)
    run(study, tmp_path / "local", until="sample")
    assert rounds(tmp_path / "ray") == rounds(tmp_path / "local")
    assert (tmp_path / "ray" / "samples.parquet").read_bytes() == (tmp_path / "local" / "samples.parquet").read_bytes()
