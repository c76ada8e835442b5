"""An executor that sends jobs and functions to a Ray cluster."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from isocost.config import ExecutorSpec
from isocost.executors import engineworker
from isocost.executors.base import Executor, P, T
from isocost.executors.jobs import Answers, Job
from isocost.executors.ray.cluster import Cluster, Share, load_ray
from isocost.executors.ray.remote import RayWorker
from isocost.executors.ray.supervisor import Supervisor

DRIVER_FUNCTIONS: tuple[object, ...] = (
    engineworker.describe,
    engineworker.cut,
    engineworker.render,
)  # these need no device, but may need an endpoint's key, which never leaves this machine
EXIT_TIMEOUT = 10.0  # seconds that workers get to exit cleanly


class RayExecutor:
    """Runs functions and jobs in actors of a Ray cluster: one per accelerator, or one per few cores without accelerators.

    Endpoints are called, and engines are described, on this machine. The first work joins or starts the cluster.

    Args:
        spec: The study's executor section.
        here: The executor of this machine.
        small: True if the models are small enough that one core per worker is best.
        files: Files that every worker must see.
    """

    def __init__(self, spec: ExecutorSpec, here: Executor, *, small: bool, files: Sequence[Path]) -> None:
        self.cores = here.cores
        self._spec, self._here, self._small, self._files = spec, here, small, files
        self._lock = threading.Lock()  # several threads can be the first to need a worker
        self._cluster: Cluster | None = None
        self._share: Share | None = None
        self._supervisor: Supervisor | None = None
        self._callers: ThreadPoolExecutor | None = None
        self._dismissed = False

    @property
    def workers(self) -> int:
        """The number of actors when all are alive.

        Raises:
            InputError: the cluster cannot be reached or used.
        """
        return self._joined()[1].workers

    def submit(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run a function in the next free worker."""
        if any(function is look for look in DRIVER_FUNCTIONS):
            return self._here.submit(function, *args, **kwargs)
        supervisor, workers = self._started(), self.workers
        with self._lock:
            self._callers = self._callers or ThreadPoolExecutor(workers)
        return self._callers.submit(supervisor.call, functools.partial(function, *args, **kwargs))

    def submit_to(self, queue: str, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run a function in the process for the batches of an endpoint, on this machine."""
        return self._here.submit_to(queue, function, *args, **kwargs)

    def send(self, job: Job) -> Future[Answers]:
        """Queue a job for the next free worker."""
        return self._here.send(job) if job.remote else self._started().queue.put(job)

    def capacity(self, job: Job) -> int:
        """Return twice the number of jobs answered at once, so that no worker waits for the driver."""
        return self._here.capacity(job) if job.remote else 2 * job.concurrency * self.workers

    def withdraw(self, queue: str) -> None:
        """Cancel the jobs of an endpoint's queue that were not sent yet."""
        self._here.withdraw(queue)

    def close(self, *, wait: bool = True) -> None:
        """Stop the workers. Without `wait`, running work is killed. A Ray instance that this run started ends too."""
        left = self._supervisor.close(wait=wait) if self._supervisor else []
        if self._callers:
            self._callers.shutdown(wait=True, cancel_futures=not wait)
        if self._cluster and not self._dismissed:
            self._dismissed = True
            self._dismiss(self._cluster, left)
            self._cluster.close()
        self._here.close(wait=wait)

    def _dismiss(self, cluster: Cluster, workers: Sequence[RayWorker]) -> None:
        """Let workers close their engines and exit, then kill those that did not: the cluster may outlive this run."""
        # All are asked before any is waited for, so that they exit at the same time.
        leaving = [worker.leave() for worker in workers]
        if leaving:
            cluster.ray.wait(leaving, num_returns=len(leaving), timeout=EXIT_TIMEOUT)
        for worker in workers:
            worker.kill()

    def _joined(self) -> tuple[Cluster, Share]:
        with self._lock:
            if self._cluster is None or self._share is None:
                self._cluster = Cluster(load_ray(), self._spec.address, self.cores)
                self._share = self._cluster.share(self._spec, small=self._small)
            return self._cluster, self._share

    def _started(self) -> Supervisor:
        cluster, share = self._joined()
        with self._lock:
            if self._supervisor is None:
                self._supervisor = Supervisor(lambda number: RayWorker(cluster.ray, number, share), share.workers, self._files)
            return self._supervisor
