"""The loop that sends batches to engines: each is reserved, sent with retries, stored, and released.

Sampling, judging and evaluation each supply their batches and a way to store answers. The next start leaves out the batches that are
stored, so all three resume in the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from typing import Protocol

from isocost.dispatch.accounts import CallLedger
from isocost.dispatch.calls import Call
from isocost.dispatch.inflight import send_calls
from isocost.executors.base import Executor
from isocost.executors.jobs import Answers
from isocost.ledger import Answered


class Source(Protocol):
    """The batches of one caller, and the store of their answers."""

    def calls(self) -> Iterable[Call]:
        """Return the calls whose answers are not stored yet, in the order in which they are sent."""

    def store(self, call: Call, answers: Answers | None) -> Answered | None:
        """Store the answers of a call, or its permanent failure where `answers` is None.

        Returns:
            The answers' cost for the ledger; None if the ledger has closed the call already.
        """


def run_sources(
    sources: Sequence[Source],
    executor: Executor,
    ledger: CallLedger,
    *,
    check: Callable[[], None] = lambda: None,
    room: Callable[[], bool] = lambda: True,
    notify: Callable[[str], None] = lambda message: None,
    after: Callable[[], None] = lambda: None,
) -> None:
    """Send all calls of the sources to engines, several at a time, and store each answer as it arrives.

    Args:
        sources: The callers' batches. Sources for different endpoints are sent side by side.
        executor: Executor that runs the engines.
        ledger: Ledger that reserves each call before it is sent, and releases it once its answer is stored.
        check: As for `send_calls`.
        room: As for `send_calls`.
        notify: As for `send_calls`.
        after: Called after answers are released, and at intervals while none arrive.

    Raises:
        LimitReachedError: the next call does not fit under the limit; earlier answers are stored.
        EngineError: an engine could not answer.
    """
    owners: dict[str, Source] = {}

    def owned(source: Source, calls: Iterable[Call]) -> Iterator[Call]:
        for call in calls:
            owners[call.key] = source
            yield call

    # `calls` may wait for a worker, so it is called before `send_calls` defers Ctrl-C.
    waiting = [owned(source, source.calls()) for source in sources]
    with closing(send_calls(waiting, executor, ledger, check, room, notify)) as found:
        for finished in found:
            # Stored before released: after a kill in between, the next start finds the answers and closes the reservation by them.
            costs = [owners.pop(call.key).store(call, answers) for call, answers in finished]
            ledger.release([cost for cost in costs if cost is not None])
            after()
