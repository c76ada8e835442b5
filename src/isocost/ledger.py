"""What was reserved before it was sent, and what became of it.

A sample's own cost stands in its own line of the pool; the ledger has what the pools cannot show: reservations without an answer,
work that was done again, and the other accounts. A reservation without a matching `done` after a kill is `lost`.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from isocost.errors import LimitReachedError, RunError
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
    """Reservations and accounts of a run, appended to `ledger.jsonl`; may be used by several threads.

    Args:
        log: Where it is kept.
        unit: The unit of the limit.
        limit: Hard cap on the bill for data and for judging it, or None.
        spent: What stored samples and verdicts of a judge have cost already.
    """

    def __init__(self, log: Log, *, unit: Unit = "flops", limit: float | None = None, spent: float = 0.0) -> None:
        self.log = log
        self.spending = Spending(unit, limit, spent=spent)
        self._open: dict[str, float] = {}
        self._closed = False
        self._changed = threading.Condition()  # its lock also keeps lines whole: a log's appends must not meet

    def reserve(self, request: str, worst: Cost, *, patient: bool = False, **facts: Any) -> None:
        """Reserve the worst case of a request before it is sent.

        Args:
            request: Its key.
            worst: What it costs at most.
            patient: Where there is no room, wait as long as requests of others are in flight that may cost less than they have reserved.
                For a caller with none of its own in flight: it could not take their answers while it waits.
            facts: What else its line says.

        Raises:
            LimitReachedError: it does not fit under the limit any more.
            RunError: the ledger is closed.
        """
        with self._changed:
            while not self._closed and (refusal := self._refusal(worst, facts)):
                if not (patient and self._open):
                    raise LimitReachedError(refusal)
                self._changed.wait()
            if self._closed:
                raise RunError("the run is being stopped: nothing more is sent")
            self.log.append({"event": "reserve", "request": request, **_amounts(worst), **facts})
            self._open[request] = worst.amount(self.spending.unit) or 0.0
            self.spending.reserved += self._open[request]

    def _refusal(self, worst: Cost, facts: Mapping[str, Any]) -> str | None:
        """Why a request does not fit, or None."""
        spending = self.spending
        amount = worst.amount(spending.unit)
        if spending.limit is None:
            return None
        if amount is None:
            model, key = facts.get("model", "*"), "params" if spending.unit == "flops" else "price"
            return f"the cost in {spending.unit} of model {model} is not known\n  give models.{model}.{key}"
        if spending.spent + spending.reserved + amount > spending.limit * (1 + 1e-12):
            return (
                f"stopped at the limit: {spending.spent:.6g} of {spending.limit:.6g} {spending.unit} spent; "
                f"the next request could cost up to {amount:.3g}\n  raise limit.amount and run the same command again"
            )
        return None

    def release(self, request: str, cost: Cost) -> None:
        """The answer has come and is stored: what it really cost replaces the reservation."""
        with self._changed:
            self.log.append({"event": "done", "request": request, **_amounts(cost)})
            self.spending.reserved -= self._open.pop(request)
            self.spending.spent += cost.amount(self.spending.unit) or 0.0
            self._changed.notify_all()

    def abandon(self, requests: Collection[str]) -> None:
        """Nobody waits for these answers any more: nobody else shall wait for their room. The next start finds them unanswered."""
        with self._changed:
            for request in requests:
                self.spending.reserved -= self._open.pop(request, 0.0)
            self._changed.notify_all()

    def close(self) -> None:
        """Nothing more is reserved, and so nothing more is sent, by whichever thread: somebody wants the run to stop."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

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
        with self._changed:
            for request in self.unanswered():
                redone += request not in stored
                self.log.append({"event": "done" if request in stored else "redone", "request": request})
        return redone

    def note(self, event: str, **facts: Any) -> None:
        """Append a line of another account."""
        with self._changed:
            self.log.append({"event": event, **facts})


def _amounts(cost: Cost) -> dict[str, float | None]:
    return {"flops": cost.flops, "usd": cost.usd, "seconds": cost.seconds}
