"""How far a run directory is, read without locking it: it can be asked while the run works."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl

from isocost.errors import RunDirectoryError
from isocost.store import RunDirectory

COSTS = {unit: f"cost_{unit}" for unit in ("flops", "usd", "seconds")}  # as they are stored


def status_of(path: Path) -> dict[str, Any]:
    """What is planned, stored and finished.

    Raises:
        RunDirectoryError: the folder is not a run directory.
    """
    if not (path / "study.yaml").exists():
        raise RunDirectoryError(f"{path}: no study.yaml; is it a run directory?")
    directory = RunDirectory(path)
    plan = directory.read_json("plan.json")
    return {
        "directory": str(path),
        "planned": plan["budgets"] if plan else None,
        "pools": {folder.name: pool_totals(folder) for folder in sorted((path / "pools").glob("*")) if folder.is_dir()},
        "judge": {folder.name: pool_totals(folder) for folder in sorted((path / "judge").glob("*")) if folder.is_dir()},
        "trained": sorted(p.name for p in (path / "models").glob("*") if not p.name.startswith(".")),
        "evaluations": len(list((path / "evaluations").glob("*/*.jsonl"))),
        "seconds": directory.read_json("seconds.json") or {},
        "report": str(path / "report.html") if (path / "report.html").exists() else None,
    }


def to_text(status: dict[str, Any]) -> str:
    """The status in Markdown."""
    lines = [f"run: {status['directory']}", "", "| model | samples | tokens | FLOPs | USD |", "| --- | ---: | ---: | ---: | ---: |"]
    for model, pool in status["pools"].items():
        lines.append(f"| {model} | {pool['samples']:,} | {pool['tokens']:,} | {_known(pool['flops'])} | {_known(pool['usd'])} |")
    if status["judge"]:
        lines += ["", "| judge | verdicts | tokens | FLOPs | USD |", "| --- | ---: | ---: | ---: | ---: |"]
        for model, calls in status["judge"].items():
            lines.append(f"| {model} | {calls['samples']:,} | {calls['tokens']:,} | {_known(calls['flops'])} | {_known(calls['usd'])} |")
    if status["planned"]:
        lines += ["", "| budget | amount | arm | planned samples a problem |", "| --- | ---: | --- | --- |"]
        for name, budget in status["planned"].items():
            for choice in budget["choices"]:
                each = ", ".join(f"{model} {count:.4g}" for model, count in choice["samples_per_problem"].items())
                lines.append(f"| {name} | {_known(budget['amount'])} {budget['unit']} | {choice['name']} | {each} |")
    lines += ["", f"trained students: {len(status['trained'])}; evaluation files: {status['evaluations']}"]
    lines += [f"report: {status['report'] or 'not written yet'}"]
    return "\n".join(lines)


def saved(path: Path) -> str:
    """What a stopped run has, in two lines."""
    try:
        status = status_of(path)
    except RunDirectoryError:
        return "nothing was bought yet"
    paid = [*status["pools"].values(), *status["judge"].values()]
    samples = sum(pool["samples"] for pool in status["pools"].values())
    costs = {unit: [each[unit] for each in paid] for unit in ("flops", "usd")}
    known = [f"{sum(amounts):.4g} {unit}" for unit, amounts in costs.items() if amounts and None not in amounts]
    return (
        f"{samples:,} samples are saved, and all that was made of them\n  they cost {' and '.join(known) or 'an amount that is not known'}"
    )


def pool_totals(folder: Path) -> dict[str, Any]:
    """Samples, tokens and cost of a model's pools, or verdicts of a judge: sealed parts by column, the open log line by line."""
    total: dict[str, Any] = {"samples": 0, "tokens": 0, "flops": 0.0, "usd": 0.0, "seconds": 0.0}
    for part in folder.glob("*.parts/*.parquet"):
        frame = pl.read_parquet(part, columns=["num_generated_tokens", *COSTS.values()])
        _add(total, frame.height, int(frame["num_generated_tokens"].sum()), {u: frame[column].to_list() for u, column in COSTS.items()})
    for log in folder.glob("*.jsonl"):
        if log.name == "rounds.jsonl":
            continue
        for line in log.read_text(encoding="utf-8", errors="replace").split("\n"):
            try:
                rows = json.loads(line)["rows"]
            except ValueError:  # the line that is being written, or the nothing after the last one
                continue
            tokens = sum(row["num_generated_tokens"] for row in rows)
            _add(total, len(rows), tokens, {unit: [row[column] for row in rows] for unit, column in COSTS.items()})
    return total


def _add(total: dict[str, Any], samples: int, tokens: int, costs: dict[str, list[float | None]]) -> None:
    total["samples"] += samples
    total["tokens"] += tokens
    for unit, amounts in costs.items():
        known = [a for a in amounts if a is not None]
        total[unit] = None if total[unit] is None or len(known) < len(amounts) else total[unit] + sum(known)


def _known(amount: float | None) -> str:
    return "not known" if amount is None else f"{amount:.4g}"
