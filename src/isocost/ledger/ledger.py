"""What was reserved before it was sent, and what became of it: the bill of a run.

Each request is reserved at its worst case, on the disk, before it is sent. One line closes it:

    done     its answer is stored; what it really cost
    lost     no answer came and it may be charged all the same: counted at its worst case, or at the usage that it reported if that is more
    retry    refused, and so not charged; it is sent again under a new reservation
    redone   cut off by a kill on this machine, where nobody charges for it; it is sent again
    unsent   the run was stopped before it was sent

A line `gone` notes that what a request brought is no longer stored, and may be bought again; what it cost stays in the bill.
The bill is the sum of `done` and `lost`. What stays open after a kill is settled by the next start.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from isocost.amounts import format_amount, format_distinct
from isocost.errors import LimitReachedError, RunError
from isocost.records import Cost, Unit
from isocost.store import Log, Row
from isocost.store.ledgerlines import flaw_of_line

SLACK = 1 + 1e-12  # for sums of floats that stand for a whole ratio
NOTHING = Cost(flops=0.0, usd=0.0, seconds=0.0)


@dataclass(slots=True)
class Spending:
    """Running totals of the bill in one unit."""

    unit: Unit
    limit: float | None
    spent: float = 0.0
    reserved: float = 0.0


@dataclass(slots=True, kw_only=True)
class Account:
    """What one account paid to one model.

    Attributes:
        requests: Requests that were answered.
        count: Answers in them.
        tokens: Tokens generated in them.
        cost: Of these.
        lost: Requests without an answer that may be charged.
        lost_cost: Of these, at their worst case.
        retries: Requests that were refused and sent again.
        redone: Requests that a kill cut off and that were sent again.
        remote: Whether they went to an endpoint; then many are under way at once, and their seconds overlap.
        reported_usd: What the endpoint says that requests cost of which it says so.
        compared_usd: What these cost by the study's prices.
    """

    requests: int = 0
    count: int = 0
    tokens: int = 0
    cost: Cost = NOTHING
    lost: int = 0
    lost_cost: Cost = NOTHING
    retries: int = 0
    redone: int = 0
    remote: bool = False
    reported_usd: float = 0.0
    compared_usd: float = 0.0

    def amount(self, unit: Unit) -> float | None:
        """What was paid, lost requests included; None where it is not known in this unit."""
        own, lost = self.cost.amount(unit), self.lost_cost.amount(unit)
        return None if own is None or lost is None else own + lost


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """A request that is about to be sent: its key, what it costs at most, and what its line says besides (account, model, count)."""

    request: str
    worst: Cost
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A request whose answer is stored: what it cost, how many answers it brought, and their tokens.

    `facts` (account, model) are needed of a request without an open reservation: one that was given up, so that failed draws are stored.
    `reported_usd` is what the endpoint itself says that it cost.
    """

    request: str
    cost: Cost
    count: int = 0
    tokens: int = 0
    facts: Mapping[str, Any] = field(default_factory=dict)
    reported_usd: float | None = None


class Paid(NamedTuple):
    """A request that is done: what it brought and cost. A tuple, because there may be a million."""

    answers: int
    tokens: int
    flops: float | None
    usd: float | None
    place: tuple[str, str, str]  # account, model, and the pool or the judge's version; "" where it is not known


