"""Dispatch calls in batches: which batches there are, when they go on, and what is stored of them."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from isocost.dispatch.batches.life import BatchLife
from isocost.dispatch.batches.steps import Stepper
from isocost.dispatch.batches.terms import BatchContext
from isocost.dispatch.batches.waiting import WaitingCalls
from isocost.dispatch.calls import AnsweredCalls, Call
from isocost.dispatch.inflight import PATIENCE
from isocost.errors import BatchesOpenError, IsocostError
from isocost.executors.jobs import Answers, Job
from isocost.ledger import Ledger
from isocost.ledger.submissions import describe_open


class BatchedCalls(Protocol):
    """The calls of one model, as a source has them."""

    @property
    def model(self) -> str:
        """The study's name of the model."""

    @property
    def job(self) -> Job:
        """A job of the model, without requests."""

    def calls(self) -> Iterable[Call]:
        """Return the calls whose answers are not stored yet, in order."""

    def restored(self, keys: Sequence[str]) -> list[Call]:
        """Return the calls with these keys, whether they are wanted now or not."""


@dataclass(slots=True)
class _Model:
    """The batches of one model."""

    job: Job
    waiting: WaitingCalls
    lives: list[tuple[BatchLife, Stepper]] = field(default_factory=list)


class BatchDispatcher:
    """Sends the calls of models in batches, and takes up the batches of earlier starts.

    Args:
        context: What batches share.

    Attributes:
        answers: The calls of this start that were answered.
    """

    def __init__(self, context: BatchContext) -> None:
        self._context = context
        self._models: list[_Model] = []
        self.answers = 0

    def begin(self, sources: Sequence[BatchedCalls]) -> None:
        """Begin with the calls of sources, and with open batches of their models. What earlier sources had is over."""
        self._models = [self._model_of(source) for source in sources]

    def advance(self) -> Iterator[AnsweredCalls]:
        """Take all steps that are due, and yield answers; the caller stores them before it goes on.

        Raises:
            LimitReachedError: the next call does not fit under the limit, and nothing is open that may free room.
            EngineError: a batch has failed.
        """
        for model in self._models:
            if self._may_submit(model):
                model.waiting.is_cut = False
                life = BatchLife(self._context, model.waiting, model.job)
                model.lives.append((life, Stepper(life.steps())))
            for _, stepper in model.lives:
                while stepper.is_ready():
                    if answers := stepper.advance():
                        self.answers += sum(isinstance(answer, Answers) for _, answer in answers)
                        yield answers
            model.lives = [each for each in model.lives if not each[1].is_over]

    def is_busy(self) -> bool:
        """Return True while calls wait for a batch or batches are under way."""
        fresh = not self._context.terms.cancel and any(model.waiting.first() for model in self._models)
        return fresh or self.is_under_way()

    def is_under_way(self) -> bool:
        """Return True while there are batches."""
        return any(model.lives for model in self._models)

    def wait(self, timeout: float) -> None:
        """Wait until a step may be due, at most for some seconds."""
        futures = [stepper.awaited for _, stepper in self._steppers() if stepper.awaited is not None]
        if futures:
            wait(futures, timeout=timeout, return_when=FIRST_COMPLETED)
        else:
            time.sleep(timeout)

    def leave_if_asked(self) -> None:
        """Leave batches that are under way, if the run was asked not to wait and nothing else can be done.

        Raises:
            BatchesOpenError: they are left.
        """
        idle = all(life.is_waiting for life, _ in self._steppers()) and not any(map(self._may_submit, self._models))
        if not self._context.terms.wait and idle and self.is_busy():
            raise BatchesOpenError(f"under way: {describe_open(self._context.submissions.open())}")

    def describe(self) -> str:
        """Return the progress of the batches, "" without any."""
        return "; ".join(filter(None, (life.describe() for life, _ in self._steppers())))

    def stop(self, patience: float, still: Callable[[], bool] = lambda: True) -> None:
        """Stop: batches that are being created are waited for until their ids are on the disk, others are left as they are.

        Args:
            patience: Seconds that they are waited for.
            still: Returns False to wait no longer.
        """
        deadline = time.monotonic() + patience
        while still() and time.monotonic() < deadline:
            creating = [each for each in self._steppers() if each[0].is_being_created and not each[1].is_over]
            if not creating:
                break
            for _, stepper in creating:
                if stepper.is_ready():
                    stepper.advance()
            self.wait(0.05)
        for life, stepper in self._steppers():
            stepper.close()
            self._context.ledger.abandon(life.keys)
        self._models = []

    def _steppers(self) -> list[tuple[BatchLife, Stepper]]:
        return [each for model in self._models for each in model.lives]

    def _model_of(self, source: BatchedCalls) -> _Model:
        """Return the model of a source, with the batches that earlier starts left open."""
        context, keys = self._context, dict[str, list[str]]()
        for key, row in context.ledger.unanswered().items():
            if id := row.get("submission"):
                keys.setdefault(id, []).append(key)
        taken = {key for own in keys.values() for key in own}
        wanted = iter(source.calls())
        head = next(wanted, None)
        calls = wanted if head is None else itertools.chain([head], wanted)
        waiting = WaitingCalls(call for call in calls if call.key not in taken)
        model = _Model(source.job, waiting)
        for submission in context.submissions.open():
            own = keys.get(submission.id, [])
            # A batch of a later round is left to that round, unless all of its answers are stored already.
            if submission.model == source.model and (head is not None or not own or context.terms.cancel):
                life = BatchLife(context, waiting, source.job, (submission, source.restored(own)))
                model.lives.append((life, Stepper(life.steps())))
        return model

    def _may_submit(self, model: _Model) -> bool:
        """Return True if calls of a model wait and may be submitted now.

        Raises:
            LimitReachedError: they do not fit under the limit, and nothing is open that may free room.
        """
        waiting = model.waiting
        # One batch is written or collected at a time, and what the limit cut off waits for all others, or there would be many small ones.
        is_occupied = any(not life.is_waiting for life, _ in model.lives) or (waiting.is_cut and model.lives)
        if self._context.terms.cancel or is_occupied or time.monotonic() < waiting.not_before:
            return False
        first = waiting.first()
        refusal = self._context.ledger.refusal(first.reservation()) if first else None
        if refusal is not None and not self._context.ledger.is_awaited():
            raise refusal
        return first is not None and refusal is None


@contextmanager
def running(
    batches: BatchDispatcher, sources: Sequence[BatchedCalls], ledger: Ledger
) -> Iterator[Callable[[Callable[[AnsweredCalls], None]], None]]:
    """Run batches beside other calls, and stop them in order if anything fails.

    Args:
        batches: The dispatcher.
        sources: The sources of the calls.
        ledger: The ledger, which is closed on Ctrl-C.

    Yields:
        A function that takes all steps that are due, and hands their answers to the function that it is given.
    """
    batches.begin(sources)

    def advance(keep: Callable[[AnsweredCalls], None]) -> None:
        for answers in batches.advance():
            keep(answers)

    try:
        yield advance
    except KeyboardInterrupt:
        ledger.close()  # for other threads too, such as a judge's
        batches.stop(PATIENCE)
        raise
    except IsocostError:
        batches.stop(PATIENCE)
        raise
    except BaseException:
        batches.stop(0.0)
        raise
