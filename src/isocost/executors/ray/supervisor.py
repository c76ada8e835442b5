"""The workers of a run on a cluster: who starts, who has died, who comes instead, and what becomes of their jobs."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar, cast

from isocost.errors import IsocostError, RunError
from isocost.executors.jobqueue import JobQueue, QueuedJob, WorkerDiedError, WorkerHandle
from isocost.executors.jobs import Outcome
from isocost.executors.ray.recovery import recover_answers
from isocost.executors.ray.remote import LOGS, RayWorker, WasDeadError

T = TypeVar("T")

MAX_DEATHS = 3  # workers that may die over the same job
MAX_STARTS = 3  # times that a worker is started before it is given up
NO_WORKER_TIMEOUT = 300.0  # seconds to wait for the first worker to be there, or for another one when all are gone
POLL_INTERVAL = 0.5  # seconds between two looks at whether to go on waiting for a worker


class Supervisor:
    """Workers, each taking jobs from one queue and functions from one queue.

    A worker that dies, alone or with its node, is followed by another as soon as the cluster has room for it; meanwhile the others go on.

    Args:
        start: Starts a worker with that number.
        size: How many there are.
        files: What each must see.
    """

    def __init__(self, start: Callable[[int], RayWorker], size: int, files: Sequence[Path]) -> None:
        self.queue = JobQueue([], self._died)
        self._start, self._files = start, files
        self._lock = threading.Lock()
        self._free: queue.SimpleQueue[RayWorker | None] = queue.SimpleQueue()
        self._alive: set[RayWorker] = set()
        self._coming: set[RayWorker] = set()
        self._hirings: list[threading.Thread] = []
        self._hiring = 0
        self._alone_since = time.monotonic()
        self._failure: IsocostError | None = None
        self._closing = threading.Event()
        for number in range(size):
            self._hire(number)

    def call(self, function: Callable[[], T]) -> T:
        """Run a function in the next worker that is free; in another one if that dies.

        Raises:
            RunError: worker after worker died of it, or none is left.
        """
        deaths = 0
        while True:
            worker = self._free.get()
            if worker is None:
                self._free.put(None)  # for the next who asks
                raise self._failure or RunError("the workers were stopped")
            if worker.dead.is_set():
                continue
            try:
                return worker.call(function)
            except WorkerDiedError as error:
                self._replace(worker)
                deaths += not isinstance(error, WasDeadError)
                if deaths >= MAX_DEATHS:
                    raise _deadly("the same work", error) from error
            finally:
                if not worker.dead.is_set():
                    self._free.put(worker)

    def close(self, *, wait: bool) -> list[RayWorker]:
        """Let no more workers come, and the queue end; without `wait` in the middle of its work.

        Returns:
            The workers that are still there.
        """
        if wait:
            self.queue.close()
        self._closing.set()
        with self._lock:
            left, coming = list(self._alive), list(self._coming)
        for worker in coming if wait else (*left, *coming):
            worker.kill()
        self._free.put(None)
        for thread in self._hirings:
            thread.join()
        if not wait:
            self.queue.fail(RunError("the workers were stopped"))
            self.queue.close()
        return left if wait else []

    def _hire(self, number: int) -> None:
        with self._lock:
            self._hiring += 1
        thread = threading.Thread(target=self._bring_in, args=(number,), daemon=True)
        self._hirings.append(thread)
        thread.start()

    def _bring_in(self, number: int) -> None:
        reason: Exception | None = None
        try:
            for _ in range(MAX_STARTS):
                try:
                    self._seat(number)
                    return
                except WorkerDiedError as error:
                    reason = error
        except IsocostError as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001 - the run would wait for ever for a worker that does not come
            reason = error
        finally:
            with self._lock:
                self._hiring -= 1
                nobody = not self._alive and not self._hiring
            if reason is not None and nobody:
                self._fail(RunError(f"no worker could start on the cluster: {reason}\n  its logs: {LOGS}"))

    def _seat(self, number: int) -> None:
        """Start a worker and have it take part, once the cluster has room for it.

        Raises:
            WorkerDiedError: it could not start.
            InputError: it is of no use.
            RunError: the cluster has had no room for any worker for too long.
        """
        worker = self._start(number)
        with self._lock:
            self._coming.add(worker)
        try:
            while not worker.is_ready(self._files, POLL_INTERVAL):
                if self._closing.is_set():
                    return
                self._check_not_alone()
            with self._lock:
                if self._closing.is_set():
                    return
                self._alive.add(worker)
                self.queue.add(worker)
            self._free.put(worker)
        finally:
            with self._lock:
                self._coming.discard(worker)
                seated = worker in self._alive
            if not seated:
                worker.kill()

    def _check_not_alone(self) -> None:
        with self._lock:
            alone = not self._alive and time.monotonic() - self._alone_since > NO_WORKER_TIMEOUT
        if alone:
            raise RunError(
                f"the cluster has had no room for a worker for {NO_WORKER_TIMEOUT / 60:.3g} minutes\n"
                "  all that came is saved; look at ray status, and run the same command to go on"
            )

    def _fail(self, error: IsocostError) -> None:
        """No worker comes any more."""
        self._failure = error
        self.queue.fail(error)
        self._free.put(None)

    def _replace(self, worker: RayWorker) -> None:
        """Have another come instead of a worker that has died."""
        with self._lock:
            if worker not in self._alive:
                return
            self._alive.remove(worker)
            if not self._alive:
                self._alone_since = time.monotonic()
        worker.kill()  # it may only be out of reach
        if not self._closing.is_set():
            self._hire(worker.number)

    def _died(self, queue: JobQueue, dead: WorkerHandle, queued_jobs: list[QueuedJob], error: WorkerDiedError) -> None:
        worker = cast("RayWorker", dead)
        self._replace(worker)
        for queued in queued_jobs:
            try:
                self._put_back(queue, queued, worker, error)
            except Exception as failure:  # noqa: BLE001 - whoever waits for the job gets it
                queued.resolve(Outcome(key=queued.job.key, error=failure))

    def _put_back(self, queue: JobQueue, queued: QueuedJob, worker: RayWorker, error: WorkerDiedError) -> None:
        """Have a job answered by another worker, unless the dead one had committed it, or it is what workers die of."""
        job = queued.job
        if answers := recover_answers(job, worker.writer):
            queued.resolve(Outcome(key=job.key, answers=answers))
            return
        queued.deaths += not isinstance(error, WasDeadError)
        if self._closing.is_set():
            raise RunError("the workers were stopped")
        if queued.deaths >= MAX_DEATHS:
            raise _deadly(f"the same batch of the engine {job.spec.name}", error)
        queue.requeue(queued)


def _deadly(what: str, error: WorkerDiedError) -> RunError:
    return RunError(
        f"{MAX_DEATHS} workers in a row died at {what}; the last: {error}\n"
        f"  most likely for want of memory: lower the model's batch_size; its logs: {LOGS}"
    )
