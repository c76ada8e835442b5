"""Compare the ledger of a run with what the run directory stores, before anything more is bought.

A request is reserved on the disk before it is sent, and closed after its answer is stored. So each stored batch is in the ledger, open or
done, and the answers of each done request are stored. If that does not hold, a file was removed, cut off or changed:

- A stored batch that is not in the ledger is entered again, at the cost that is stored with its draws. Requests that were charged
  without an answer are recorded in the ledger alone. If it lacks lines, some of these may be missing too, so a run with a limit stops.
- The draws of a done request that are not stored anywhere would be bought again. A few are, with a note; for more the run stops.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from isocost.amounts import format_amount
from isocost.dispatch.draws import PAID_COLUMNS, iter_batches, total_cost
from isocost.errors import InputError, RunDirectoryError
from isocost.events import Listener, Note
from isocost.judging.replies import ACCOUNT, FOLDER
from isocost.ledger import Account, Answered, Ledger, Paid
from isocost.ledger.identity import PROGRESS, is_progress_foreign, read_progress
from isocost.ledger.summary import Accounts, begins_with, read_summary
from isocost.paths import shell_word
from isocost.records import UNITS, Cost, Unit
from isocost.store import BatchLog, Row, RunDirectory

FEW = 20  # at most one in 20 paid batches of a pool, or a single one, is bought again without --force; never all of them
_TOLERANCE = 1e-6  # relative tolerance: the same costs, summed as floats in another order, differ a little
Place = tuple[str, str, str]  # account, model, and the pool or the judge's version


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconciliationTerms:
    """Facts of a start that decide how a gap is handled.

    Attributes:
        remote: By model of the study, True if it is behind an endpoint, which may charge for a request without an answer.
        lowered: True if the user has lowered the limit since the last start, and so accounted for what the ledger lacks.
        again: True to buy draws again that are paid and not stored anywhere, however many.
    """

    remote: Mapping[str, bool]
    lowered: bool = False
    again: bool = False


class Reconciliation:
    """Compare stored draws and replies with the ledger.

    Args:
        ledger: The ledger as opened, not settled yet.
        directory: The run directory.
    """

    def __init__(self, ledger: Ledger, directory: RunDirectory) -> None:
        self._ledger, self._directory = ledger, directory
        self._open = ledger.unanswered()
        self._places: set[Place] = set()
        self._read: frozenset[Place] = frozenset()  # the study's own pools, once all of them were compared
        self._found: Counter[Place] = Counter()  # paid batches found at each place
        self._seen: set[str] = set()  # batches counted: a copy of one at another place was not paid again
        self._elsewhere: dict[str, Place] = {}  # batches found at a place that is not their own
        self._unknown: list[Answered] = []  # stored batches that the ledger lacks
        self._changed: list[tuple[Answered, Paid]] = []  # batches whose draws or cost differ from the ledger's
        self._stored: dict[str, Answered] = {}  # stored batches whose requests are open

    def compare_place(self, place: Place) -> Callable[[Answered, bool], None]:
        """Return a function that compares the stored batches of a place with the ledger, one batch per call."""
        self._places.add(place)
        account, model, _ = place

        def compare(stored: Answered, failed: bool) -> None:
            own = self._ledger.paid.get(model, {}).get(stored.request)
            # A batch that is not paid at this place may be a copy, or may have been moved here by hand.
            if own is None or own.place != place:
                if stored.request in self._seen:
                    return
                if self._is_elsewhere(stored.request, place):
                    self._elsewhere[stored.request] = place
                    return
            self._seen.add(stored.request)
            paid = self._take_paid(stored.request, model)
            if paid is not None:
                self._found[place] += 1
                # A failed batch is stored without the cost of the attempts, which the ledger has.
                if not failed and _differs(stored, paid):
                    self._changed.append((stored, paid))
            if stored.request in self._open:
                self._stored[stored.request] = stored
            elif paid is None and not failed and stored.request not in self._ledger.lost:
                self._unknown.append(replace(stored, facts={"account": account, "model": model}))

        return compare

    def _is_elsewhere(self, request: str, place: Place) -> bool:
        """Return True if a batch belongs to another place, where the run looks for it and would buy it again.

        A pool may be in the folder of another model, because models can be renamed, unless it is one of the study's own pools.
        """
        own = self._place_of(request, place[1])
        if own is None or not own[2]:  # ledgers of earlier versions do not record the place
            return False
        return own != place and (own[2] != place[2] or own in self._read)

    def _take_paid(self, request: str, model: str) -> Paid | None:
        """Remove and return a model's payment for a request, or that of another model if this one has none.

        The payments that are left at the end are those of batches that are not stored anywhere.
        """
        models = [model, *(name for name, of_model in self._ledger.paid.items() if request in of_model)]
        return next((paid for name in models if (paid := self._ledger.paid.get(name, {}).pop(request, None)) is not None), None)

    def _place_of(self, request: str, model: str = "") -> Place | None:
        """Return the place that the ledger records for a request, preferably one of this model; None if it lacks the request."""
        own = self._ledger.paid.get(model, {}).get(request)
        paid = own or next((of_model[request] for of_model in self._ledger.paid.values() if request in of_model), None)
        if paid is not None:
            return paid.place
        row = self._open.get(request)
        if row is None:
            return None
        return row.get("account", "data"), row.get("model", ""), row.get("pool") or row.get("version") or ""

    def read_others(self) -> dict[str, Answered]:
        """Compare the pools of settings that the study had at other starts, and the judges' replies.

        Returns:
            The stored batches among them whose requests are open, by request.
        """
        before, self._read = set(self._stored), frozenset(self._places)
        for folder, account in (("pools", "data"), (FOLDER, ACCOUNT)):
            for model, name in logs_in(self._directory.path / folder, whole=account == ACCOUNT):
                if (account, model, name) not in self._places:
                    stored = self._directory.batches(folder, model, name).tables(PAID_COLUMNS)
                    for _ in iter_batches(stored, self.compare_place((account, model, name))):
                        pass  # only the calls of `compare` matter
        return {request: stored for request, stored in self._stored.items() if request not in before}

    def settle(self, terms: ReconciliationTerms, listener: Listener) -> None:
        """Enter into the ledger what it lacks, or stop.

        Raises:
            InputError: `again` is set, and no draws are missing.
            RunDirectoryError: the ledger or the stored draws were changed, or lack so much that the limit cannot be kept.
        """
        if is_progress_foreign(self._directory):
            listener(Note(text=f"{self._directory.path / PROGRESS}: is another run's; it is made again"))
        # Errors first: nothing is entered into a ledger that the user is told to restore from a copy.
        self._refuse_changed()
        self._refuse_moved()
        self._refuse_foreign()
        self._settle_missing(terms, listener)
        self._settle_unknown(terms, listener)
        self._ledger.forget_paid()

    def _refuse_changed(self) -> None:
        if not self._changed:
            return
        stored, paid = self._changed[0]
        more = f"; so do those of {len(self._changed) - 1:,} more" if len(self._changed) > 1 else ""
        raise RunDirectoryError(
            f"{self._ledger.log.path}: batch {stored.request} brought {_format_batch(paid.answers, paid.flops, paid.usd)}, "
            f"but its stored draws say {_format_batch(stored.count, stored.cost.flops, stored.cost.usd)}{more}",
            advice=f"one of them was changed by hand: restore it, or the files in {Path('pools') / paid.place[1]}, from a copy",
        )

    def _refuse_moved(self) -> None:
        moved = [
            (place, own) for request, place in self._elsewhere.items() if request not in self._seen and (own := self._place_of(request))
        ]
        if not moved:
            return
        here, there = (self._batches_of(place).place() for place in moved[0])
        n = moved.count(moved[0])
        batches = "1 batch that was" if n == 1 else f"{n:,} batches that were"
        raise RunDirectoryError(
            f"{here}: holds {batches} paid and stored in {there}, and would be bought again",
            advice="files were moved or renamed by hand: move them back",
        )

    def _refuse_foreign(self) -> None:
        """Refuse a ledger that knows none of the stored batches, and others in their place: what is stored was paid by another ledger."""
        others = sum(map(len, self._ledger.paid.values()))
        if self._unknown and others and not self._found:
            n = len(self._unknown)
            stored = "the batch" if n == 1 else f"any of the {n:,} batches"
            raise RunDirectoryError(
                f"{self._ledger.log.path}: lacks {stored} that the run has stored, and has {others:,} that it has not: it is another run's",
                advice="restore the run's own ledger from a copy; what is stored is paid, and need not be bought again",
            )

    def _batches_of(self, place: Place) -> BatchLog:
        account, model, name = place
        return self._directory.batches("pools" if account == "data" else FOLDER, model, name)

    def _settle_missing(self, terms: ReconciliationTerms, listener: Listener) -> None:
        """Let a few lost batches of the study's pools and of judges be bought again, or stop."""
        by_place: dict[Place, list[str]] = {}
        # `compare` has taken every stored batch out of `paid`; pools of settings that the study left are not needed.
        for of_model in self._ledger.paid.values():
            for request, paid in of_model.items():
                is_needed = paid.place in self._places or paid.place[0] == ACCOUNT
                if paid.place[2] and is_needed and request not in self._open:  # earlier versions record no place
                    by_place.setdefault(paid.place, []).append(request)
        if terms.again and not by_place:
            raise InputError("samples are paid for and never thrown away", advice="use another folder to sample again")
        for place, requests in by_place.items():
            of_place = [self._ledger.paid[place[1]][request] for request in requests]
            n, cost = sum(paid.answers for paid in of_place), total_cost(Cost(flops=paid.flops, usd=paid.usd) for paid in of_place)
            where = self._describe_missing(place)
            batches = "1 batch" if len(requests) == 1 else f"{len(requests):,} batches"
            what = f"{_format_draws(n, place)} of {batches} that were paid ({_format_cost(cost)})"
            # `min(1, ...)`: a single lost batch is bought again only if others of its pool are stored, never a whole pool.
            few = max(min(1, self._found[place]), (self._found[place] + len(requests)) // FEW)
            if not terms.again and len(requests) > few:
                raise RunDirectoryError(
                    f"{where}: {what} are not stored there any more",
                    advice="restore the files from a copy; or pay for them again, on top of that: "
                    f"isocost sample {shell_word(self._directory.path)} --force",
                )
            listener(Note(text=f"{where}: {what} are not stored there any more; what is still wanted of them is bought again"))
            self._ledger.give_up(place[1], requests)

    def _describe_missing(self, place: Place) -> str:
        """Return the path of the first missing part, or where the batches are if no part is missing."""
        batches = self._batches_of(place)
        parts = batches.missing_parts()
        return str(parts[0]) if parts else batches.place()

    def _settle_unknown(self, terms: ReconciliationTerms, listener: Listener) -> None:
        """Enter into the ledger what it lacks, or stop if that may exceed the limit."""
        ledger = self._ledger
        # `progress.json` has a summary of the ledger: a second record, written at intervals, of what the ledger once had.
        summary = (read_progress(self._directory) or {}).get("ledger")
        before, waiting = read_summary(summary) or ({}, {})
        forgotten = [] if begins_with(ledger.log.path, summary) else self._find_forgotten(waiting)
        lacking = _lacking(before, self._settled_costs())
        if not self._unknown and not forgotten and not lacking:
            return
        what = self._format_lacking(lacking, forgotten)
        remote = {model for model, is_remote in terms.remote.items() if is_remote}
        remote |= {model for accounts in (ledger.accounts, before) for (_, model), each in accounts.items() if each.remote}
        remote |= {str(each.facts["model"]) for each in self._unknown} - terms.remote.keys()  # unknown now, so perhaps remote
        # Only endpoints charge for requests whose answers are lost; on the user's own devices nothing is missing from the bill.
        if ledger.spending.limit is not None and remote and not terms.lowered:
            raise RunDirectoryError(
                f"{ledger.log.path}: {what}: lines were removed, cut off or changed",
                advice="restore it from a copy. Requests that were charged without an answer are written down there alone: without a copy, "
                "lower limit.amount by what these may have cost (see the endpoint's own bill) and run the same command again",
            )
        self._restore(lacking, forgotten, remote)
        rest = "; requests that were charged without an answer may be missing" if remote else ""
        listener(Note(text=f"{ledger.log.path}: {what}; it is counted again, from what is stored{rest}"))

    def _find_forgotten(self, waiting: Mapping[str, Row]) -> list[Row]:
        """Return the reservations in the last summary of the ledger that the ledger itself lacks now."""
        known = {entry["request"] for entry in self._ledger.log.entries()} | {each.request for each in self._unknown}
        return [row for request, row in waiting.items() if request not in known]

    def _restore(self, lacking: Mapping[tuple[str, str], Cost], forgotten: Sequence[Row], remote: Collection[str]) -> None:
        answers = [replace(each, facts={**each.facts, **_remote_field(each.facts["model"], remote)}) for each in self._unknown]
        reserved = [{"event": "reserve", **row, **_remote_field(row["model"], remote)} for row in _lost_rows(lacking)]
        reason = f"known from {PROGRESS} alone"
        lost = [{"event": "lost", "reason": reason, **{key: row[key] for key in ("request", "flops", "usd")}} for row in reserved]
        self._ledger.restore(answers, lost, [*forgotten, *reserved])

    def _settled_costs(self) -> dict[tuple[str, str], list[Cost]]:
        """Return the costs that the settled ledger will have, by account: entered ones, open requests, and unknown batches."""
        bill: dict[tuple[str, str], list[Cost]] = {key: [each.cost, each.lost_cost] for key, each in self._ledger.accounts.items()}
        for request, row in self._open.items():
            stored = self._stored.get(request)
            cost = stored.cost if stored else Cost(flops=row["flops"], usd=row["usd"])
            bill.setdefault((row.get("account", "data"), row.get("model", "")), []).append(cost)
        for each in self._unknown:
            bill.setdefault((each.facts["account"], each.facts["model"]), []).append(each.cost)
        return bill

    def _format_lacking(self, lacking: Mapping[tuple[str, str], Cost], forgotten: Sequence[Row]) -> str:
        """Format what the ledger lacks: `lacks 12 batches that are stored and paid (24 draws, $0.0031); ...`."""
        parts = []
        if self._unknown:
            cost = total_cost(each.cost for each in self._unknown)
            n = sum(each.count for each in self._unknown)
            batches = "1 batch that is" if len(self._unknown) == 1 else f"{len(self._unknown):,} batches that are"
            parts.append(f"{batches} stored and paid ({n:,} draws, {_format_cost(cost)})")
        if lacking:
            parts.append(f"{_format_cost(total_cost(lacking.values()))} that {PROGRESS} counts")
        if forgotten:
            parts.append(f"{len(forgotten):,} requests without an answer that {PROGRESS} lists")
        return f"lacks {' and '.join(parts)}; the bill would be too small by these"


def _lacking(before: Accounts, booked: Mapping[tuple[str, str], Sequence[Cost]]) -> dict[tuple[str, str], Cost]:
    """Return, by account, the amount by which the last summary of the ledger exceeds the costs entered now."""
    found: dict[tuple[str, str], Cost] = {}
    for key, account in before.items():
        now = total_cost(booked.get(key, ()))
        gaps = {unit: _gap(account, now, unit) for unit in UNITS}
        if any(gaps.values()):
            found[key] = Cost(flops=gaps["flops"], usd=gaps["usd"])
    return found


def _gap(account: Account, now: Cost, unit: Unit) -> float:
    was, have = account.amount(unit), now.amount(unit)
    # More than the summary is no gap: the run went on after the summary was written.
    if was is None or have is None or have >= was * (1 - _TOLERANCE):
        return 0.0
    return was - have


def _remote_field(model: object, remote: Collection[str]) -> dict[str, bool]:
    return {"remote": True} if model in remote else {}


def _lost_rows(lacking: Mapping[tuple[str, str], Cost]) -> Iterator[Row]:
    """Yield the lacking amounts as ledger rows, one request for each account."""
    for (account, model), cost in lacking.items():
        amounts = {"flops": cost.flops, "usd": cost.usd, "seconds": 0.0}  # the summary has no seconds of single requests
        yield {"request": f"restored:{account}:{model}", **amounts, "account": account, "model": model}


def logs_in(folder: Path, *, whole: bool) -> Iterator[tuple[str, str]]:
    """Yield (model, name) of every batch log below a folder.

    The file name of a pool's log ends in a dot and the name of its writer, which is removed unless `whole`. Judges' logs have no writer.
    """
    logs = [p for p in folder.glob("*/*") if p.suffix in (".jsonl", ".parts") and p.name != "rounds.jsonl" and not p.name.startswith(".")]
    yield from sorted({(path.parent.name, path.stem if whole else path.name.partition(".")[0]) for path in logs})


def _differs(stored: Answered, paid: Paid) -> bool:
    near = all(_are_near(a, b) for a, b in ((stored.cost.flops, paid.flops), (stored.cost.usd, paid.usd)))
    return not near or (stored.count, stored.tokens) != (paid.answers, paid.tokens)


def _are_near(first: float | None, second: float | None) -> bool:
    if first is None or second is None:
        return first is second
    return math.isclose(first, second, rel_tol=_TOLERANCE, abs_tol=1e-15)


def _format_draws(n: int, place: Place) -> str:
    noun = "reply" if place[0] == ACCOUNT else "draw"
    plural = "replies" if place[0] == ACCOUNT else "draws"
    return f"1 {noun}" if n == 1 else f"{n:,} {plural}"


def _format_batch(count: int, flops: float | None, usd: float | None) -> str:
    return f"{count:,} draws at {_format_cost(Cost(flops=flops, usd=usd))}"


def _format_cost(cost: Cost) -> str:
    if cost.usd is not None and (cost.usd or not cost.flops):  # a gap in FLOPs alone has 0 dollars
        return format_amount("usd", cost.usd)
    return format_amount("flops", cost.flops) if cost.flops else "at a cost that is not known"
