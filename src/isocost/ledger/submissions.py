"""The submissions of batches to endpoints, in `batches.jsonl`: how far each of them came, on the disk before the next step.

    reserved    an id was drawn, and the requests are being reserved under it; nothing was sent
    creating    the file is at the endpoint; the batch is being created, or was, and the reply did not come
    created     the endpoint has named the batch
    state       it shows another state, or other counts of requests
    collected   every answer is committed; files of the batch may be deleted
    withdrawn   it became no batch, or one that ran nothing; its file may still be at the endpoint
    closed      nothing of it is left to do

A submission is open from `reserved` to `closed`. The ledger's lines of its requests carry its id.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from isocost.ledger.summary import mark_of
from isocost.store import Log, Row

FILE = "batches.jsonl"
Stage = Literal["reserved", "creating", "created", "collected", "withdrawn", "closed"]
# States that no batch has of which nothing could run: one that is not accepted is "validating", then "failed".
_BEGUN = frozenset({"in_progress", "finalizing", "cancelling", "completed", "expired", "cancelled"})
_STAGES: tuple[Stage, ...] = ("reserved", "creating", "created", "collected", "withdrawn", "closed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A submission of a batch.

    Attributes:
        id: Its random id.
        model: The study's name of the model.
        stage: How far it came.
        reserved: The time at which its requests were reserved, in seconds since the epoch.
        requests: The number of its requests.
        created: The time at which the endpoint had created the batch; None before.
        file: The endpoint's id of its input file, "" before the upload.
        batch: The endpoint's id of the batch, "" before it is known.
        status: The last state that the endpoint showed.
        completed, failed: The requests that it showed as answered and as failed.
        most_completed, most_failed: The largest of these numbers that any look has shown.
        began: True if any look has shown that requests of it may run.
    """

    id: str
    model: str
    stage: Stage
    reserved: float
    requests: int
    created: float | None = None
    file: str = ""
    batch: str = ""
    status: str = ""
    completed: int = 0
    failed: int = 0
    most_completed: int = 0
    most_failed: int = 0
    began: bool = False

    @property
    def is_open(self) -> bool:
        """True until nothing of it is left to do."""
        return self.stage != "closed"

    @property
    def is_unused(self) -> bool:
        """True if it is certain that no batch of it runs or has run, although its file may be at the endpoint."""
        return self.stage in ("reserved", "withdrawn")

    @property
    def may_be_paid(self) -> bool:
        """True if the endpoint may run it or have run it, and not all of its answers are committed."""
        return self.stage in ("creating", "created")


class Submissions:
    """The submissions of a run.

    Args:
        log: Their log. Its lines are read.

    Raises:
        StorageError: a line is damaged.
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        self._known = read_submissions(_checked(log))

    def __getitem__(self, id: str) -> Submission:
        return self._known[id]

    def __contains__(self, id: str) -> bool:
        return id in self._known

    def open(self) -> list[Submission]:
        """Return the submissions that are open, in their order."""
        return [each for each in self._known.values() if each.is_open]

    def batches(self) -> list[str]:
        """Return the endpoint's ids of all batches."""
        return [each.batch for each in self._known.values() if each.batch]

    def summary(self) -> Row:
        """Return the length of the record, and what is under way, for `progress.json`: it shows if the record was cut."""
        return {**mark_of(self._log.path), "open": describe_open(self.open())}

    def record(self, event: Stage | Literal["state"], id: str, **facts: Any) -> Submission:
        """Append an event, flushed to the disk, and return the submission after it."""
        entry = {"event": event, "submission": id, "time": round(time.time(), 3), **facts}
        self._log.append(entry)
        self._known[id] = _after(self._known.get(id), entry)
        return self._known[id]


def describe_open(submissions: Sequence[Submission]) -> str:
    """Return what is under way at endpoints: `batch batch_1 of strong (1,200 requests)`; the submission where no id of a batch came yet."""
    named = [
        f"{'batch ' + each.batch if each.batch else 'submission ' + each.id} of {each.model} ({each.requests:,} requests)"
        for each in submissions
        if each.may_be_paid
    ]
    return ", ".join(named)


def read_submissions(entries: Iterable[Row]) -> dict[str, Submission]:
    """Return the submissions of a log, by id. Lines that are damaged are skipped, for readers of a log that is being written."""
    found: dict[str, Submission] = {}
    for entry in entries:
        try:
            found[entry["submission"]] = _after(found.get(entry["submission"]), entry)
        except (KeyError, TypeError, ValueError):
            continue
    return found


def _checked(log: Log) -> Iterator[Row]:
    """Yield the lines of a log.

    Raises:
        StorageError: a line cannot follow those before it.
    """
    known: dict[str, Submission] = {}
    for number, entry in enumerate(log.entries(), start=1):
        try:
            known[entry["submission"]] = _after(known.get(entry["submission"]), entry)
        except (KeyError, TypeError, ValueError):
            raise log.damaged(number, "does not follow from the lines before it") from None
        yield entry


def _after(before: Submission | None, entry: Mapping[str, Any]) -> Submission:
    """Return a submission after an event.

    Raises:
        KeyError, TypeError, ValueError: the event cannot follow.
    """
    event = entry["event"]
    if before is None:
        if event != "reserved":
            raise ValueError(event)
        return Submission(
            id=entry["submission"], model=entry["model"], stage="reserved", reserved=float(entry["time"]), requests=int(entry["requests"])
        )
    if event == "state":
        status, completed, failed = str(entry["status"]), int(entry["completed"]), int(entry["failed"])
        return replace(
            before,
            status=status,
            completed=completed,
            failed=failed,
            most_completed=max(before.most_completed, completed),
            most_failed=max(before.most_failed, failed),
            began=before.began or status in _BEGUN or completed > 0 or failed > 0,
        )
    if event not in _STAGES:
        raise ValueError(event)
    after = replace(before, stage=event)
    if event == "creating":
        after = replace(after, file=str(entry["file"]), requests=int(entry["requests"]))
    elif event == "created":
        after = replace(after, batch=str(entry["batch"]), created=float(entry["time"]))
    return after
