"""The interface of an executor: functions and jobs in, futures out."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import ParamSpec, Protocol, TypeVar

from isocost.executors.jobs import Answers, Job

P = ParamSpec("P")
T = TypeVar("T")


class Executor(Protocol):
    """Runs functions and jobs in workers.

    Attributes:
        cores: Cores of the driver's machine.
        workers: The number of functions that run at once, and of jobs whose engine occupies a whole device.
    """

    cores: int

    @property
    def workers(self) -> int:
        """The number of workers. The first access may join a cluster."""

    def submit(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run a function in a worker. The first call starts the workers."""

    def submit_to(self, queue: str, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run a function in the process that has the client of an endpoint for its batches, one function after the other."""

    def send(self, job: Job) -> Future[Answers]:
        """Queue a job and return its future. Jobs of one queue are answered in the order in which they were sent.

        The future raises EngineError if the engine could not answer, and StorageError if the draws could not be committed.
        """

    def capacity(self, job: Job) -> int:
        """Return the number of jobs like this one to keep in flight. More would only hold reservations in the ledger."""

    def withdraw(self, queue: str) -> None:
        """Cancel the jobs of an endpoint's queue that it has not received yet. Their futures raise NotSentError.

        Jobs that are sent later are answered as usual.
        """

    def close(self, *, wait: bool = True) -> None:
        """Stop the workers. Without `wait`, running work is killed. A second call does nothing more."""
