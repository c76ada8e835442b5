"""Forecasts that a run stores between its pilot and its cells."""

import json
from pathlib import Path
from typing import Any

import pytest

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
