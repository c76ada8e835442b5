"""The code that runs inside a worker: take jobs, answer them with engines, commit the draws, and return the outcomes in batches.

Only workers open engines. The driver imports neither torch nor an engine, so that it starts and resumes quickly.
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

from isocost.engines.base import Generation, Request
from isocost.engines.batching import rule_of
from isocost.errors import IsocostError
from isocost.executors.concurrency import ConcurrencyLimiter, JobResult
from isocost.executors.enginecache import EngineCache, is_exclusive
from isocost.executors.jobs import Answers, EngineFacts, EngineSpec, Job, Outcome, StoredDraw
from isocost.executors.storing import rows_of
from isocost.records import SamplingParams
from isocost.store import BatchLog, Row


@dataclass(slots=True)
class EngineWorker:
    """The open engines of one worker and its jobs in flight.

    Attributes:
        writer: Name of this worker's files, distinct from those of other workers.
        engines: The open engines.
    """

    writer: str
    engines: EngineCache = field(default_factory=EngineCache)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _limiters: dict[str, dict[str, ConcurrencyLimiter]] = field(default_factory=dict)  # by queue
    _finished: queue.SimpleQueue[JobResult] = field(default_factory=queue.SimpleQueue)
    _remarked: set[tuple[str, str]] = field(default_factory=set)  # queue, kind of remark

    def exchange(self, jobs: Sequence[Job], timeout: float, withdrawn: Collection[str] = ()) -> list[Outcome]:
        """Accept jobs, and return the outcomes since the last call. Their draws are committed.

        Args:
            jobs: New jobs.
            timeout: Seconds to wait for the first outcome if there is none yet.
            withdrawn: Queues of endpoints that get no further request. Jobs of earlier calls that were not sent yet end with NotSentError.
        """
        # Before the new jobs are queued: a withdrawal concerns jobs of earlier calls only.
        self._withdraw(withdrawn)
        new: dict[int, tuple[ConcurrencyLimiter, list[Job]]] = {}
        for job in jobs:
            limiter = self._limiter_of(job)
            new.setdefault(id(limiter), (limiter, []))[1].append(job)
        for limiter, its_jobs in new.values():
            limiter.put(its_jobs)
        # A signal may have arrived before the jobs did: they would otherwise wait for a request that is never sent.
        if self._stopping.is_set():
            self._withdraw(self._limiters)
        found: list[JobResult] = []
        with contextlib.suppress(queue.Empty):
            # Wait for the first outcome only. More that are ready come along, so that one commit covers them all.
            found.append(self._finished.get(timeout=timeout))
            while True:
                found.append(self._finished.get_nowait())
        return self.commit(found)

    def stop_requests(self) -> None:
        """Send nothing more to endpoints. Waiting jobs for them fail and cost nothing. Safe to call from a signal handler."""
        self._stopping.set()

    def _withdraw(self, queues: Collection[str]) -> None:
        for name in queues:
            for limiter in self._limiters.get(name, {}).values():
                limiter.withdraw()

    def _limiter_of(self, job: Job) -> ConcurrencyLimiter:
        # Engines that answer one job at a time share a limiter: two models at once on one device would slow each other down.
        limiters = self._limiters.setdefault(job.queue, {})
        name = job.queue if job.concurrency == 1 else job.spec.key
        if name not in limiters:
            limiters[name] = ConcurrencyLimiter(job.concurrency, self.engines, self._stopping, self._finished.put)
        return limiters[name]

    def commit(self, found: Sequence[JobResult]) -> list[Outcome]:
        """Append the draws of answered jobs to this worker's files, with one write per file."""
        # Grouped by file: one write and one fsync for all batches of a pool.
        batches: dict[Path, list[tuple[str, list[Row]]]] = {}
        stored: dict[str, list[list[StoredDraw]]] = {}
        for each in found:
            if each.error is None and (storing := each.job.storing):
                rows, stored[each.job.key] = rows_of(each.job.requests, each.job.seed, storing, each.generations, each.seconds)
                # A committed batch is final. A batch without draws stays uncommitted, so that it is bought again under the same key.
                if rows:
                    batches.setdefault(storing.stem, []).append((each.job.key, rows))
        unstored: dict[str, IsocostError] = {}
        for stem, rows_by_batch in batches.items():
            unstored |= _append(BatchLog(stem, self.writer), rows_by_batch)
        if unstored:  # answers that cannot be stored are paid all the same, so nothing more is asked for
            self._withdraw(self._limiters)
        return [self._outcome(each, stored, unstored.get(each.job.key)) for each in found]

    def _outcome(self, each: JobResult, stored: dict[str, list[list[StoredDraw]]], unstored: IsocostError | None) -> Outcome:
        key = each.job.key
        if (error := each.error or unstored) is not None:
            return Outcome(key=key, error=_sendable(error))
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
        """Return an endpoint's remarks, the first of each kind. Later ones would repeat it."""
        found: list[str] = []
        for remark in (remark for of_request in each.generations for g in of_request for remark in g.remarks):
            kind = each.job.queue, remark.kind
            if kind not in self._remarked:
                self._remarked.add(kind)
                found.append(remark.text)
        return tuple(found)


