"""Whole iterated studies: each round is a run, killed ones go on, and one limit holds for all."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from isocost.errors import LimitReachedError, RunDirectoryError, RunError
from isocost.events import Note
from isocost.executors.training import TrainingJob
from isocost.executors.training import train as train_in_worker
from isocost.lab import weights
from isocost.ledger import Ledger
from isocost.running import run, run_stage, runs
from isocost.store import Log
from isocost.store.rounds import round_folder
from isocost.students import train
from isocost.summaries.status import describe_saved, status_of, to_text
from tests.builders import InlineExecutor
from tests.iterated import write

pytest.importorskip("trl")


@pytest.fixture
def inline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "LocalExecutor", InlineExecutor)


def ledger(folder: Path) -> Ledger:
    return Ledger(Log(folder / "ledger.jsonl"))


def measures(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "measures.json").read_text())
    return found


def test_each_round_samples_what_the_round_before_trained(tmp_path: Path, inline: None, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs: list[TrainingJob] = []

    def watched(job: TrainingJob) -> Any:
        jobs.append(job)
        return train_in_worker(job)

    monkeypatch.setattr(train, "train", watched)
    told: list[str] = []
    study, out = write(tmp_path, rounds=2), tmp_path / "run"
    finished = run(study, out, listener=lambda e: told.append(e.text) if isinstance(e, Note) else None)
    second = out / "rounds" / "2"
    assert f"round 2 of 2, in {second}" in told
    # Three of the six samples per problem in each round, of a model of its own.
    drawn = [pl.read_parquet(folder / "samples.parquet") for folder in (out, second)]
    assert [set(each["model"]) for each in drawn] == [{"base"}, {"base-self-r1"}]
    assert [each.height for each in drawn] == [12, 12]
    # Both trainings start from the untrained student, each on the data of its round.
    assert [job.model for job in jobs] == [str(weights("tiny"))] * 2
    assert [{row["model"] for row in job.rows} for job in jobs] == [{"base"}, {"base-self-r1"}]
    assert f"model: {jobs[0].out}" in (second / "study.yaml").read_text()
    setups = {row["setup"] for row in measures(second)["students"] if row["cell"]}
    assert setups == {"self-improvement"}
    # The report of all: a row per round.
    rows = measures(out)["rounds"]
    assert [(row["round"], row["cell"], row["student"]) for row in rows] == [(n, "self@all", "base") for n in (0, 1, 2)]
    assert [row["cost"] and row["cost"]["flops"] for row in rows[1:]] == [ledger(folder).spending.spent for folder in (out, second)]
    assert rows[2]["difference"]["n"] == 4
    assert "base on self@all, 2 rounds: it solves " in finished.headline
    assert "**base on self@all, 2 rounds: it solves " in (out / "report.md").read_text()
    data = [line for line in measures(out)["bill"] if line["account"] == "data"]
    assert sum(line["count"] for line in data) == 24
    status = status_of(out)
    assert [(each["round"], each["finished"], each["samples"]) for each in status["rounds"]] == [(2, True, 12)]
    assert f"round 2: finished, 12 samples, {to_text(status_of(second)).split('spent: ')[1].splitlines()[0]}: {second}" in to_text(status)
    assert describe_saved(out).startswith("24 samples are saved")


@pytest.mark.slow
def test_a_stage_before_the_report_is_that_of_the_first_round(tmp_path: Path, inline: None) -> None:
    told: list[str] = []
    out = tmp_path / "run"
    run(write(tmp_path, rounds=2), out, until="sample", listener=lambda e: told.append(e.text) if isinstance(e, Note) else None)
    assert f"sample of round 1 alone; all 2 rounds: isocost report {out}" in told
    assert not (out / "rounds").exists()
    assert pl.read_parquet(out / "samples.parquet").height == 12


@pytest.mark.slow
def test_another_start_finds_all_rounds_done(tmp_path: Path, inline: None) -> None:
    study, out = write(tmp_path, rounds=2), tmp_path / "run"
    finished = run(study, out)
    kept = [*out.rglob("ledger.jsonl"), *out.rglob("model.safetensors")]
    assert len(kept) == 4
    before, rows = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in kept}, measures(out)["rounds"]
    assert run_stage(out, "report").headline == finished.headline
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in before} == before
    assert measures(out)["rounds"] == rows
    # A round is a run of its own.
    assert run_stage(out / "rounds" / "2", "report").headline.startswith("None of the 12 graded samples is correct")


@pytest.mark.slow
def test_damaged_weights_of_a_student_are_named_and_trained_again(tmp_path: Path, inline: None) -> None:
    study, out = write(tmp_path, rounds=2), tmp_path / "run"
    run(study, out)
    (weights,) = (out / "models").glob("*/model.safetensors")
    kept = weights.read_bytes()
    weights.write_bytes(kept[:-1000])
    shown = ("measures.json", "results.json", "report.html", "report.md")
    before = {name: (out / name).read_bytes() for name in shown}
    with pytest.raises(RunDirectoryError) as caught:
        run(study, out)
    assert {name: (out / name).read_bytes() for name in shown} == before  # of all rounds, until all are done again
    assert str(weights) in str(caught.value)
    assert f"remove {weights.parent}, and run the same command again" in str(caught.value)
    shutil.rmtree(weights.parent)
    told = measures(out)
    run(study, out)
    assert weights.read_bytes() == kept
    assert measures(out) == told


@pytest.mark.slow
def test_a_round_without_a_model_says_why_and_goes_on_once_there_is_one(
    tmp_path: Path, inline: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(job: TrainingJob) -> Any:
        if job.settings.seed == 0:
            raise RunError("out of memory with 2 rows")
        return train_in_worker(job)

    study, out = write(tmp_path, rounds=2), tmp_path / "run"
    seeds = ["finetune.seeds=[0, 1]"]
    with monkeypatch.context() as broken:
        broken.setattr(train, "train", failing)
        with pytest.raises(RunError) as caught:
            run(study, out, settings=seeds)
    assert caught.value.happened == (
        "round 2 has no model to sample: base was not trained on self, seed 0, in round 1: out of memory with 2 rows"
    )
    assert not (out / "rounds").exists()
    run(study, out, settings=seeds)
    assert len(measures(out)["rounds"]) == 3


@pytest.mark.slow
def test_the_limit_holds_over_all_rounds(tmp_path: Path, inline: None) -> None:
    study, whole, out = write(tmp_path, rounds=3), tmp_path / "whole", tmp_path / "run"
    run(study, whole)
    folders = [round_folder(whole, number) for number in (1, 2, 3)]
    costs = [ledger(folder).spending.spent for folder in folders]
    worst = max(float(line["flops"]) for line in Log(whole / "ledger.jsonl").peek() if line["event"] == "reserve")
    # Room for one round and what its batch reserves, not for a second one.
    limit = costs[0] + worst / 2
    with pytest.raises(LimitReachedError, match="stopped at the limit"):
        run(study, out, settings=[f"limit={{unit: flops, amount: {limit!r}}}"])
    assert ledger(out).spending.spent == pytest.approx(costs[0])
    assert ledger(out / "rounds" / "2").spending.spent == 0
    assert ", paid in other rounds " in to_text(status_of(out / "rounds" / "2"))
    # The same round started by itself keeps to it too.
    with pytest.raises(LimitReachedError):
        run_stage(out / "rounds" / "2", "sample")
    # A higher limit lets the run go on; it ends as one without a limit, and nothing is bought again.
    run(study, out, settings=[f"limit={{unit: flops, amount: {sum(costs) + worst!r}}}"])
    assert [ledger(round_folder(out, number)).spending.spent for number in (1, 2, 3)] == pytest.approx(costs)
    assert measures(out)["rounds"] == measures(whole)["rounds"]


def _command(study: Path, out: Path) -> list[str]:
    return [sys.executable, "-m", "isocost", "run", str(study), "-o", str(out)]


def _wait_for(process: subprocess.Popen[str], reached: Path) -> None:
    deadline = time.monotonic() + 600
    while process.poll() is None and not (list(reached.parent.glob(reached.name)) if reached.parent.exists() else []):
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.slow
def test_killed_in_any_round_it_ends_like_one_that_was_not(tmp_path: Path) -> None:
    study, whole, out = write(tmp_path, rounds=2), tmp_path / "whole", tmp_path / "run"
    subprocess.run(_command(study, whole), check=True, capture_output=True, timeout=900)
    second = out / "rounds" / "2"
    killed = 0
    # Before the second round has a study, once it has bought, and while it trains.
    for reached in (second / "round.json", second / "samples.parquet", second / "models" / ".*"):
        process = subprocess.Popen(
            _command(study, out), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        _wait_for(process, reached)
        if process.poll() is None:
            killed += 1
            os.killpg(process.pid, signal.SIGKILL)  # its workers too
        process.communicate()
    assert killed == 3
    subprocess.run(_command(study, out), check=True, capture_output=True, timeout=900)
    for number in (1, 2):
        mine, other = round_folder(out, number), round_folder(whole, number)
        assert (mine / "samples.parquet").read_bytes() == (other / "samples.parquet").read_bytes()
        assert ledger(mine).spending.spent == pytest.approx(ledger(other).spending.spent)
        own, others = (next((folder / "models").glob("base-*")) for folder in (mine, other))
        assert own.name == others.name
        assert (own / "model.safetensors").read_bytes() == (others / "model.safetensors").read_bytes()
    assert measures(out) == measures(whole)
