"""Submit a batch in an order that survives a kill: reserve, upload, create, note the endpoint's id; and find a batch that was created."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any

from isocost.dispatch.batches.steps import Steps, patiently, raise_if_late
from isocost.dispatch.batches.terms import BatchContext
from isocost.dispatch.batches.waiting import WaitingCalls, fitting
from isocost.dispatch.calls import Call
from isocost.engines.batches import MOST_BYTES, BatchState
from isocost.errors import EngineError, LimitReachedError, TryAgainError
from isocost.executors import batchworker
from isocost.executors.jobs import Job
from isocost.ledger.submissions import Submission

CHUNK = 500  # requests that go to the client's process at once: a bound on memory
_NAME = "isocost-{}.jsonl"  # of an input file, with the id of the submission


class Submitter:
    """Submits one batch.

    Args:
        context: What batches share.
        waiting: The calls that wait.
        job: A job of the model: it has the engine and the endpoint's queue.
        restored: A submission of an earlier start, with its calls.

    Attributes:
        calls: The calls of the batch, in the order of its file.
    """

    def __init__(
        self, context: BatchContext, waiting: WaitingCalls, job: Job, restored: tuple[Submission, Sequence[Call]] | None = None
    ) -> None:
        self._context, self._waiting, self._job = context, waiting, job
        self._submission: Submission | None = restored[0] if restored else None
        self.calls = list(restored[1]) if restored else []
        self._restored = restored is not None
        self._uploads = 0  # attempts; each that failed may have left a file

    @property
    def submission(self) -> Submission:
        """The submission, once it is reserved."""
        if self._submission is None:
            raise RuntimeError("nothing is submitted yet")
        return self._submission

    @property
    def is_reserved(self) -> bool:
        """True once the submission is reserved."""
        return self._submission is not None

    def send(self, function: Callable[..., Any], *arguments: Any, **named: Any) -> Future[Any]:
        """Run a function in the process of the endpoint's client."""
        return self._context.executor.submit_to(self._job.queue, function, *arguments, **named)

    def ask_once(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Run a function that asks the endpoint."""
        return self.send(function, self._job.spec, *arguments)

    def ask(self, function: Callable[..., Any], *arguments: Any) -> Steps[Any]:
        """Run a function that asks the endpoint, until it is answered."""
        context = self._context
        return (yield from patiently(lambda: self.ask_once(function, *arguments), context.timing, context.notify))

    def submit(self) -> Steps[bool]:
        """Submit as many calls as fit; return False if none fits under the limit now.

        Raises:
            EngineError: the endpoint refuses, or does not answer.
        """
        id = secrets.token_hex(12)
        path = self._path(id)
        try:
            ends = yield from self._write(path)
            if not self.calls or not self._reserve(id):
                path.unlink(missing_ok=True)
                return False
            file = yield from self._upload(path, ends[len(self.calls) - 1], id)
        except BaseException as error:
            # What was refused is not there. After any other error, or Ctrl-C, the upload may be, and the next start deletes it.
            refused = isinstance(error, EngineError) and not error.charged
            self._undo(id, uploaded=self._uploads > 0 and not refused)
            path.unlink(missing_ok=True)
            raise
        # On the disk before the request: after a kill from here on, the batch may exist.
        self._submission = self._context.submissions.record("creating", id, file=file, requests=len(self.calls))
        yield from self.create()
        return True

    def create(self) -> Steps[None]:
        """Create the batch of the uploaded file, once: after a failure that leaves it open, the listing decides.

        Raises:
            EngineError: the endpoint refuses, does not answer, or may have created a batch that it does not show.
        """
        timing, began, wait = self._context.timing, time.monotonic(), self._context.timing.retry
        submission, request = self.submission, self.calls[0].job.requests[0]
        while True:
            try:
                return self.created((yield self.ask_once(batchworker.create, submission.file, request, submission.id)))
            except EngineError as error:
                if found := (yield from self._find_after(error)):
                    return self.created(found)
                # From here on it is certain that no batch was created.
                try:
                    if not isinstance(error, TryAgainError):
                        raise
                    raise_if_late(began, timing, error)
                except EngineError:
                    yield from self._give_up(error)
                    raise
                yield max(wait, min(error.wait or 0.0, 2 * timing.longest_retry))
                wait = min(2 * wait, timing.longest_retry)

    def _find_after(self, error: EngineError) -> Steps[BatchState | None]:
        """Look for the batch after its creation has failed; return None if it was not created.

        Raises:
            EngineError: as `find`, unless the endpoint has refused in plain words.
        """
        if error.charged:
            self._context.notify(f"{error.happened}; looking whether the batch was created")
            return (yield from self.find())
        if isinstance(error, TryAgainError):  # it was never sent
            return None
        # Even a refusal may be of a second attempt, which a proxy made; one listing costs nothing, and need not succeed.
        try:
            return (yield self._ask_for_batch()).batch  # type: ignore[no-any-return]
        except EngineError:
            return None

    def _ask_for_batch(self) -> Future[Any]:
        own = self.submission
        return self.ask_once(batchworker.find, own.id, own.file, self._context.submissions.batches())

    def _give_up(self, error: EngineError) -> Steps[None]:
        """Withdraw a submission whose batch the endpoint does not create.

        Raises:
            EngineError: an earlier start may have created it with another key: a project shows no batch and no file of another one.
        """
        own = self.submission
        if self._restored and isinstance(error, TryAgainError):
            return  # the next start tries again
        if not self._restored or (yield from self.ask(batchworker.has_file, own.file)):
            return (yield from self.withdraw(error.happened))
        raise EngineError(
            f"model {own.model}: the endpoint shows no batch of submission {own.id}, and refuses its file {own.file}: {error.happened}",
            details=["nothing of it is withdrawn: an earlier start may have created its batch with another key (api_key_env) or base_url"],
            advice="run the same command with the key of that start; --cancel-batches closes the submission",
        ) from error

    def adopt(self) -> Steps[bool]:
        """Find the batch of a submission that an earlier start may have created, or create it; return False if there is none.

        Raises:
            EngineError: as `create`.
        """
        if found := (yield from self.find()):
            self.created(found)
            return True
        if self.calls and not self._context.terms.cancel:
            yield from self.create()
            return True
        # A key of another project sees neither the batch nor the file.
        if self.calls and not (yield from self.ask(batchworker.has_file, self.submission.file)):
            shown = f"the endpoint shows neither a batch of submission {self.submission.id} nor its input file {self.submission.file}"
            self._context.notify(f"{shown}: its requests are charged at their worst case, as the key may be another than before")
            self._lose("the endpoint shows neither its batch nor its file")
            return False
        # Without calls, an earlier start was killed while it withdrew the submission.
        yield from self.withdraw("it was cancelled before a batch was created" if self.calls else "withdrawn")
        return False

    def find(self) -> Steps[BatchState | None]:
        """Look for the batch in two listings; return None if it was certainly not created.

        Raises:
            EngineError: the endpoint does not answer; or it has no list, or one that does not say whose its batches are: the requests are
                charged as lost.
        """
        submission = self.submission
        for pause in (0.0, self._context.timing.listing):
            yield pause
            sighting = yield from patiently(self._ask_for_batch, self._context.timing, self._context.notify)
            if sighting.batch is not None:
                return sighting.batch  # type: ignore[no-any-return]
            if not sighting.listed:
                break
        if sighting.is_absent:
            return None
        self._lose("a batch may have been created and is not shown")
        shown = "has a list that does not show whose its batches are" if sighting.doubtful else "has a list whose end it does not show"
        shown = shown if sighting.listed else "has no list of its batches"
        of = f"submission {submission.id} of {len(self.calls):,} requests"
        raise LostBatchError(
            f"model {submission.model}: {of} may have become a batch, and the endpoint {shown}",
            details=[f"its requests are charged at their worst case; its input file at the endpoint is {submission.file}"],
            advice="look for it in the provider's console and cancel it; the same command then submits the requests again",
        )

    def _lose(self, reason: str) -> None:
        self._context.ledger.close_all("lost", [call.key for call in self.calls], reason)
        self._context.submissions.record("closed", self.submission.id, why="lost")

    def withdraw(self, reason: str, *, keep: bool = False) -> Steps[None]:
        """Withdraw a submission that became no batch, or one that ran nothing: its requests cost nothing, and its file is deleted.

        Args:
            reason: Why.
            keep: Leave the file here, for the user to look at.
        """
        self._context.ledger.close_all("retry", [call.key for call in self.calls], reason)
        self._submission = self._context.submissions.record("withdrawn", self.submission.id, why=reason)
        yield from self.remove(keep=keep)

    def remove(self, *, keep: bool = False) -> Steps[None]:
        """Delete the input file of a submission that no batch uses, and close the submission. The next start tries again if need be."""
        own = self.submission
        files = [] if self._uploads > 1 or not own.file else [own.file]
        try:
            yield self.ask_once(batchworker.remove, own.id, files, [] if keep else [self._path(own.id)])
        except TryAgainError:
            return
        except EngineError as error:
            name = _NAME.format(own.id)
            self._context.notify(f"{error.happened}; a file {name} may be left at the endpoint, which no batch uses: delete it there")
        self._context.submissions.record("closed", own.id, why="not submitted")

    def remove_doubles(self) -> Steps[None]:
        """Delete input files that attempts left whose reply did not come; an error counts for nothing, as files expire by themselves."""
        if self._uploads > 1:
            with suppress(EngineError):
                yield self.ask_once(batchworker.remove, self.submission.id, [], [])

    def created(self, state: BatchState) -> None:
        """Note the endpoint's id of the batch, on the disk."""
        self._submission = self._context.submissions.record("created", self.submission.id, batch=state.id)
        self.note(state)

    def note(self, state: BatchState) -> None:
        """Note a state of the batch on the disk, if it is another one than before: what was seen of a batch is evidence that it ran."""
        own = self.submission
        if (own.status, own.completed, own.failed) != (state.status, state.completed, state.failed):
            facts = {"status": state.status, "completed": state.completed, "failed": state.failed}
            self._submission = self._context.submissions.record("state", own.id, **facts)

    def _write(self, path: Path) -> Steps[list[int]]:
        """Write the lines of calls until the file, the number of requests or the limit is full; return the size after each call."""
        ledger, most, ends = self._context.ledger, self._waiting.most, list[int]()
        unit, room = ledger.spending.unit, ledger.room()
        chunk = self._waiting.take(min(CHUNK, most))
        while chunk:
            # The first call is tried even if it does not fit: `reserve` then says why.
            n = max(fitting(chunk, room, unit), 0 if self.calls else 1)
            jobs = [call.job for call in chunk[:n]]
            writing = self.send(batchworker.write_requests, path, jobs, MOST_BYTES, first=not self.calls)
            # Made while the client's process writes.
            following = self._waiting.take(min(CHUNK, most - len(self.calls) - n)) if n == len(chunk) else []
            new = yield writing
            self.calls += chunk[: len(new)]
            ends += new
            if len(new) < len(chunk):
                self._waiting.put_back([*chunk[len(new) :], *following])
                self._waiting.is_cut = n < len(chunk)
                break
            if room is not None:
                room -= sum(call.worst.amount(unit) or 0.0 for call in chunk)
                if following and not fitting(following, room, unit):
                    self._waiting.put_back(following)
                    self._waiting.is_cut = True
                    break
            chunk = following
        return ends

    def _reserve(self, id: str) -> bool:
        """Reserve the whole batch, on the disk; return False if nothing fits. What does not fit goes back."""
        context = self._context
        # The submission first: a reservation whose submission is not known would have to be charged.
        model = str(self.calls[0].facts.get("model", ""))
        self._submission = context.submissions.record("reserved", id, model=model, requests=len(self.calls))
        try:
            count = context.ledger.reserve([call.reservation(submission=id) for call in self.calls])
        except LimitReachedError:
            count = 0
        self._waiting.is_cut = self._waiting.is_cut or count < len(self.calls)
        self._waiting.put_back(self.calls[count:])
        del self.calls[count:]
        if not count:
            context.submissions.record("closed", id, why="no room under the limit")
        return count > 0

    def _path(self, id: str) -> Path:
        return self._context.folder / f"{id}.jsonl"

    def _upload(self, path: Path, size: int, id: str) -> Steps[str]:
        def ask() -> Future[str]:
            self._uploads += 1
            return self.ask_once(batchworker.submit_file, path, size, _NAME.format(id))

        return (yield from patiently(ask, self._context.timing, self._context.notify))

    def _undo(self, id: str, *, uploaded: bool) -> None:
        """Release what was reserved for a batch that was not created; `uploaded` is True if its file may be at the endpoint."""
        submissions = self._context.submissions
        if id in submissions and submissions[id].is_open:
            open_now = self._context.ledger.unanswered()
            reserved = [call.key for call in self.calls if call.key in open_now]
            self._context.ledger.close_all("unsent", reserved, "the batch was not submitted")
            if not uploaded:
                submissions.record("closed", id, why="not submitted")


class LostBatchError(EngineError):
    """A batch may have been created, and the endpoint does not show it."""
