"""Limit in-flight jobs per engine and queue the rest."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import cast

from isocost.engines.base import Generation, StartingEngine
from isocost.errors import EngineError, NotSentError, RefusedPromptError, TryAgainError, UsageError
from isocost.executors.enginecache import EngineCache
from isocost.executors.jobs import Job


@dataclass(frozen=True, slots=True, kw_only=True)
class JobResult:
    """A finished job: the engine's generations, or its error."""

    job: Job
    generations: Sequence[Sequence[Generation]] = ()
    seconds: float = 0.0
    error: BaseException | None = None


_FAST, _SLOW = 1 / 4, 1 / 2  # shares of the timeout: what takes less is no danger, what takes more may pass it
_QUEUED = 1.5  # times as long per token as the fastest reply: the request has waited for others
_PAUSE = 16  # replies after the first loss of a place until one can be won again; twice as many after each further loss


class Room:
    """The number of requests that an endpoint may have at once, so that none waits past its timeout: it would be charged and sent again.

    A server that answers one request at a time makes the last of n requests wait n times as long as one alone. So the first reply, to a
    request alone, allows as many as such a server answers within a quarter of the timeout. Each reply that did not wait for others, or is
    fast all the same, then makes room for one more, which doubles the number with each round of replies. One that waited, and took over
    half of the timeout, takes a place away, and a request without a reply half of the places.

    Args:
        size: The largest number.
    """

    def __init__(self, size: int) -> None:
        self._size, self.places = size, 1
        self._fastest: float | None = None  # seconds per token
        self._pause, self._next_pause = 0, _PAUSE

    def count_reply(self, seconds: float, tokens: int, timeout: float | None) -> None:
        """Count a reply that has passed the checks.

        Args:
            seconds: How long it took.
            tokens: How many tokens it has.
            timeout: Seconds after which a request is given up; None for an engine without such a limit.
        """
        if timeout is None or seconds <= 0:
            self.places = self._size
            return
        each = seconds / max(1, tokens)
        if self._fastest is None:
            self.places, self._fastest = self._bounded(timeout * _FAST / seconds), each
            return
        self._fastest = min(self._fastest, each)
        has_waited = each > _QUEUED * self._fastest
        self._pause = max(0, self._pause - 1)
        if seconds < _FAST * timeout or not has_waited:
            if not self._pause:
                self.places = self._bounded(self.places + 1)
        elif seconds > _SLOW * timeout:
            self._lose(self.places - 1)

    def count_timeout(self) -> None:
        """Count a request that was sent and not answered."""
        self._lose(self.places / 2)

    def _lose(self, places: float) -> None:
        self.places = self._bounded(places)
        if not self._pause:
            self._pause, self._next_pause = self._next_pause, 2 * self._next_pause

    def _bounded(self, places: float) -> int:
        return max(1, min(self._size, int(places)))


_Answer = tuple[Sequence[Sequence[Generation]], float]  # the generations, and the time at which the engine was called


