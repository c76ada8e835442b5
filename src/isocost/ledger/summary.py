"""The summary of a ledger, for readers that do not hold it. They read on from the last one: a ledger may have millions of lines."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

from isocost.errors import StorageError
from isocost.ledger import Account, Ledger, book
from isocost.ledger.identity import PROGRESS, read_progress
from isocost.paths import is_special_file
from isocost.records import Cost, Unit
from isocost.store import Row, RunDirectory
from isocost.store.fields import AMOUNT_OR_NULL, flaw_of
from isocost.store.kinds import LEDGER
from isocost.store.ledgerlines import flaw_of_line
from isocost.store.rounds import other_rounds

Accounts = dict[tuple[str, str], Account]
_CHUNK = 1 << 20  # bytes of lines that are parsed at once: twice as fast as line by line
_LOOKED_AT = 4096  # bytes before the end of a summary that its checksum covers


def summarise_ledger(accounts: Mapping[tuple[str, str], Account], waiting: Mapping[str, Row], log: Path) -> Row:
    """Return a summary of the ledger in its present state. Nothing may be appended meanwhile.

    Args:
        accounts: (account, model) -> payments.
        waiting: The open reservations, by request.
        log: The ledger's file.
    """
    paid = [{"account": account, "model": model, **asdict(each)} for (account, model), each in accounts.items()]
    return {**mark_of(log), "accounts": paid, "open": list(waiting.values())}


def mark_of(log: Path) -> Row:
    """Return the present length of a log that is only appended to, with a checksum, for `begins_with`."""
    size = log.stat().st_size if log.exists() else 0
    check = 0
    if size:
        with log.open("rb") as file:
            check = _check(file, size)
    return {"bytes": size, "check": check}


def refresh_summary(directory: RunDirectory, ledger: Ledger) -> None:
    """Update the summary in `progress.json` after a stage behind sampling that paid for requests."""
    if (progress := read_progress(directory)) is not None:
        with ledger.locked() as (accounts, waiting):
            progress["ledger"] = summarise_ledger(accounts, waiting, ledger.log.path)
        directory.write_json(progress, PROGRESS)


def read_summary(summary: Any) -> tuple[Accounts, dict[str, Row]] | None:
    """Return the content of a summary by `summarise_ledger`, or None if it is damaged."""
    try:
        accounts = {(each.pop("account"), each.pop("model")): _account(each) for each in map(dict, summary["accounts"])}
        sums = [cost for each in accounts.values() for cost in (each.cost, each.lost_cost)]
        amounts = [amount or 0 for cost in sums for amount in (cost.flops, cost.usd)]
        if not all(map(AMOUNT_OR_NULL.fits, amounts)):
            return None
        waiting = {row["request"]: row for row in summary["open"]}
        is_damaged = any(flaw_of_line(row, {}) for row in waiting.values())
        return None if is_damaged else (accounts, waiting)
    # Any damage counts alike: without a summary the whole ledger is read.
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def read_ledger(log: Path, summary: Row | None = None, *, strict: bool = False) -> tuple[Accounts, dict[str, Row]]:
    """Return the accounts and the open reservations of a ledger that another process may be writing. The file is not changed.

    Args:
        log: The ledger's file.
        summary: An earlier result of `summarise_ledger`. Without one, or if it is of another file, every line is read.
        strict: Refuse damage instead of leaving it out. A last line without newline is being written, and is left out in any case.

    Raises:
        StorageError: the file may not be read; with `strict`, it cannot be read, or a line is damaged.
    """
    accounts: Accounts = {}
    waiting: dict[str, Row] = {}
    if not log.is_file() and not (strict and (log.exists() or log.is_symlink())):
        return accounts, waiting
    with _readable(log, strict=strict), log.open("rb") as file:
        start = 0
        if summary and (found := read_summary(summary)) and _is_of(file, summary):
            start = summary["bytes"]
            accounts, waiting = found
        file.seek(start)
        for entry in _entries(file):
            flaw = flaw_of(entry, LEDGER.fields) or flaw_of_line(entry, waiting)
            if not flaw:
                book(accounts, waiting, entry)
            elif strict:
                raise StorageError(f"{log}: a line is damaged: {flaw}\n  {LEDGER.remedy}")
    return accounts, waiting


@contextmanager
def _readable(log: Path, *, strict: bool) -> Iterator[None]:
    """Pass over a ledger that is damaged; refuse one that may not be read, and with `strict` any."""
    if strict and is_special_file(log):  # opening a pipe would wait
        raise StorageError(f"{log}: is not an ordinary file\n  {LEDGER.remedy}")
    try:
        yield
    except PermissionError as error:  # nothing is known to be damaged, and nothing that is told of it would be true
        raise StorageError(f"{log}: cannot be read: {error.strerror}\n  make it readable, and run the same command again") from error
    except OSError as error:
        if strict:
            raise StorageError(f"{log}: cannot be read: {error.strerror or error}\n  {LEDGER.remedy}") from error


def paid_in_other_rounds(run: Path, unit: Unit, *, strict: bool = True) -> float | None:
    """Return what the other rounds of an iterated study have paid and may still be charged, in a unit; 0.0 for other studies.

    None if a cost is not known in the unit. Of a ledger that was cut or removed, what its summary counts is taken if that is more.

    Args:
        run: The run directory of a round.
        unit: The unit.
        strict: Refuse a damaged ledger: the limit could not be kept by the lines that are left.

    Raises:
        StorageError: with `strict`, a ledger is damaged.
    """
    total = 0.0
    for folder in other_rounds(run):
        progress, log = read_progress(RunDirectory(folder)), folder / "ledger.jsonl"
        summary = (progress or {}).get("ledger")
        amounts = [_amount(*read_ledger(log, summary, strict=strict), unit)]
        if isinstance(summary, dict) and not begins_with(log, summary) and (found := read_summary(summary)):
            amounts.append(_amount(*found, unit))
        if None in amounts:
            return None
        total += max(filter(None, amounts), default=0.0)
    return total


def _amount(accounts: Accounts, waiting: Mapping[str, Row], unit: Unit) -> float | None:
    """Return what was paid and may still be charged, in a unit; None if a cost is not known in it."""
    amounts = [*(paid.amount(unit) for paid in accounts.values()), *(row[unit] for row in waiting.values() if row.get("remote"))]
    return None if None in amounts else sum(filter(None, amounts))


def begins_with(log: Path, summary: Any) -> bool:
    """Return True if a log still begins with the lines that a summary or a mark was made of."""
    with suppress(OSError), log.open("rb") as file:
        return isinstance(summary, dict) and _is_of(file, summary)
    return False


def _account(fields: Row) -> Account:
    return Account(**{**fields, "cost": Cost(**fields["cost"]), "lost_cost": Cost(**fields["lost_cost"])})


def _is_of(file: BinaryIO, summary: Row) -> bool:
    """Return True if the file begins with the summarised lines. Power loss may have removed lines from its end."""
    size = summary.get("bytes")
    return isinstance(size, int) and size > 0 and _check(file, size) == summary.get("check")


def _check(file: BinaryIO, size: int) -> int:
    """Return a checksum of the last bytes before a place. That of a shorter file differs."""
    # A few kilobytes are enough: a ledger is only appended to, or cut by power loss.
    start = max(0, size - _LOOKED_AT)
    file.seek(start)
    return zlib.crc32(file.read(size - start))


def _entries(file: BinaryIO) -> Iterator[Any]:
    """Yield the entries from here on, None for a damaged line. A last one that is incomplete is skipped."""
    while lines := file.readlines(_CHUNK):
        try:
            yield from json.loads((b"[" + b",".join(lines) + b"]").decode("utf-8", "surrogatepass"))
        except (ValueError, RecursionError):
            yield from (entry for line in lines if (entry := _entry(line)) is not None or line.endswith(b"\n"))


def _entry(line: bytes) -> Any:
    try:
        return json.loads(line.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError):
        return None
