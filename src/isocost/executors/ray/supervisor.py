"""Supervision of the workers on a cluster: start them, replace those that die, recover their answers, and requeue their jobs."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar, cast

from isocost.errors import IsocostError, RunError
from isocost.executors.jobqueue import JobQueue, QueuedJob, WorkerDiedError, WorkerHandle
from isocost.executors.jobs import Answers, Job, Outcome, StoredDraw
from isocost.executors.ray.remote import LOGS, RayWorker, WasDeadError
from isocost.executors.storing import to_stored
from isocost.store import BatchLog, Row

T = TypeVar("T")

MAX_DEATHS = 3  # workers that may die on the same job: one can be chance (a lost node), three are the job's fault
MAX_STARTS = 3  # attempts to start a worker
NO_WORKER_TIMEOUT = 300.0  # seconds to wait while no worker is alive
POLL_INTERVAL = 0.5  # seconds between checks of whether to keep waiting for a worker


class Supervisor:
    """Keeps a number of workers alive. They share one queue of jobs and one of functions.

    A worker that dies, alone or with its node, is replaced as soon as the cluster has room. The others keep working meanwhile.

    Args:
        start: Starts the worker with the given number.
        size: The number of workers.
        files: Files that every worker must see.
    """

    def __init__(self, start: Callable[[int], RayWorker], size: int, files: Sequence[Path]) -> None:
        self.queue = JobQueue([], self._died)
        self._start, self._files = start, files
        self._lock = threading.Lock()
        self._free: queue.SimpleQueue[RayWorker | None] = queue.SimpleQueue()
        self._alive: set[RayWorker] = set()
        self._starting: set[RayWorker] = set()
        self._launches: list[threading.Thread] = []
        self._launching = 0
        self._none_alive_since = time.monotonic()
        self._failure: IsocostError | None = None
        self._closing = threading.Event()
        for number in range(size):
            self._launch(number)

    def call(self, function: Callable[[], T]) -> T:
        """Run a function in the next free worker, and in another one if that worker dies.

        Raises:
            RunError: three workers died during it, or none is left.
        """
        deaths = 0
        while True:
            worker = self._free.get()
            if worker is None:
                self._free.put(None)  # the next caller must see the end too
                raise self._failure or RunError("the workers were stopped")
            if worker.dead.is_set():  # killed while it was in the queue
                continue
            try:
                return worker.call(function)
            except WorkerDiedError as error:
                self._replace(worker)
                deaths += not isinstance(error, WasDeadError)  # a worker that was dead before did not die of this work
                if deaths >= MAX_DEATHS:
                    raise _repeated_deaths("the same work", error) from error
            finally:
                if not worker.dead.is_set():
                    self._free.put(worker)

    def close(self, *, wait: bool) -> list[RayWorker]:
        """Start no more workers and close the queue. Without `wait`, running work is killed.

        Returns:
            The workers that are still alive.
        """
        if wait:
            self.queue.close()  # before `_closing` is set: until the last job is answered, dead workers are replaced
        self._closing.set()
        with self._lock:
            left, starting = list(self._alive), list(self._starting)
        for worker in starting if wait else (*left, *starting):
            worker.kill()
        self._free.put(None)
        for thread in self._launches:
            thread.join()
        if not wait:
            self.queue.fail(RunError("the workers were stopped"))
            self.queue.close()
        return left if wait else []

    def _launch(self, number: int) -> None:
        with self._lock:
            self._launching += 1
        thread = threading.Thread(target=self._start_with_retries, args=(number,), daemon=True)
        self._launches.append(thread)
        thread.start()

    def _start_with_retries(self, number: int) -> None:
        reason: Exception | None = None
        try:
            for _ in range(MAX_STARTS):
                try:
                    self._start_and_register(number)
                    return
                except WorkerDiedError as error:
                    reason = error
        except IsocostError as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001 - otherwise the run would wait forever for this worker
            reason = error
        finally:
            with self._lock:
                self._launching -= 1
                none_left = not self._alive and not self._launching
            if reason is not None and none_left:
                failure = RunError(f"no worker could start on the cluster: {reason}\n  its logs: {LOGS}")
                failure.__cause__ = reason  # for --debug: it may be a fault of isocost
                self._fail(failure)

    def _start_and_register(self, number: int) -> None:
        """Start a worker and add it to the queue once the cluster has room for it.

        Raises:
            WorkerDiedError: the worker could not start.
            InputError: the worker cannot be used.
            RunError: the cluster has had no room for any worker for too long.
        """
        worker = self._start(number)
        with self._lock:
            self._starting.add(worker)
        try:
            while not worker.is_ready(self._files, POLL_INTERVAL):
                if self._closing.is_set():
                    return
                self._check_worker_timeout()
            with self._lock:
                if self._closing.is_set():
                    return
                self._alive.add(worker)
                self.queue.add(worker)
            self._free.put(worker)
        finally:
            with self._lock:
                self._starting.discard(worker)
                registered = worker in self._alive
            if not registered:
                worker.kill()

    def _check_worker_timeout(self) -> None:
        with self._lock:
            timed_out = not self._alive and time.monotonic() - self._none_alive_since > NO_WORKER_TIMEOUT
        if timed_out:
            raise RunError(
                f"the cluster has had no room for a worker for {NO_WORKER_TIMEOUT / 60:.3g} minutes\n"
                "  all answers received so far are saved; check ray status, and resume with the same command"
            )

    def _fail(self, error: IsocostError) -> None:
        """Fail all work: no further worker will start."""
        self._failure = error
        self.queue.fail(error)
        self._free.put(None)

    def _replace(self, worker: RayWorker) -> None:
        """Start a replacement for a worker that died."""
        with self._lock:
            if worker not in self._alive:
                return
            self._alive.remove(worker)
            if not self._alive:
                self._none_alive_since = time.monotonic()
        worker.kill()  # an unreachable worker may still be running
        if not self._closing.is_set():
            self._launch(worker.number)

    def _died(self, queue: JobQueue, dead: WorkerHandle, queued_jobs: list[QueuedJob], error: WorkerDiedError) -> None:
        worker = cast("RayWorker", dead)
        self._replace(worker)
        for queued in queued_jobs:
            try:
                self._requeue(queue, queued, worker, error)
            except Exception as failure:  # noqa: BLE001 - the job's future raises it
                queued.resolve(Outcome(key=queued.job.key, error=failure))

    def _requeue(self, queue: JobQueue, queued: QueuedJob, worker: RayWorker, error: WorkerDiedError) -> None:
        """Queue a dead worker's job again, unless its answers were committed or it has killed too many workers."""
        job = queued.job
        if answers := recover_answers(job, worker.writer):
            queued.resolve(Outcome(key=job.key, answers=answers))
            return
        queued.deaths += not isinstance(error, WasDeadError)
        if self._closing.is_set():
            raise RunError("the workers were stopped")
        if queued.deaths >= MAX_DEATHS:
            raise _repeated_deaths(f"the same batch of the engine {job.spec.name}", error)
        queue.requeue(queued)


