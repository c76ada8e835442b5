"""Return the status of a run directory, read without locking it: a status can be read during the run.

The ledger has every request and the progress file has the rest. No sample is read, so a status takes the same time for any number of them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from isocost.amounts import MISSING, duration, format_amount
from isocost.errors import RunDirectoryError, StorageError
from isocost.ledger import Account
from isocost.ledger.bill import format_bill
from isocost.ledger.identity import read_progress
from isocost.ledger.submissions import FILE as SUBMISSIONS
from isocost.ledger.submissions import read_submissions
from isocost.ledger.summary import Accounts, read_ledger, read_summary
from isocost.preparing.changes import read_last_study
from isocost.records import UNITS, Truncation, Unit
from isocost.store import RunDirectory
from isocost.store.unstudied import no_study
from isocost.summaries.roundstatus import round_lines, rounds_of

START = "start.json"  # as running/starts.py writes it; importing that takes half a second
START_KEYS = ("pid", "command", "ended", "why", "advice")  # the keys that are read; a file without one of them counts as missing
PROGRESS_KEYS = ("done", "total", "samples_per_second", "tokens_per_second", "seconds_left", "engine_idle", "failed", "cells")
KILLED = "it was killed, or the machine went down; what was stored is kept"


def status_of(path: Path) -> dict[str, Any]:
    """Return the planned, spent, stored and finished parts of a run as a JSON object.

    `batches` are those that are under way at endpoints, as the run saw them last. `spent` is None in a unit in which some cost is unknown.
    `spent_known` is the sum of the known costs, and `accounts` has them by account and model. Of an iterated study all of this is of the
    first round; `rounds` has the later ones, and `elsewhere` what the other rounds under the same limit have paid.

    Raises:
        RunDirectoryError: the folder is not a run directory.
    """
    if not (path / "study.yaml").exists():
        raise no_study(path)
    directory = RunDirectory(path)
    study = read_last_study(directory) or {}
    progress = _complete(read_progress(directory), PROGRESS_KEYS)
    summary = (progress or {}).get("ledger")
    accounts, waiting = read_ledger(path / "ledger.jsonl", summary)
    return {
        "directory": str(path),
        "ledger_lacks": _ledger_is_cut(accounts, summary),
        "digests_lack": directory.missing_digests(),
        **_run_state(path, _complete(directory.read_derived(START), START_KEYS)),
        "accounts": [_account(account, model, paid) for (account, model), paid in accounts.items()],
        "reserved": {unit: _total(entry[unit] for entry in waiting.values()) for unit in UNITS},
        "unanswered": _total(entry["usd"] for entry in waiting.values() if entry.get("remote")),
        "spent": {unit: _total(paid.amount(unit) for paid in accounts.values()) for unit in UNITS},
        "spent_known": {unit: sum(paid.amount(unit) or 0.0 for paid in accounts.values()) for unit in UNITS},
        "batches": open_batches(directory),
        "limit": study.get("limit"),
        "cells": [
            _with_choice(_with_basis(cell, study), directory) for cell in _known_cells(directory.read_derived("plan.json"), progress)
        ],
        "sampling": {key: value for key, value in progress.items() if key not in ("cells", "ledger")} if progress else None,
        # A training in progress has a name that begins with a dot.
        "trained": sorted(p.name for p in (path / "models").glob("*") if not p.name.startswith(".")),
        "evaluations": len(list((path / "evaluations").glob("*/*.jsonl"))),
        "seconds": directory.read_derived("seconds.json") or {},
        "report": str(path / "report.html") if (path / "report.html").exists() else None,
        **rounds_of(path, status_of),
    }


def open_batches(directory: RunDirectory) -> list[dict[str, Any]]:
    """Return the batches that are under way at endpoints, oldest first. `batch` is "" where its id did not come yet."""
    found = read_submissions(directory.log(SUBMISSIONS).peek()).values()
    return [
        {
            "batch": each.batch,
            "submission": each.id,
            "model": each.model,
            "requests": each.requests,
            "completed": each.completed,
            "failed": each.failed,
            "status": each.status,
            "submitted": each.created or each.reserved,
        }
        for each in found
        if each.may_be_paid
    ]


def describe_batches(batches: Sequence[dict[str, Any]]) -> list[str]:
    """Return a line for each batch that is under way: `batch batch_1 of strong: 1,200 of 5,000 requests, in_progress, 0:12:30 old`."""
    return [
        f"batch {each['batch'] or '(submission ' + each['submission'] + ')'} of {each['model']}: "
        f"{each['completed'] + each['failed']:,} of {each['requests']:,} requests, {each['status'] + ', ' if each['status'] else ''}"
        f"submitted {duration(max(0.0, time.time() - each['submitted']))} ago"
        for each in batches
    ]


def _complete(found: dict[str, Any] | None, keys: Collection[str]) -> Any:
    """Return the object of a file, or None where a key is missing: each start writes the file again, so it is not repaired."""
    return found if found is not None and all(key in found for key in keys) else None


def _run_state(path: Path, start: Any) -> dict[str, Any]:
    """Return the state of the run: its process while it runs, else the reason why it stopped.

    Folders of earlier versions have no reason.
    """
    pid = _owner(path)
    ended = bool(start and start["ended"])
    ended_here = ended and start["pid"] == pid
    running = pid is not None and not ended_here  # a process may outlive its run: a notebook's kernel does
    stopped = None
    succeeded = ended and start["why"] is None
    if start and not running and not succeeded:
        stopped = {"why": start["why"] if ended else KILLED, "advice": start["advice"], "command": start["command"]}
    return {"running": running, "pid": pid if running else None, "finished": ended and stopped is None and not running, "stopped": stopped}


def _owner(path: Path) -> int | None:
    """Return the process that opened the directory last, if it is alive.

    The lock itself is not taken: a run that starts at this moment would fail.
    """
    try:
        pid = int(RunDirectory(path).read_text("lock") or "")
        os.kill(pid, 0)  # signal 0 only tests that the process exists
    except PermissionError:  # another user's process, so it is alive
        return pid
    except (OSError, ValueError, OverflowError, StorageError):
        return None
    return pid


def _ledger_is_cut(accounts: Accounts, summary: Any) -> bool:
    """Return whether the ledger holds less than its last summary: lines were removed, cut or changed."""
    before, _ = read_summary(summary) or ({}, {})
    for key, each in before.items():
        now = accounts.get(key, Account())
        for unit in UNITS:
            summed, found = each.amount(unit) or 0.0, now.amount(unit) or 0.0
            # Sums of floats depend on the order of addition; a millionth is more than that error and less than a request.
            if found < summed * (1 - 1e-6):
                return True
    return False


def _account(account: str, model: str, paid: Account) -> dict[str, Any]:
    seconds = None if paid.remote else paid.cost.seconds  # requests to an endpoint overlap, so the sum of their seconds is no duration
    return {
        "account": account,
        "model": model,
        "calls": paid.requests + paid.lost,
        "samples": paid.count,
        "tokens": paid.tokens,
        "reasoning_tokens": paid.reasoning_tokens,
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
    """Return `_cells`, or none where a file is damaged: the next start writes both files again."""
    try:
        return _cells(plan, progress)
    except (KeyError, TypeError, AttributeError, ValueError):
        return []


def _cells(plan: Any, progress: Any) -> list[dict[str, Any]]:
    """Return planned, spent and left amounts of each cell; number-matched cells have no budget."""
    spent = (progress or {}).get("cells", {})
    found: list[dict[str, Any]] = []
    planned: set[str] = set()
    for name, budget in ((plan or {}).get("budgets") or {}).items():
        for choice in budget["choices"]:
            cell = f"{choice['name']}@{name}"
            planned.add(cell)
            # A cell without an entry has spent nothing; an entry of None is an unknown cost.
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
    # Cells without a budget are in no plan of a budget; the progress file alone names them.
    return found + [
        {"cell": cell, "unit": None, "amount": None, "planned": None, "samples": own["draws"], "spent": own, "left": None}
        for cell, own in spent.items()
        if cell not in planned
    ]


def _with_basis(cell: dict[str, Any], study: Mapping[str, Any]) -> dict[str, Any]:
    """Add the basis of the cell's budget; null for a number-matched cell, and where the last study lacks the budget."""
    budget = (study.get("budgets") or {}).get(cell["cell"].rpartition("@")[2]) if cell["unit"] else None
    return cell | {"basis": None if budget is None else budget.get("basis", "planned")}