class ConcurrencyLimiter:
    """Limits the jobs in flight for one engine, or for all engines that share a device.

    An engine that implements StartingEngine gets its batches without a thread. Any other engine gets one thread per batch in flight.
    An endpoint's first request is sent alone: its price is unknown until one reply has passed the checks. From then on a slow endpoint gets
    fewer requests at once than a fast one (`Room`). After a permanent failure, an endpoint gets no further request.

    Args:
        size: Largest number of jobs in flight.
        engines: The worker's open engines.
        stopping: Once set, no endpoint gets a request. A signal handler may set it, so it is polled and never waited for.
        finished: Called with each finished job, from any thread.
    """

    def __init__(self, size: int, engines: EngineCache, stopping: threading.Event, finished: Callable[[JobResult], None]) -> None:
        self._size, self._engines, self._stopping, self._finished = size, engines, stopping, finished
        self._lock = threading.Lock()
        self._waiting: deque[Job] = deque()
        self._under_way = 0
        # True while a thread starts jobs. A second thread returns at once, so that jobs start in order.
        self._beginning = False
        # For endpoints: how many requests they may have; whether the endpoint has failed for good.
        self._room, self._refused = Room(size), False
        self._timeout: float | None = None
        self._threads: ThreadPoolExecutor | None = None

    def put(self, jobs: Sequence[Job]) -> None:
        """Queue jobs. They start in order."""
        with self._lock:
            self._waiting.extend(jobs)
        if self._refused:
            self.withdraw()
        self._start_waiting()

    def withdraw(self) -> None:
        """Cancel the waiting jobs of an endpoint. They end with NotSentError and cost nothing."""
        with self._lock:
            kept = [job for job in self._waiting if not job.remote]
            withdrawn = [job for job in self._waiting if job.remote]
            self._waiting = deque(kept)
        # Outside the lock, because the callback is the caller's code.
        for job in withdrawn:
            self._finished(JobResult(job=job, error=not_sent_error()))

    def _start_waiting(self) -> None:
        """Start waiting jobs until the limit is reached."""
        with self._lock:
            if self._beginning:  # the thread that starts jobs reads the queue again before it returns
                return
            self._beginning = True
        while True:
            with self._lock:
                if not self._waiting or self._under_way >= self._room_for(self._waiting[0]):
                    self._beginning = False
                    return
                job = self._waiting.popleft()
                self._under_way += 1
            # Outside the lock: an engine may answer inside this call, and that takes the lock again.
            self._begin(job)

    def _room_for(self, job: Job) -> int:
        return self._room.places if job.remote else self._size

    def _begin(self, job: Job) -> None:
        try:
            if job.remote and (self._stopping.is_set() or self._refused):
                raise not_sent_error()
            if isinstance(self._engines.get(job.spec), StartingEngine):
                self._start(job)
            else:
                self._threads = self._threads or ThreadPoolExecutor(self._size)
                self._threads.submit(self._generate, job)
        except BaseException as error:  # noqa: BLE001 - the driver raises it again
            self._end(JobResult(job=job, error=error))

    def _start(self, job: Job) -> None:
        engine = self._engines.acquire(job.spec)
        self._timeout = getattr(engine, "timeout", None)
        try:
            started = time.monotonic()
            answer = cast("StartingEngine", engine).start(job.requests, job.params, job.seed)
        except BaseException:
            self._engines.release(job.spec)
            raise

        def release_and_end(answer: Future[list[list[Generation]]]) -> None:
            self._engines.release(job.spec)
            self._end(_finished(job, lambda: (answer.result(), started)))

        answer.add_done_callback(release_and_end)

    def _generate(self, job: Job) -> None:
        def answer() -> _Answer:
            with self._engines.borrow(job.spec) as engine:
                # Measured here, so that the time spent waiting for another engine to close is not counted.
                started = time.monotonic()
                return engine.generate(job.requests, job.params, job.seed), started

        self._end(_finished(job, answer))

    def _end(self, found: JobResult) -> None:
        if found.job.remote:
            with self._lock:
                self._count(found)
        if found.job.remote and found.error is not None and not isinstance(found.error, TryAgainError | NotSentError | RefusedPromptError):
            # Waiting jobs would fail too. The driver hears of this failure only at the next exchange, so they are cancelled here.
            self._refused = True
            if isinstance(found.error, UsageError):
                found.error.in_flight = self._under_way - 1
        self._finished(found)
        if self._refused:
            self.withdraw()
        # The slot is freed last: no job may start between the failure and the cancellation.
        with self._lock:
            self._under_way -= 1
        self._start_waiting()

    def _count(self, found: JobResult) -> None:
        """Change the room of an endpoint after an answer, or after none."""
        # Without a token count a reply has not shown what the endpoint charges: the limit of one request stays.
        replies = [each for of_request in found.generations for each in of_request]
        if found.error is None and any(each.num_prompt_tokens for each in replies):
            self._room.count_reply(found.seconds, max(each.num_generated_tokens for each in replies), self._timeout)
        elif isinstance(found.error, TryAgainError) and found.error.charged:
            self._room.count_timeout()


def not_sent_error() -> NotSentError:
    """Return the error of a job that was cancelled before it was sent."""
    return NotSentError("the run was stopped before this was sent")


def _finished(job: Job, answer: Callable[[], _Answer]) -> JobResult:
    try:
        generations, started = answer()
        _check_counts(job, generations)
    except BaseException as error:  # noqa: BLE001 - the driver raises it again
        return JobResult(job=job, error=error)
    return JobResult(job=job, generations=generations, seconds=time.monotonic() - started)


def _check_counts(job: Job, generations: Sequence[Sequence[Generation]]) -> None:
    """Reject answers that would be stored under the sample numbers of other draws.

    Raises:
        EngineError: the engine returned other counts than requested.
    """
    counts, asked = [len(each) for each in generations], [request.count for request in job.requests]
    if len(counts) != len(asked) or any(count > most for count, most in zip(counts, asked, strict=True)):
        raise EngineError(
            f"engine {job.spec.name}: was asked for {asked} solutions and returned {counts}\n  this is a mistake in the engine"
        )
