"""The loop that sends batches to engines: each is reserved, sent with retries, stored, and released.

Sampling, judging and evaluation each supply their batches and a way to store answers. The next start leaves out the batches that are
stored, so all three resume in the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import wait
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

from isocost.dispatch.batches.dispatcher import BatchDispatcher, BatchedCalls, running
from isocost.dispatch.calls import Abandoned, AnsweredCalls, Call, EndpointHealth
from isocost.dispatch.inflight import POLL_INTERVAL, defer_interrupts, send_calls
from isocost.engines.base import Request
from isocost.executors import engineworker
from isocost.executors.base import Executor
from isocost.executors.jobs import Answers, EngineFacts, EngineSpec
from isocost.ledger import Answered, Ledger
from isocost.machine import rare_collections
from isocost.store import Log, Row


class Source(Protocol):
    """The batches of one caller, and the store of their answers."""

    def calls(self) -> Iterable[Call]:
        """Return the calls whose answers are not stored yet, in the order in which they are sent."""

    def store(self, call: Call, answers: Answers | Abandoned) -> Answered | None:
        """Store the answers of a call, or its permanent failure.

        Returns:
            The answers' cost for the ledger; None if the ledger has closed the call already.
        """


class BatchedSource(BatchedCalls, Source, Protocol):
    """The calls of one model that go through a batch API, and the store of their answers."""


@rare_collections()
def run_sources(
    sources: Sequence[Source],
    executor: Executor,
    ledger: Ledger,
    *,
    check: Callable[[], None] = lambda: None,
    room: Callable[[], bool] = lambda: True,
    notify: Callable[[str], None] = lambda message: None,
    after: Callable[[], None] = lambda: None,
    health: EndpointHealth | None = None,
    batches: BatchDispatcher | None = None,
    batched: Sequence[BatchedSource] = (),
) -> None:
    """Send all calls of the sources to engines, several at a time, and store each answer as it arrives.

    Args:
        sources: The callers' batches. Sources for different endpoints are sent side by side.
        executor: Executor that runs the engines.
        ledger: Ledger that reserves each call before it is sent, and releases it once its answer is stored.
        check, room, notify, health: As for `send_calls`.
        after: Called after answers are released, and at intervals while none arrive.
        batches, batched: The dispatcher, and the sources whose calls it sends through the batch API of their endpoint.

    Raises:
        LimitReachedError: the next call does not fit under the limit; earlier answers are stored.
        EngineError: an engine could not answer.
        BatchesOpenError: batches are under way, and the run was asked not to wait for them.
    """
    owners: dict[str, Source] = {}

    def owned(source: Source, calls: Iterable[Call]) -> Iterator[Call]:
        for call in calls:
            owners[call.key] = source
            yield call

    def keep(finished: AnsweredCalls) -> None:
        # Stored before released: after a kill in between, the next start finds the answers and closes the reservation by them.
        ledger.release([cost for call, answers in finished if (cost := owners.pop(call.key).store(call, answers)) is not None])
        after()

    # `calls` may wait for a worker, so it is called before `send_calls` defers Ctrl-C.
    waiting = [owned(source, source.calls()) for source in sources]
    elsewhere = batches.is_under_way if batched and batches else lambda: False
    sent = send_calls(waiting, executor, ledger, check, room, notify, health, elsewhere)
    if not batched or batches is None:
        with closing(sent) as found:
            for finished in found:
                keep(finished)
        return
    with running(batches, [_Owned(source, owned) for source in batched], ledger) as advance:

        def step() -> None:
            if room():
                advance(keep)

        with closing(sent) as found:
            for finished in found:
                keep(finished)
                step()
        _finish(batches, check, step, after)


def _finish(batches: BatchDispatcher, check: Callable[[], None], step: Callable[[], None], after: Callable[[], None]) -> None:
    """Wait until no batch is under way, or raise where the run was asked not to wait."""
    with defer_interrupts() as raise_if_interrupted:
        while batches.is_busy():
            raise_if_interrupted()
            check()
            step()
            batches.leave_if_asked()
            after()
            batches.wait(POLL_INTERVAL)


class _Owned:
    """The calls of a batched source, each registered with its source."""

    def __init__(self, source: BatchedSource, owned: Callable[[Source, Iterable[Call]], Iterator[Call]]) -> None:
        self._source, self._owned = source, owned
        self.model, self.job = source.model, source.job

    def calls(self) -> Iterator[Call]:
        return self._owned(self._source, self._source.calls())

    def restored(self, keys: Sequence[str]) -> list[Call]:
        return list(self._owned(self._source, self._source.restored(keys)))


class _Unwritten(Log):
    """A log that keeps nothing."""

    def append(self, *entries: Mapping[str, Any], sync: bool = True) -> None:
        """Discard the entries."""

    def entries(self) -> Iterator[Row]:
        """Return an iterator without entries."""
        return iter(())


def null_ledger() -> Ledger:
    """Return a ledger that is not recorded and has no limit, for students: they run on the user's own devices, outside the bill."""
    return Ledger(_Unwritten(Path()))


def cut_batches(
    spec: EngineSpec,
    facts: EngineFacts,
    requests: Sequence[Request],
    executor: Executor,
    check: Callable[[], None] = lambda: None,
) -> list[tuple[Request, ...]]:
    """Cut requests into batches, as a pure function of the requests and the engine's options.

    Args:
        spec: The engine.
        facts: Its facts, with its batching rule if it has one. An engine without one is opened in a worker to cut them.
        requests: The requests to be answered.
        executor: Executor whose worker opens an engine without a rule.
        check: Called every `POLL_INTERVAL` seconds while a worker is waited for. It stops the wait by raising.
    """
    if facts.batching is not None:
        return facts.batching.cut(requests)
    cutting = executor.submit(engineworker.cut, spec, requests)
    # The task queues behind calls that take minutes, so a plain `result()` would delay a stop by as long.
    while not wait([cutting], timeout=POLL_INTERVAL).done:
        check()
    return cutting.result()
