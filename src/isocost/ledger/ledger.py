"""The ledger: requests reserved before they are sent, and their outcomes. Its sum is the bill of a run.

Each request is reserved at its worst case, on the disk, before it is sent. One line closes it:

    done     its answer is stored; the realised cost
    lost     no answer came, but it may be charged: counted at its worst case, or at the reported usage if that is more
    retry    refused, and so not charged; it is sent again under a new reservation
    redone   cut off by a kill on this machine, where nobody charges for it; it is sent again
    unsent   the run was stopped before it was sent

The requests of a batch have the id of its submission in their lines (`submissions.py`). They stay open while the batch is under way.
A line `gone` notes that a request's answers are no longer stored, and may be bought again. Their cost stays in the bill.
The bill is the sum of `done` and `lost`. The next start settles the requests that a kill left open.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Literal

from isocost.amounts import format_amount, format_distinct
from isocost.errors import LimitReachedError, RunError
from isocost.ledger.payments import Account, Answered, Paid, Reservation, Spending
from isocost.records import UNITS, Cost, Unit
from isocost.store import Log, Row
from isocost.store.ledgerlines import damage_of_line, flaw_of_line

CHECK_INTERVAL = 0.2  # seconds between two checks for a stop while room is waited for
SLACK = 1 + 1e-12  # a limit that is a multiple of a cost must not refuse the last request because of rounding


class Ledger:
    """Reservations and accounts of a run, appended to `ledger.jsonl`. Safe for several threads.

    Args:
        log: The ledger's log. Its lines are read.
        unit: The unit of the limit.
        limit: Hard cap on the bill for data and for judging it, or None.
        elsewhere: What other runs under the same limit have paid.
        ready: Called before requests are reserved. It stops them by raising.
        run: The id of the run, which the first line gets; "" for none.

    Attributes:
        accounts: (account, model) -> payments so far.
        paid: The answers of each request that is done, by model, until `forget_paid`. The model is part of the key because two models of a
            study can request the same under one key: a renamed model does.
        lost: The requests that were charged without an answer and not answered since, until `forget_paid`.

    Raises:
        StorageError: a line is damaged, or closes a request that is not open: lines were removed, edited or doubled.
    """

    def __init__(
        self,
        log: Log,
        *,
        unit: Unit = "flops",
        limit: float | None = None,
        elsewhere: float = 0.0,
        ready: Callable[[], None] = lambda: None,
        run: str = "",
    ) -> None:
        self.log, self._ready, self.run = log, ready, run
        self._is_empty = True
        self.accounts: dict[tuple[str, str], Account] = {}
        self.paid: dict[str, dict[str, Paid]] = {}
        self.lost: set[str] = set()
        self._facts: dict[str, Row] = {}
        self._places: dict[tuple[str, str, str], tuple[str, str, str]] = {}
        for number, entry in enumerate(log.entries(), start=1):
            self._is_empty = False
            if flaw := flaw_of_line(entry, self._facts) or self._doubling(entry):
                raise damage_of_line(log, number, flaw)
            self._remember(entry)
            book(self.accounts, self._facts, entry)
        amounts = [account.amount(unit) for account in self.accounts.values()]
        self.known = None not in amounts  # False if a cost is unknown in the unit: the limit cannot be kept then
        self.spending = Spending(unit, limit, spent=elsewhere + sum(amount or 0.0 for amount in amounts))
        self._open: dict[str, float] = {}
        self._abandoned: dict[str, float] = {}
        self._closed = False
        self._changed = threading.Condition()  # its lock also serialises appends to the log

    def _doubling(self, entry: Row) -> str:
        """Return why a line is a duplicate, or "" if it is none: only a request whose paid answer is `gone` is bought again."""
        if entry["event"] not in ("reserve", "done"):
            return ""
        facts = self._facts.get(entry["request"], entry)
        paid = self.paid.get(facts.get("model", ""), {}).get(entry["request"])
        if paid is None or not paid.place[2]:  # earlier versions record no place, and may have bought again without `gone`
            return ""
        return "pays for a request that is paid already: the lines from here on are doubled, and the bill would be too high"

    def _remember(self, entry: Row) -> None:
        """Record the request of a line of an earlier start, to be compared with the stored draws."""
        request, event = entry["request"], entry["event"]
        if event == "done":
            if self.lost:
                self.lost.discard(request)
            if entry["count"]:
                facts = self._facts.get(request, entry)
                place = facts.get("account", "data"), facts.get("model", ""), facts.get("pool") or facts.get("version") or ""
                # Places are shared objects: a million requests have few different ones.
                paid = Paid(entry["count"], entry["tokens"], entry["flops"], entry["usd"], self._places.setdefault(place, place))
                self.paid.setdefault(place[1], {})[request] = paid
        elif event == "lost":
            self.lost.add(request)
        elif event == "gone":
            for model, of_model in self.paid.items():
                if entry.get("model", model) == model:
                    of_model.pop(request, None)

    def forget_paid(self) -> None:
        """Free the memory of `paid` and `lost`, after they were compared with the stored draws."""
        self.paid, self.lost = {}, set()

    def reserve(self, wanted: Sequence[Reservation], *, patient: bool = False, check: Callable[[], None] = lambda: None) -> int:
        """Reserve requests before they are sent, in order, as far as they fit. Returns how many fit.

        Args:
            wanted: The requests.
            patient: If the first does not fit, wait while other requests are in flight that may cost less than they reserved. Only for a
                caller without requests of its own in flight, because it cannot process their answers while it waits.
            check: Called every `CHECK_INTERVAL` seconds of the wait, without a lock. It ends the wait by raising.

        Raises:
            LimitReachedError: not even the first fits under the limit.
            RunError: the ledger is closed.
        """
        while True:
            with self._changed:
                if self._closed:
                    raise RunError("the run is being stopped: nothing more is sent")
                # Checked again after each wake-up: another thread may have taken the room that became free.
                refusal = self._refusal(wanted[0], 0.0) if wanted else None
                if refusal is None:
                    return self._reserve(wanted)
                if not (patient and self._open):
                    raise refusal
                self._changed.wait(CHECK_INTERVAL)
            check()

    def _reserve(self, wanted: Sequence[Reservation]) -> int:
        """Reserve requests as far as they fit; return how many. The caller has the lock."""
        fitting, total = 0, 0.0
        while fitting < len(wanted) and not self._refusal(wanted[fitting], total):
            total += self._amount(wanted[fitting])
            fitting += 1
        lines = [{"event": "reserve", "request": r.request, **_amounts(r.worst), **r.facts} for r in wanted[:fitting]]
        if lines:
            # Last check before money is spent: it raises if the run directory was moved or its disk is full.
            self._ready()
            # On the disk before anything is sent: a kill must not leave a paid request that no line mentions.
            self._append(lines)
        for reservation, line in zip(wanted[:fitting], lines, strict=True):
            book(self.accounts, self._facts, line)
            self._open[reservation.request] = self._amount(reservation)
        self.spending.reserved += total
        return fitting

    def _append(self, lines: Sequence[Row], *, sync: bool = True) -> None:
        """Append lines to the file. The first of a new one gets the id of the run."""
        if self._is_empty and self.run:
            lines = [{**lines[0], "run": self.run}, *lines[1:]]
        self.log.append(*lines, sync=sync)
        self._is_empty = False

    def _amount(self, reservation: Reservation) -> float:
        return reservation.worst.amount(self.spending.unit) or 0.0

    def _refusal(self, reservation: Reservation, before: float) -> LimitReachedError | None:
        """Return why a request does not fit after others that reserve `before`, or None."""
        spending, facts = self.spending, reservation.facts
        if spending.limit is None:
            return None
        amount = reservation.worst.amount(spending.unit)
        if amount is None:
            model, key = facts.get("model", "*"), "params" if spending.unit == "flops" else "price"
            return LimitReachedError(f"the cost in {spending.unit} of model {model} is not known", advice=f"give models.{model}.{key}")
        if spending.spent + spending.reserved + before + amount > spending.limit * SLACK:
            spent, limit = format_distinct(spending.unit, spending.spent, spending.limit)
            reserved, most = format_amount(spending.unit, spending.reserved + before), format_amount(spending.unit, amount)
            flying = f", up to {reserved} of requests without an answer" if spending.reserved + before else ""
            return LimitReachedError(
                f"stopped at the limit: {spent} of {limit} spent{flying}; the next request could cost up to {most}",
                advice="raise limit.amount and run the same command again",
            )
        return None

    def release(self, answers: Sequence[Answered]) -> None:
        """Close requests whose answers are stored: the realised cost replaces the reservation."""
        # Not flushed: a line that power loss removes is written again by `settle`, from the stored draws.
        self._close([_done(each) for each in answers], sync=False)

    def lose(self, request: str, reason: str, reported: Cost | None = None) -> None:
        """Count a request that may be charged without an answer: at its worst case, or at the reported cost if that is more."""
        self._close([self._lost(request, reason, reported)])

    def retry(self, request: str, reason: str) -> None:
        """Close a request that was refused and costs nothing."""
        self._close([{"event": "retry", "request": request, "reason": reason}])

    def unsend(self, request: str) -> None:
        """Close a request that was not sent."""
        self._close([{"event": "unsent", "request": request}])

    def close_all(self, event: Literal["lost", "retry", "unsent"], requests: Sequence[str], reason: str) -> None:
        """Close many requests in one write, as `lose`, `retry` and `unsend` do one."""
        lost = event == "lost"
        self._close([self._lost(each, reason) if lost else {"event": event, "request": each, "reason": reason} for each in requests])

    def _close(self, lines: Sequence[Row], *, sync: bool = True) -> None:
        if not lines:
            return
        with self._changed:
            self._append(lines, sync=sync)
            for line in lines:
                book(self.accounts, self._facts, line)
                # A request of an earlier start has no entry in either, and reserved nothing in this one.
                self.spending.reserved -= self._open.pop(line["request"], 0.0) + self._abandoned.pop(line["request"], 0.0)
                if line["event"] in ("done", "lost"):
                    self.spending.spent += line[self.spending.unit] or 0.0
            if not self._open:
                self.spending.reserved = sum(self._abandoned.values())  # removes the rounding that is left of the sums
            self._changed.notify_all()

    def adopt(self, requests: Collection[str]) -> None:
        """Count reservations of an earlier start as open in this one: their requests are under way at an endpoint."""
        with self._changed:
            for request in requests:
                row = self._facts[request]
                self._open[request] = row[self.spending.unit] or 0.0
                self.spending.reserved += self._open[request]

    def refusal(self, reservation: Reservation) -> LimitReachedError | None:
        """Return the error that `reserve` would raise for a request now, or None."""
        with self._changed:
            return self._refusal(reservation, 0.0)

    def room(self) -> float | None:
        """Return what may still be reserved, in the unit of the limit; None without a limit."""
        with self._changed:
            spending = self.spending
            return None if spending.limit is None else spending.limit * SLACK - spending.spent - spending.reserved

    def is_awaited(self) -> bool:
        """Return True while a request is open whose answer may free room."""
        with self._changed:
            return bool(self._open)

    def abandon(self, requests: Collection[str]) -> None:
        """Mark requests whose answers nobody waits for, so that `reserve` does not wait for their room either.

        They keep their room: the next start finds them unanswered, and may find that they are stored or were charged.
        """
        with self._changed:
            for request in requests:
                if request in self._open:
                    self._abandoned[request] = self._open.pop(request)
            self._changed.notify_all()

    def close(self) -> None:
        """Reserve nothing more in any thread, so that nothing more is sent. The run is being stopped."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def unanswered(self) -> dict[str, Row]:
        """Return the reservations that no line closes, by request."""
        with self._changed:
            return dict(self._facts)

    @contextmanager
    def locked(self) -> Iterator[tuple[Mapping[tuple[str, str], Account], Mapping[str, Row]]]:
        """Yield the accounts and the open reservations while appends are blocked."""
        with self._changed:
            yield self.accounts, self._facts

    def restore(self, answers: Sequence[Answered], lost: Sequence[Row] = (), unanswered: Sequence[Row] = ()) -> None:
        """Append lines that the file lacks, reconstructed from other files.

        Args:
            answers: Requests whose answers are stored.
            lost: Lines of requests that were charged without an answer.
            unanswered: Lines of reservations that nothing closed.
        """
        if unanswered:
            self._append(unanswered)
            for line in unanswered:
                book(self.accounts, self._facts, line)
        self.release(answers)
        self._close(lost)

    def give_up(self, model: str, requests: Sequence[str]) -> None:
        """Note that the answers of these requests are not stored any more and may be bought again. Their cost stays in the bill."""
        self._close([{"event": "gone", "request": request, "model": model} for request in requests])

    def settle(self, stored: Mapping[str, Answered], batched: Collection[str] = (), unsent: Collection[str] = ()) -> None:
        """Close the requests that a kill left open. A request whose answer is stored is done.

        Of the others, a request to an endpoint is lost, because its owner may charge for it. One to an engine on this machine is redone.

        Args:
            stored: The stored answers to open requests, by request.
            batched: Requests of batches that are under way. They stay open.
            unsent: Requests of batches that were never submitted.
        """
        lines: list[Row] = []
        for request, facts in self.unanswered().items():
            if found := stored.get(request):
                lines.append(_done(found))
            elif request in batched:
                continue
            elif request in unsent:
                lines.append({"event": "unsent", "request": request})
            elif facts.get("remote"):
                lines.append(self._lost(request, "the run was stopped before its answer came"))
            else:
                lines.append({"event": "redone", "request": request})
        self._close(lines)

    def _lost(self, request: str, reason: str, reported: Cost | None = None) -> Row:
        worst = self._facts[request]
        # Never below the worst case: the endpoint may charge for tokens that it did not report.
        paid = _amounts(reported) if reported else {}
        amounts: dict[str, float | None] = {}
        for unit in UNITS:
            amounts[unit] = None if worst[unit] is None else max(worst[unit], paid.get(unit) or 0.0)
        return {"event": "lost", "request": request, "reason": reason, **amounts}


