"""The driver's side of workers: a job queue, with one thread per worker that sends jobs and receives outcomes."""

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

TIMEOUT = 0.05  # seconds that a worker waits for an outcome while it could take more jobs; short, so that it is never idle for long
TIMEOUT_WHEN_FULL = 0.5  # the same when it cannot; longer, because returning early would only cost a round trip


class WorkerDiedError(Exception):
    """A worker ended during its work. The executor decides what happens to its jobs."""


class WorkerHandle(Protocol):
    """The driver's handle of a process that runs an `EngineWorker`."""

    def exchange(self, jobs: Sequence[Job], timeout: float, withdrawn: Collection[str]) -> list[Outcome]:
        """Call `EngineWorker.exchange` in the process.

        Raises:
            WorkerDiedError: the process has ended.
        """


@dataclass(slots=True)
class QueuedJob:
    """A job and the future that receives its answers.

    Attributes:
        deaths: The number of workers that died while they had it.
        withdrawals: The number of withdrawals of its queue that do not concern it, because they came before it.
    """

    job: Job
    future: Future[Answers] = field(default_factory=Future)
    deaths: int = 0
    withdrawals: int = 0

    def resolve(self, outcome: Outcome) -> None:
        """Set the future's result or exception."""
        with contextlib.suppress(InvalidStateError):  # the driver has cancelled the future
            if outcome.answers is not None:
                self.future.set_result(outcome.answers)
            else:
                self.future.set_exception(outcome.error or RuntimeError(f"job {outcome.key} came back without an outcome"))


class JobQueue:
    """A queue of jobs, and one thread per worker that sends jobs to it and receives their outcomes.

    Each worker holds twice the number of jobs that its engine answers at once, so that it never waits for the driver. But its second job
    and later ones are those that no worker without a job is left for.

    Args:
        workers: Handles of the workers.
        died: Called with a worker that died, the jobs that it had, and the error.
    """

    def __init__(
        self, workers: Sequence[WorkerHandle], died: Callable[[JobQueue, WorkerHandle, list[QueuedJob], WorkerDiedError], None]
    ) -> None:
        self._died = died
        self._jobs: queue.SimpleQueue[QueuedJob | None] = queue.SimpleQueue()
        self._failure: BaseException | None = None
        self._withdrawals = 0
        self._free = 0  # workers without a job
        self._counting = threading.Lock()
        self._threads: list[threading.Thread] = []
        for worker in workers:
            self.add(worker)

    def put(self, job: Job) -> Future[Answers]:
        """Queue a job and return its future."""
        queued = QueuedJob(job, withdrawals=self._withdrawals)
        self.requeue(queued)
        return queued.future

    def requeue(self, queued: QueuedJob) -> None:
        """Queue a job again after its worker died."""
        self._jobs.put(queued)
        # The queue may have failed since the job was taken from it: nobody would answer the job.
        if self._failure:
            self.fail(self._failure)

    def fail(self, error: BaseException) -> None:
        """Fail all waiting jobs and all that are queued later, because no worker is left."""
        self._failure = error
        self._fail_waiting(error)

    def withdraw(self) -> None:
        """Cancel the jobs that have not been sent to the endpoint. Their futures raise NotSentError."""
        self._withdrawals += 1
        self._fail_waiting(not_sent_error())

    def _fail_waiting(self, error: BaseException) -> None:
        waiting: list[QueuedJob | None] = []
        with contextlib.suppress(queue.Empty):
            while True:
                waiting.append(self._jobs.get_nowait())
        for queued in waiting:
            if queued is None:  # the stop signal of a worker's thread
                self._jobs.put(None)
            else:
                queued.resolve(Outcome(key=queued.job.key, error=error))

    def add(self, worker: WorkerHandle) -> None:
        """Start a thread for one more worker."""
        self._count_free(1)
        # A daemon thread: a worker that hangs must not keep the driver's process alive.
        thread = threading.Thread(target=self._serve, args=(worker,), daemon=True)
        self._threads.append(thread)
        thread.start()

    def close(self) -> None:
        """Stop the threads after all jobs are answered."""
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()

    def _serve(self, worker: WorkerHandle) -> None:
        in_flight: list[QueuedJob] = []
        more = True
        while more or in_flight:
            new, more = self._take(in_flight) if more else ([], False)
            withdrawn = {queued.job.queue for queued in in_flight if self._is_withdrawn(queued)}
            in_flight += new
            if not in_flight:
                continue
            timeout = TIMEOUT if _room(in_flight) > 0 else TIMEOUT_WHEN_FULL
            try:
                outcomes = worker.exchange([queued.job for queued in new], timeout, withdrawn)
            except WorkerDiedError as error:
                self._died(self, worker, in_flight, error)
                return
            except BaseException as error:  # noqa: BLE001 - the futures raise it; nothing else reports errors of this thread
                for queued in in_flight:
                    queued.resolve(Outcome(key=queued.job.key, error=error))
                in_flight = []
                self._count_free(1)
                continue
            for outcome in outcomes:
                # Two jobs can share a key if two students are the same model. The jobs are equal then, so either answer fits.
                place = next((i for i, queued in enumerate(in_flight) if queued.job.key == outcome.key), None)
                if place is not None:  # None for a job that failed in an earlier exchange, above
                    queued = in_flight.pop(place)
                    if not in_flight:  # counted before the future is set, because the driver may send the next round at once
                        self._count_free(1)
                    queued.resolve(outcome)

    def _take(self, in_flight: Sequence[QueuedJob]) -> tuple[list[QueuedJob], bool]:
        """Return the jobs that a worker has room for, and False if the queue is closed. Blocks only if the worker is idle."""
        new: list[QueuedJob] = []
        while _room([*in_flight, *new]) > 0:
            # Without this, the first worker to wake would take both batches of a small round, and the other would have none.
            if (in_flight or new) and self._jobs.qsize() <= self._free:
                break
            try:
                queued = self._jobs.get(block=not in_flight and not new)
            except queue.Empty:
                break
            if queued is None:
                return new, False
            # A withdrawal can come between taking a job from the queue and emptying the queue.
            if self._is_withdrawn(queued):
                queued.resolve(Outcome(key=queued.job.key, error=not_sent_error()))
                continue
            if not in_flight and not new:
                self._count_free(-1)
            new.append(queued)
        return new, True

    def _count_free(self, change: int) -> None:
        with self._counting:
            self._free += change

    def _is_withdrawn(self, queued: QueuedJob) -> bool:
        """Return True the first time after a withdrawal that concerns this job."""
        is_new = queued.job.remote and queued.withdrawals < self._withdrawals
        queued.withdrawals = self._withdrawals  # so that the worker hears of each withdrawal once
        return is_new


def _room(in_flight: Sequence[QueuedJob]) -> int:
    """Return the number of further jobs for a worker. An idle worker gets one first, because the job tells the concurrency."""
    return (2 * in_flight[0].job.concurrency if in_flight else 1) - len(in_flight)
