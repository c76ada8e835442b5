"""How far a run is, asked from outside while it works."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from isocost.errors import RunDirectoryError
from isocost.ledger.summary import read_ledger, summarise_ledger
from isocost.summaries.status import describe_saved, status_of, to_text


def lines_of(*lines: dict[str, Any]) -> str:
    return "".join(json.dumps(line) + "\n" for line in lines)


def reserve(request: str, flops: float | None, usd: float | None = None, **facts: object) -> dict[str, Any]:
    return {"event": "reserve", "request": request, "flops": flops, "usd": usd, "seconds": 0.0, **facts}


def done(request: str, flops: float | None, count: int, usd: float | None = None) -> dict[str, Any]:
    return {"event": "done", "request": request, "flops": flops, "usd": usd, "seconds": 2.0, "count": count, "tokens": 10 * count}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "study.yaml").write_text("name: x\nlimit: {unit: flops, amount: 1000}\n")
    return tmp_path


def test_a_million_samples_are_counted_without_opening_one(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("samples were read")

    for name in ("read_parquet", "scan_parquet", "DataFrame"):
        monkeypatch.setattr(pl, name, refuse)
    data = {"account": "data", "model": "weak", "count": 1000}
    with (out / "ledger.jsonl").open("w") as file:
        for i in range(1000):
            file.write(lines_of(reserve(f"r{i}", 1.0, **data), done(f"r{i}", 0.5, 1000)))
    pool = out / "pools" / "weak"
    (pool / "x.parts").mkdir(parents=True)
    (pool / "x.parts" / "0000.parquet").write_bytes(b"not to be opened")
    (pool / "x.w0.jsonl").write_bytes(b"not to be opened")
    (pool / "x.w0.jsonl").chmod(0)
    status = status_of(out)
    (account,) = status["accounts"]
    assert (account["samples"], account["tokens"], account["flops"], account["tokens_per_second"]) == (10**6, 10**7, 500.0, 5000.0)
    assert "| data | weak | 1,000,000 | 10,000,000 | 500.0 FLOPs | – | 5,000 |" in to_text(status)
    assert describe_saved(out).startswith("1,000,000 samples are saved")


def test_what_is_in_flight_lost_and_sent_again(out: Path) -> None:
    facts = {"account": "data", "model": "far", "remote": True, "count": 2}
    (out / "ledger.jsonl").write_text(
        lines_of(
            reserve("a", 100.0, 1.0, **facts), reserve("b", 200.0, 2.0, **facts), reserve("c", 50.0, 0.5, **facts),
            {"event": "lost", "request": "a", "reason": "x", "flops": 100.0, "usd": 1.0}, {"event": "retry", "request": "b", "reason": "y"},
            reserve("b", 200.0, 2.0, **facts), done("c", 20.0, 2, 0.2),
        )
        + '{"event": "done", "req'
    )  # fmt: skip
    before = (out / "ledger.jsonl").read_bytes()
    status = status_of(out)
    (account,) = status["accounts"]
    assert (account["flops"], account["usd"], account["lost"], account["lost_usd"], account["retries"]) == (120.0, 1.2, 1, 1.0, 1)
    assert status["spent"] == {"flops": 120.0, "usd": 1.2}
    assert status["reserved"] == {"flops": 200.0, "usd": 2.0}
    assert (account["seconds"], account["tokens_per_second"]) == (None, None)  # requests overlap
    assert "their seconds add up to no time" in to_text(status)
    assert "lost: requests whose answer never came" in to_text(status)
    assert "retries: requests that were refused" in to_text(status)
    assert "limit: 1.0 KFLOPs, in flight at most 200.0 FLOPs, left 680.0 FLOPs" in to_text(status)
    assert (out / "ledger.jsonl").read_bytes() == before  # the torn line is being written by the run


def test_a_cost_that_is_not_known_is_not_zero(out: Path) -> None:
    (out / "ledger.jsonl").write_text(lines_of(reserve("a", None, account="data", model="weak"), done("a", None, 1)))
    status = status_of(out)
    assert status["spent"] == {"flops": None, "usd": None}
    assert status["spent_known"] == {"flops": 0.0, "usd": 0.0}
    assert "spent: what weak's 1 call cost is not known\n" in to_text(status)
    assert "limit: 1.0 KFLOPs, in flight at most 0 FLOPs, left not known" in to_text(status)
    assert describe_saved(out).endswith("\n  what weak's 1 call cost is not known")


def bought(out: Path, *parts: tuple[str, str, float | None, float | None]) -> None:
    """A ledger of two calls of each (account, model, flops, usd)."""
    lines = []
    for number, (account, model, flops, usd) in enumerate(parts):
        for name in (f"{number}a", f"{number}b"):
            lines += [reserve(name, flops, usd, account=account, model=model), done(name, flops, 3, usd)]
    (out / "ledger.jsonl").write_text(lines_of(*lines))


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ([], "nothing"),
        ([("data", "weak", 5e8, None)], "1.0 GFLOPs"),
        ([("data", "weak", 5e8, None), ("judge", "auditor", None, None)], "1.0 GFLOPs, and what auditor's 2 calls cost is not known"),
        (
            [("data", "weak", 5e8, 1.0), ("judge", "auditor", None, None)],
            "1.0 GFLOPs and $2.00, and what auditor's 2 calls cost is not known",
        ),
        ([("data", "weak", 5e8, None), ("judge", "auditor", None, 0.06)], "1.0 GFLOPs without auditor and $0.12 without weak"),
        ([("data", "weak", 5e8, 1.0), ("judge", "auditor", None, 1.0)], "1.0 GFLOPs without auditor and $4.00"),
        (
            [("data", "weak", None, 1.0), ("judge", "weak", None, None), ("judge", "b", None, None)],
            "$2.00, and what weak (judge)'s 2 calls and b's 2 calls cost is not known",
        ),
    ],
)
def test_what_is_known_is_said_and_whose_part_is_not(out: Path, parts: list[Any], said: str) -> None:
    bought(out, *parts)
    assert f"\nspent: {said}\n" in to_text(status_of(out))
    assert describe_saved(out).endswith(f"\n  they cost {said}")


def test_an_account_of_unknown_cost_takes_nothing_from_the_others(out: Path) -> None:
    bought(out, ("data", "weak", 5e8, None), ("judge", "auditor", None, None))
    status = status_of(out)
    assert (status["spent"], status["spent_known"]) == ({"flops": None, "usd": None}, {"flops": 1e9, "usd": 0.0})
    text = to_text(status)
    assert "| data | weak | 6 | 60 | 1.0 GFLOPs | – |" in text
    assert "| judge | auditor | 6 | 60 | not known | not known |" in text
    assert "left not known" in text  # of a limit, which takes no part for the whole


def test_cells_have_planned_spent_and_left(out: Path) -> None:
    choice = {"name": "weak", "samples_per_problem": {"weak": 2.0}, "cost": {"flops": 90.0, "usd": None, "seconds": None}}
    (out / "plan.json").write_text(json.dumps({"budgets": {"low": {"unit": "flops", "amount": 100.0, "choices": [choice]}}}))
    progress = {
        "stage": "sample", "done": 3, "total": 6, "seconds": 1.0, "samples_per_second": 3.0, "tokens_per_second": 30.0, "seconds_left": 1.0,
        "engine_idle": 0.125, "failed": 1,
        "cells": {"weak@low": {"draws": 3, "flops": 45.0, "usd": None}, "equal@number": {"draws": 2, "flops": 30.0, "usd": None}},
    }  # fmt: skip
    (out / "progress.json").write_text(json.dumps(progress))
    status = status_of(out)
    low, equal = status["cells"]
    assert (low["cell"], low["planned"], low["samples"], low["spent"], low["left"], low["amount"]) == (
        "weak@low",
        90.0,
        3,
        45.0,
        55.0,
        100.0,
    )
    assert (equal["cell"], equal["samples"], equal["unit"]) == ("equal@number", 2, None)
    assert "cells" not in status["sampling"]
    text = to_text(status)
    assert "sampling: 3 of 6 samples (50%), 3 samples/s, 30 tokens/s" in text
    assert "idle 12.5% of the time" in text
    assert "draws that failed: 1" in text
    json.dumps(status)


@pytest.mark.parametrize(("basis", "spent", "told"), [("planned", 45.0, 1), ("planned", 130.0, 2), ("realised", 99.0, 0)])
def test_a_planned_budget_is_called_an_estimate_and_a_negative_rest_is_explained(out: Path, basis: str, spent: float, told: int) -> None:
    (out / "study.yaml").write_text(f"name: x\nbudgets: {{low: {{unit: flops, amount: 100, basis: {basis}}}}}\n")
    choice = {"name": "weak", "samples_per_problem": {"weak": 2.0}, "cost": {"flops": 90.0, "usd": None, "seconds": None}}
    (out / "plan.json").write_text(json.dumps({"budgets": {"low": {"unit": "flops", "amount": 100.0, "choices": [choice]}}}))
    progress = dict.fromkeys(("done", "total", "samples_per_second", "tokens_per_second", "seconds_left", "engine_idle", "failed"), 0)
    cells = {"weak@low": {"draws": 3, "flops": spent, "usd": None}}
    (out / "progress.json").write_text(json.dumps({**progress, "engine_idle": None, "cells": cells}))
    status = status_of(out)
    assert status["cells"][0]["basis"] == basis
    text = to_text(status)
    assert ("basis planned are estimates" in text) + ("Left is negative for weak@low" in text) == told


def test_before_anything_was_bought(out: Path) -> None:
    status = status_of(out)
    assert (status["accounts"], status["cells"], status["sampling"], status["running"]) == ([], [], None, False)
    assert status["spent"] == {"flops": 0.0, "usd": 0.0}
    assert to_text(status).endswith("report: not written yet")
    assert "|" not in to_text(status)  # no table without a row


def test_a_folder_that_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(RunDirectoryError, match="is it a run directory"):
        status_of(tmp_path)
    assert describe_saved(tmp_path) == "nothing was bought yet"


def test_the_status_imports_what_it_reads_and_no_more() -> None:
    code = "import isocost.cli, isocost.summaries.status, sys; print(*sys.modules)"
    loaded = set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())
    assert loaded.isdisjoint(
        {"isocost.config", "isocost.reporting", "isocost.running.runs", "isocost.grading", "jinja2", "psutil", "torch"}
    )
    assert loaded.isdisjoint({"polars", "numpy", "pyarrow"})


def test_the_status_begins_where_the_run_summed_up(out: Path) -> None:
    ledger = out / "ledger.jsonl"
    ledger.write_text(lines_of(reserve("a", 1.0, account="data", model="weak"), done("a", 0.5, 1)))
    summary = summarise_ledger(*read_ledger(ledger), ledger)
    summary["accounts"][0]["count"] = 1000
    progress = {"stage": "sample", "done": 1, "total": 1, "samples_per_second": 13_812.4, "tokens_per_second": 9.0, "seconds_left": None}
    (out / "progress.json").write_text(json.dumps({**progress, "engine_idle": None, "failed": 0, "cells": {}, "ledger": summary}))
    with ledger.open("a") as file:
        file.write(lines_of(reserve("b", 1.0, account="data", model="weak"), done("b", 0.5, 1)))
    status = status_of(out)
    assert status["accounts"][0]["samples"] == 1001
    assert "ledger" not in status["sampling"]
    assert "13,812 samples/s" in to_text(status)
