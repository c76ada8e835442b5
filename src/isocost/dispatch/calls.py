"""Queues of calls per endpoint or device, with the retry schedule for calls that an endpoint could not answer."""

from __future__ import annotations

import heapq
import itertools
import random
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from isocost.errors import EngineError, RefusedPromptError, TryAgainError
from isocost.executors.jobs import Answers, Job
from isocost.ledger import Reservation
from isocost.records import Cost, ModelCard


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A job, with the facts that the ledger needs.

    Attributes:
        job: The job that the executor gets.
        worst: Its largest possible cost, which is reserved.
        facts: Fields of its line in the ledger: account, model, number of answers.
        card: The cost of its tokens; None for calls that nobody pays for.
    """

    job: Job
    worst: Cost
    facts: Mapping[str, Any]
    card: ModelCard | None = None

    @property
    def key(self) -> str:
        """The key that it is reserved and stored under."""
        return self.job.key

    def reservation(self, **more: str) -> Reservation:
        """Return its reservation for the ledger, with further fields of its line."""
        remote = {"remote": True} if self.job.remote else {}  # left out of other lines, which keeps the ledger short
        return Reservation(request=self.key, worst=self.worst, facts={**self.facts, **remote, **more})


@dataclass(frozen=True, slots=True, kw_only=True)
class Abandoned:
    """A call that has failed for good: `reason` is why, in the endpoint's words where it gave any."""

    reason: str


