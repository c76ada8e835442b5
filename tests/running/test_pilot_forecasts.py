"""Forecasts that a run stores between its pilot and its cells."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from isocost.events import Note
from isocost.running import run, runs
from isocost.sampling import predictions
from tests.builders import InlineExecutor, Raw, write_study
from tests.running.adaptive import AMOUNT, ARMS, realised

PILOT = {"problems": 12, "samples_per_problem": 2}
FIXED: Raw = {**{arm: ARMS[arm] for arm in ("weak", "strong")}, "equal": {"models": ["weak"], "samples_per_problem": 3}}


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "LocalExecutor", InlineExecutor)


def study(folder: Path, **changes: Any) -> Path:
    return write_study(folder, **{"arms": FIXED, "pilot": PILOT, "budgets": {"low": {"unit": "flops", "amount": AMOUNT}}, **changes})


def measured(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "measures.json").read_text())
    return found


def test_forecasts_are_stored_before_the_cells_are_sampled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, seen = tmp_path / "run", []
    store = predictions.store

    def storing(*args: Any) -> None:
        seen.append(any((out / "arms").glob("*/rounds.jsonl")))
        store(*args)

    monkeypatch.setattr("isocost.sampling.cells.store", storing)
    path = study(tmp_path)
    run(path, out)
    assert seen == [False] * 3
    files = {file: file.read_bytes() for file in (out / "arms").glob("*/forecast.json")}
    assert {file.parent.name for file in files} == {"weak@low", "strong@low", "equal@number"}
    rows = {(each["cell"], each["measure"]): each for each in measured(out)["forecasts"]}
    assert {cell for cell, _ in rows} == {"weak@low", "strong@low", "equal@number"}
    assert ("equal@number", "covered") in rows
    for each in rows.values():
        assert each["predicted"]["low"] <= each["predicted"]["value"] <= each["predicted"]["high"]
        inside = each["predicted"]["low"] <= each["outcome"]["value"] <= each["predicted"]["high"]
        assert each["inside"] == inside
    assert "## Forecast against outcome" in (out / "report.md").read_text()
    run(path, out)
    assert {file: file.read_bytes() for file in files} == files
    assert seen == [False] * 3


@pytest.mark.slow
def test_another_cap_on_kept_solutions_is_another_measure(tmp_path: Path) -> None:
    out = tmp_path / "run"
    run(study(tmp_path, curate={"per_problem": 4}), out, until="measure")
    run(study(tmp_path, curate={"per_problem": 1}), out, until="measure")
    assert "forecasts" not in measured(out)


@pytest.mark.slow
def test_without_a_pilot_nothing_is_predicted(tmp_path: Path) -> None:
    out = tmp_path / "run"
    run(study(tmp_path, pilot=None), out)
    assert not list((out / "arms").glob("*/forecast.json"))
    assert "Forecast against outcome" not in (out / "report.md").read_text()


def test_a_damaged_forecast_is_left_out(tmp_path: Path) -> None:
    out, path = tmp_path / "run", study(tmp_path)
    run(path, out, until="measure")
    (out / "arms" / "weak@low" / "forecast.json").write_text('{"terms": ')
    run(path, out, until="measure")
    assert {each["cell"] for each in measured(out)["forecasts"]} == {"strong@low", "equal@number"}


@pytest.mark.slow
def test_policies_and_mixtures_are_predicted_where_the_forecast_knows_them(tmp_path: Path) -> None:
    out = tmp_path / "run"
    arms = {
        **ARMS,
        "sound": {**ARMS["best"], "false_positive_rates": {"weak": 0.3}},
        "hit": {"policy": "first-hit", "models": ["weak"]},
        "mix": {"policy": "mixed", "models": ["weak", "strong"]},
        "most": {"policy": "mixed", "models": ["weak", "strong"], "shares": {"weak": 1, "strong": 3}},
    }
    run(study(tmp_path, arms=arms, budgets=realised()), out, until="measure")
    rows = {(each["cell"], each["measure"]) for each in measured(out)["forecasts"]}
    assert {cell for cell, _ in rows} == {"weak@low", "strong@low", "best@low", "sound@low", "hit@low", "mix@low"}
    assert "cost" not in {measure for _, measure in rows}  # what is paid as realised is the budget


def test_a_later_pilot_replaces_the_table_of_an_earlier_one_and_never_that_of_a_run(tmp_path: Path) -> None:
    path, out = study(tmp_path), tmp_path / "run"
    pools = []
    for seed in (0, 7):
        run(path, out, until="pilot", settings=[f"seed={seed}"])
        table = pl.read_parquet(out / "samples.parquet")
        assert table.height == 48
        pools.append(set(table["pool"]))
    assert pools[0].isdisjoint(pools[1])
    run(path, out, until="sample", settings=["seed=7"])
    whole = (out / "samples.parquet").read_bytes()
    run(path, out, until="pilot", settings=["seed=7"])
    assert (out / "samples.parquet").read_bytes() == whole


def test_a_pilot_whose_draws_were_cut_off_says_so_in_time(tmp_path: Path) -> None:
    path = study(tmp_path)
    table = pl.read_parquet(tmp_path / "table.parquet")
    table.with_columns(finish_reason=pl.lit("length")).write_parquet(tmp_path / "table.parquet")
    told: list[str] = []
    run(path, tmp_path / "run", until="pilot", listener=lambda event: told.append(event.text) if isinstance(event, Note) else None)
    assert [text.partition(" samples")[0] for text in told if "cut off" in text or "hit max_tokens" in text] == [
        "100% of weak's",
        "100% of strong's",
    ]
