"""Grading in the background: what can be settled at once is settled in the calling thread, the rest goes to worker processes."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import CancelledError, Future, wait
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Protocol, Self

from isocost.errors import InputError
from isocost.graders import load_grader
from isocost.graders.base import TRUNCATED, AnswerGrader, Grader, ungraded
from isocost.grading.judging import check_verdict, failed_verdict, judge_pair, last_step, two_steps
from isocost.grading.process import Setup
from isocost.grading.supervisor import Supervisor, Task
from isocost.records import Outcome, Pair, Verdict

MOST_REMEMBERED = 100_000  # cached verdicts, some 50 MB
LONGEST_REMEMBERED = 1000  # characters of a cached answer and reason
MARGIN = 2.0  # seconds by which a grader that enforces the time limit itself may exceed it; its `overtime` overrides this


class Named(Protocol):
    """The name and version that verdicts are stored under."""

    @property
    def name(self) -> str:
        """The grader's name in a study."""

    @property
    def version(self) -> str:
        """A version that changes whenever a verdict can change."""


class Grading(Protocol):
    """A background grader: by comparison with a reference answer, or by a model."""

    @property
    def grader(self) -> Named:
        """The grader whose verdicts they are."""

    def submit(self, pairs: Sequence[Pair]) -> Future[list[Verdict]]:
        """Grade solutions. Return a future of their verdicts, in order."""


@dataclass(slots=True)
class _Job:
    """Submitted pairs: the verdicts known so far, and the positions of the missing ones by digest."""

    verdicts: list[Verdict | None]
    missing: dict[bytes, list[int]] = field(default_factory=dict)
    future: Future[list[Verdict]] = field(default_factory=Future)

    def finish(self) -> None:
        if not self.future.done():
            self.future.set_result([verdict or ungraded("lost") for verdict in self.verdicts])


