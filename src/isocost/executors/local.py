"""Worker processes on this machine."""

from __future__ import annotations

import ctypes
import functools
import multiprocessing
import os
import queue
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import CancelledError, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from isocost.executors import engineworker
from isocost.executors.base import P, T
from isocost.executors.jobqueue import JobQueue, QueuedJob, WorkerDiedError, WorkerHandle
from isocost.executors.jobs import Answers, Job, Outcome
from isocost.executors.spawning import spawning
from isocost.machine import available_cores, stop_signals

SMALL = 100_000_000  # parameters; up to here one process per core is faster than one process with all cores, and memory suffices


class LocalExecutor:
    """Runs functions and jobs in worker processes, each with its share of the cores.

    Small models run in one process per core, because their matrices are too small to be split. Large models, and all models on a GPU,
    run in one process with all cores. Each endpoint has another process, so that its client never waits for a device; its batches have one
    more, as files of them are large.

    Args:
        largest: Parameters of the largest model that runs on this machine, or None if unknown.
    """

    def __init__(self, largest: int | None) -> None:
        self.cores = cores = available_cores()
        # An unknown size counts as large: a copy per core of a large model would exhaust the memory.
        small = largest is not None and largest <= SMALL and shutil.which("nvidia-smi") is None
        self.workers = cores if small else 1
        self.threads = cores // self.workers
        self._lock = threading.Lock()  # several threads can be the first to need a worker
        # Linux kills a worker when the thread that started it ends (see `_die_with_parent`), so one thread starts all of them.
        self._starter = ThreadPoolExecutor(1)
        self._callers = ThreadPoolExecutor(self.workers)
        self._free: queue.SimpleQueue[LocalWorker] = queue.SimpleQueue()
        self._processes: list[LocalWorker] = []  # of all kinds
        self._device_workers: list[LocalWorker] = []  # those without the client of an endpoint
        self._queues: dict[str, JobQueue] = {}
        self._clients: dict[str, LocalWorker] = {}

    def submit(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run a function in the next free worker. The first call starts the workers."""
        self._start()
        return self._callers.submit(self._call, functools.partial(function, *args, **kwargs))

    def _call(self, function: Callable[[], T]) -> T:
        worker = self._free.get()
        try:
            return worker.call(function).result()
        finally:
            self._free.put(worker)

    def submit_to(self, queue: str, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run a function in the process for the batches of an endpoint, one function after the other."""
        with self._lock:
            if queue not in self._clients:
                self._clients[queue] = self._worker(1)
        return self._clients[queue].call(functools.partial(function, *args, **kwargs))

    def send(self, job: Job) -> Future[Answers]:
        """Queue a job for the first free worker of its queue."""
        self._start()
        with self._lock:
            if job.queue not in self._queues:
                # An endpoint's client waits for the network, so one core is enough.
                workers = [self._worker(1)] if job.remote else self._device_workers
                self._queues[job.queue] = JobQueue(workers, _died)
        return self._queues[job.queue].put(job)

    def capacity(self, job: Job) -> int:
        """Return twice the number of jobs answered at once, so that no worker waits for the driver."""
        return 2 * job.concurrency * (1 if job.remote else self.workers)

    def withdraw(self, queue: str) -> None:
        """Cancel the jobs of a queue that were not sent yet."""
        if queue in self._queues:
            self._queues[queue].withdraw()

    def close(self, *, wait: bool = True) -> None:
        """Stop the workers. Without `wait` they are killed."""
        for process in self._processes:
            if not wait:
                process.kill()
        for jobs in self._queues.values():
            jobs.close()
        self._callers.shutdown(wait=True, cancel_futures=not wait)
        for process in self._processes:
            process.close()
        self._starter.shutdown()

    def _start(self) -> None:
        with self._lock:
            while len(self._device_workers) < self.workers:
                worker = self._worker(self.threads)
                self._device_workers.append(worker)
                self._free.put(worker)

    def _worker(self, threads: int) -> LocalWorker:
        worker = LocalWorker(f"w{len(self._processes)}", threads)
        self._starter.submit(worker.start).result()
        self._processes.append(worker)
        return worker


def _died(queue: JobQueue, worker: WorkerHandle, queued_jobs: list[QueuedJob], error: WorkerDiedError) -> None:
    """Fail the whole queue: on one machine, the cause (mostly too little memory) would kill the next worker too."""
    reason = error.__cause__ or error
    for queued in queued_jobs:
        queued.resolve(Outcome(key=queued.job.key, error=reason))
    queue.fail(reason)


class LocalWorker:
    """A worker process."""

    def __init__(self, writer: str, threads: int) -> None:
        self._pool = ProcessPoolExecutor(
            1,
            # Spawned, not forked: torch and threads do not survive a fork.
            mp_context=spawning(),
            initializer=_start_worker,
            initargs=(writer, threads),
        )

    def start(self) -> None:
        """Start the process. It ends with the thread that calls this."""
        self._pool.submit(os.getpid)

    def exchange(self, jobs: Sequence[Job], timeout: float, withdrawn: Collection[str]) -> list[Outcome]:
        """Call `EngineWorker.exchange` in the process."""
        try:
            return self.call(functools.partial(engineworker.exchange, jobs, timeout, withdrawn)).result()
        except (BrokenProcessPool, CancelledError) as error:
            raise WorkerDiedError from error

    def call(self, function: Callable[[], T]) -> Future[T]:
        """Run a function in the process.

        Raises:
            BrokenProcessPool: the process has ended.
        """
        return self._pool.submit(function)

    def kill(self) -> None:
        """Kill the process."""
        # A private attribute, because ProcessPoolExecutor has no public way to kill.
        processes: list[Any] = list((self._pool._processes or {}).values())
        for process in processes:
            process.kill()

    def close(self) -> None:
        """End the process."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def _start_worker(writer: str, threads: int) -> None:
    # Ctrl-C and a terminal that is closed reach the whole process group, and so does the SIGTERM of `timeout` or a scheduler. The driver
    # decides what to do; until then no endpoint gets a paid request.
    for number in stop_signals():
        signal.signal(number, lambda number, frame: engineworker.stop_requests())
    _die_with_parent()
    # Before torch is imported, which reads them once.
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = str(threads)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    engineworker.set_writer(writer)


def _die_with_parent() -> None:
    # A driver that is killed with -9 cannot stop its workers. Without this they would wait for work forever (Linux only).
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        parent = multiprocessing.parent_process()
        if parent is not None and os.getppid() != parent.pid:  # the driver was killed before prctl took effect
            os._exit(1)
