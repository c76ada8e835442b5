"""The driver's side of workers: a queue of jobs for each lane, and a thread for each worker that carries them there and back."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field
from typing import Protocol

from isocost.executors.jobs import Answers, Job, Outcome
from isocost.executors.windows import not_sent

PATIENCE = 0.05  # seconds that a worker waits for an answer before it asks for more jobs
PATIENCE_WHEN_FULL = 0.5  # the same where it has no room for more


class WorkerDiedError(Exception):
    """A worker ended in the middle of its work; the executor decides what that means for its jobs."""


class Worker(Protocol):
    """A process, here or elsewhere, that has a `Desk`."""

    def exchange(self, jobs: Sequence[Job], patience: float, withdrawn: Collection[str]) -> list[Outcome]:
        """`Desk.exchange` over there.

        Raises:
            WorkerDiedError: it is not there any more.
        """


@dataclass(slots=True)
class Ticket:
    """A job under way, and where its answers go."""

    job: Job
    future: Future[Answers] = field(default_factory=Future)
    deaths: int = 0
    withdrawals: int = 0  # of its lane, as far as they do not concern it

    def settle(self, outcome: Outcome) -> None:
        """Hand its answers over."""
        with contextlib.suppress(InvalidStateError):  # the driver has given up on it
            if outcome.answers is not None:
                self.future.set_result(outcome.answers)
            else:
                self.future.set_exception(outcome.error or RuntimeError(f"job {outcome.key} came back without an outcome"))


class Lane:
    """Jobs that wait for the same workers: a queue, and a thread for each worker that carries jobs there and answers back.

    As many jobs lie at a worker as its engine answers at once, and as many again: it never waits for the driver.

    Args:
        workers: The workers.
        died: Called with a worker that died, the jobs that were there, and why.
    """

    def __init__(self, workers: Sequence[Worker], died: Callable[[Lane, Worker, list[Ticket], WorkerDiedError], None]) -> None:
        self._died = died
        self._jobs: queue.SimpleQueue[Ticket | None] = queue.SimpleQueue()
        self._failure: BaseException | None = None
        self._withdrawals = 0
        self._threads: list[threading.Thread] = []
        for worker in workers:
            self.add(worker)

    def put(self, job: Job) -> Future[Answers]:
        """Have a job answered."""
        ticket = Ticket(job, withdrawals=self._withdrawals)
        self.again(ticket)
        return ticket.future

    def again(self, ticket: Ticket) -> None:
        """Have a job answered whose worker died."""
        self._jobs.put(ticket)
        if self._failure:
            self.fail(self._failure)

    def fail(self, error: BaseException) -> None:
        """Nobody answers jobs of this lane any more: those that wait, and those that come, fail."""
        self._failure = error
        with contextlib.suppress(queue.Empty):
            while True:
                ticket = self._jobs.get_nowait()
                if ticket is None:  # meant for a thread of this lane, which ends by it
                    self._jobs.put(None)
                    return
                ticket.settle(Outcome(key=ticket.job.key, error=error))

    def withdraw(self) -> None:
        """Ask an endpoint nothing more of what was put so far: jobs that it was not asked yet raise NotSentError."""
        self._withdrawals += 1
        waiting: list[Ticket | None] = []
        with contextlib.suppress(queue.Empty):
            while True:
                waiting.append(self._jobs.get_nowait())
        for ticket in waiting:
            if ticket is None:  # meant for a thread
                self._jobs.put(None)
            else:
                ticket.settle(Outcome(key=ticket.job.key, error=not_sent()))

    def add(self, worker: Worker) -> None:
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

    def _carry(self, worker: Worker) -> None:
        there: list[Ticket] = []
        more = True
        while more or there:
            new, more = self._take(there) if more else ([], False)
            withdrawn = {ticket.job.lane for ticket in there if self._is_withdrawn(ticket)}
            there += new
            if not there:
                continue
            patience = PATIENCE if _room(there) > 0 else PATIENCE_WHEN_FULL
            try:
                outcomes = worker.exchange([ticket.job for ticket in new], patience, withdrawn)
            except WorkerDiedError as error:
                self._died(self, worker, there, error)
                return
            except BaseException as error:  # noqa: BLE001 - whoever waits for these jobs gets it; nobody else hears of this thread
                for ticket in there:
                    ticket.settle(Outcome(key=ticket.job.key, error=error))
                there = []
                continue
            for outcome in outcomes:
                # Two jobs may have one key, where two students are the same model: equal jobs, so that either answer will do.
                place = next((i for i, ticket in enumerate(there) if ticket.job.key == outcome.key), None)
                if place is not None:  # else it was among those that failed above
                    there.pop(place).settle(outcome)

    def _take(self, there: Sequence[Ticket]) -> tuple[list[Ticket], bool]:
        """Jobs that a worker has room for, and whether more may come; waits for one only if the worker has nothing to do."""
        new: list[Ticket] = []
        while True:
            if _room([*there, *new]) <= 0:
                return new, True
            try:
                ticket = self._jobs.get(block=not there and not new)
            except queue.Empty:
                return new, True
            if ticket is None:
                return new, False
            if self._is_withdrawn(ticket):  # between its being taken from the queue and the queue's being emptied
                ticket.settle(Outcome(key=ticket.job.key, error=not_sent()))
            else:
                new.append(ticket)

    def _is_withdrawn(self, ticket: Ticket) -> bool:
        """Whether a withdrawal concerns a ticket that was not told of it; it counts as told then."""
        concerned = ticket.job.remote and ticket.withdrawals < self._withdrawals
        ticket.withdrawals = self._withdrawals
        return concerned


def _room(there: Sequence[Ticket]) -> int:
    """How many jobs more may lie at a worker; one that has none is given one to begin with."""
    return (2 * there[0].job.concurrency if there else 1) - len(there)
