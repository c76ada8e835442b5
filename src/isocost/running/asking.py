"""Calls of engines in a run: each is reserved in the ledger before it is sent, and what is in flight when a run stops is waited for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from typing import Any

from isocost.engines.base import Request
from isocost.errors import IsocostError, LimitReachedError
from isocost.executors.local import LocalExecutor
from isocost.executors.work import Answers, EngineSpec, answer
from isocost.ledger import Ledger
from isocost.records import Cost, SamplingParams

PATIENCE = 10.0  # seconds that Ctrl-C waits for what is in flight
LISTENING = 0.2  # seconds between two looks at whether to go on, while nothing comes


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A batch of requests that an engine answers at once.

    Attributes:
        key: What it is reserved and stored under.
        spec: The engine.
        requests: The batch.
        params: How the model writes.
        seed: What it is seeded with.
        worst: What it costs at most.
        facts: What its line in the ledger says: account, model, how many answers.
    """

    key: str
    spec: EngineSpec
    requests: tuple[Request, ...]
    params: SamplingParams
    seed: int
    worst: Cost
    facts: Mapping[str, Any]


def answered(
    calls: Iterable[Call], executor: LocalExecutor, ledger: Ledger, check: Callable[[], None]
) -> Generator[tuple[Call, Answers], None, None]:
    """Calls as they are answered, two a worker at a time; the caller releases each in the ledger. Close it when it is not used up.

    When something stops it, nothing more is sent, and what is in flight is waited for and yielded first: for as long as it takes where it
    is paid for, ten seconds after Ctrl-C, not at all after a second one.

    Args:
        calls: What to send, in order.
        executor: Where engines run.
        ledger: Where each is reserved.
        check: Asked often; stops it by raising an IsocostError, and ends it without waiting for what is in flight by raising another.
    """
    calls = list(calls)
    waiting = deque(calls)
    flying: dict[Future[Answers], Call] = {}
    stopped: BaseException | None = None
    patience: float | None = None
    try:
        while True:
            try:
                if not stopped:
                    check()
                    _send(waiting, flying, executor, ledger)
                done, _ = wait(flying, timeout=LISTENING if patience is None else patience, return_when=FIRST_COMPLETED)
            except (IsocostError, KeyboardInterrupt) as error:
                if stopped:
                    raise
                stopped = error
                if isinstance(error, KeyboardInterrupt):
                    ledger.close()
                    patience = PATIENCE
                continue
            if not done and (patience is not None or not flying):
                break
            for future in done:
                call, failure = flying[future], future.exception()
                if failure is None:
                    yield call, future.result()
                stopped = stopped or failure
                ledger.abandon([flying.pop(future).key])  # it keeps no room, if it was not released
    finally:
        ledger.abandon([call.key for call in calls])  # whoever waits for room must not wait for calls that nobody takes any more
    if stopped:
        raise stopped


def _send(waiting: deque[Call], flying: dict[Future[Answers], Call], executor: LocalExecutor, ledger: Ledger) -> None:
    """Keep every worker busy, calls in order.

    Raises:
        LimitReachedError: the next call does not fit, and nothing is in flight that could turn out cheaper than its worst case.
    """
    while waiting and len(flying) < 2 * executor.workers:
        call = waiting[0]
        try:
            ledger.reserve(call.key, call.worst, patient=not flying, **call.facts)
        except LimitReachedError:
            if flying:
                return
            raise
        waiting.popleft()
        flying[executor.submit(answer, call.spec, call.requests, call.params, call.seed)] = call