def _repeated_deaths(what: str, error: WorkerDiedError) -> RunError:
    return RunError(
        f"{MAX_DEATHS} workers in a row died at {what}; the last: {error}\n"
        f"  probably out of memory: lower the model's batch_size; its logs: {LOGS}"
    )


def recover_answers(job: Job, writer: str) -> Answers | None:
    """Return the answers to a job that a worker committed before it died, or None if it committed none."""
    if job.storing is None:
        return None
    log = BatchLog(job.storing.stem, writer).log
    # Compared as bytes, because parsing every line of a large log would take long.
    begins = b'{"batch": ' + json.dumps(job.key).encode()
    for _, line in log.lines():
        if line.startswith(begins):
            return _answers(job, json.loads(line.decode("utf-8", "surrogatepass"))["rows"])
    return None


def _answers(job: Job, rows: list[Row]) -> Answers:
    stored: list[list[StoredDraw]] = [[] for _ in job.requests]
    places = {
        (request.problem_id, index): number
        for number, request in enumerate(job.requests)
        for index in range(request.first_index, request.first_index + request.count)
    }
    with_reasoning = job.storing is not None and job.storing.with_reasoning
    for row in rows:
        stored[places[row["problem_id"], row["sample_index"]]].append(to_stored(row, with_reasoning=with_reasoning))
    return Answers(generations=(), stored=stored, seconds=sum(row["cost_seconds"] for row in rows))
