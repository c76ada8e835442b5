"""What a ledger sums up to, for readers that do not hold it: from its last summary on, since a ledger may have millions of lines."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

from isocost.ledger import Account, Ledger, book
from isocost.records import Cost
from isocost.store import Row, RunDirectory
from isocost.store.fields import AMOUNT_OR_NULL, flaw_of
from isocost.store.kinds import LEDGER
from isocost.store.ledgerlines import flaw_of_line

PROGRESS = "progress.json"
Accounts = dict[tuple[str, str], Account]
_CHUNK = 1 << 20  # bytes of lines that are parsed at once: twice as quick as line by line
_LOOKED_AT = 4096  # bytes before the place where a summary ends


def summarise_ledger(accounts: Mapping[tuple[str, str], Account], waiting: Mapping[str, Row], log: Path) -> Row:
    """A summary of a ledger as it is now; nothing may be appended to it meanwhile.

    Args:
        accounts: (account, model) -> what was paid.
        waiting: The reservations that are open, by request.
        log: The ledger's file.
    """
    size = log.stat().st_size if log.exists() else 0
    check = 0
    if size:
        with log.open("rb") as file:
            check = _check(file, size)
    paid = [{"account": account, "model": model, **asdict(each)} for (account, model), each in accounts.items()]
    return {"bytes": size, "check": check, "accounts": paid, "open": list(waiting.values())}


def refresh_summary(directory: RunDirectory, ledger: Ledger) -> None:
    """Bring the summary in `progress.json` up to date, after a stage that came behind sampling and paid."""
    if isinstance(progress := directory.read_derived(PROGRESS), dict):
        with ledger.locked() as (accounts, waiting):
            progress["ledger"] = summarise_ledger(accounts, waiting, ledger.log.path)
        directory.write_json(progress, PROGRESS)


def read_summary(summary: Any) -> tuple[Accounts, dict[str, Row]] | None:
    """Return a summary that `summarise_ledger` made, or None where it is damaged."""
    try:
        accounts = {(each.pop("account"), each.pop("model")): _account(each) for each in map(dict, summary["accounts"])}
        sums = [cost for each in accounts.values() for cost in (each.cost, each.lost_cost)]
        if not all(AMOUNT_OR_NULL.fits(cost.flops or 0) and AMOUNT_OR_NULL.fits(cost.usd or 0) for cost in sums):
            return None
        waiting = {row["request"]: row for row in summary["open"]}
        return None if any(flaw_of_line(row, {}) for row in waiting.values()) else (accounts, waiting)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def read_ledger(log: Path, summary: Row | None = None) -> tuple[Accounts, dict[str, Row]]:
    """What was paid, and the open reservations, of a ledger that somebody else may be writing: nothing of it is changed.

    Args:
        log: The ledger's file.
        summary: What `summarise_ledger` made of it earlier; without one, or where it is not of this file, every line is read.
    """
    accounts: Accounts = {}
    waiting: dict[str, Row] = {}
    if not log.is_file():
        return accounts, waiting
    with suppress(OSError), log.open("rb") as file:
        start = 0
        if summary and (found := read_summary(summary)) and _is_of(file, summary):
            start = summary["bytes"]
            accounts, waiting = found
        file.seek(start)
        for entry in _entries(file):
            if not flaw_of(entry, LEDGER.fields) and not flaw_of_line(entry, waiting):
                book(accounts, waiting, entry)
    return accounts, waiting


def begins_with(log: Path, summary: Any) -> bool:
    """Return whether a ledger still begins with what was summed up."""
    with suppress(OSError), log.open("rb") as file:
        return isinstance(summary, dict) and _is_of(file, summary)
    return False


def _account(fields: Row) -> Account:
    return Account(**{**fields, "cost": Cost(**fields["cost"]), "lost_cost": Cost(**fields["lost_cost"])})


def _is_of(file: BinaryIO, summary: Row) -> bool:
    """Whether the file begins with what was summed up: power loss may have taken lines from its end."""
    size = summary.get("bytes")
    return isinstance(size, int) and size > 0 and _check(file, size) == summary.get("check")


def _check(file: BinaryIO, size: int) -> int:
    """A sum over the last bytes before a place; that of a shorter file differs."""
    start = max(0, size - _LOOKED_AT)
    file.seek(start)
    return zlib.crc32(file.read(size - start))


def _entries(file: BinaryIO) -> Iterator[Any]:
    """The entries from here on; a line that is not whole yet, or is damaged, is passed over."""
    while lines := file.readlines(_CHUNK):
        try:
            yield from json.loads((b"[" + b",".join(lines) + b"]").decode("utf-8", "surrogatepass"))
        except (ValueError, RecursionError):
            yield from filter(None, map(_entry, lines))


def _entry(line: bytes) -> Any:
    try:
        return json.loads(line.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError):
        return None