AnsweredCalls = list[tuple[Call, Answers | Abandoned]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrying:
    """The retry schedule of an endpoint: exponential backoff with jitter, and single probes during an outage.

    A request is retried after `first` seconds, then after twice that, and so on up to `longest`. Each wait is multiplied by a random
    factor from 0.5 to 1.5, so that many requests do not return at once. No wait is shorter than the endpoint's Retry-After, up to
    `most_asked`: a longer one may be a mistake, such as milliseconds for seconds. A refused request delays the others too.

    After `outage` failures in a row, one request at a time is sent until one is answered: an endpoint that is down can then charge for
    few requests. The probe is a request that was not sent before, if there is one. A request that failed may be one that the endpoint
    cannot answer, and would make the outage look longer.

    Attributes:
        first: Seconds before the first retry.
        longest: Largest wait in seconds, unless the endpoint asks for more.
        most_asked: Largest wait in seconds that an endpoint can ask for.
        patience: Seconds without any answer after which the run stops.
        outage: Number of failures in a row after which one request at a time is sent.
        attempts: Number of failures of one request after which its draws have failed, if the endpoint is up: it has answered others
            since the first of these failures, or it answered before and few requests fail.
    """

    first: float = 1.0
    longest: float = 60.0
    most_asked: float = 120.0
    patience: float = 600.0
    outage: int = 8
    attempts: int = 5

    def wait(self, failures: int, retry_after: float | None) -> float:
        """Return the seconds to wait after `failures` failures in a row, at least the seconds of Retry-After up to `most_asked`."""
        usual = min(self.longest, self.first * 2.0 ** min(failures - 1, 30))  # the exponent is capped, or a float would overflow
        return max(usual * random.uniform(0.5, 1.5), min(retry_after or 0.0, self.most_asked))


@dataclass(slots=True)
class EndpointHealth:
    """Evidence for deciding if repeated failures are the fault of an endpoint or of single calls. It may outlive a queue.

    Attributes:
        answered: True once the endpoint has answered a call, in this start or an earlier one.
        failing: The calls that have failed since its last answer.
        exhausted: True if a queue has waited for `Retrying.patience` without an answer, and none came since.
    """

    answered: bool = False
    failing: set[str] = field(default_factory=set)
    exhausted: bool = False

    def record_success(self) -> None:
        """Record that the endpoint has answered a call."""
        self.answered, self.exhausted = True, False
        self.failing.clear()

    def is_up(self) -> bool:
        """Return True if the failures since the last answer are more likely the fault of the calls: there are few such calls."""
        return self.answered and len(self.failing) <= MOST_SUSPECTS


RETRYING = Retrying()
_TIME_TO_ANSWER = 20.0  # seconds in which a model that was asked at its start has answered something
MOST_SUSPECTS = 3  # calls that fail one after another while the endpoint is taken to be up; more are an outage
_UNITS = (("days", 86_400), ("hours", 3600), ("minutes", 60))
_MOST_DAYS = 1000  # in messages; a Retry-After may name any number
NOTIFY_AFTER = 3  # failures in a row before the user is notified: one or two are usual under rate limits


@dataclass(slots=True)
class CallQueue:
    """Calls that wait for the same endpoint or devices.

    Attributes:
        source: Calls that were not sent yet.
        retrying: The retry schedule.
        health: The evidence on the endpoint.
        first: Calls taken from the source that did not fit; they go first, so that the order stays.
        later: Calls to be sent again: a heap of (time, number, call). The number breaks ties, because calls have no order.
        in_flight: Number of calls in flight.
        not_before: Time before which nothing is sent.
        successes: Number of calls answered.
        failures: By key of a call, its number of failures, and `successes` at its first one.
        refused: The problems whose prompts were refused since the last answer.
        suspects: The unanswered calls that were refused for a reason that may be their prompt's, with the time of the first refusal.
        last_error: The last failure, "" once a call is answered.
        consecutive_failures: Number of failures since the last answer.
        failing_since: Time at which these failures began.
        notified: True if the user was notified of them.
    """

    source: Iterator[Call]
    retrying: Retrying
    health: EndpointHealth = field(default_factory=EndpointHealth)
    first: deque[Call] = field(default_factory=deque)
    later: list[tuple[float, int, Call]] = field(default_factory=list)
    in_flight: int = 0
    not_before: float = 0.0
    successes: int = 0
    failures: dict[str, tuple[int, int]] = field(default_factory=dict)
    consecutive_failures: int = 0
    failing_since: float = 0.0
    notified: bool = False
    refused: set[str] = field(default_factory=set)
    suspects: dict[str, float] = field(default_factory=dict)
    last_error: str = ""
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def next(self, now: float) -> Call | None:
        """Take the next call that may be sent at time `now`, or None."""
        if now < self.not_before:
            return None
        if self._is_out() and (fresh := self._fresh()):
            return fresh
        # Retries before new calls: their draws are the oldest missing ones, and their wait is over.
        if self.later and self.later[0][0] <= now:
            return heapq.heappop(self.later)[2]
        return self._fresh()

    def _fresh(self) -> Call | None:
        return self.first.popleft() if self.first else next(self.source, None)

    def _is_out(self) -> bool:
        return self.consecutive_failures >= self.retrying.outage

    def is_done(self) -> bool:
        """Return True if nothing is left to send."""
        if not self.first and not self.later:
            self.first.extend(itertools.islice(self.source, 1))  # an iterator shows that it is empty only when it is read
        return not self.first and not self.later

    def room(self, capacity: int) -> int:
        """Return the number of calls that may be sent now, given the number that the executor takes at once."""
        return (1 if self._is_out() else capacity) - self.in_flight

    def postpone(self, call: Call) -> None:
        """Queue a call that was not sent, to be sent again after the first wait of the schedule."""
        heapq.heappush(self.later, (time.monotonic() + self.retrying.first, next(self._numbers), call))

    def record_success(self, call: Call) -> None:
        """Record that a call was answered, which ends an outage."""
        self.successes, self.consecutive_failures, self.notified, self.last_error = self.successes + 1, 0, False, ""
        self._forget(call)
        self.refused.clear()
        self.health.record_success()

    def _forget(self, call: Call) -> None:
        """Drop what is known of a call that is answered or has failed for good."""
        self.failures.pop(call.key, None)
        self.suspects.pop(call.key, None)

    def record_refusal(self, call: Call, error: RefusedPromptError, *, answered: bool) -> bool:
        """Queue a refused call for another attempt; return False if its prompt is at fault, so that it has failed for good.

        It is, if the refusal is about content, or the endpoint has answered another call since this one was first refused. If it
        refuses one prompt after another, the request itself is at fault. Once no call is left that could show which it is, or none was
        answered for `Retrying.patience`, earlier answers decide. A refusal that is certain and costs nothing, of a prompt that is too
        long, is believed once the model has answered any: a limit on generated tokens that does not fit makes every prompt too long.

        Args:
            call: The call.
            error: The refusal.
            answered: True if the endpoint has answered this model's requests in this start or an earlier one.

        Raises:
            RefusedPromptError: the endpoint never answered and nothing is left that could show which it is, or too many problems were
                refused in a row.
        """
        now = time.monotonic()
        before, successes = self.failures.get(call.key, (0, self.successes))
        self.refused.add(call.job.requests[0].problem_id)
        # Refusals of long prompts come in milliseconds, and answers to the calls beside them in seconds.
        had_time = error.charged or self._has_only_suspects() or now - min(self.suspects.values(), default=now) > _TIME_TO_ANSWER
        if error.certain and not answered and len(self.refused) >= self.retrying.outage and had_time:
            raise error
        if error.certain and (answered or error.charged):
            self.consecutive_failures = 0  # it is up
            self._forget(call)
            return False
        if self.successes > successes:
            self._forget(call)
            return False
        self.failures[call.key] = before + 1, successes
        first = self.suspects.setdefault(call.key, now)
        # At most one attempt more for each of them: the answers that they wait for will not come.
        is_last = self._has_only_suspects() and (self.in_flight == 0 or before > 0)
        is_decided = is_last or now - first > self.retrying.patience
        are_many = len(self.refused) > MOST_SUSPECTS
        is_unknown = is_decided and not (answered or self.health.answered)
        if (are_many or is_unknown) if not error.certain else (are_many and is_unknown):
            raise error
        if is_decided:
            self._forget(call)
            return False
        heapq.heappush(self.later, (now + self.retrying.wait(before + 1, None), next(self._numbers), call))
        return True

    def _has_only_suspects(self) -> bool:
        """Return True if every call that is left was refused, including the one that is being recorded."""
        if not self.first:
            self.first.extend(itertools.islice(self.source, 1))
        return len(self.suspects) == len(self.first) + len(self.later) + self.in_flight + 1

    def failure_message(self, error: TryAgainError) -> str:
        """Return a message on failures in a row, or "" if the user was notified already or need not be yet.

        It is due once there are `NOTIFY_AFTER` of them, or at the first one whose Retry-After is capped.
        """
        most = self.retrying.most_asked
        asked = error.wait or 0.0
        is_capped = asked > most
        if self.notified or (self.consecutive_failures < NOTIFY_AFTER and not is_capped):
            return ""
        self.notified = True
        cap = f" (it asks to wait for {_format_duration(asked)}, the most is {_format_duration(most)})" if is_capped else ""
        return f"{error.happened}; retrying for up to {_format_duration(self.retrying.patience)} without an answer{cap}"

    def record_failure(self, call: Call, error: TryAgainError) -> bool:
        """Queue a failed call for another attempt; return False if it has failed for good.

        Raises:
            EngineError: nothing was answered for longer than `Retrying.patience`.
        """
        now = time.monotonic()
        self.last_error = error.happened
        if self.consecutive_failures == 0:
            self.failing_since = now
        self.consecutive_failures += 1
        before, successes = self.failures.get(call.key, (0, self.successes))
        self.failures[call.key] = before + 1, successes
        self.health.failing.add(call.key)
        # Answers to other calls since its first failure show that the endpoint is up, so the fault is in this call.
        is_up = self.successes > successes or self.health.is_up()
        if error.charged and before + 1 >= self.retrying.attempts and is_up:
            self._forget(call)
            return False
        # Waits between probes grow with the length of the outage, although each probe may be the first attempt of another call.
        wait = self.retrying.wait(max(before + 1, self.consecutive_failures - self.retrying.outage + 1), error.wait)
        if self.health.exhausted or now + wait - self.failing_since > self.retrying.patience:
            self.health.exhausted = True
            patience = self.retrying.patience
            why = f"no answer for {_format_duration(patience)}"
            if error.wait and error.wait > self.retrying.most_asked:
                why += f", and it asks to wait for {_format_duration(error.wait)}"
            advice = f"{why}; answers so far are saved, run the same command to resume{self._name_suspect(call, error)}"
            raise EngineError(error.happened, advice=advice)
        # A refusal (a rate limit) concerns every call of the endpoint; a charged failure may be this call's alone.
        if not error.charged or self._is_out():
            self.not_before = max(self.not_before, now + wait)
        heapq.heappush(self.later, (now + wait, next(self._numbers), call))
        return True

    def _name_suspect(self, call: Call, error: TryAgainError) -> str:
        """Name the problem that the endpoint may be unable to answer: if it is the last one left, an outage looks the same."""
        if not error.charged or self.failures[call.key][0] < self.retrying.attempts or call.facts.get("account") != "data":
            return ""
        problem, times = call.job.requests[0].problem_id, self.failures[call.key][0]
        return f"; or leave out problem {problem}, which was sent {times} times, if others are answered"


def _format_duration(seconds: float) -> str:
    """Format seconds as `30 seconds`, `10 minutes`, `9 hours` or `300 days`."""
    unit, size = next(((unit, size) for unit, size in _UNITS if seconds >= 2 * size), ("seconds", 1))
    return f"{seconds / size:.3g} {unit}" if seconds < _MOST_DAYS * 86_400 else f"more than {_MOST_DAYS:,} days"


def make_queues(sources: Iterable[Iterable[Call]], health: EndpointHealth | None = None) -> dict[str, CallQueue]:
    """Group sources by the endpoint or devices that they wait for, into one queue for each.

    Args:
        sources: The sources.
        health: Earlier evidence on the endpoint, if all sources wait for the same one.
    """
    queues: dict[str, list[Iterator[Call]]] = {}
    for source in sources:
        calls = iter(source)
        first = next(calls, None)  # a source names its queue only in its calls
        if first is not None:
            queues.setdefault(first.job.queue, []).append(itertools.chain([first], calls))
    return {
        name: CallQueue(itertools.chain.from_iterable(parts), RETRYING, EndpointHealth() if health is None else health)
        for name, parts in queues.items()
    }
