"""Calls of engines in a run: each is reserved in the ledger before it is sent, and what is in flight when a run stops is waited for."""

from __future__ import annotations

import queue
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future
from contextlib import suppress

from isocost.amounts import format_amount
from isocost.costs.draws import cost_of
from isocost.dispatch.accounts import Booking
from isocost.dispatch.calls import Call, CallLane, lanes_of
from isocost.dispatch.interrupts import deferred
from isocost.errors import (
    EngineError,
    InputError,
    IsocostError,
    LimitReachedError,
    NotSentError,
    RefusedPromptError,
    TryAgainError,
    UsageError,
)
from isocost.executors.base import Executor
from isocost.executors.jobs import Answers
from isocost.records import Cost

PATIENCE = 10.0  # seconds that Ctrl-C waits for what is in flight
LISTENING = 0.2  # seconds between two looks at whether to go on, while nothing comes
HELD = 0.01  # the same, while nothing may be sent because graders are behind

Found = list[tuple[Call, Answers | None]]


def answered(
    sources: Sequence[Iterable[Call]],
    executor: Executor,
    ledger: Booking,
    check: Callable[[], None],
    room: Callable[[], bool] = lambda: True,
    tell: Callable[[str], None] = lambda trouble: None,
) -> Generator[Found, None, None]:
    """Calls as they are answered, several at a time; the caller releases each in the ledger. Close it when it is not used up.

    What an endpoint could not answer is sent again, each time under a reservation of its own; a call whose answers are None has failed for
    good, and costs no more than the ledger has already. When something stops it, nothing more is sent, and what is in flight is waited for
    and yielded first: for as long as it takes where it is paid for, ten seconds after Ctrl-C, not at all after a second one. The first
    Ctrl-C does not cut short what the caller does with what was yielded. It yields an empty list now and then while nothing comes.

    Args:
        sources: Calls to send, in order. Sources for different endpoints are worked off side by side.
        executor: Where engines run.
        ledger: Where each is reserved.
        check: Asked often; stops it by raising an IsocostError, and ends it without waiting for what is in flight by raising another.
        room: Whether more may be sent; while not, what is in flight is waited for.
        tell: Told of an endpoint that cannot be reached or does not answer, and of usage that is odd but possible.
    """
    with deferred() as heed:
        flight = _Flight(lanes_of(sources), executor, ledger, tell)
        handed: list[str] = []
        try:
            while True:
                try:
                    heed()
                    may_send = not flight.stopped and room()
                    if not flight.stopped:
                        check()
                    if may_send:
                        flight.send()
                    landed = flight.landed(HELD if not (may_send or flight.stopped) else LISTENING)
                except (IsocostError, KeyboardInterrupt) as error:
                    if flight.stopped:
                        raise
                    flight.stop(error)
                    continue
                found = flight.outcomes(landed)
                handed = [call.key for call, _ in found]
                yield found
                if flight.is_over():
                    break
        finally:
            flight.abandon(handed)  # those too that the caller took and, because something failed, did not release
        if flight.stopped:
            raise flight.stopped


