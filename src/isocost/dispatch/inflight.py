"""Calls in flight: each is reserved in the ledger before it is sent, and a run that stops waits for those that are paid for."""

from __future__ import annotations

import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from types import FrameType

from isocost.amounts import format_amount
from isocost.costs.draws import cost_of
from isocost.dispatch.calls import Abandoned, AnsweredCalls, Call, CallQueue, EndpointHealth, make_queues
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
from isocost.ledger import Ledger
from isocost.machine import stop_signals
from isocost.records import Cost

PATIENCE = 10.0  # seconds that a stop by Ctrl-C waits for calls in flight
POLL_INTERVAL = 0.2  # seconds between two checks for a stop while no answer arrives; also the delay after Ctrl-C
PAUSED_POLL_INTERVAL = 0.01  # the same while sending is paused because graders are behind: short, since engines are idle meanwhile


def send_calls(
    sources: Sequence[Iterable[Call]],
    executor: Executor,
    ledger: Ledger,
    check: Callable[[], None],
    room: Callable[[], bool] = lambda: True,
    notify: Callable[[str], None] = lambda message: None,
    health: EndpointHealth | None = None,
    elsewhere: Callable[[], bool] = lambda: False,
) -> Generator[AnsweredCalls, None, None]:
    """Send calls and yield them as they are answered, several at a time; the caller releases each in the ledger.

    A call that an endpoint could not answer is sent again under a new reservation. A call that is `Abandoned` has failed for good;
    its cost is in the ledger already. An empty list is yielded at intervals while nothing arrives.

    After an error nothing more is sent. The calls in flight, which are paid for, are waited for and yielded before the error is raised.
    Ctrl-C waits `PATIENCE` seconds for them, and a second Ctrl-C not at all. The first Ctrl-C does not interrupt the caller's code.
    Close the generator if you do not use it up.

    Args:
        sources: Calls to send, in order. Sources for different endpoints are sent side by side.
        executor: Executor that runs the engines.
        ledger: Ledger that reserves each call.
        check: Called often. An IsocostError from it stops sending; any other exception ends at once, without waiting for calls in flight.
        room: Returns True if more may be sent. Answers are awaited in any case.
        notify: Called with a message on an endpoint that cannot be reached or does not answer, or whose usage is odd but possible.
        health: As for `make_queues`.
        elsewhere: Returns True while the caller has other requests open, which may free room under the limit.

    Raises:
        LimitReachedError: the next call does not fit under the limit.
        EngineError: an engine could not answer.
    """
    with defer_interrupts() as raise_if_interrupted:

        def check_all() -> None:
            raise_if_interrupted()
            check()

        in_flight = _CallsInFlight(make_queues(sources, health), executor, ledger, notify, elsewhere, check_all)
        yielded: list[str] = []
        try:
            while True:
                try:
                    raise_if_interrupted()
                    may_send = not in_flight.stopped and room()
                    if not in_flight.stopped:
                        check()
                    if may_send:
                        in_flight.send()
                    wait = POLL_INTERVAL if may_send or in_flight.stopped else PAUSED_POLL_INTERVAL
                    # A round whose draws are all stored sends nothing, and a resumed run has hundreds of them.
                    finished = in_flight.finished(0.0 if in_flight.is_over() else wait)
                except (IsocostError, KeyboardInterrupt) as error:
                    if in_flight.stopped:
                        raise
                    in_flight.stop(error)
                    continue
                found = in_flight.outcomes(finished)
                yielded = [call.key for call, _ in found]
                yield found
                if in_flight.is_over():
                    break
        finally:
            in_flight.abandon(yielded)  # the caller may have failed before it released the calls that it was given last
        if in_flight.stopped:
            raise in_flight.stopped