def book(accounts: dict[tuple[str, str], Account], waiting: dict[str, Row], entry: Row) -> None:
    """Add a line of a ledger to its account.

    Args:
        accounts: (account, model) -> payments so far.
        waiting: The open reservations, by request.
        entry: The line.
    """
    request, event = entry["request"], entry["event"]
    if event == "reserve":
        waiting[request] = entry
        return
    # The closing line wins: a restored line carries its own account and model.
    facts = {**waiting.pop(request, {}), **entry}
    # Neither changes a payment.
    if event in ("unsent", "gone"):
        return
    account = accounts.setdefault((facts.get("account", "data"), facts.get("model", "")), Account())
    account.remote = account.remote or bool(facts.get("remote"))
    if event == "done":
        account.requests += 1
        account.count += entry["count"]
        account.tokens += entry["tokens"]
        account.reasoning_tokens += entry.get("reasoning_tokens", 0)
        account.cost = account.cost + Cost(flops=entry["flops"], usd=entry["usd"], seconds=entry["seconds"])
        # Compared only if both are known, so that the two sums are over the same requests.
        if entry.get("reported_usd") is not None and entry["usd"] is not None:
            account.reported_usd += entry["reported_usd"]
            account.compared_usd += entry["usd"]
    elif event == "lost":
        account.lost += 1
        account.lost_cost = account.lost_cost + Cost(flops=entry["flops"], usd=entry["usd"])
    elif event == "retry":
        account.retries += 1
    else:
        account.redone += 1


def _done(answered: Answered) -> Row:
    """Return the line of a request whose answer is stored."""
    reported: Row = {} if answered.reported_usd is None else {"reported_usd": answered.reported_usd}
    if answered.reasoning_tokens:  # left out of other lines, as earlier versions wrote them
        reported["reasoning_tokens"] = answered.reasoning_tokens
    counts = {"count": answered.count, "tokens": answered.tokens}
    return {"event": "done", "request": answered.request, **_amounts(answered.cost), **counts, **reported, **answered.facts}


def _amounts(cost: Cost) -> dict[str, float | None]:
    return {"flops": cost.flops, "usd": cost.usd, "seconds": cost.seconds}