def _with_choice(cell: dict[str, Any], directory: RunDirectory) -> dict[str, Any]:
    """Add the choice that a run made for an arm with `policy: auto`, as `sampling/choosing.py` records it."""
    choice = _complete(directory.read_derived("arms", cell["cell"], "choice.json"), ("policy", "models", "reason"))
    if choice is None:
        return cell
    return cell | {"choice": {key: choice[key] for key in ("policy", "models", "reason")}}


def _total(amounts: Any) -> float | None:
    # An unknown cost makes the sum unknown: counted as zero, it would understate the bill.
    known = list(amounts)
    return None if None in known else float(sum(known))


def to_text(status: dict[str, Any]) -> str:
    """Return the status as Markdown.

    Args:
        status: As `status_of` returns it.
    """
    blocks = [_header(status), _cost_lines(status)]
    blocks.append(_account_lines(status["accounts"]) if status["accounts"] else [])
    blocks.append(_cell_lines(status["cells"]) if status["cells"] else [])
    blocks.append(_sampling_lines(status["sampling"], running=status["running"]) if status["sampling"] else [])
    if status["batches"]:
        blocks.append(["under way at endpoints:", *(f"  {line}" for line in describe_batches(status["batches"]))])
    blocks.append(round_lines(status["rounds"]))
    report = status["report"] or "not written yet"
    blocks.append([f"trained students: {len(status['trained'])}; evaluation files: {status['evaluations']}", f"report: {report}"])
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _header(status: dict[str, Any]) -> list[str]:
    """Return the folder and the state of the run: running, finished, or the reason for stopping and the command that resumes it."""
    state = f" (running, process {status['pid']})" if status["running"] else " (finished)" if status["finished"] else ""
    lines = [f"run: {status['directory']}{state}"]
    if stopped := status["stopped"]:
        why = stopped["why"]
        lines.append(why if why.startswith("stopped ") else f"stopped: {why}")
        lines += [f"  {stopped['advice']}"] if stopped["advice"] else []
        lines.append(f"resume with: {stopped['command']}")
    return lines


