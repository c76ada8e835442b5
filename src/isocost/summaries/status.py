"""How far a run directory is, read without locking it: it can be asked while the run works.

The ledger has every request and the progress file the rest, so that no sample is read, however many there are.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

from isocost.amounts import MISSING, duration, format_amount
from isocost.errors import RunDirectoryError, StorageError
from isocost.ledger import Account
from isocost.ledger.bill import UNITS, format_bill
from isocost.ledger.summary import Accounts, read_ledger, read_summary
from isocost.preparing.changes import read_last_study
from isocost.records import Unit
from isocost.store import RunDirectory

PROGRESS, START = "progress.json", "start.json"  # as buying/progress.py and starts.py write them; importing those takes half a second
STARTED = ("pid", "command", "ended", "why", "advice")  # what is read of either
SAID = ("done", "total", "samples_per_second", "tokens_per_second", "seconds_left", "engine_idle", "failed", "cells")
KILLED = "it was killed, or the machine went down; what was stored is kept"


def status_of(path: Path) -> dict[str, Any]:
    """What is planned, spent, stored and finished.

    `spent` is None in a unit in which not all is known; `spent_known` is what is, and `accounts` say who has a part in it.

    Raises:
        RunDirectoryError: the folder is not a run directory.
    """
    if not (path / "study.yaml").exists():
        raise RunDirectoryError(f"{path}: no study.yaml; is it a run directory?")
    directory = RunDirectory(path)
    study = read_last_study(directory) or {}
    progress = _whole(directory.read_derived(PROGRESS), SAID)
    summary = (progress or {}).get("ledger")
    accounts, waiting = read_ledger(path / "ledger.jsonl", summary)
    return {
        "directory": str(path),
        "ledger_lacks": _lacks(accounts, summary),
        **_start(path, _whole(directory.read_derived(START), STARTED)),
        "accounts": [_account(account, model, paid) for (account, model), paid in accounts.items()],
        "reserved": {unit: _total(entry[unit] for entry in waiting.values()) for unit in UNITS},
        "unanswered": _total(entry["usd"] for entry in waiting.values() if entry.get("remote")),
        "spent": {unit: _total(paid.amount(unit) for paid in accounts.values()) for unit in UNITS},
        "spent_known": {unit: sum(paid.amount(unit) or 0.0 for paid in accounts.values()) for unit in UNITS},
        "limit": study.get("limit"),
        "cells": _known_cells(directory.read_derived("plan.json"), progress),
        "sampling": {key: value for key, value in progress.items() if key not in ("cells", "ledger")} if progress else None,
        "trained": sorted(p.name for p in (path / "models").glob("*") if not p.name.startswith(".")),
        "evaluations": len(list((path / "evaluations").glob("*/*.jsonl"))),
        "seconds": directory.read_derived("seconds.json") or {},
        "report": str(path / "report.html") if (path / "report.html").exists() else None,
    }


def _whole(found: Any, keys: Collection[str]) -> Any:
    """Return the object of a file that each start writes anew, or None where a key is missing."""
    return found if isinstance(found, dict) and all(key in found for key in keys) else None


def _start(path: Path, start: Any) -> dict[str, Any]:
    """Whether the run is under way, by whom, and why it is not where it is not done; folders of earlier versions do not say the latter."""
    pid = _owner(path)
    ended = bool(start and start["ended"])
    running = pid is not None and not (ended and start["pid"] == pid)  # its process may live on after the run: a notebook's
    stopped = None
    if start and not running and not (ended and start["why"] is None):
        stopped = {"why": start["why"] if ended else KILLED, "advice": start["advice"], "command": start["command"]}
    return {"running": running, "pid": pid if running else None, "finished": ended and stopped is None and not running, "stopped": stopped}


def _owner(path: Path) -> int | None:
    """The process that opened the directory last, if it is alive. The lock itself is not touched: a run that starts now may need it."""
    try:
        pid = int(RunDirectory(path).read_text("lock") or "")
        os.kill(pid, 0)
    except PermissionError:  # somebody else's, and so alive
        return pid
    except (OSError, ValueError, OverflowError, StorageError):
        return None
    return pid


def _lacks(accounts: Accounts, summary: Any) -> bool:
    """Return whether less is in the ledger than when it was summed up: it was removed, cut or changed."""
    before, _ = read_summary(summary) or ({}, {})
    return any(
        (was := each.amount(unit)) is not None and was > 0 and (accounts.get(key, Account()).amount(unit) or 0.0) < was * (1 - 1e-6)
        for key, each in before.items()
        for unit in UNITS
    )


def _account(account: str, model: str, paid: Account) -> dict[str, Any]:
    seconds = None if paid.remote else paid.cost.seconds  # requests to an endpoint overlap: their sum is no time
    return {
        "account": account,
        "model": model,
        "calls": paid.requests + paid.lost,
        "samples": paid.count,
        "tokens": paid.tokens,
        "flops": paid.amount("flops"),
        "usd": paid.amount("usd"),
        "seconds": seconds,
        "tokens_per_second": paid.tokens / seconds if seconds else None,
        "remote": paid.remote,
        "lost": paid.lost,
        "lost_flops": paid.lost_cost.flops,
        "lost_usd": paid.lost_cost.usd,
        "retries": paid.retries,
        "redone": paid.redone,
    }


def _known_cells(plan: Any, progress: Any) -> list[dict[str, Any]]:
    """As `_cells`; none where the files are not what a run writes, since the next start writes them anew."""
    try:
        return _cells(plan, progress)
    except (KeyError, TypeError, AttributeError, ValueError):
        return []


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
    blocks = [_head(status), _money(status)]
    blocks.append(_paid(status["accounts"]) if status["accounts"] else [])
    blocks.append(_cell_lines(status["cells"]) if status["cells"] else [])
    blocks.append(_sampling(status["sampling"], running=status["running"]) if status["sampling"] else [])
    report = status["report"] or "not written yet"
    blocks.append([f"trained students: {len(status['trained'])}; evaluation files: {status['evaluations']}", f"report: {report}"])
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _head(status: dict[str, Any]) -> list[str]:
    """The folder, and how the run is: under way, done, or why it stopped and what goes on."""
    state = f" (running, process {status['pid']})" if status["running"] else " (finished)" if status["finished"] else ""
    lines = [f"run: {status['directory']}{state}"]
    if stopped := status["stopped"]:
        why = stopped["why"]
        lines.append(why if why.startswith("stopped ") else f"stopped: {why}")
        lines += [f"  {stopped['advice']}"] if stopped["advice"] else []
        lines.append(f"go on with: {stopped['command']}")
    return lines


def _money(status: dict[str, Any]) -> list[str]:
    lines = [f"spent: {format_bill(status['accounts'])}"]
    if status["ledger_lacks"]:
        lines.append("warning: ledger.jsonl lacks lines that progress.json counts; restore it from a copy before the run goes on")
    if limit := status["limit"]:
        unit: Unit = limit["unit"]
        reserved, paid = status["reserved"][unit] or 0.0, status["spent"][unit]
        left = _say(unit, None if paid is None else max(0.0, limit["amount"] - paid - reserved))
        lines.append(f"limit: {_say(unit, limit['amount'])}, in flight at most {_say(unit, reserved)}, left {left}")
    return lines


def _paid(accounts: list[dict[str, Any]]) -> list[str]:
    lines = [
        "| account | model | answers | tokens | FLOPs | USD | tokens/s | lost | retries |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for each in accounts:
        rate = MISSING if each["tokens_per_second"] is None else f"{each['tokens_per_second']:,.0f}"
        lines.append(
            f"| {each['account']} | {each['model']} | {each['samples']:,} | {each['tokens']:,} | {_known('flops', each)} "
            f"| {_known('usd', each)} | {rate} | {each['lost']:,} | {each['retries']:,} |"
        )
    if any(each["remote"] for each in accounts):
        lines += ["", f"tokens/s {MISSING}: requests to an endpoint are under way at once, so their seconds add up to no time"]
    if any(each["lost"] for each in accounts):
        lines += ["", "lost: requests whose answer never came and that may be charged, counted at their worst case"]
    if any(each["retries"] for each in accounts):
        lines += ["", "retries: requests that were refused, which costs nothing, and sent again"]
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
        line += f", {_rate(progress['samples_per_second'])} samples/s, {progress['tokens_per_second']:,.0f} tokens/s"
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
    cost = format_bill(status["accounts"], begin="they cost ")
    more = f"; requests without an answer may cost up to {_say('usd', status['unanswered'])} more" if status["unanswered"] else ""
    return f"{samples:,} samples are saved, and all that was made of them\n  {cost}{more}"


def _rate(number: float) -> str:
    """`13,800`, `2.1`, `0.035`."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.2g}"


def _say(unit: Unit, amount: float | None) -> str:
    return "not known" if amount is None else format_amount(unit, amount)


def _known(unit: Unit, account: dict[str, Any]) -> str:
    """A dash in a unit that the account is not counted in; where it is counted in none, that its cost is not known."""
    if account[unit] is None:
        return MISSING if any(account[other] is not None for other in UNITS) else "not known"
    return format_amount(unit, account[unit])
