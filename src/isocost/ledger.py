"""What was reserved before it was sent, and what became of it.

A sample's own cost stands in its own line of the pool; the ledger has what the pools cannot show: reservations without an answer,
work that was done again, and the other accounts. A reservation without a matching `done` after a kill is `lost`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from isocost.errors import LimitReachedError
from isocost.records import Cost, Unit
from isocost.store import Log


@dataclass(slots=True)
class Spending:
    """Running totals of the bill in one unit."""

    unit: Unit
    limit: float | None
    spent: float = 0.0
    reserved: float = 0.0


class Ledger:
    """Reservations and accounts of a run, appended to `ledger.jsonl`.

    Args:
        log: Where it is kept.
        unit: The unit of the limit.
        limit: Hard cap on the bill for data, or None.
        spent: What stored samples have cost already.
    """

    def __init__(self, log: Log, *, unit: Unit = "flops", limit: float | None = None, spent: float = 0.0) -> None:
        self.log = log
        self.spending = Spending(unit, limit, spent=spent)
        self._open: dict[str, float] = {}

    def reserve(self, request: str, worst: Cost, **facts: Any) -> None:
        """Reserve the worst case of a request before it is sent.

        Raises:
            LimitReachedError: it does not fit under the limit any more.
        """
        spending = self.spending
        amount = worst.amount(spending.unit)
        if spending.limit is not None:
            if amount is None:
                model, key = facts.get("model", "*"), "params" if spending.unit == "flops" else "price"
                raise LimitReachedError(f"the cost in {spending.unit} of model {model} is not known\n  give models.{model}.{key}")
            if spending.spent + spending.reserved + amount > spending.limit * (1 + 1e-12):
                raise LimitReachedError(
                    f"stopped at the limit: {spending.spent:.6g} of {spending.limit:.6g} {spending.unit} spent; "
                    f"the next request could cost up to {amount:.3g}\n  raise limit.amount and run the same command again"
                )
        self.log.append({"event": "reserve", "request": request, **_amounts(worst), **facts})
        self._open[request] = amount or 0.0
        spending.reserved += amount or 0.0

    def release(self, request: str, cost: Cost) -> None:
        """The answer has come and is stored: what it really cost replaces the reservation."""
        self.log.append({"event": "done", "request": request, **_amounts(cost)})
        self.spending.reserved -= self._open.pop(request)
        self.spending.spent += cost.amount(self.spending.unit) or 0.0

    def unanswered(self) -> dict[str, Mapping[str, Any]]:
        """Reservations of earlier starts that no answer was stored for, by request."""
        waiting: dict[str, Mapping[str, Any]] = {}
        for entry in self.log.entries():
            if entry["event"] == "reserve":
                waiting[entry["request"]] = entry
            elif entry["event"] in ("done", "redone"):
                waiting.pop(entry["request"], None)
        return waiting

    def settle(self, stored: Collection[str]) -> int:
        """Close what a kill left open: a request whose answer is stored is done, another is done again and counted.

        Engines on this machine charge nobody for an answer that never came; for an endpoint it would be charged at its worst case.
        """
        redone = 0
        for request in self.unanswered():
            redone += request not in stored
            self.log.append({"event": "done" if request in stored else "redone", "request": request})
        return redone

    def note(self, event: str, **facts: Any) -> None:
        """Append a line of another account."""
        self.log.append({"event": event, **facts})


def _amounts(cost: Cost) -> dict[str, float | None]:
    return {"flops": cost.flops, "usd": cost.usd, "seconds": cost.seconds}