class _Flight:
    """What is under way."""

    def __init__(self, lanes: dict[str, CallLane], executor: Executor, ledger: Booking, tell: Callable[[str], None]) -> None:
        self._lanes, self._executor, self._ledger, self._tell = lanes, executor, ledger, tell
        self._flying: dict[Future[Answers], Call] = {}
        self._landed: queue.SimpleQueue[Future[Answers]] = queue.SimpleQueue()
        self._unbooked: deque[Call] = deque()  # those whose answers came together with the one that is looked at, and wait for their turn
        self.stopped: BaseException | None = None  # what stopped it
        self._deadline: float | None = None

    def send(self) -> None:
        """Keep every worker busy, the calls of each lane in order.

        Raises:
            LimitReachedError: the next call does not fit, and nothing is in flight that could turn out cheaper than its worst case.
            Exception: the executor takes no calls; those that it did not take are booked as unsent.
        """
        for lane in self._lanes.values():
            calls = self._next(lane)
            try:
                fitting = self._ledger.reserve([call.reservation() for call in calls], patient=not self._flying)
            except LimitReachedError:
                if not self._flying:
                    raise
                fitting = 0
            lane.first.extendleft(reversed(calls[fitting:]))
            for number, call in enumerate(calls[:fitting]):
                try:
                    future = self._executor.send(call.job)
                except Exception:  # as where no worker can be started
                    for unsent in calls[number:fitting]:
                        self._ledger.unsend(unsent.key)
                    raise
                self._flying[future] = call
                lane.flying += 1
                future.add_done_callback(self._landed.put)

    def _next(self, lane: CallLane) -> list[Call]:
        """The calls of a lane that there is room for."""
        calls: list[Call] = []
        now = time.monotonic()
        while (call := lane.next(now)) is not None:
            if len(calls) >= lane.room(self._executor.capacity(call.job)):
                lane.first.appendleft(call)
                break
            calls.append(call)
        return calls

    def landed(self, timeout: float) -> list[tuple[Call, Future[Answers]]]:
        """What has come since, or comes within so many seconds."""
        futures: list[Future[Answers]] = []
        with suppress(queue.Empty):
            futures.append(self._landed.get(timeout=timeout))
            while True:
                futures.append(self._landed.get_nowait())
        return [(self._flying.pop(future), future) for future in futures]

    def stop(self, error: BaseException) -> None:
        """Send nothing more, and ask no endpoint what it was not asked yet; what is reserved under the limit fits, and is asked."""
        self.stopped = error
        if isinstance(error, KeyboardInterrupt):
            self._ledger.close()
            self._deadline = time.monotonic() + PATIENCE
        if not isinstance(error, LimitReachedError):
            for lane in {call.job.queue for call in self._flying.values() if call.job.remote}:
                self._executor.withdraw(lane)

    def outcomes(self, landed: Sequence[tuple[Call, Future[Answers]]]) -> Found:
        """The answers of calls; those that are going to be sent again are not among them. The first failure stops it."""
        found: Found = []
        self._unbooked = deque(call for call, _ in landed)
        for call, future in landed:
            self._unbooked.popleft()
            try:
                found += self._outcome(call, future)
            except BaseException as error:  # noqa: BLE001 - it is raised once all that is in flight has come
                if not self.stopped:
                    self.stop(error)
        return found

    def _outcome(self, call: Call, future: Future[Answers]) -> Found:
        """The answers of a call; nothing if it is going to be sent again.

        Raises:
            Exception: what it failed with.
        """
        lane = self._lanes[call.job.queue]
        lane.flying -= 1
        error = future.exception()
        if error is None:
            lane.succeeded(call)
            answers = future.result()
            for remark in answers.remarks:
                self._tell(f"model {call.facts.get('model', '')}: {remark}")
            return [(call, answers)]
        error = self._booked(call, error)
        if isinstance(error, NotSentError):
            lane.postpone(call)
            return []
        if isinstance(error, RefusedPromptError):  # an answer of a kind: the endpoint is there, and asking it again helps nothing
            lane.succeeded(call)
            return [(call, None)]
        if not isinstance(error, TryAgainError):
            raise error
        if self.stopped:
            return []
        later = lane.failed(call, error)
        if trouble := lane.trouble(error):
            self._tell(trouble)
        return [] if later else [(call, None)]

    def _booked(self, call: Call, error: BaseException) -> BaseException:
        """Close the reservation of a call that failed; the error, with what only the ledger knows."""
        reason = error.happened if isinstance(error, IsocostError) else str(error).partition("\n")[0]
        if isinstance(error, NotSentError):
            self._ledger.unsend(call.key)
        elif isinstance(error, InputError) or (isinstance(error, EngineError) and not error.charged):
            self._ledger.retry(call.key, reason)
        elif isinstance(error, UsageError):
            reported = _reported(call, error)
            self._ledger.lose(call.key, reason, reported)
            return self._with_those_in_flight(call, error, reported)
        elif isinstance(error, TryAgainError | RefusedPromptError):
            self._ledger.lose(call.key, reason)
        else:
            self._ledger.abandon([call.key])
        return error

    def _with_those_in_flight(self, call: Call, error: UsageError, reported: Cost | None) -> UsageError:
        """Return the error with what the requests in flight could cost beyond their reservations, if they are charged like this one."""
        unit = self._ledger.spending.unit
        worst, paid = call.worst.amount(unit), reported.amount(unit) if reported else None
        if not error.in_flight or not worst or paid is None or paid <= worst:
            return error
        without_answer = (c for c in (*self._flying.values(), *self._unbooked) if c.job.queue == call.job.queue)
        others = sorted((c.worst.amount(unit) or 0.0 for c in without_answer), reverse=True)
        beyond = sum(others[: error.in_flight]) * (paid / worst - 1)
        requests = "1 request" if error.in_flight == 1 else f"{error.in_flight} requests"
        return error.telling(f"nothing more is sent; {requests} in flight could cost {format_amount(unit, beyond)} above what is reserved")

    def is_over(self) -> bool:
        """Whether nothing is in flight and nothing more is going to be, or nobody waits any longer."""
        if self._deadline is not None and time.monotonic() > self._deadline:
            return True
        return not self._flying and (self.stopped is not None or all(lane.is_done() for lane in self._lanes.values()))

    def abandon(self, handed: Iterable[str]) -> None:
        """Whoever waits for room must not wait for calls that nobody takes any more."""
        self._ledger.abandon([*handed, *(call.key for call in self._flying.values())])


def _reported(call: Call, error: UsageError) -> Cost | None:
    """Return what a reply cost by usage that cannot be right, or None where that cannot be read: it may be charged all the same."""
    if call.card is None or error.prompt_tokens is None or error.generated_tokens is None:
        return None
    return cost_of(call.card, prompt_tokens=error.prompt_tokens, generated_tokens=error.generated_tokens)