class Ledger:
    """Reservations and accounts of a run, appended to `ledger.jsonl`; may be used by several threads.

    Args:
        log: Where it is kept. What it holds already is read.
        unit: The unit of the limit.
        limit: Hard cap on the bill for data and for judging it, or None.
        ready: Called before requests are reserved; keeps them from being sent by raising.

    Attributes:
        accounts: (account, model) -> what was paid so far.
        paid: What each request that is done brought, by model, until `forget_paid`. Two models of a study may ask for the same thing one
            after the other, under one key: a model that was renamed does.
        lost: The requests without an answer that were charged and not answered since, until then.

    Raises:
        StorageError: a line is damaged, or closes a request that is not open: lines were removed, edited or doubled.
    """

    def __init__(self, log: Log, *, unit: Unit = "flops", limit: float | None = None, ready: Callable[[], None] = lambda: None) -> None:
        self.log, self._ready = log, ready
        self.accounts: dict[tuple[str, str], Account] = {}
        self.paid: dict[str, dict[str, Paid]] = {}
        self.lost: set[str] = set()
        self._facts: dict[str, Row] = {}
        self._places: dict[tuple[str, str, str], tuple[str, str, str]] = {}
        for number, entry in enumerate(log.entries(), start=1):
            if flaw := flaw_of_line(entry, self._facts):
                raise log.damaged(number, flaw)
            self._remember(entry)
            book(self.accounts, self._facts, entry)
        amounts = [account.amount(unit) for account in self.accounts.values()]
        self.known = None not in amounts  # whether all that was paid is known in the unit
        self.spending = Spending(unit, limit, spent=sum(amount or 0.0 for amount in amounts))
        self._open: dict[str, float] = {}
        self._abandoned: dict[str, float] = {}
        self._closed = False
        self._changed = threading.Condition()  # its lock also keeps lines whole: a log's appends must not meet

    def _remember(self, entry: Row) -> None:
        """Keep what a line of an earlier start says of a request, to be compared with what is stored."""
        request, event = entry["request"], entry["event"]
        if event == "done":
            if self.lost:
                self.lost.discard(request)
            if entry["count"]:
                facts = self._facts.get(request, entry)
                place = facts.get("account", "data"), facts.get("model", ""), facts.get("pool") or facts.get("version") or ""
                paid = Paid(entry["count"], entry["tokens"], entry["flops"], entry["usd"], self._places.setdefault(place, place))
                self.paid.setdefault(place[1], {})[request] = paid
        elif event == "lost":
            self.lost.add(request)
        elif event == "gone":
            for model, of_model in self.paid.items():
                if entry.get("model", model) == model:
                    of_model.pop(request, None)

    def forget_paid(self) -> None:
        """Free the memory of `paid` and `lost`, once they were compared with what is stored."""
        self.paid, self.lost = {}, set()

    def reserve(self, wanted: Sequence[Reservation], *, patient: bool = False) -> int:
        """Reserve requests before they are sent, in order, as far as they fit; how many do.

        Args:
            wanted: The requests.
            patient: Where there is no room for the first, wait as long as requests of others are in flight that may cost less than they
                have reserved. For a caller with none of its own in flight: it could not take their answers while it waits.

        Raises:
            LimitReachedError: not even the first fits under the limit any more.
            RunError: the ledger is closed.
        """
        with self._changed:
            while not self._closed and wanted and (refusal := self._refusal(wanted[0], 0.0)):
                if not (patient and self._open):
                    raise LimitReachedError(refusal)
                self._changed.wait()
            if self._closed:
                raise RunError("the run is being stopped: nothing more is sent")
            fitting, total = 0, 0.0
            while fitting < len(wanted) and not self._refusal(wanted[fitting], total):
                total += self._amount(wanted[fitting])
                fitting += 1
            lines = [{"event": "reserve", "request": r.request, **_amounts(r.worst), **r.facts} for r in wanted[:fitting]]
            if lines:
                self._ready()
                self.log.append(*lines)
            for reservation, line in zip(wanted[:fitting], lines, strict=True):
                book(self.accounts, self._facts, line)
                self._open[reservation.request] = self._amount(reservation)
            self.spending.reserved += total
            return fitting

    def _amount(self, reservation: Reservation) -> float:
        return reservation.worst.amount(self.spending.unit) or 0.0

    def _refusal(self, reservation: Reservation, before: float) -> str | None:
        """Why a request does not fit behind others that reserve `before`, or None."""
        spending, facts = self.spending, reservation.facts
        if spending.limit is None:
            return None
        amount = reservation.worst.amount(spending.unit)
        if amount is None:
            model, key = facts.get("model", "*"), "params" if spending.unit == "flops" else "price"
            return f"the cost in {spending.unit} of model {model} is not known\n  give models.{model}.{key}"
        if spending.spent + spending.reserved + before + amount > spending.limit * SLACK:
            spent, limit = format_distinct(spending.unit, spending.spent, spending.limit)
            reserved, most = format_amount(spending.unit, spending.reserved + before), format_amount(spending.unit, amount)
            flying = f", up to {reserved} of requests without an answer" if spending.reserved + before else ""
            return (
                f"stopped at the limit: {spent} of {limit} spent{flying}; the next request could cost up to {most}\n"
                "  raise limit.amount and run the same command again"
            )
        return None

    def release(self, answers: Sequence[Answered]) -> None:
        """The answers have come and are stored: what they really cost replaces their reservations."""
        lines = [
            {
                "event": "done",
                "request": a.request,
                **_amounts(a.cost),
                "count": a.count,
                "tokens": a.tokens,
                **({} if a.reported_usd is None else {"reported_usd": a.reported_usd}),
                **a.facts,
            }
            for a in answers
        ]
        # Not waited for: a line that power loss takes away is written again by `settle`, from what is stored.
        self._close(lines, sync=False)

    def lose(self, request: str, reason: str, reported: Cost | None = None) -> None:
        """Count a request that may be charged although it brought nothing: at its worst case, or at what it reported if that is more."""
        self._close([self._lost(request, reason, reported)])

    def retry(self, request: str, reason: str) -> None:
        """The request was refused and costs nothing."""
        self._close([{"event": "retry", "request": request, "reason": reason}])

    def unsend(self, request: str) -> None:
        """The request was not sent after all."""
        self._close([{"event": "unsent", "request": request}])

    def _close(self, lines: Sequence[Row], *, sync: bool = True) -> None:
        if not lines:
            return
        with self._changed:
            self.log.append(*lines, sync=sync)
            for line in lines:
                book(self.accounts, self._facts, line)
                self.spending.reserved -= self._open.pop(line["request"], 0.0) + self._abandoned.pop(line["request"], 0.0)
                if line["event"] in ("done", "lost"):
                    self.spending.spent += line[self.spending.unit] or 0.0
            if not self._open:
                self.spending.reserved = sum(self._abandoned.values())  # what else is left of it is rounding
            self._changed.notify_all()

    def abandon(self, requests: Collection[str]) -> None:
        """Nobody waits for these answers any more: nobody else shall wait for their room.

        They keep it all the same: the next start finds them unanswered, and may find that they are stored, or were charged.
        """
        with self._changed:
            for request in requests:
                if request in self._open:
                    self._abandoned[request] = self._open.pop(request)
            self._changed.notify_all()

    def close(self) -> None:
        """Nothing more is reserved, and so nothing more is sent, by whichever thread: somebody wants the run to stop."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def unanswered(self) -> dict[str, Row]:
        """The reservations that no line closes, by request."""
        with self._changed:
            return dict(self._facts)

    @contextmanager
    def locked(self) -> Iterator[tuple[Mapping[tuple[str, str], Account], Mapping[str, Row]]]:
        """The accounts and the open reservations, while nothing is appended."""
        with self._changed:
            yield self.accounts, self._facts

    def restore(self, answers: Sequence[Answered], lost: Sequence[Row] = (), unanswered: Sequence[Row] = ()) -> None:
        """Book lines that the file lacks, from what else is known of them.

        Args:
            answers: Requests whose answers are stored.
            lost: Lines of requests that were charged without an answer.
            unanswered: Lines of reservations that nothing closed.
        """
        if unanswered:
            self.log.append(*unanswered)
            for line in unanswered:
                book(self.accounts, self._facts, line)
        self.release(answers)
        self._close(lost)

    def give_up(self, model: str, requests: Sequence[str]) -> None:
        """Note that what these requests brought is not stored any more, and may be bought again; what they cost stays in the bill."""
        self._close([{"event": "gone", "request": request, "model": model} for request in requests])

    def settle(self, stored: Mapping[str, Answered]) -> None:
        """Close what a kill left open: a request whose answer is stored is done.

        Of the others, one to an endpoint is lost, since its owner may charge for it; one to an engine on this machine is done again.
        """
        lines: list[Row] = []
        for request, facts in self.unanswered().items():
            if found := stored.get(request):
                done = {"event": "done", "request": request, **_amounts(found.cost), "count": found.count, "tokens": found.tokens}
                lines.append(done)
            elif facts.get("remote"):
                lines.append(self._lost(request, "the run was stopped before its answer came"))
            else:
                lines.append({"event": "redone", "request": request})
        self._close(lines)

    def _lost(self, request: str, reason: str, reported: Cost | None = None) -> Row:
        worst = self._facts[request]
        paid = _amounts(reported) if reported else {}
        amounts = {unit: None if worst[unit] is None else max(worst[unit], paid.get(unit) or 0.0) for unit in ("flops", "usd")}
        return {"event": "lost", "request": request, "reason": reason, **amounts}


def book(accounts: dict[tuple[str, str], Account], waiting: dict[str, Row], entry: Row) -> None:
    """Add a line of a ledger to its account.

    Args:
        accounts: (account, model) -> what was paid so far.
        waiting: The reservations that are open, by request.
        entry: The line.
    """
    request, event = entry["request"], entry["event"]
    if event == "reserve":
        waiting[request] = entry
        return
    facts = {**waiting.pop(request, {}), **entry}
    if event in ("unsent", "gone"):
        return
    account = accounts.setdefault((facts.get("account", "data"), facts.get("model", "")), Account())
    account.remote = account.remote or bool(facts.get("remote"))
    if event == "done":
        account.requests += 1
        account.count += entry["count"]
        account.tokens += entry["tokens"]
        account.cost = account.cost + Cost(flops=entry["flops"], usd=entry["usd"], seconds=entry["seconds"])
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


def _amounts(cost: Cost) -> dict[str, float | None]:
    return {"flops": cost.flops, "usd": cost.usd, "seconds": cost.seconds}