class _CallsInFlight:
    """Calls in flight, and the queues they come from."""

    def __init__(
        self,
        queues: dict[str, CallQueue],
        executor: Executor,
        ledger: Ledger,
        notify: Callable[[str], None],
        elsewhere: Callable[[], bool],
        check: Callable[[], None],
    ) -> None:
        self._elsewhere, self._check = elsewhere, check
        self._queues, self._executor, self._ledger, self._notify = queues, executor, ledger, notify
        self._in_flight: dict[Future[Answers], Call] = {}
        self._finished: SimpleQueue[Future[Answers]] = SimpleQueue()
        self._unprocessed: deque[Call] = deque()  # calls that arrived with the one being processed and are still reserved
        self.stopped: BaseException | None = None  # the error that stopped sending
        self._deadline: float | None = None

    def send(self) -> None:
        """Send calls until every worker is busy, in the order of each queue.

        Raises:
            LimitReachedError: the next call does not fit, and no call is in flight that could free room by costing less than reserved.
            KeyboardInterrupt: Ctrl-C came while room was waited for.
            Exception: the executor takes no calls, and those that it did not take are recorded as unsent; or `check` has raised.
        """
        for queue in self._queues.values():
            calls = self._next(queue)
            try:
                # Patient only without calls in flight: this thread is the one that stores answers, and so the one that frees room.
                alone = not self._in_flight and not self._elsewhere()
                fitting = self._ledger.reserve([call.reservation() for call in calls], patient=alone, check=self._check)
            except LimitReachedError as error:
                if alone:  # otherwise an answer may cost less than its worst case, and the call is tried again
                    if not queue.last_error:
                        raise
                    # The failures that used up the limit are the cause.
                    advice = (
                        f"its last requests failed: {queue.last_error}; mend that, or raise limit.amount and run the same command again"
                    )
                    raise LimitReachedError(error.happened, advice=advice) from error
                fitting = 0
            queue.first.extendleft(reversed(calls[fitting:]))  # reversed, because extendleft adds one by one
            for number, call in enumerate(calls[:fitting]):
                try:
                    future = self._executor.send(call.job)
                except Exception:  # for example, no worker can be started; raised again below
                    for unsent in calls[number:fitting]:
                        self._ledger.unsend(unsent.key)
                    raise
                self._in_flight[future] = call
                queue.in_flight += 1
                future.add_done_callback(self._finished.put)

    def _next(self, queue: CallQueue) -> list[Call]:
        """Take the calls of a queue that the executor has room for."""
        calls: list[Call] = []
        now = time.monotonic()
        while (call := queue.next(now)) is not None:
            if len(calls) >= queue.room(self._executor.capacity(call.job)):
                queue.first.appendleft(call)
                break
            calls.append(call)
        return calls

    def finished(self, timeout: float) -> list[tuple[Call, Future[Answers]]]:
        """Return the calls that have finished, waiting up to `timeout` seconds for the first."""
        futures: list[Future[Answers]] = []
        with suppress(Empty):
            futures.append(self._finished.get(timeout=timeout))
            while True:
                futures.append(self._finished.get_nowait())
        return [(self._in_flight.pop(future), future) for future in futures]

    def stop(self, error: BaseException) -> None:
        """Stop sending because of an error.

        Calls that wait in workers are withdrawn before they reach an endpoint. At the limit they are not: they are reserved, so they fit.
        """
        self.stopped = error
        if isinstance(error, KeyboardInterrupt):
            self._ledger.close()  # for other threads too, such as a judge's
            self._deadline = time.monotonic() + PATIENCE
        if not isinstance(error, LimitReachedError):
            for queue in {call.job.queue for call in self._in_flight.values() if call.job.remote}:
                self._executor.withdraw(queue)

    def outcomes(self, finished: Sequence[tuple[Call, Future[Answers]]]) -> AnsweredCalls:
        """Return the answers of finished calls, without those that are sent again. The first error stops sending."""
        found: AnsweredCalls = []
        self._unprocessed = deque(call for call, _ in finished)
        for call, future in finished:
            self._unprocessed.popleft()
            try:
                found += self._outcome(call, future)
            except BaseException as error:  # noqa: BLE001 - `send_calls` raises it once the calls in flight have finished
                if not self.stopped:
                    self.stop(error)
        return found

    def _outcome(self, call: Call, future: Future[Answers]) -> AnsweredCalls:
        """Return the answers of a call, or an empty list if it is sent again.

        Raises:
            Exception: the call's own error, if it is one that stops the run.
        """
        queue = self._queues[call.job.queue]
        queue.in_flight -= 1
        error = future.exception()
        if error is None:
            queue.record_success(call)
            answers = future.result()
            for remark in answers.remarks:
                self._notify(f"model {call.facts.get('model', '')}: {remark}")
            return [(call, answers)]
        error = self._close_reservation(call, error)
        if isinstance(error, NotSentError):
            queue.postpone(call)
            return []
        if isinstance(error, RefusedPromptError):
            if self.stopped and not error.certain:  # the next start finds the call missing
                return []
            if queue.record_refusal(call, error, answered=self._has_answered(call)):
                return []
            return [(call, Abandoned(reason=error.reason))]
        if not isinstance(error, TryAgainError):
            raise error
        if self.stopped:  # nothing is sent again; the next start finds the call missing
            return []
        later = queue.record_failure(call, error)
        if message := queue.failure_message(error):
            self._notify(message)
        return [] if later else [(call, Abandoned(reason=error.reason))]

    def _has_answered(self, call: Call) -> bool:
        """Return True if the ledger has an answer of the call's model, of this start or an earlier one."""
        with self._ledger.locked() as (accounts, _):
            return any(each.tokens for (_, model), each in accounts.items() if model == call.facts.get("model"))

    def _close_reservation(self, call: Call, error: BaseException) -> BaseException:
        """Close the reservation of a failed call; return the error, completed by facts that only the ledger has."""
        reason = error.happened if isinstance(error, IsocostError) else str(error).partition("\n")[0]
        if isinstance(error, NotSentError):
            self._ledger.unsend(call.key)
        elif isinstance(error, InputError) or (isinstance(error, EngineError) and not error.charged):
            self._ledger.retry(call.key, reason)
        elif isinstance(error, UsageError):
            reported = reported_cost(call, error)
            self._ledger.lose(call.key, reason, reported)
            return self._add_excess_in_flight(call, error, reported)
        elif isinstance(error, EngineError) and (call.job.remote or isinstance(error, TryAgainError | RefusedPromptError)):
            self._ledger.lose(call.key, reason)
        else:
            # No answer and no refusal, for example a worker that died: the reservation stays on the disk, and the next start settles it.
            self._ledger.abandon([call.key])
        return error

    def _add_excess_in_flight(self, call: Call, error: UsageError, reported: Cost | None) -> UsageError:
        """Add to the error the amount by which requests in flight may exceed their reservations.

        The estimate assumes that each is charged in the same proportion to its worst case as this one, largest reservations first.
        """
        unit = self._ledger.spending.unit
        worst, paid = call.worst.amount(unit), reported.amount(unit) if reported else None
        if not error.in_flight or not worst or paid is None or paid <= worst:
            return error
        without_answer = (c for c in (*self._in_flight.values(), *self._unprocessed) if c.job.queue == call.job.queue)
        # `error.in_flight` of these had reached the endpoint. It is unknown which, so the largest reservations are assumed.
        others = sorted((c.worst.amount(unit) or 0.0 for c in without_answer), reverse=True)
        beyond = sum(others[: error.in_flight]) * (paid / worst - 1)
        requests = "1 request" if error.in_flight == 1 else f"{error.in_flight} requests"
        return error.telling(f"nothing more is sent; {requests} in flight could cost {format_amount(unit, beyond)} above what is reserved")

    def is_over(self) -> bool:
        """Return True if nothing is in flight and nothing more will be sent, or the time after Ctrl-C is over."""
        if self._deadline is not None and time.monotonic() > self._deadline:
            return True
        if self._in_flight:
            return False
        return self.stopped is not None or all(queue.is_done() for queue in self._queues.values())

    def abandon(self, yielded: Iterable[str]) -> None:
        """Free the reservations of the calls in flight and of those yielded to the caller: another thread may wait for the room."""
        self._ledger.abandon([*yielded, *(call.key for call in self._in_flight.values())])


