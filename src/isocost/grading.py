"""The grading stage: solutions in, verdicts out, while the caller goes on sampling.

Graders of plain Python run where they are called. The others run in worker processes, since sympy can hang, run out of memory or take
the process down with it: a solution that does so is `ungraded`, and all others get their verdict. Workers work on several solutions at
a time; when such a chunk fails, its solutions are graded one by one, which finds the guilty one.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, wait
from dataclasses import dataclass, field
from itertools import islice
from types import TracebackType
from typing import Any, Self

import psutil
from pebble import ProcessExpired, ProcessPool

from isocost.errors import RunError
from isocost.graders import load_grader
from isocost.graders.base import Grader
from isocost.records import Outcome, Problem, Verdict

CHUNK = 32  # solutions sent to a worker at a time
BATCH = 512  # solutions submitted at a time by `grade`
MOST_RESTARTS = 3  # of a pool whose workers all died without a solution to blame


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A solution to grade. `key` is the caller's, and comes back with the verdict."""

    key: str
    reference: str
    generation: str


@dataclass(slots=True)
class _Job:
    """A list of pairs that was submitted, waiting for the verdicts of the digests that are still missing."""

    digests: list[bytes]
    missing: set[bytes]
    future: Future[list[Verdict]] = field(default_factory=Future)


@dataclass(frozen=True, slots=True)
class _Task:
    digest: bytes
    reference: str
    generation: str


class GradingPool:
    """Grades in the background; a context manager, to be used from any thread.

    Equal solutions of equal references are graded once in its life. Leaving the `with` block waits for what was submitted, or stops it
    at once if an exception is on its way.

    Args:
        grader_name: A grader's name, or `package.module:attribute`.
        workers: Worker processes, started with the first solution that needs one.
        time_limit: Seconds that one solution may take.

    Raises:
        InputError: there is no such grader.
    """

    def __init__(self, grader_name: str, *, workers: int, time_limit: float) -> None:
        self.grader: Grader = load_grader(grader_name)
        self._name = grader_name
        self._workers, self._time_limit = max(1, workers), time_limit
        self._cheap = bool(getattr(self.grader, "cheap", False))
        self._lock = threading.RLock()
        self._verdicts: dict[bytes, Verdict] = {}
        self._waiting: dict[bytes, list[_Job]] = {}
        self._pool: Any = None
        self._restarts = 0
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None:
            with self._lock:
                futures = {job.future for jobs in self._waiting.values() for job in jobs}
            wait(futures)
        with self._lock:
            pool, self._pool, self._closed = self._pool, None, True
        if pool is not None:
            pool.stop()
            pool.join()
        self._fail(list(self._waiting), CancelledError())

    def submit(self, pairs: Sequence[Pair]) -> Future[list[Verdict]]:
        """Grade solutions; the future holds their verdicts in order. A cheap grader is done when this returns.

        The future raises RunError where no worker can be started.
        """
        tasks = {task.digest: task for task in map(_task, pairs)}
        digests = [_task(pair).digest for pair in pairs]
        with self._lock:
            fresh = [task for digest, task in tasks.items() if digest not in self._verdicts and digest not in self._waiting]
            if self._cheap:
                self._verdicts.update((task.digest, _grade_one(self.grader, task)) for task in fresh)
                fresh = []
            job = _Job(digests, {digest for digest in tasks if digest not in self._verdicts})
            for digest in job.missing:
                self._waiting.setdefault(digest, []).append(job)
        if not job.missing:
            job.future.set_result([self._verdicts[digest] for digest in digests])
        for chunk in _chunks(fresh, CHUNK):
            self._send(chunk)
        return job.future

    def _send(self, chunk: list[_Task]) -> None:
        with self._lock:
            if self._closed:  # a chunk that failed while the pool was being stopped must not start a new one
                self._fail([task.digest for task in chunk], CancelledError())
                return
            if self._pool is None:
                self._pool = self._start()
            pool = self._pool
            future = pool.schedule(_grade_chunk, args=[chunk, self._time_limit / 2], timeout=self._time_limit)
        future.add_done_callback(lambda done: self._receive(pool, chunk, done))

    def _start(self) -> Any:
        # Spawned, not forked: the caller has threads and may hold a GPU.
        return ProcessPool(
            max_workers=self._workers,
            initializer=_start_worker,
            initargs=(self._name,),
            context=multiprocessing.get_context("spawn"),
        )

    def _receive(self, pool: Any, chunk: list[_Task], done: Future[list[Verdict]]) -> None:
        error = CancelledError() if done.cancelled() else done.exception()
        if error is None:
            verdicts = done.result()
            self._record(chunk[: len(verdicts)], verdicts)
            if rest := chunk[len(verdicts) :]:
                self._send(rest)
        elif isinstance(error, TimeoutError | ProcessExpired):
            if len(chunk) == 1:
                self._record(chunk, [_ungraded("timeout" if isinstance(error, TimeoutError) else "crash")])
                return
            for task in chunk:
                self._send([task])
        elif isinstance(error, CancelledError):
            self._fail([task.digest for task in chunk], error)
        else:
            self._restart(pool, chunk, error)

    def _restart(self, pool: Any, chunk: list[_Task], error: BaseException) -> None:
        """All workers died with nothing to blame: killed from outside, or unable to start."""
        with self._lock:
            if self._pool is pool:
                self._pool, self._restarts = None, self._restarts + 1
            given_up = self._restarts > MOST_RESTARTS
        if given_up:
            failure = RunError(f"grading workers cannot be started: {error}\n  a script that starts runs needs: if __name__ == '__main__':")
            self._fail([task.digest for task in chunk], failure)
        else:
            self._send(chunk)

    def _record(self, tasks: Sequence[_Task], verdicts: Sequence[Verdict]) -> None:
        finished: list[_Job] = []
        with self._lock:
            for task, verdict in zip(tasks, verdicts, strict=True):
                self._verdicts[task.digest] = verdict
                for job in self._waiting.pop(task.digest, []):
                    job.missing.discard(task.digest)
                    if not job.missing and not job.future.done():
                        finished.append(job)
        for job in finished:
            job.future.set_result([self._verdicts[digest] for digest in job.digests])

    def _fail(self, digests: Iterable[bytes], error: BaseException) -> None:
        with self._lock:
            jobs = [job for digest in digests for job in self._waiting.pop(digest, [])]
            for job in jobs:
                if not job.future.done():
                    job.future.set_exception(error)


