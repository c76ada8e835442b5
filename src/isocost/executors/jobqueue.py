"""The driver's side of workers: a queue of jobs for each queue, and a thread for each worker that carries them there and back."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field
from typing import Protocol

from isocost.executors.concurrency import not_sent_error
from isocost.executors.jobs import Answers, Job, Outcome

PATIENCE = 0.05  # seconds that a worker waits for an answer before it asks for more jobs
PATIENCE_WHEN_FULL = 0.5  # the same where it has no room for more


class WorkerDiedError(Exception):
    """A worker ended in the middle of its work; the executor decides what that means for its jobs."""


class WorkerHandle(Protocol):
    """A process, here or elsewhere, that has a `EngineWorker`."""

    def exchange(self, jobs: Sequence[Job], timeout: float, withdrawn: Collection[str]) -> list[Outcome]:
        """`EngineWorker.exchange` over there.

        Raises:
            WorkerDiedError: it is not there any more.
        """


@dataclass(slots=True)
class QueuedJob:
    """A job under way, and where its answers go."""

    job: Job
    future: Future[Answers] = field(default_factory=Future)
    deaths: int = 0
    withdrawals: int = 0  # of its queue, as far as they do not concern it

    def resolve(self, outcome: Outcome) -> None:
        """Hand its answers over."""
        with contextlib.suppress(InvalidStateError):  # the driver has given up on it
            if outcome.answers is not None:
                self.future.set_result(outcome.answers)
            else:
                self.future.set_exception(outcome.error or RuntimeError(f"job {outcome.key} came back without an outcome"))


class JobQueue:
    """Jobs that wait for the same workers: a queue, and a thread for each worker that carries jobs there and answers back.

    As many jobs lie at a worker as its engine answers at once, and as many again: it never waits for the driver.

    Args:
        workers: The workers.
        died: Called with a worker that died, the jobs that were there, and why.
    """

    def __init__(
        self, workers: Sequence[WorkerHandle], died: Callable[[JobQueue, WorkerHandle, list[QueuedJob], WorkerDiedError], None]
    ) -> None:
        self._died = died
        self._jobs: queue.SimpleQueue[QueuedJob | None] = queue.SimpleQueue()
        self._failure: BaseException | None = None
        self._withdrawals = 0
        self._threads: list[threading.Thread] = []
        for worker in workers:
            self.add(worker)

    def put(self, job: Job) -> Future[Answers]:
        """Have a job answered."""
        queued = QueuedJob(job, withdrawals=self._withdrawals)
        self.requeue(queued)
        return queued.future

    def requeue(self, queued: QueuedJob) -> None:
        """Have a job answered whose worker died."""
        self._jobs.put(queued)
        if self._failure:
            self.fail(self._failure)

    def fail(self, error: BaseException) -> None:
        """Nobody answers jobs of this queue any more: those that wait, and those that come, fail."""
        self._failure = error
        with contextlib.suppress(queue.Empty):
            while True:
                queued = self._jobs.get_nowait()
                if queued is None:  # meant for a thread of this queue, which ends by it
                    self._jobs.put(None)
                    return
                queued.resolve(Outcome(key=queued.job.key, error=error))

    def withdraw(self) -> None:
        """Ask an endpoint nothing more of what was put so far: jobs that it was not asked yet raise NotSentError."""
        self._withdrawals += 1
        waiting: list[QueuedJob | None] = []
        with contextlib.suppress(queue.Empty):
            while True:
                waiting.append(self._jobs.get_nowait())
        for queued in waiting:
            if queued is None:  # meant for a thread
                self._jobs.put(None)
            else:
                queued.resolve(Outcome(key=queued.job.key, error=not_sent_error()))

    def add(self, worker: WorkerHandle) -> None:
        """One more worker takes jobs."""
        thread = threading.Thread(target=self._carry, args=(worker,), daemon=True)
        self._threads.append(thread)
        thread.start()

    def close(self) -> None:
        """End the threads, once all jobs are answered."""
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()

    def _carry(self, worker: WorkerHandle) -> None:
        there: list[QueuedJob] = []
        more = True
        while more or there:
            new, more = self._take(there) if more else ([], False)
            withdrawn = {queued.job.queue for queued in there if self._is_withdrawn(queued)}
            there += new
            if not there:
                continue
            timeout = PATIENCE if _room(there) > 0 else PATIENCE_WHEN_FULL
            try:
                outcomes = worker.exchange([queued.job for queued in new], timeout, withdrawn)
            except WorkerDiedError as error:
                self._died(self, worker, there, error)
                return
            except BaseException as error:  # noqa: BLE001 - whoever waits for these jobs gets it; nobody else hears of this thread
                for queued in there:
                    queued.resolve(Outcome(key=queued.job.key, error=error))
                there = []
                continue
            for outcome in outcomes:
                # Two jobs may have one key, where two students are the same model: equal jobs, so that either answer will do.
                place = next((i for i, queued in enumerate(there) if queued.job.key == outcome.key), None)
                if place is not None:  # else it was among those that failed above
                    there.pop(place).resolve(outcome)

    def _take(self, there: Sequence[QueuedJob]) -> tuple[list[QueuedJob], bool]:
        """Jobs that a worker has room for, and whether more may come; waits for one only if the worker has nothing to do."""
        new: list[QueuedJob] = []
        while True:
            if _room([*there, *new]) <= 0:
                return new, True
            try:
                queued = self._jobs.get(block=not there and not new)
            except queue.Empty:
                return new, True
            if queued is None:
                return new, False
            if self._is_withdrawn(queued):  # between its being taken from the queue and the queue's being emptied
                queued.resolve(Outcome(key=queued.job.key, error=not_sent_error()))
            else:
                new.append(queued)

    def _is_withdrawn(self, queued: QueuedJob) -> bool:
        """Whether a withdrawal concerns a queued that was not told of it; it counts as told then."""
        concerned = queued.job.remote and queued.withdrawals < self._withdrawals
        queued.withdrawals = self._withdrawals
        return concerned


def _room(there: Sequence[QueuedJob]) -> int:
    """How many jobs more may lie at a worker; one that has none is given one to begin with."""
    return (2 * there[0].job.concurrency if there else 1) - len(there)
