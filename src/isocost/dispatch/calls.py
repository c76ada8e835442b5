"""Calls that wait for engines: what is sent next, and when what an endpoint could not answer is sent again."""

from __future__ import annotations

import heapq
import itertools
import random
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from isocost.errors import EngineError, TryAgainError
from isocost.executors.jobs import Job
from isocost.ledger import Reservation
from isocost.records import Cost, ModelCard


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A job, with what the ledger has to know of it.

    Attributes:
        job: What is sent.
        worst: What it costs at most.
        facts: What its line in the ledger says: account, model, how many answers.
        card: What its tokens cost.
    """

    job: Job
    worst: Cost
    facts: Mapping[str, Any]
    card: ModelCard | None = None

    @property
    def key(self) -> str:
        """What it is reserved and stored under."""
        return self.job.key

    def reservation(self) -> Reservation:
        """What is reserved for it."""
        return Reservation(request=self.key, worst=self.worst, facts={**self.facts, **({"remote": True} if self.job.remote else {})})


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrying:
    """How an endpoint is asked again that could not answer.

    A request is sent again after `first`, then twice that, and so on up to `longest` seconds, times a random factor from 0.5 to 1.5 so
    that many requests do not come back at once; never before the time that the endpoint names (Retry-After). One that is refused holds
    back the others. Once `outage` of them have gone wrong and none was answered in between, one at a time is sent until one is: what an
    endpoint that is down may charge for stays small. It is one that was not sent yet, while there are such: those that went wrong may be
    what the endpoint cannot answer, and would keep it looking down.

    Attributes:
        first: Seconds before the first time.
        longest: Seconds at most, unless the endpoint names more.
        patience: Seconds without any answer after which the run stops.
        outage: How many go wrong in a row before only one at a time is sent.
        attempts: How often one request may go wrong while others are answered; then its draws have failed.
    """

    first: float = 1.0
    longest: float = 60.0
    patience: float = 600.0
    outage: int = 8
    attempts: int = 5

    def wait(self, failures: int, asked: float | None) -> float:
        """Seconds to wait after so many failures in a row."""
        usual = min(self.longest, self.first * 2.0 ** min(failures - 1, 30))
        return max(usual * random.uniform(0.5, 1.5), asked or 0.0)


RETRYING = Retrying()
HICCUPS = 3  # failures in a row that are not worth a word


@dataclass(slots=True)
class CallLane:
    """Calls that wait for the same engine or devices."""

    source: Iterator[Call]
    retrying: Retrying
    first: deque[Call] = field(default_factory=deque)
    later: list[tuple[float, int, Call]] = field(default_factory=list)
    flying: int = 0
    not_before: float = 0.0
    successes: int = 0
    failures: dict[str, tuple[int, int]] = field(default_factory=dict)  # by call: how many, and `successes` at the first
    in_a_row: int = 0
    since: float = 0.0  # when the failures in a row began
    told: bool = False  # whether somebody was told of them
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def next(self, now: float) -> Call | None:
        """The next call that may be sent now."""
        if now < self.not_before:
            return None
        if self._is_out() and (fresh := self._fresh()):
            return fresh
        if self.later and self.later[0][0] <= now:
            return heapq.heappop(self.later)[2]
        return self._fresh()

    def _fresh(self) -> Call | None:
        return self.first.popleft() if self.first else next(self.source, None)

    def _is_out(self) -> bool:
        return self.in_a_row >= self.retrying.outage

    def is_done(self) -> bool:
        """Whether there is nothing more to send."""
        if not self.first and not self.later:
            self.first.extend(itertools.islice(self.source, 1))
        return not self.first and not self.later

    def room(self, capacity: int) -> int:
        """How many calls more may be in flight."""
        return (1 if self._is_out() else capacity) - self.flying

    def postpone(self, call: Call) -> None:
        """Have a call sent again in a while that was not sent."""
        heapq.heappush(self.later, (time.monotonic() + self.retrying.first, next(self._numbers), call))

    def succeeded(self, call: Call) -> None:
        """A call was answered."""
        self.successes, self.in_a_row, self.told = self.successes + 1, 0, False
        self.failures.pop(call.key, None)

    def trouble(self, error: TryAgainError) -> str:
        """What to tell a person of failures in a row, once they are more than a hiccup; "" if there is nothing new."""
        if self.told or self.in_a_row < HICCUPS:
            return ""
        self.told = True
        return f"{error.happened}; asking again, for up to {_say(self.retrying.patience)} without an answer"

    def failed(self, call: Call, error: TryAgainError) -> bool:
        """Have a call sent again, later; False if it has failed for good.

        Raises:
            EngineError: nothing was answered for longer than patience allows.
        """
        now = time.monotonic()
        if self.in_a_row == 0:
            self.since = now
        self.in_a_row += 1
        before, successes = self.failures.get(call.key, (0, self.successes))
        self.failures[call.key] = before + 1, successes
        if error.charged and before + 1 >= self.retrying.attempts and self.successes > successes:
            return False
        # The probes of an outage come further and further apart, though each is the first try of another call.
        wait = self.retrying.wait(max(before + 1, self.in_a_row - self.retrying.outage + 1), error.wait)
        if now + wait - self.since > self.retrying.patience:
            patience = self.retrying.patience
            why = f"it asks to wait for {_say(error.wait)}" if error.wait and error.wait > patience else f"no answer for {_say(patience)}"
            advice = f"{why}; all that came is saved, run the same command to go on{self._blamed(call, error)}"
            raise EngineError(error.happened, advice=advice)
        if not error.charged or self._is_out():
            self.not_before = max(self.not_before, now + wait)
        heapq.heappush(self.later, (now + wait, next(self._numbers), call))
        return True

    def _blamed(self, call: Call, error: TryAgainError) -> str:
        """Which problem the endpoint may be unable to answer: while nothing else is left to ask, an outage looks the same."""
        if not error.charged or self.failures[call.key][0] < self.retrying.attempts or call.facts.get("account") != "data":
            return ""
        problem, times = call.job.requests[0].problem_id, self.failures[call.key][0]
        return f"; or leave problem {problem} out, which was asked {times} times, if others are answered"


def _say(seconds: float) -> str:
    """`10 minutes`, `30 seconds`."""
    return f"{seconds / 60:.3g} minutes" if seconds >= 120 else f"{seconds:.3g} seconds"


def lanes_of(sources: Iterable[Iterable[Call]]) -> dict[str, CallLane]:
    """Sources by what they wait for."""
    lanes: dict[str, list[Iterator[Call]]] = {}
    for source in sources:
        calls = iter(source)
        first = next(calls, None)
        if first is not None:
            lanes.setdefault(first.job.queue, []).append(itertools.chain([first], calls))
    return {name: CallLane(itertools.chain.from_iterable(parts), RETRYING) for name, parts in lanes.items()}
