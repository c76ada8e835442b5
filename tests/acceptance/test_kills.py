"""A driver killed with -9 again and again, at moments that nobody chose: nothing is lost, nothing is counted twice."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import psutil
import pytest

from isocost.ledger import Ledger
from isocost.store import BatchLog, Log
from isocost.summaries.status import status_of
from tests.builders import PARAMS, write_study
from tests.matrices import first_fast

IN_FLIGHT = 2 * len(os.sched_getaffinity(0))  # batches: two for each worker
ENGINE = "tests.acceptance.slow_replay:open_engine"


def write(folder: Path, samples: int) -> Path:
    """Several rounds: a realised budget is spent in ever smaller ones."""
    budget = {"unit": "flops", "match": {"model": "strong", "samples_per_problem": samples}, "basis": "realised"}
    return write_study(
        folder,
        n_samples=10 * samples,
        models={
            name: {"engine": ENGINE, "table": "table.parquet", "model": name, "params": params, "batch": 8, "seconds": 0.004}
            for name, params in PARAMS.items()
        },
        budgets={"low": budget},
        arms={"weak": {"models": ["weak"]}, "strong": {"models": ["strong"]}},
    )


def finish(study: Path, out: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "isocost", "run", str(study), "-o", str(out)],
                          capture_output=True, text=True, timeout=300, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr


def lines(out: Path) -> list[dict[str, Any]]:
    return list(Log(out / "ledger.jsonl").peek())


def draws(out: Path) -> list[tuple[str, int, str]]:
    """Every committed draw once: its id, seed and text."""
    stems = {path.with_name(path.name.split(".")[0]) for path in out.glob("pools/*/*.*") if path.name != "rounds.jsonl"}
    return sorted((row["id"], row["seed"], row["generation"]) for stem in stems for row in BatchLog(stem).rows())


def verdicts(out: Path) -> list[tuple[str, str, str]]:
    stems = {path.with_name(path.name.split(".")[0]) for path in out.glob("verdicts/*/*.*")}
    return sorted((row["sample_id"], row["reference"], row["outcome"]) for stem in stems for row in BatchLog(stem).rows())


@pytest.mark.parametrize(("kills", "samples"), first_fast([(1, 3), (25, 8)]))
def test_killed_at_random_moments_it_ends_like_one_that_was_not(tmp_path: Path, kills: int, samples: int) -> None:
    study, out, whole = write(tmp_path, samples), tmp_path / "run", tmp_path / "whole"
    finish(study, whole)
    lots, killed = random.Random(20), 0
    for _ in range(kills):
        before = len(lines(out)) if (out / "ledger.jsonl").exists() else 0
        process = subprocess.Popen(
            [sys.executable, "-m", "isocost", "run", str(study), "-o", str(out)],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        # Now and then before it has sent anything; else after some of its lines, and a moment more.
        enough = lots.choice([0, 1, 2, 5, 10, 20])
        deadline = time.monotonic() + 120
        while process.poll() is None and (len(lines(out)) if (out / "ledger.jsonl").exists() else 0) < before + enough:
            assert time.monotonic() < deadline
            time.sleep(0.002)
        time.sleep(lots.uniform(0.0, 0.05 if enough else 1.5))
        workers = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
        killed += process.poll() is None
        process.send_signal(signal.SIGKILL)  # the driver alone: its workers have to notice
        process.communicate()
        assert process.returncode in (0, -signal.SIGKILL)
        _, alive = psutil.wait_procs(workers, timeout=30)
        assert not [p for p in alive if p.status() != psutil.STATUS_ZOMBIE]
        settled = Counter(line["request"] for line in lines(out)) if (out / "ledger.jsonl").exists() else Counter()
        assert sum(count % 2 for count in settled.values()) <= IN_FLIGHT  # reservations that no line closes
        if (out / "study.yaml").exists():
            status_of(out)
    assert killed >= 0.8 * kills
    finish(study, out)
    assert (out / "samples.parquet").read_bytes() == (whole / "samples.parquet").read_bytes()
    assert draws(out) == draws(whole)
    assert verdicts(out) == verdicts(whole)
    assert len(verdicts(out)) == len(draws(out)) == pl.read_parquet(out / "samples.parquet").height
    mine, other = Ledger(Log(out / "ledger.jsonl")), Ledger(Log(whole / "ledger.jsonl"))
    assert mine.unanswered() == {}
    assert mine.spending.spent == pytest.approx(other.spending.spent)
    for key, account in other.accounts.items():
        own = mine.accounts[key]
        assert (own.requests, own.count, own.tokens, own.lost) == (account.requests, account.count, account.tokens, 0)
        assert own.cost.flops == pytest.approx(account.cost.flops)
    assert sum(account.redone for account in mine.accounts.values()) <= killed * IN_FLIGHT
    assert json.loads((out / "measures.json").read_text()) == json.loads((whole / "measures.json").read_text())