def reported_cost(call: Call, error: UsageError) -> Cost | None:
    """Return the cost by a reply's impossible usage, or None if the usage cannot be read: the provider may charge by it."""
    if call.card is None or error.prompt_tokens is None or error.generated_tokens is None:
        return None
    return cost_of(call.card, prompt_tokens=error.prompt_tokens, generated_tokens=error.generated_tokens)


@contextmanager
def defer_interrupts() -> Iterator[Callable[[], None]]:
    """Defer the first Ctrl-C until the caller checks for it; a second one raises at once.

    Only signals that would raise KeyboardInterrupt are deferred, and only in the main thread, because no other thread receives them.

    Yields:
        A function that raises KeyboardInterrupt once a signal has arrived; later calls do nothing.

    Raises:
        KeyboardInterrupt: on leaving, for a signal that the caller never checked for.
    """
    received = raised = False

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal received
        # A second Ctrl-C: the user does not want to wait for a clean stop. A terminal that is closed sends several signals.
        if received and number != signal.SIGHUP:
            signal.default_int_handler(number, frame)
        received = True

    def raise_if_received() -> None:
        nonlocal raised
        if received and not raised:
            raised = True
            raise KeyboardInterrupt

    handled: list[signal.Signals] = []
    if threading.current_thread() is threading.main_thread():  # elsewhere `signal.signal` raises ValueError
        # A handler that the embedding program (a notebook, a server) has set is left alone.
        handled = [number for number in stop_signals() if signal.getsignal(number) is signal.default_int_handler]
    for number in handled:
        signal.signal(number, handle)
    try:
        yield raise_if_received
    finally:
        for number in handled:
            signal.signal(number, signal.default_int_handler)
    raise_if_received()