def _append(log: BatchLog, batches: Sequence[tuple[str, list[Row]]]) -> dict[str, IsocostError]:
    """Commit batches, and return those that could not be, with the reason. On a full disk as many are kept as fit: they are paid."""
    try:
        log.append_all(batches)
    except IsocostError as error:
        if len(batches) == 1:
            return {batches[0][0]: error}
        return {key: why for batch in batches for key, why in _append(log, [batch]).items()}
    return {}


def _sendable(error: BaseException) -> BaseException:
    """Return the error, or one with the same text if it cannot be pickled. The traceback becomes a note, because pickling drops it."""
    if isinstance(error, IsocostError):
        return error
    trace = "".join(traceback.format_exception(error))
    try:
        error.add_note(trace)
        pickle.loads(pickle.dumps(error))
    except Exception:  # noqa: BLE001 - unpickling a third-party exception can raise anything
        error = RuntimeError(f"{type(error).__name__}: {error}")
        error.add_note(trace)
    return error


_worker = EngineWorker("w0")  # one per process: executors send functions to a process and cannot pass it an object


def set_writer(writer: str) -> None:
    """Set the file name of this process's worker. Called once, when the process starts."""
    _worker.writer = writer


def stop_requests() -> None:
    """Call `EngineWorker.stop_requests` on this process's worker."""
    _worker.stop_requests()


def this_worker() -> EngineWorker:
    """Return this process's worker."""
    return _worker


def exchange(jobs: Sequence[Job], timeout: float, withdrawn: Collection[str] = ()) -> list[Outcome]:
    """Call `EngineWorker.exchange` on this process's worker."""
    return _worker.exchange(jobs, timeout, withdrawn)


def describe(spec: EngineSpec) -> EngineFacts:
    """Return the properties of an engine and its model.

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
        batching=rule_of(engine),
    )


def count_available(spec: EngineSpec) -> dict[str, int] | None:
    """Return the number of samples that an engine can give, by problem id; None if it gives as many as are asked for.

    Raises:
        InputError: the model cannot be used.
    """
    counted = getattr(_worker.engines.get(spec), "available", None)
    return None if counted is None else dict(counted())


def cut(spec: EngineSpec, requests: Sequence[Request]) -> list[tuple[Request, ...]]:
    """Split requests into the batches that the engine prefers; for engines without a rule that the driver knows."""
    return _worker.engines.get(spec).batches(requests)


def ask(spec: EngineSpec, request: Request, params: SamplingParams) -> list[Generation]:
    """Return the answers to one request, outside any run.

    Raises:
        IsocostError: as `Engine.generate`.
    """
    with _worker.engines.borrow(spec) as engine:
        return engine.generate([request], params, 0)[0]


def render(spec: EngineSpec, request: Request) -> str:
    """Return the text that the model reads for a request."""
    return _worker.engines.get(spec).render(request)
