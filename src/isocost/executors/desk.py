"""What runs inside a worker: jobs are taken in, answered by engines, committed, and handed back, several to a call.

Only workers open engines. The driver imports neither torch nor an engine, so a finished study is read back in a moment.
"""

from __future__ import annotations

import contextlib
import pickle
import queue
import threading
import time
import traceback
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from isocost.engines.base import Generation, Request
from isocost.errors import EngineError, IsocostError, TryAgainError
from isocost.executors.jobs import Answers, EngineFacts, EngineSpec, Job, Outcome, StoredDraw
from isocost.executors.shelf import Shelf, is_exclusive
from isocost.executors.storing import rows_of
from isocost.store import BatchLog, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class _Finished:
    """A job that its engine has answered, or not."""

    job: Job
    generations: Sequence[Sequence[Generation]] = ()
    seconds: float = 0.0
    error: BaseException | None = None


@dataclass(slots=True)
class Desk:
    """One worker's engines and the jobs it is at.

    Attributes:
        writer: What its files are called, beside those of other workers.
        shelf: Its engines.
    """

    writer: str
    shelf: Shelf = field(default_factory=Shelf)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _coming: dict[str, tuple[Job, Future[None]]] = field(default_factory=dict)
    _threads: dict[str, ThreadPoolExecutor] = field(default_factory=dict)
    _finished: queue.SimpleQueue[_Finished] = field(default_factory=queue.SimpleQueue)

    def exchange(self, jobs: Sequence[Job], patience: float) -> list[Outcome]:
        """Take in jobs, and hand back those that were answered since the last call, committed.

        Args:
            jobs: New ones.
            patience: Seconds to wait for the first answer, if none is there.
        """
        for job in jobs:
            self._coming[job.key] = job, self._threads_of(job).submit(self._answer, job)
        found = self._not_asked() if self._stopping.is_set() else []
        with contextlib.suppress(queue.Empty):
            found.append(self._finished.get(timeout=patience))
            while True:
                found.append(self._finished.get_nowait())
        for each in found:
            self._coming.pop(each.job.key, None)
        return self._commit(found)

    def stop_asking(self) -> None:
        """Ask no endpoint any more: jobs for one that wait for their turn fail, and cost nothing. It may be called by a signal."""
        self._stopping.set()

    def _not_asked(self) -> list[_Finished]:
        waiting = [job for job, turn in self._coming.values() if job.remote and turn.cancel()]
        return [_Finished(job=job, error=_never_sent()) for job in waiting]

    def _threads_of(self, job: Job) -> ThreadPoolExecutor:
        # Engines that answer one job at a time share a thread: two models at once on one device would only slow each other down.
        name = job.lane if job.concurrency == 1 else job.spec.key
        if name not in self._threads:
            self._threads[name] = ThreadPoolExecutor(job.concurrency)
        return self._threads[name]

    def _answer(self, job: Job) -> None:
        started = time.monotonic()
        try:
            if job.remote and self._stopping.is_set():
                raise _never_sent()
            with self.shelf.taken(job.spec) as engine:
                started = time.monotonic()
                generations = engine.generate(job.requests, job.params, job.seed)
            _check_counts(job, generations)
        except BaseException as error:  # noqa: BLE001 - it is raised again by the driver
            self._finished.put(_Finished(job=job, error=error))
        else:
            self._finished.put(_Finished(job=job, generations=generations, seconds=time.monotonic() - started))

    def _commit(self, found: Sequence[_Finished]) -> list[Outcome]:
        """Append the draws of answered jobs to this worker's files, one write a file."""
        batches: dict[Path, list[tuple[str, list[Row]]]] = {}
        stored: dict[str, list[list[StoredDraw]]] = {}
        for each in found:
            if each.error is None and (storing := each.job.storing):
                rows, stored[each.job.key] = rows_of(each.job.requests, each.job.seed, storing, each.generations, each.seconds)
                if rows:  # a batch stands for good once it is committed: one that brought nothing is bought again, under the same key
                    batches.setdefault(storing.stem, []).append((each.job.key, rows))
        try:
            for stem, rows_by_batch in batches.items():
                BatchLog(stem, self.writer).append_all(rows_by_batch)
        except IsocostError as error:
            return [Outcome(key=each.job.key, error=each.error or error) for each in found]
        return [self._outcome(each, stored) for each in found]

    def _outcome(self, each: _Finished, stored: dict[str, list[list[StoredDraw]]]) -> Outcome:
        key = each.job.key
        if each.error is not None:
            return Outcome(key=key, error=_sendable(each.error))
        committed = key in stored
        return Outcome(
            key=key,
            answers=Answers(
                generations=() if committed else each.generations, stored=stored[key] if committed else (), seconds=each.seconds
            ),
        )


def _never_sent() -> TryAgainError:
    return TryAgainError("the run was stopped before this was sent")


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


def _sendable(error: BaseException) -> BaseException:
    """The error, or one that says the same where it would not survive the way to the driver; a traceback does not in any case."""
    if isinstance(error, IsocostError):
        return error
    told = "".join(traceback.format_exception(error))
    try:
        error.add_note(told)
        pickle.loads(pickle.dumps(error))
    except Exception:  # noqa: BLE001 - an exception of somebody else's may raise anything when it is made again
        error = RuntimeError(f"{type(error).__name__}: {error}")
        error.add_note(told)
    return error


_desk = Desk("w0")


def sit_down(writer: str) -> None:
    """Name this process's desk; called once, when a worker starts."""
    _desk.writer = writer


def stop_asking() -> None:
    """`Desk.stop_asking` of this process."""
    _desk.stop_asking()


def exchange(jobs: Sequence[Job], patience: float) -> list[Outcome]:
    """`Desk.exchange` of this process."""
    return _desk.exchange(jobs, patience)


def describe(spec: EngineSpec) -> EngineFacts:
    """What an engine says of its model.

    Raises:
        InputError: the model cannot be used.
    """
    engine = _desk.shelf.look(spec)
    return EngineFacts(
        identity=engine.identity,
        size=engine.size(),
        remote=engine.remote,
        concurrency=engine.concurrency,
        shares_prompts=engine.shares_prompts,
        exclusive=is_exclusive(engine),
    )


def cut(spec: EngineSpec, requests: Sequence[Request]) -> list[tuple[Request, ...]]:
    """Requests cut into batches as the engine wants them."""
    return _desk.shelf.look(spec).batches(requests)


def render(spec: EngineSpec, request: Request) -> str:
    """What the model reads for a request."""
    return _desk.shelf.look(spec).render(request)