def _cost_lines(status: dict[str, Any]) -> list[str]:
    lines = [f"spent: {format_bill(status['accounts'])}"]
    if status["ledger_lacks"]:
        lines.append("warning: ledger.jsonl lacks lines that progress.json counts; restore it from a copy before the run goes on")
    if status["digests_lack"]:
        lines.append(f"warning: {status['digests_lack']}")
    if limit := status["limit"]:
        unit: Unit = limit["unit"]
        reserved, paid = status["reserved"][unit] or 0.0, status["spent"][unit]
        elsewhere = status["elsewhere"][unit]
        unknown = paid is None or elsewhere is None
        left = _format_or_unknown(unit, None if unknown else max(0.0, limit["amount"] - paid - elsewhere - reserved))
        shared = f", paid in other rounds {_format_or_unknown(unit, elsewhere)}" if elsewhere != 0 else ""
        amount = _format_or_unknown(unit, limit["amount"])
        lines.append(f"limit: {amount}{shared}, in flight at most {_format_or_unknown(unit, reserved)}, left {left}")
    return lines


def _account_lines(accounts: list[dict[str, Any]]) -> list[str]:
    lines = [
        "| account | model | answers | tokens | FLOPs | USD | tokens/s | lost | retries |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for each in accounts:
        rate = MISSING if each["tokens_per_second"] is None else f"{each['tokens_per_second']:,.0f}"
        lines.append(
            f"| {each['account']} | {each['model']} | {each['samples']:,} | {each['tokens']:,} | {_format_account('flops', each)} "
            f"| {_format_account('usd', each)} | {rate} | {each['lost']:,} | {each['retries']:,} |"
        )
    if reasoned := [each for each in accounts if each["reasoning_tokens"]]:
        shares = "; ".join(
            f"{each['reasoning_tokens']:,} of {each['model']}'s {each['tokens']:,} tokens ({each['account']})" for each in reasoned
        )
        lines += ["", f"reasoning: {shares}; it is paid as generated tokens, once"]
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
            amounts = " | ".join(_format_or_unknown(cell["unit"], cell[key]) for key in ("planned", "spent", "amount", "left"))
            lines.append(f"| {cell['cell']} | {cell['samples']:,} | {amounts} |")
    lines += _basis_lines(cells)
    for cell in cells:
        if choice := cell.get("choice"):
            lines += ["", f"{cell['cell']}: auto chose {choice['policy']} from {' and '.join(choice['models'])}. {choice['reason']}"]
    return lines


def _basis_lines(cells: list[dict[str, Any]]) -> list[str]:
    """Explain budgets that are estimates, and amounts left below zero."""
    if not any(cell.get("basis") == "planned" for cell in cells):
        return []
    over = [cell["cell"] for cell in cells if (cell["left"] or 0.0) < 0]
    negative = f" Left is negative for {', '.join(over)}: solutions were longer, or prompts cost more, than expected." if over else ""
    return [
        "",
        "budgets of basis planned are estimates: counts follow from expected tokens, the cost from real ones."
        f"{negative} Hard caps are basis: realised and limit.",
    ]


def _sampling_lines(progress: dict[str, Any], *, running: bool) -> list[str]:
    share = f" ({100 * progress['done'] / progress['total']:.0f}%)" if progress["total"] else ""
    line = f"sampling: {progress['done']:,} of {progress['total']:,} samples{share}"
    if progress["samples_per_second"]:
        line += f", {_format_rate(progress['samples_per_second'])} samples/s, {progress['tokens_per_second']:,.0f} tokens/s"
    if progress["seconds_left"] and running:
        line += f", {duration(progress['seconds_left'])} left"
    lines = [line]
    if progress["engine_idle"] is not None:
        lines.append(f"engines on this machine were idle {100 * progress['engine_idle']:.1f}% of the time")
    for model, each in _truncations(progress).items():
        lines.append(
            each.warning(model) if each.matters else f"{each.cut:,} of {model}'s {each.n:,} samples hit max_tokens {each.max_tokens}"
        )
    if isinstance(doubt := progress.get("doubt"), str) and doubt:
        lines.append(f"WARNING: {doubt}")
    if progress["failed"]:
        lines.append(f"draws that failed: {progress['failed']:,}")
    return lines


def _truncations(progress: dict[str, Any]) -> dict[str, Truncation]:
    """Return the samples that reached max_tokens by model; none of runs of earlier versions, or from a damaged file."""
    try:
        return {model: Truncation(**each) for model, each in (progress.get("truncated") or {}).items()}
    except (TypeError, AttributeError):
        return {}


def describe_saved(path: Path) -> str:
    """Return lines on a stopped run: the samples that are stored, their cost, and batches that go on."""
    try:
        status = status_of(path)
    except RunDirectoryError:
        return "nothing was bought yet"
    accounts = [*status["accounts"], *(account for each in status["rounds"] for account in each["accounts"])]
    # Calls of judges are answers too, but not samples.
    samples = sum(each["samples"] for each in accounts if each["account"] == "data")
    cost = format_bill(accounts, begin="they cost ")
    more = (
        f"; requests without an answer may cost up to {_format_or_unknown('usd', status['unanswered'])} more"
        if status["unanswered"]
        else ""
    )
    batches = "".join(f"\n  {line}: it goes on at the endpoint" for line in describe_batches(status["batches"]))
    return f"{samples:,} samples are saved, and all that was made of them\n  {cost}{more}{batches}"


def _format_rate(number: float) -> str:
    """Format a rate, such as `13,800`, `2.1` or `0.035`."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.2g}"


def _format_or_unknown(unit: Unit, amount: float | None) -> str:
    return "not known" if amount is None else format_amount(unit, amount)


def _format_account(unit: Unit, account: dict[str, Any]) -> str:
    """Format an account's cost in a unit: a dash if only other units are known, "not known" if none is."""
    if account[unit] is None:
        return MISSING if any(account[other] is not None for other in UNITS) else "not known"
    return format_amount(unit, account[unit])
