"""Runs that earlier versions left: they open, go on and report as they did, and buy nothing again. `tests/oldruns/make.py` made them."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from isocost.dispatch import calls
from isocost.dispatch.calls import Retrying
from isocost.running import run, run_stage, runs
from isocost.store import BatchLog
from isocost.summaries.status import status_of
from tests.builders import InlineExecutor
from tests.oldruns.make import ROOT

OLD = Path(__file__).parent / "oldruns"
VERSIONS = sorted(path.name for path in OLD.iterdir() if path.is_dir() and path.name[0].isdigit())
FINISHED = ["replay", "endpoint", pytest.param("trained", marks=pytest.mark.slow)]
TEXTS = {".json", ".yaml", ".jsonl"}


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "LocalExecutor", InlineExecutor)
    monkeypatch.setattr(calls, "RETRYING", Retrying(first=0.001, longest=0.002, patience=0.0))  # nobody listens at the endpoint


def taken_out(version: str, name: str, folder: Path) -> Path:
    """A copy of what a version left, its paths those of the copy."""
    place = folder / name
    shutil.copytree(OLD / version / name, place)
    for path in place.rglob("*"):
        if path.suffix in TEXTS:
            path.write_text(path.read_text(encoding="utf-8").replace(ROOT, str(place)), encoding="utf-8")
    return place


def evidence(out: Path) -> dict[str, bytes]:
    """What was paid for: every byte of the ledger, of the rounds, of draws, judges' replies, students and their answers."""
    folders = [out / name for name in ("pools", "judge", "arms", "models", "evaluations") if (out / name).exists()]
    paths = [out / "ledger.jsonl", *(path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file())]
    # Lengths of the answers that are there: later versions read them out, and bought nothing for it.
    return {str(path.relative_to(out)): path.read_bytes() for path in paths if path.name != "replies.jsonl"}


def holds(new: Any, old: Any) -> bool:
    """Whether a value says all that an older one said: keys may have come, none has gone, and no number has changed."""
    if isinstance(old, dict):
        return isinstance(new, Mapping) and all(key in new and holds(new[key], value) for key, value in old.items())
    if isinstance(old, list):
        return isinstance(new, list) and len(new) == len(old) and all(map(holds, new, old))
    if isinstance(old, float) and isinstance(new, int | float):
        return math.isclose(new, old, rel_tol=1e-9, abs_tol=1e-12)
    return bool(new == old)


def without_corrected(measures: dict[str, Any]) -> dict[str, Any]:
    """The measures without numbers that later versions corrected: lower ends of costs that were 0 where the pass rate may be 0."""
    for own in measures["models"].values():
        for name, each in own.items():
            if name.startswith("cost_per_correct") and each["low"] == 0.0:
                del each["low"]
    return measures


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", FINISHED)
def test_a_finished_run_is_reported_again_and_buys_nothing(version: str, name: str, tmp_path: Path) -> None:
    folder = taken_out(version, name, tmp_path)
    out = folder / "run"
    before = evidence(out)
    measures = json.loads((out / "measures.json").read_text())
    samples = pl.read_parquet(out / "samples.parquet", glob=False)
    finished = run(folder / "study.yaml", out)
    assert evidence(out) == before
    assert holds(json.loads((out / "measures.json").read_text()), without_corrected(measures))
    assert pl.read_parquet(out / "samples.parquet", glob=False).select(samples.columns).equals(samples)
    assert finished.report
    assert finished.report.stat().st_size > 10_000
    assert finished.headline


@pytest.mark.parametrize("version", VERSIONS)
def test_stages_run_again_from_the_folder_alone(version: str, tmp_path: Path) -> None:
    out = taken_out(version, "replay", tmp_path) / "run"
    before = evidence(out)
    for stage in ("grade", "audit", "curate", "report"):
        run_stage(out, stage, force=True)
    assert evidence(out) == before
    assert (out / "report.html").exists()


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
def test_a_run_that_was_killed_buys_the_rest_only(version: str, tmp_path: Path) -> None:
    folder = taken_out(version, "killed", tmp_path)
    out = folder / "run"
    kept = {row["id"]: row for path in out.glob("pools/*/*.w0.jsonl") for row in BatchLog(path.with_name(path.name.split(".")[0])).rows()}
    assert kept
    status_of(out)
    run(folder / "study.yaml", out)
    rows = [row for path in out.glob("pools/*/*.parts/*.parquet") for row in pl.read_parquet(path, glob=False).iter_rows(named=True)]
    assert len({row["id"] for row in rows}) == len(rows) > len(kept)
    stored = {row["id"]: row for row in rows if row["id"] in kept}
    assert all(row.pop("text_hash") is None for row in stored.values() if "text_hash" not in kept[row["id"]])  # a later version's column
    assert stored == kept
    events = [json.loads(line) for line in (out / "ledger.jsonl").read_text().splitlines()]
    assert sum(line.get("count", 0) for line in events if line["event"] == "done") == len(rows)
    assert (out / "report.html").exists()
