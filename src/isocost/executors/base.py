"""What every executor offers: functions and jobs in, futures out."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import ParamSpec, Protocol, TypeVar

from isocost.executors.jobs import Answers, Job

P = ParamSpec("P")
T = TypeVar("T")


class Executor(Protocol):
    """Where work runs.

    Attributes:
        cores: Cores of the driver's machine, for what runs there.
        workers: How many functions, and how many jobs of engines that use a device whole, run at once.
    """

    cores: int

    @property
    def workers(self) -> int:
        """A cluster may be joined only when this is asked for."""

    def submit(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run a function in a worker; the workers start with the first call."""

    def send(self, job: Job) -> Future[Answers]:
        """Have a job answered, after the jobs of its queue that were sent before.

        Its future raises EngineError where the engine could not answer, StorageError where its draws could not be committed.
        """

    def capacity(self, job: Job) -> int:
        """How many jobs like this one are worth having under way at once: more would only hold reservations."""

    def withdraw(self, queue: str) -> None:
        """Ask an endpoint nothing more: the futures of its queue's jobs that it was not asked yet raise NotSentError.

        Jobs that are sent later are answered as ever.
        """

    def close(self, *, wait: bool = True) -> None:
        """End the workers; without `wait` in the middle of their work."""
