"""Whole studies on embedded models: every stage real, killed with -9 in each long one, resumed to the same numbers."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

STUDY = """
name: pipeline
problems:
  train:      {source: lab, split: train, limit: 24}
  validation: {source: lab, split: validation, limit: 8}
  test:       {source: lab, split: test, limit: 16}
  transfer:   {source: lab, split: transfer, limit: 8}
models:
  weak:   {engine: transformers, model: "lab:tiny", batch_size: 8}
  strong: {engine: transformers, model: "lab:weak", batch_size: 8}
prompt: {template: lab-2shot}
sampling: {temperature: 0.8, max_tokens: 64}
budgets:
  low: {unit: flops, match: {model: strong, samples_per_problem: 2}}
arms:
  weak:   {models: [weak]}
  strong: {models: [strong]}
  equal:  {models: [weak], samples_per_problem: 2}
grader: {name: number}
finetune:
  students: [weak]
  arms: [weak, strong]
  steps: 6
  batch_size: 4
  learning_rates: [1.0e-4]
  checkpoints: 2
evaluate: {maj_at: [1, 2]}
"""
TIMEOUT = 240
COMMAND = [sys.executable, "-m", "isocost", "run"]

pytestmark = pytest.mark.slow


def start(study: Path, out: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, str(study), "-o", str(out)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def finish(study: Path, out: Path) -> str:
    """Run to the end, with a run directory that is named from the working directory, as people name it."""
    command = [*COMMAND, str(study), "-o", out.name]
    done = subprocess.run(command, cwd=out.parent, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def kill_when(study: Path, out: Path, pattern: str) -> None:
    """Start a run and kill it with -9 as soon as a file that matches has something in it."""
    process = start(study, out)
    deadline = time.monotonic() + TIMEOUT
    while not any(path.stat().st_size for path in out.glob(pattern)):
        assert process.poll() is None, f"the run ended before {pattern} appeared: {process.communicate()[1]}"
        assert time.monotonic() < deadline, f"{pattern} never appeared"
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("study") / "study.yaml"
    path.write_text(STUDY)
    return path


@pytest.fixture(scope="module")
def uninterrupted(study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "uninterrupted"
    said = finish(study, out)
    assert "report: uninterrupted/report.html" in said
    return out


def numbers(out: Path) -> dict[str, str]:
    """Everything that a report's numbers come from; seconds are left out, since they are measured anew."""
    names = ("measures.json", "plan.json", *(f"tables/{name}.csv" for name in ("students", "differences", "cells_worth", "funnel")))
    found = {name: (out / name).read_text() for name in names}
    found |= {str(p.relative_to(out)): p.read_text() for p in sorted((out / "evaluations").glob("*/*@*.jsonl"))}
    return found


def test_the_run_directory_is_complete(uninterrupted: Path) -> None:
    for name in ("study.yaml", "manifest.json", "plan.json", "ledger.jsonl", "samples.parquet", "report.html", "report.md"):
        assert (uninterrupted / name).stat().st_size > 0, name
    assert {p.parent.name for p in (uninterrupted / "trainsets").glob("*/train.parquet")} == {"weak@low", "strong@low", "equal@number"}
    assert len(list((uninterrupted / "models").iterdir())) == 2
    assert len(list((uninterrupted / "figures").glob("*.svg"))) >= 3


def test_killed_in_every_stage_it_ends_with_the_same_numbers(study: Path, uninterrupted: Path, tmp_path: Path) -> None:
    out = tmp_path / "killed"
    for pattern in ("pools/*/*.jsonl", "logs/training-*.jsonl", "evaluations/*/*.jsonl"):
        kill_when(study, out, pattern)
    finish(study, out)
    assert numbers(out) == numbers(uninterrupted)


def test_run_again_buys_and_trains_nothing(study: Path, uninterrupted: Path) -> None:
    def state() -> dict[str, int]:
        bought = [*uninterrupted.glob("pools/*/*.parts/*"), *uninterrupted.glob("verdicts/*/*.parts/*"), uninterrupted / "ledger.jsonl"]
        made = [*uninterrupted.glob("models/*/*.safetensors"), *uninterrupted.glob("evaluations/*/*.parts/*")]
        return {str(p): p.stat().st_mtime_ns for p in [*bought, *made]}

    before, measured = state(), numbers(uninterrupted)
    assert len(before) > 10
    finish(study, uninterrupted)
    assert state() == before
    assert numbers(uninterrupted) == measured


def test_a_larger_budget_buys_the_remainder_only(study: Path, uninterrupted: Path, tmp_path: Path) -> None:
    out = tmp_path / "larger"
    shutil.copytree(uninterrupted, out)
    former = pl.read_parquet(out / "samples.parquet")
    command = [*COMMAND, str(study), "-o", str(out), "--set", "budgets.low.match.samples_per_problem=3", "--set", "finetune=null"]
    assert subprocess.run(command, capture_output=True, timeout=TIMEOUT, check=False).returncode == 0
    now = pl.read_parquet(out / "samples.parquet")
    shared = now.join(former, on=["problem_id", "model", "sample_index", "generation"], how="semi")
    assert shared.height == former.height < now.height
    strong = now.filter(pl.col("model") == "strong")
    assert strong.height == 3 * 24


def test_trained_models_load_with_plain_transformers(uninterrupted: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    for folder in (uninterrupted / "models").iterdir():
        model = AutoModelForCausalLM.from_pretrained(folder)
        tokenizer = AutoTokenizer.from_pretrained(folder)
        text = tokenizer("Q: Ada has 3 coins. Ada buys 2 coins. How many coins does Ada have?\nA:\n", return_tensors="pt")
        assert model.generate(input_ids=text["input_ids"], max_new_tokens=4).shape[1] > text["input_ids"].shape[1]


def test_two_runs_at_once_the_second_is_refused_by_pid(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "shared"
    first = start(study, out)
    try:
        deadline = time.monotonic() + TIMEOUT
        while not (out / "lock").exists() or not (out / "lock").read_text():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        second = subprocess.run([*COMMAND, str(study), "-o", str(out)], capture_output=True, text=True, timeout=TIMEOUT, check=False)
        assert second.returncode == 2
        assert f"in use by process {first.pid}" in second.stderr
        assert "Traceback" not in second.stderr
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.communicate()


def test_ctrl_c_saves_and_says_how_to_go_on(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "interrupted"
    process = start(study, out)
    deadline = time.monotonic() + TIMEOUT
    while not any(path.stat().st_size for path in out.glob("pools/*/*.jsonl")):
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "resume with: isocost run" in said
    assert "Traceback" not in said
    assert json.loads((out / "models.json").read_text())
