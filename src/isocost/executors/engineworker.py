"""What runs inside a worker: jobs are taken in, answered by engines, committed, and handed back, several to a call.

Only workers open engines. The driver imports neither torch nor an engine, so a finished study is read back in a moment.
"""

from __future__ import annotations

import contextlib
import pickle
import queue
import threading
import traceback
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from isocost.engines.base import Request
from isocost.errors import IsocostError
from isocost.executors.concurrency import ConcurrencyLimiter, JobResult
from isocost.executors.enginecache import EngineCache, is_exclusive
from isocost.executors.jobs import Answers, EngineFacts, EngineSpec, Job, Outcome, StoredDraw
from isocost.executors.storing import rows_of
from isocost.store import BatchLog, Row


@dataclass(slots=True)
class EngineWorker:
    """One worker's engines and the jobs it is at.

    Attributes:
        writer: What its files are called, beside those of other workers.
        engines: Its engines.
    """

    writer: str
    engines: EngineCache = field(default_factory=EngineCache)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _limiters: dict[str, dict[str, ConcurrencyLimiter]] = field(default_factory=dict)  # by queue
    _finished: queue.SimpleQueue[JobResult] = field(default_factory=queue.SimpleQueue)
    _remarked: set[str] = field(default_factory=set)  # queues

    def exchange(self, jobs: Sequence[Job], timeout: float, withdrawn: Collection[str] = ()) -> list[Outcome]:
        """Take in jobs, and hand back those that were answered since the last call, committed.

        Args:
            jobs: New ones.
            timeout: Seconds to wait for the first answer, if none is there.
            withdrawn: Lanes whose endpoint is asked nothing more: jobs of earlier calls that it was not asked yet come back without an
                answer.
        """
        self._withdraw(withdrawn)  # before the new ones come: they are not meant
        new: dict[int, tuple[ConcurrencyLimiter, list[Job]]] = {}
        for job in jobs:
            limiter = self._limiter_of(job)
            new.setdefault(id(limiter), (limiter, []))[1].append(job)
        for limiter, its_jobs in new.values():
            limiter.put(its_jobs)
        if self._stopping.is_set():
            self._withdraw(self._limiters)
        found: list[JobResult] = []
        with contextlib.suppress(queue.Empty):
            found.append(self._finished.get(timeout=timeout))
            while True:
                found.append(self._finished.get_nowait())
        return self._commit(found)

    def stop_requests(self) -> None:
        """Ask no endpoint any more: jobs for one that wait for their turn fail, and cost nothing. It may be called by a signal."""
        self._stopping.set()

    def _withdraw(self, queues: Collection[str]) -> None:
        for name in queues:
            for limiter in self._limiters.get(name, {}).values():
                limiter.withdraw()

    def _limiter_of(self, job: Job) -> ConcurrencyLimiter:
        # Engines that answer one job at a time share a limiter: two models at once on one device would only slow each other down.
        limiters = self._limiters.setdefault(job.queue, {})
        name = job.queue if job.concurrency == 1 else job.spec.key
        if name not in limiters:
            limiters[name] = ConcurrencyLimiter(job.concurrency, self.engines, self._stopping, self._finished.put)
        return limiters[name]

    def _commit(self, found: Sequence[JobResult]) -> list[Outcome]:
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

    def _outcome(self, each: JobResult, stored: dict[str, list[list[StoredDraw]]]) -> Outcome:
        key = each.job.key
        if each.error is not None:
            return Outcome(key=key, error=_sendable(each.error))
        committed = key in stored
        return Outcome(
            key=key,
            answers=Answers(
                generations=() if committed else each.generations,
                stored=stored[key] if committed else (),
                seconds=each.seconds,
                remarks=self._new_remarks(each),
            ),
        )

    def _new_remarks(self, each: JobResult) -> tuple[str, ...]:
        """Return what is odd about an endpoint's replies, the first time that anything is: the same would be said of every reply."""
        if each.job.queue in self._remarked:
            return ()
        remarks = tuple({g.remark: None for of_request in each.generations for g in of_request if g.remark})
        if remarks:
            self._remarked.add(each.job.queue)
        return remarks


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


_worker = EngineWorker("w0")


def set_writer(writer: str) -> None:
    """Name this process's desk; called once, when a worker starts."""
    _worker.writer = writer


def stop_requests() -> None:
    """`EngineWorker.stop_requests` of this process."""
    _worker.stop_requests()


def exchange(jobs: Sequence[Job], timeout: float, withdrawn: Collection[str] = ()) -> list[Outcome]:
    """`EngineWorker.exchange` of this process."""
    return _worker.exchange(jobs, timeout, withdrawn)


def describe(spec: EngineSpec) -> EngineFacts:
    """What an engine says of its model.

    Raises:
        InputError: the model cannot be used.
    """
    engine = _worker.engines.get(spec)
    return EngineFacts(
        identity=engine.identity,
        size=engine.size(),
        remote=engine.remote,
        concurrency=engine.concurrency,
        shares_prompts=engine.shares_prompts,
        exclusive=is_exclusive(engine),
        added_tokens=getattr(engine, "added_tokens", 0),
    )


def cut(spec: EngineSpec, requests: Sequence[Request]) -> list[tuple[Request, ...]]:
    """Requests cut into batches as the engine wants them."""
    return _worker.engines.get(spec).batches(requests)


def render(spec: EngineSpec, request: Request) -> str:
    """What the model reads for a request."""
    return _worker.engines.get(spec).render(request)
