"""How far a run directory is, read without locking it: it can be asked while the run works.

The ledger has every request and the progress file the rest, so that no sample is read, however many there are.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml

from isocost.errors import RunDirectoryError
from isocost.ledger import Account, book
from isocost.records import Unit
from isocost.reporting.numbers import budget as say_budget
from isocost.reporting.numbers import duration
from isocost.running.buying.progress import FILE as PROGRESS
from isocost.store import Row, RunDirectory

UNITS: tuple[Unit, ...] = ("flops", "usd")


def status_of(path: Path) -> dict[str, Any]:
    """What is planned, spent, stored and finished.

    Raises:
        RunDirectoryError: the folder is not a run directory.
    """
    if not (path / "study.yaml").exists():
        raise RunDirectoryError(f"{path}: no study.yaml; is it a run directory?")
    directory = RunDirectory(path)
    plan = directory.read_json("plan.json")
    progress = directory.read_json(PROGRESS)
    accounts, waiting = _accounts(directory)
    return {
        "directory": str(path),
        "running": _is_running(path),
        "accounts": [_account(account, model, paid) for (account, model), paid in accounts.items()],
        "reserved": {unit: _total(entry[unit] for entry in waiting.values()) for unit in UNITS},
        "spent": {unit: _total(paid.amount(unit) for paid in accounts.values()) for unit in UNITS},
        "limit": (yaml.safe_load(directory.read_text("study.yaml") or "") or {}).get("limit"),
        "cells": _cells(plan, progress),
        "sampling": {key: value for key, value in progress.items() if key != "cells"} if progress else None,
        "trained": sorted(p.name for p in (path / "models").glob("*") if not p.name.startswith(".")),
        "evaluations": len(list((path / "evaluations").glob("*/*.jsonl"))),
        "seconds": directory.read_json("seconds.json") or {},
        "report": str(path / "report.html") if (path / "report.html").exists() else None,
    }


def _is_running(path: Path) -> bool:
    """Whether the process that opened the directory last is alive. The lock itself is not touched: a run that starts now may need it."""
    try:
        os.kill(int((path / "lock").read_text()), 0)
    except (OSError, ValueError):
        return False
    return True


def _accounts(directory: RunDirectory) -> tuple[dict[tuple[str, str], Account], dict[str, Row]]:
    accounts: dict[tuple[str, str], Account] = {}
    waiting: dict[str, Row] = {}
    for entry in directory.log("ledger.jsonl").peek():
        book(accounts, waiting, entry)
    return accounts, waiting


def _account(account: str, model: str, paid: Account) -> dict[str, Any]:
    seconds = paid.cost.seconds
    return {
        "account": account,
        "model": model,
        "samples": paid.count,
        "tokens": paid.tokens,
        "flops": paid.amount("flops"),
        "usd": paid.amount("usd"),
        "seconds": seconds,
        "tokens_per_second": paid.tokens / seconds if seconds and not paid.remote else None,
        "lost": paid.lost,
        "lost_flops": paid.lost_cost.flops,
        "lost_usd": paid.lost_cost.usd,
        "retries": paid.retries,
        "redone": paid.redone,
    }


def _cells(plan: Any, progress: Any) -> list[dict[str, Any]]:
    """Planned, spent and left of each cell; number-matched cells have no budget."""
    spent = (progress or {}).get("cells", {})
    found: list[dict[str, Any]] = []
    planned: set[str] = set()
    for name, budget in ((plan or {}).get("budgets") or {}).items():
        for choice in budget["choices"]:
            cell = f"{choice['name']}@{name}"
            planned.add(cell)
            paid = spent.get(cell, {}).get(budget["unit"], 0.0)
            found.append(
                {
                    "cell": cell,
                    "unit": budget["unit"],
                    "amount": budget["amount"],
                    "planned": choice["cost"][budget["unit"]],
                    "planned_samples_per_problem": choice["samples_per_problem"],
                    "samples": spent.get(cell, {}).get("draws", 0),
                    "spent": paid,
                    "left": None if paid is None else budget["amount"] - paid,
                }
            )
    return found + [
        {"cell": cell, "unit": None, "amount": None, "planned": None, "samples": own["draws"], "spent": own, "left": None}
        for cell, own in spent.items()
        if cell not in planned
    ]


def _total(amounts: Any) -> float | None:
    known = list(amounts)
    return None if None in known else float(sum(known))


def to_text(status: dict[str, Any]) -> str:
    """The status in Markdown."""
    lines = [f"run: {status['directory']}" + (" (running)" if status["running"] else ""), "", *_money(status), "", *_paid(status)]
    if status["cells"]:
        lines += ["", *_cell_lines(status["cells"])]
    if status["sampling"]:
        lines += ["", *_sampling(status["sampling"], running=status["running"])]
    lines += ["", f"trained students: {len(status['trained'])}; evaluation files: {status['evaluations']}"]
    lines += [f"report: {status['report'] or 'not written yet'}"]
    return "\n".join(lines)


def _money(status: dict[str, Any]) -> list[str]:
    spent = " and ".join(_say(unit, status["spent"][unit]) for unit in UNITS if status["spent"][unit] is not None)
    lines = [f"spent: {spent or 'not known'}"]
    if limit := status["limit"]:
        paid, reserved = status["spent"][limit["unit"]] or 0.0, status["reserved"][limit["unit"]] or 0.0
        left = _say(limit["unit"], max(0.0, limit["amount"] - paid - reserved))
        lines.append(f"limit: {_say(limit['unit'], limit['amount'])}, in flight at most {_say(limit['unit'], reserved)}, left {left}")
    return lines


def _paid(status: dict[str, Any]) -> list[str]:
    lines = [
        "| account | model | answers | tokens | FLOPs | USD | tokens/s | lost | retries |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for each in status["accounts"]:
        rate = "" if each["tokens_per_second"] is None else f"{each['tokens_per_second']:,.0f}"
        lines.append(
            f"| {each['account']} | {each['model']} | {each['samples']:,} | {each['tokens']:,} | {_known(each['flops'])} "
            f"| {_known(each['usd'])} | {rate} | {each['lost']:,} | {each['retries']:,} |"
        )
    return lines


def _cell_lines(cells: list[dict[str, Any]]) -> list[str]:
    lines = ["| cell | samples | planned | spent | budget | left |", "| --- | ---: | ---: | ---: | ---: | ---: |"]
    for cell in cells:
        if cell["unit"] is None:
            lines.append(f"| {cell['cell']} | {cell['samples']:,} | | | number-matched | |")
        else:
            amounts = " | ".join(_say(cell["unit"], cell[key]) for key in ("planned", "spent", "amount", "left"))
            lines.append(f"| {cell['cell']} | {cell['samples']:,} | {amounts} |")
    return lines


def _sampling(progress: dict[str, Any], *, running: bool) -> list[str]:
    share = f" ({100 * progress['done'] / progress['total']:.0f}%)" if progress["total"] else ""
    line = f"sampling: {progress['done']:,} of {progress['total']:,} samples{share}"
    if progress["samples_per_second"]:
        line += f", {progress['samples_per_second']:,.3g} samples/s, {progress['tokens_per_second']:,.0f} tokens/s"
    if progress["seconds_left"] and running:
        line += f", {duration(progress['seconds_left'])} left"
    lines = [line]
    if progress["engine_idle"] is not None:
        lines.append(f"engines on this machine were idle {100 * progress['engine_idle']:.1f}% of the time")
    if progress["failed"]:
        lines.append(f"draws that failed: {progress['failed']:,}")
    return lines


def saved(path: Path) -> str:
    """What a stopped run has, in two lines."""
    try:
        status = status_of(path)
    except RunDirectoryError:
        return "nothing was bought yet"
    samples = sum(each["samples"] for each in status["accounts"] if each["account"] == "data")
    known = {unit: amount for unit, amount in status["spent"].items() if amount is not None}
    cost = " and ".join(_say(unit, amount) for unit, amount in known.items() if amount) or ("nothing" if known else "an amount not known")
    open_ = _total(entry["usd"] for entry in _accounts(RunDirectory(path))[1].values() if entry.get("remote"))
    more = f"; requests without an answer may cost up to {_say('usd', open_)} more" if open_ else ""
    return f"{samples:,} samples are saved, and all that was made of them\n  they cost {cost}{more}"


def _say(unit: str, amount: float | None) -> str:
    return "not known" if amount is None else say_budget("usd" if unit == "usd" else "flops", amount)


def _known(amount: float | None) -> str:
    return "not known" if amount is None else f"{amount:.4g}"
