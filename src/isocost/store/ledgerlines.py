"""The lines of a ledger: the fields of each event, and the order of events."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from isocost.errors import StorageError
from isocost.store.fields import AMOUNT_OR_NULL, COUNT, TEXT, flaw_of
from isocost.store.logs import Log

Row = dict[str, Any]
_WORST = {"flops": AMOUNT_OR_NULL, "usd": AMOUNT_OR_NULL}
_FIELDS = {
    "reserve": _WORST,
    "done": {**_WORST, "seconds": AMOUNT_OR_NULL, "count": COUNT, "tokens": COUNT},
    "lost": _WORST,
    "retry": {},
    "redone": {},
    "unsent": {},
    "gone": {},
}


def flaw_of_line(entry: Row, waiting: Mapping[str, Row]) -> str:
    """Return why a line cannot follow those before it, or "" if it can.

    Args:
        entry: The line.
        waiting: The open reservations, by request.
    """
    fields = _FIELDS.get(entry["event"])
    if fields is None:
        return f"event {entry['event'][:40]!r} is not known"
    if not _is_usual(entry) and (flaw := flaw_of(entry, fields)):
        return flaw
    reserved = waiting.get(entry["request"])
    if entry["event"] == "reserve":
        bad = next((name for name in ("account", "model") if not TEXT.fits(entry.get(name, ""))), None)
        if reserved:
            return "reserves a request that is open already: is it doubled?"
        return f'"{bad}" is not a text' if bad else ""
    if reserved is None:
        # A request that was charged and given up is `done` without a reservation; so is one that was restored.
        alone = entry["event"] == "gone" or (entry["event"] == "done" and "account" in entry)
        return "" if alone else "closes a request that is not open: it is doubled, or lines before it were removed"
    if entry["event"] == "lost" and any(_is_less(entry[unit], reserved[unit]) for unit in _WORST):
        return "counts a lost request at less than was reserved for it"
    return ""


def damage_of_line(log: Log, number: int, flaw: str) -> StorageError:
    """Return the error for a line that cannot be used. The most frequent cause is told apart: a copy of the file appended to it."""
    if n := log.doubled_lines():
        return StorageError(
            f"{log.path}: the second half of the file is a copy of the first, so the bill would be too high",
            advice=f"it was appended to itself: keep its first {n:,} lines and remove the others",
        )
    return log.damaged(number, flaw)


def _is_less(lost: float | None, reserved: float | None) -> bool:
    """Return True if a lost request is counted below its worst case. Usage that the endpoint reports may be above it."""
    return lost is not reserved if lost is None or reserved is None else lost < reserved


def _is_usual(entry: Row) -> bool:
    """Return True if a line is valid by a quick test. A ledger can have millions of lines, and nearly all pass it."""
    event = entry["event"]
    if event == "done" and not (type(entry.get("count")) is int is type(entry.get("tokens")) and entry["count"] >= 0 <= entry["tokens"]):
        return False
    if event not in ("done", "reserve"):
        return False
    for key in ("flops", "usd", "seconds"):
        amount = entry.get(key, "")
        if amount is not None and not (type(amount) is float and 0.0 <= amount < math.inf):
            return False
    return True