def grade(pairs: Iterable[Pair], grader_name: str, *, workers: int, time_limit: float) -> Iterator[tuple[str, Verdict]]:
    """The verdict of every pair, in order, each with its key. Reads ahead no further than keeps the workers busy.

    Args:
        pairs: Solutions with their references.
        grader_name: A grader's name, or `package.module:attribute`.
        workers: Worker processes.
        time_limit: Seconds that one solution may take; one that takes longer is `ungraded`.

    Raises:
        InputError: there is no such grader.
        RunError: no worker can be started.
    """
    source = iter(pairs)
    under_way: deque[tuple[list[Pair], Future[list[Verdict]]]] = deque()
    with GradingPool(grader_name, workers=workers, time_limit=time_limit) as pool:
        while True:
            while len(under_way) <= workers and (batch := list(islice(source, BATCH))):
                under_way.append((batch, pool.submit(batch)))
            if not under_way:
                return
            batch, future = under_way.popleft()
            yield from zip((pair.key for pair in batch), future.result(), strict=True)


def check_gold(problems: Iterable[Problem], pool: GradingPool) -> list[tuple[str, str]]:
    """(problem id, reason) of every problem whose own reference answer the grader does not accept as a solution's final answer."""
    problems = list(problems)
    pairs = [Pair(key=problem.id, reference=problem.answer, generation=_as_solution(problem.answer)) for problem in problems]
    verdicts = pool.submit(pairs).result()
    return [(pair.key, verdict.reason) for pair, verdict in zip(pairs, verdicts, strict=True) if not verdict.correct]


def _as_solution(answer: str) -> str:
    return f"The final answer is \\boxed{{{answer}}}."


def _task(pair: Pair) -> _Task:
    digest = hashlib.blake2b(digest_size=16)
    for text in (pair.reference, pair.generation):
        data = text.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big") + data)
    return _Task(digest.digest(), pair.reference, pair.generation)


def _chunks(tasks: list[_Task], size: int) -> Iterator[list[_Task]]:
    for start in range(0, len(tasks), size):
        yield tasks[start : start + size]


def _ungraded(reason: str) -> Verdict:
    return Verdict(outcome=Outcome.UNGRADED, predicted_answer=None, reason=reason)


_worker_grader: Grader | None = None  # of this worker process; a driver never sets it


def _start_worker(grader_name: str) -> None:
    global _worker_grader
    grader = load_grader(grader_name)
    if prepare := getattr(grader, "prepare", None):
        prepare()
    if limit := getattr(grader, "memory_limit", None):
        _limit_memory(limit)
    _worker_grader = grader


def _limit_memory(limit: int) -> None:
    try:
        import resource
    except ImportError:
        return
    used = psutil.Process().memory_info().vms
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + limit, hard))


def _grade_chunk(tasks: list[_Task], patience: float) -> list[Verdict]:
    """Verdicts of the first tasks, as many as are begun within `patience` seconds, so that a chunk of slow ones is not taken for a hang."""
    if _worker_grader is None:
        raise RuntimeError("not a grading worker")
    start = time.monotonic()
    verdicts: list[Verdict] = []
    for task in tasks:
        verdicts.append(_grade_one(_worker_grader, task))
        if time.monotonic() - start > patience:
            break
    return verdicts


def _grade_one(grader: Grader, task: _Task) -> Verdict:
    try:
        verdict = grader.grade(task.reference, task.generation)
    except Exception as error:  # noqa: BLE001 - a grader may raise anything: recorded as the solution's verdict, so that the rest go on
        return _ungraded(f"error: {type(error).__name__}: {str(error)[:200]}")
    if not isinstance(verdict, Verdict):
        return _ungraded(f"error: the grader returned {type(verdict).__name__}, not a Verdict")
    return verdict
