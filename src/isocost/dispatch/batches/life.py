"""The life of one batch: submitted or adopted, watched until it ends, collected."""

from __future__ import annotations

import time
from collections.abc import Sequence

from isocost.amounts import duration
from isocost.dispatch.batches.collecting import Collector
from isocost.dispatch.batches.steps import Steps
from isocost.dispatch.batches.submitting import Submitter
from isocost.dispatch.batches.terms import BatchContext
from isocost.dispatch.batches.waiting import WaitingCalls
from isocost.dispatch.calls import Call
from isocost.engines.batches import BatchState
from isocost.errors import EngineError
from isocost.executors import batchworker
from isocost.executors.jobs import Job
from isocost.ledger.submissions import Submission

_AGE_PER_POLL = 50  # a pause is the age of the batch divided by this
_UNDECIDED = ("validating", "failed")  # states of a batch that the endpoint has not accepted, or not yet
_MISSING = 3  # replies in a row that the endpoint does not know a batch, until that is believed


class BatchLife:
    """One batch of a model.

    Args:
        context: What batches share.
        waiting: The model's calls that wait for a batch.
        job: A job of the model.
        restored: A submission of an earlier start, with those of its calls that are not stored.

    Attributes:
        is_waiting: True while the batch is under way at the endpoint, and was looked at.
    """

    def __init__(
        self, context: BatchContext, waiting: WaitingCalls, job: Job, restored: tuple[Submission, Sequence[Call]] | None = None
    ) -> None:
        self._context, self._waiting = context, waiting
        self._submitter = Submitter(context, waiting, job, restored)
        self._collector = Collector(context, waiting, self._submitter)
        self._restored = restored is not None
        self._told = False  # True once the user was notified of a state that is not known
        self.is_waiting = False

    @property
    def keys(self) -> list[str]:
        """The keys of its calls."""
        return [call.key for call in self._submitter.calls]

    @property
    def is_being_created(self) -> bool:
        """True from the moment at which a batch may exist until its id is on the disk."""
        return self._submitter.is_reserved and self._submitter.submission.stage == "creating"

    def describe(self) -> str:
        """Return its progress, such as `batch batch_1 1,200/5,000 in_progress 0:12:30`; "" before it is created."""
        if not self._submitter.is_reserved or not self._submitter.submission.batch:
            return ""
        own = self._context.submissions[self._submitter.submission.id]
        seconds = time.time() - (own.created or own.reserved)
        return f"batch {own.batch} {own.completed + own.failed:,}/{own.requests:,} {own.status or 'submitted'} {duration(seconds)}"

    def steps(self) -> Steps[None]:
        """Take the batch to its end.

        Raises:
            EngineError: the endpoint refuses or does not answer, or a line of the results stops the run.
        """
        if not self._restored:
            if not (yield from self._submitter.submit()):
                return
        elif self._submitter.submission.is_unused:
            return (yield from self._submitter.remove())
        elif self._submitter.submission.stage == "creating" and not (yield from self._submitter.adopt()):
            return
        state = yield from self._watch()
        if self._submitter.submission.stage == "collected":
            return (yield from self._collector.clean(state))
        if state is None:
            return self._missing()
        refused = yield from self._collector.collect(state)
        if refused is None:
            if state.status != "failed":
                self._waiting.widen(len(self._submitter.calls))
        elif refused.exceeds_queue:
            self._slow_down(refused)

    def _watch(self) -> Steps[BatchState | None]:
        """Look at the batch until it ends; return None if the endpoint does not know it.

        Raises:
            EngineError: the endpoint refuses or does not answer, or a cancelled batch does not end.
        """
        context, missing, deadline = self._context, 0, 0.0
        while True:
            state = yield from self._look(cancel=context.terms.cancel and not deadline)
            deadline = deadline or time.monotonic() + context.timing.cancelling
            missing = missing + 1 if state is None else 0
            if state is not None:
                self._note(state)
            if missing >= _MISSING or (state is not None and state.is_final) or self._submitter.submission.stage == "collected":
                return state
            if context.terms.cancel and time.monotonic() > deadline:
                raise EngineError(
                    f"batch {self._submitter.submission.batch}: is not cancelled yet", advice="run the same command again later"
                )
            self.is_waiting = not missing  # or a start that does not wait would leave before the third reply
            yield self._pause()
            self.is_waiting = False

    def _look(self, *, cancel: bool) -> Steps[BatchState | None]:
        id = self._submitter.submission.batch
        if cancel:
            try:
                return (yield from self._submitter.ask(batchworker.cancel, id))  # type: ignore[no-any-return]
            except EngineError:  # an endpoint refuses to cancel what has ended
                pass
        return (yield from self._submitter.ask(batchworker.look, id))  # type: ignore[no-any-return]

    def _note(self, state: BatchState) -> None:
        if not state.is_known and not self._told:
            self._told = True
            self._context.notify(f"batch {state.id}: its state {state.status!r} is not known; it is looked at again")
        if state.is_known and state.status not in _UNDECIDED:
            self._waiting.pause = 0.0
        self._submitter.note(state)

    def _pause(self) -> float:
        timing, own = self._context.timing, self._submitter.submission
        return min(timing.longest_poll, max(timing.poll, (time.time() - (own.created or own.reserved)) / _AGE_PER_POLL))

    def _missing(self) -> None:
        """Charge a batch that the endpoint does not know.

        Raises:
            EngineError: the run was not asked to cancel; nothing is charged yet.
        """
        own = self._submitter.submission
        if not self._context.terms.cancel:
            raise EngineError(
                f"model {own.model}: the endpoint does not know batch {own.batch} of {own.requests:,} requests",
                advice="check base_url and the key; if it is gone for good, --cancel-batches charges its requests at their worst case",
            )
        self._context.notify(f"batch {own.batch}: the endpoint does not know it; its requests are charged at their worst case")
        self._collector.lose("the endpoint does not know the batch any more")

    def _slow_down(self, state: BatchState) -> None:
        """Wait before the next batch of a model whose endpoint has too much in its queue; halve it if nothing of ours is there.

        Raises:
            EngineError: a single request exceeds the queue.
        """
        timing, waiting = self._context.timing, self._waiting
        n = len(self._submitter.calls)
        if not any(each.may_be_paid and each.id != self._submitter.submission.id for each in self._context.submissions.open()):
            if n == 1:
                raise EngineError(f"batch {state.id}: a single request exceeds the endpoint's queue: {'; '.join(state.errors)}")
            waiting.most = max(1, n // 2)
        waiting.pause = min(timing.longest_queue, max(timing.queue, 2 * waiting.pause))
        waiting.not_before = time.monotonic() + waiting.pause
        told = "; ".join(state.errors)
        self._context.notify(f"batch {state.id}: the endpoint's queue is full ({told}); submitting again in {duration(waiting.pause)}")