class GradingPool:
    """A pool that grades in the background: a context manager, for use from any thread.

    A grader in two steps (`AnswerGrader`) extracts and settles answers in this process; each distinct (reference, answer) that it leaves
    open goes to a worker process once. Any other grader goes to a worker with the whole solution, unless it is `cheap`. The grader's own
    verdicts are cached, within limits. Leaving the `with` block waits for submitted pairs, or stops at once if an exception is raised.

    A solution that cannot be judged is ungraded, and the others are graded. Its reason is one of
        timeout         it took longer than the time limit, and its process was killed
        memory          it took more memory than the grader allows or the machine has
        crash           its process died of it, twice
        error: ...      the grader raised this exception

    Args:
        grader_name: A grader's name, or `package.module:attribute`.
        workers: The maximum number of worker processes. They start with the first solutions that need them.
        time_limit: Seconds allowed per solution.
        options: The grader's own settings.

    Raises:
        InputError: there is no such grader, or an option is wrong.
    """

    def __init__(self, grader_name: str, *, workers: int, time_limit: float, options: Mapping[str, object] | None = None) -> None:
        self.grader: Grader = load_grader(grader_name, options)
        patience = time_limit
        if hasattr(self.grader, "time_limit"):
            self.grader.time_limit = time_limit  # as in the workers, because `overtime` may depend on it
            patience += getattr(self.grader, "overtime", MARGIN)
        self._setup = Setup(name=grader_name, options=_plain(grader_name, options or {}), time_limit=time_limit, patience=patience)
        self._workers = max(1, workers)
        self._steps = two_steps(self.grader)
        self._cheap = self._steps is None and bool(getattr(self.grader, "cheap", False))
        self._lock, self._judging = threading.Lock(), threading.Lock()
        self._remembered: OrderedDict[bytes, Verdict] = OrderedDict()
        self._waiting: dict[bytes, list[_Job]] = {}
        self._supervisor: Supervisor | None = None
        self._failure: BaseException | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if kind is None:
                with self._lock:
                    futures = {job.future for jobs in self._waiting.values() for job in jobs}
                wait(futures)
        finally:
            self._fail(CancelledError())
            if self._supervisor is not None:
                self._supervisor.close()

    @property
    def processes(self) -> int:
        """The number of worker processes needed so far."""
        return self._supervisor.size if self._supervisor else 0

    def submit(self, pairs: Sequence[Pair]) -> Future[list[Verdict]]:
        """Grade solutions. Return a future of their verdicts, in order, which is done already if no worker is needed.

        The future raises RunError if no worker can be started.
        """
        job = _Job([None] * len(pairs))
        seen: dict[tuple[str, str, bool], Verdict | Task] = {}
        open_tasks: dict[bytes, Task] = {}
        with self._judging:  # a grader need not be thread-safe
            for position, pair in enumerate(pairs):
                same = (pair.reference, pair.generation, pair.truncated)
                found = seen.get(same)
                if found is None:
                    found = seen[same] = self._at_once(*same)
                if isinstance(found, Verdict):
                    job.verdicts[position] = found
                else:
                    open_tasks[found.digest] = found
                    job.missing.setdefault(found.digest, []).append(position)
        if open_tasks:
            job.future.set_running_or_notify_cancel()  # a cancelled future would make `set_result` raise in a worker's thread
            self._wait_for(job, open_tasks)
        else:
            job.finish()
        return job.future

    def _at_once(self, reference: str, generation: str, truncated: bool) -> Verdict | Task:
        """Return the verdict, or the task that a worker has to do for it."""
        text = generation
        if self._steps is not None:
            try:
                answer, settled = _first_step(self._steps, reference, generation, truncated)
                if settled is not None or answer is None:
                    return ungraded("unsettled") if settled is None else check_verdict(settled)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - recorded as the solution's verdict, as in `judge_pair`
                return failed_verdict(error)
            text = answer
        task = Task(_digest(reference, text), reference, text)
        if not self._cheap:
            return task
        with self._lock:
            known = self._remembered.get(task.digest)
        if known is None:
            known = judge_pair(last_step(self.grader), reference, text)
            with self._lock:
                self._remember(task.digest, known)
        return known

    def _wait_for(self, job: _Job, tasks: Mapping[bytes, Task]) -> None:
        """Fill in the cached verdicts, and queue the tasks of the others."""
        with self._lock:
            for digest in tasks:
                if (verdict := self._remembered.get(digest)) is not None:
                    self._remembered.move_to_end(digest)
                    self._fill(job, digest, verdict)
            fresh = [task for digest, task in tasks.items() if digest in job.missing and digest not in self._waiting]
            if job.missing and self._failure is not None:
                job.future.set_exception(self._failure)
                return
            for digest in job.missing:
                self._waiting.setdefault(digest, []).append(job)
            if fresh and self._supervisor is None:
                self._supervisor = Supervisor(self._setup, self._workers, self._record, self._fail)
            complete = not job.missing
        # Outside the lock: a callback of the future may submit again.
        if complete:
            job.finish()
        elif fresh and self._supervisor is not None:
            self._supervisor.put(fresh)

    @staticmethod
    def _fill(job: _Job, digest: bytes, verdict: Verdict) -> None:
        for position in job.missing.pop(digest):
            job.verdicts[position] = verdict

    def _remember(self, digest: bytes, verdict: Verdict) -> None:
        if len(verdict.predicted_answer or "") + len(verdict.reason) <= LONGEST_REMEMBERED:
            self._remembered[digest] = verdict
            if len(self._remembered) > MOST_REMEMBERED:
                self._remembered.popitem(last=False)

    def _record(self, task: Task, verdict: Verdict, own: bool) -> None:
        with self._lock:
            if own:  # a timeout or crash is not cached, because a machine short of time or memory may have caused it
                self._remember(task.digest, verdict)
            jobs = self._waiting.pop(task.digest, [])
            for job in jobs:
                self._fill(job, task.digest, verdict)
            finished = [job for job in jobs if not job.missing]
        for job in finished:
            job.finish()

    def _fail(self, error: BaseException) -> None:
        """Make every waiting future raise, and every later one that would have to wait."""
        with self._lock:
            self._failure = self._failure or error
            jobs = {id(job): job for jobs in self._waiting.values() for job in jobs}
            self._waiting.clear()
        for job in jobs.values():
            if not job.future.done():
                job.future.set_exception(error)


def _first_step(steps: AnswerGrader, reference: str, generation: str, truncated: bool) -> tuple[str | None, Verdict | None]:
    """Return the answer, and the verdict if it can be settled."""
    answer = steps.extract(generation)
    if not truncated or answer is None or steps.is_stated(generation, answer):
        return answer, steps.settle(reference, answer)
    settled = steps.settle(reference, None)
    if settled and settled.outcome is Outcome.NO_ANSWER:
        settled = replace(settled, reason=TRUNCATED)
    return None, settled


def _plain(grader_name: str, options: Mapping[str, object]) -> Mapping[str, object]:
    try:
        json.dumps(dict(options))
    except (TypeError, ValueError) as error:
        raise InputError(f'grader "{grader_name}": options must be plain data, text or numbers: {error}') from error
    return options


def _digest(reference: str, text: str) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for part in (reference, text):
        data = part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big") + data)  # with its length: ("ab", "c") must differ from ("a", "bc")
    return digest.digest()
