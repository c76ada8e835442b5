"""What an engine is at, in a worker: so many jobs at once, the others in line behind them."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import cast

from isocost.engines.base import Generation, StartingEngine
from isocost.errors import EngineError, NotSentError, TryAgainError, UsageError
from isocost.executors.enginecache import EngineCache
from isocost.executors.jobs import Job


@dataclass(frozen=True, slots=True, kw_only=True)
class JobResult:
    """A job that its engine has answered, or not."""

    job: Job
    generations: Sequence[Sequence[Generation]] = ()
    seconds: float = 0.0
    error: BaseException | None = None


_Answer = tuple[Sequence[Sequence[Generation]], float]  # and when the engine was asked


class ConcurrencyLimiter:
    """Jobs for one engine, or for all engines of one device: at most so many are under way.

    An engine that can start a batch and go on is asked so; any other has a thread for each batch under way. An endpoint's first request
    goes alone: until one reply has passed its checks, nobody knows what the endpoint charges. One that has failed for good is asked nothing
    more.

    Args:
        size: How many are under way at once.
        engines: Where the engines are.
        stopping: Once it is set, no endpoint is asked any more. A signal may set it, and so it is looked at, not waited for.
        finished: Called with each job that is over, by whichever thread.
    """

    def __init__(self, size: int, engines: EngineCache, stopping: threading.Event, finished: Callable[[JobResult], None]) -> None:
        self._size, self._engines, self._stopping, self._finished = size, engines, stopping, finished
        self._lock = threading.Lock()
        self._waiting: deque[Job] = deque()
        self._under_way = 0
        self._beginning = False
        self._checked = self._refused = False  # an endpoint: whether a reply passed its checks, and whether it failed for good
        self._threads: ThreadPoolExecutor | None = None

    def put(self, jobs: Sequence[Job]) -> None:
        """Have jobs answered, in order."""
        with self._lock:
            self._waiting.extend(jobs)
        if self._refused:
            self.withdraw()
        self._go_on()

    def withdraw(self) -> None:
        """Ask an endpoint nothing more: jobs for it that wait for their turn end, and cost nothing."""
        with self._lock:
            kept = [job for job in self._waiting if not job.remote]
            withdrawn = [job for job in self._waiting if job.remote]
            self._waiting = deque(kept)
        for job in withdrawn:
            self._finished(JobResult(job=job, error=not_sent_error()))

    def _go_on(self) -> None:
        """Begin what there is room for."""
        with self._lock:
            if self._beginning:  # whoever is at it sees what has changed
                return
            self._beginning = True
        while True:
            with self._lock:
                if not self._waiting or self._under_way >= self._room_for(self._waiting[0]):
                    self._beginning = False
                    return
                job = self._waiting.popleft()
                self._under_way += 1
            self._begin(job)

    def _room_for(self, job: Job) -> int:
        return self._size if self._checked or not job.remote else 1

    def _begin(self, job: Job) -> None:
        try:
            if job.remote and (self._stopping.is_set() or self._refused):
                raise not_sent_error()
            if isinstance(self._engines.get(job.spec), StartingEngine):
                self._start(job)
            else:
                self._threads = self._threads or ThreadPoolExecutor(self._size)
                self._threads.submit(self._generate, job)
        except BaseException as error:  # noqa: BLE001 - it is raised again by the driver
            self._end(JobResult(job=job, error=error))

    def _start(self, job: Job) -> None:
        engine = self._engines.acquire(job.spec)
        try:
            started = time.monotonic()
            answer = cast("StartingEngine", engine).start(job.requests, job.params, job.seed)
        except BaseException:
            self._engines.release(job.spec)
            raise

        def take(answer: Future[list[list[Generation]]]) -> None:
            self._engines.release(job.spec)
            self._end(_finished(job, lambda: (answer.result(), started)))

        answer.add_done_callback(take)

    def _generate(self, job: Job) -> None:
        def answer() -> _Answer:
            with self._engines.borrow(job.spec) as engine:
                started = time.monotonic()  # now, and not before another has made room
                return engine.generate(job.requests, job.params, job.seed), started

        self._end(_finished(job, answer))

    def _end(self, found: JobResult) -> None:
        if found.job.remote and found.error is None:
            self._checked = self._checked or any(g.num_prompt_tokens for of_request in found.generations for g in of_request)
        if found.job.remote and found.error is not None and not isinstance(found.error, TryAgainError | NotSentError):
            self._refused = True  # what waits would be refused too, and the driver hears of the refusal only later
            if isinstance(found.error, UsageError):
                found.error.in_flight = self._under_way - 1
        self._finished(found)
        if self._refused:
            self.withdraw()
        with self._lock:
            self._under_way -= 1
        self._go_on()


def not_sent_error() -> NotSentError:
    """Why a job for an endpoint has no answer."""
    return NotSentError("the run was stopped before this was sent")


def _finished(job: Job, answer: Callable[[], _Answer]) -> JobResult:
    try:
        generations, started = answer()
        _check_counts(job, generations)
    except BaseException as error:  # noqa: BLE001 - it is raised again by the driver
        return JobResult(job=job, error=error)
    return JobResult(job=job, generations=generations, seconds=time.monotonic() - started)


def _check_counts(job: Job, generations: Sequence[Sequence[Generation]]) -> None:
    """Refuse answers that would be stored under the numbers of other draws.

    Raises:
        EngineError: the engine does not keep its contract.
    """
    counts, asked = [len(each) for each in generations], [request.count for request in job.requests]
    if len(counts) != len(asked) or any(count > most for count, most in zip(counts, asked, strict=True)):
        raise EngineError(
            f"engine {job.spec.name}: was asked for {asked} solutions and returned {counts}\n  this is a mistake in the engine"
        )
