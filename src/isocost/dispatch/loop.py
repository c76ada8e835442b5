"""The one loop that has engines answer: batches are reserved, sent with retries, stored, and released.

Sampling, a judge and an evaluation each bring their batches and say how answers are stored. What is stored is not among the batches of
the next start, so all three resume the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from typing import Protocol

from isocost.dispatch.accounts import Booking
from isocost.dispatch.asking import answered
from isocost.dispatch.calls import Call
from isocost.executors.base import Executor
from isocost.executors.jobs import Answers
from isocost.ledger import Answered


class Source(Protocol):
    """Batches of one caller, and the place of their answers."""

    def calls(self) -> Iterable[Call]:
        """Return what is not stored yet, in the order in which it is to be sent."""

    def store(self, call: Call, answers: Answers | None) -> Answered | None:
        """Store what a call brought, or, where `answers` is None, that it has failed for good.

        Returns:
            What it cost; None where the ledger has all that is to be said of it.
        """


def ask(
    sources: Sequence[Source],
    executor: Executor,
    ledger: Booking,
    *,
    check: Callable[[], None] = lambda: None,
    room: Callable[[], bool] = lambda: True,
    tell: Callable[[str], None] = lambda trouble: None,
    after: Callable[[], None] = lambda: None,
) -> None:
    """Have engines answer everything that the sources lack, several calls at a time, and store each answer as it comes.

    Args:
        sources: What is to be answered, as for `answered`.
        executor: Where engines run.
        ledger: Where each call is reserved before it is sent, and released once its answer is stored.
        check: As for `answered`.
        room: As for `answered`.
        tell: As for `answered`.
        after: Called after answers are released, and now and then while none come.

    Raises:
        LimitReachedError: the next call does not fit under the limit; what was answered before is stored.
        EngineError: an engine could not answer.
    """
    owners: dict[str, Source] = {}

    def owned(source: Source, calls: Iterable[Call]) -> Iterator[Call]:
        for call in calls:
            owners[call.key] = source
            yield call

    # `calls` may wait for a worker: it is called here, where Ctrl-C is not deferred.
    waiting = [owned(source, source.calls()) for source in sources]
    with closing(answered(waiting, executor, ledger, check, room, tell)) as found:
        for landed in found:
            costs = [owners.pop(call.key).store(call, answers) for call, answers in landed]
            ledger.release([cost for cost in costs if cost is not None])
            after()
