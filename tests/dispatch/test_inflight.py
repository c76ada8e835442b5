"""Calls in flight: the order of sending, their entries in the ledger, and stops."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from isocost.dispatch import inflight
from isocost.dispatch.calls import Retrying
from isocost.dispatch.inflight import send_calls
from isocost.errors import (
    EngineError,
    LimitReachedError,
    NotSentError,
    RefusedPromptError,
    RunError,
    StorageError,
    TryAgainError,
    UsageError,
)
from isocost.executors.jobs import Job
from isocost.ledger import Answered, Ledger, Reservation
from isocost.records import Cost
from isocost.store import Log
from tests.dispatch.scripted import Consumer, Scripted, calls
from tests.sampling.pooling import CARD


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits of milliseconds; what is tested is their order."""
    monkeypatch.setattr(inflight, "POLL_INTERVAL", 0.01)
    monkeypatch.setattr("isocost.dispatch.calls.RETRYING", Retrying(first=0.005, longest=0.02, patience=30.0))


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path / "ledger.jsonl")


def events(log: Log) -> list[tuple[str, str]]:
    return [(line["event"], line["request"]) for line in log.peek()]


def busy(*, charged: bool = False, wait: float | None = None) -> TryAgainError:
    return TryAgainError("it is busy\n  wait", charged=charged, wait=wait)


def test_calls_of_a_queue_are_sent_in_order_and_so_many_at_once(log: Log) -> None:
    executor = Scripted(capacity=2)
    consumer = Consumer([calls("abc"), calls("de")], executor, Ledger(log))
    executor.has_sent(2)
    assert executor.sent == ["a", "b"]
    executor.answer("b")
    executor.has_sent(3)
    executor.answer("a", "c")
    executor.has_sent(5)
    assert executor.sent == list("abcde")
    executor.answer("e", "d")
    assert consumer.ends().error is None
    assert sorted(consumer.found) == list("abcde")


def test_queues_are_worked_off_side_by_side(log: Log) -> None:
    executor = Scripted(capacity=1)
    consumer = Consumer([calls("ab"), calls("cd", queue="far"), calls("ef", queue="farther")], executor, Ledger(log))
    executor.has_sent(3)
    assert set(executor.sent) == {"a", "c", "e"}
    executor.answer("c")
    executor.has_sent(4)
    assert executor.sent[-1] == "d"
    executor.answer("a", "d", "e")
    executor.has_sent(6)
    executor.answer("b", "f")
    assert consumer.ends().error is None


def test_a_call_stands_in_the_ledgers_file_before_it_is_sent(log: Log) -> None:
    seen: list[bool] = []

    def look(executor: Scripted, job: Job) -> None:
        seen.append(("reserve", job.key) in events(log))
        executor.answer(job.key)

    Consumer([calls("abc"), calls("de", queue="far")], Scripted(capacity=2, on_send=look), Ledger(log)).ends()
    assert seen == [True] * 5
    lines = list(log.entries())
    assert [line.get("remote") for line in lines if line["request"] == "d" and line["event"] == "reserve"] == [True]
    assert sum(line["event"] == "done" for line in lines) == 5


def test_at_the_limit_it_goes_on_while_something_in_flight_may_come_cheaper(log: Log) -> None:
    executor = Scripted(capacity=5)
    consumer = Consumer([calls("abcd")], executor, Ledger(log, limit=22))
    executor.has_sent(2)
    executor.answer("a")
    executor.has_sent(3)  # 1 spent, 10 reserved for b: c fits
    assert executor.sent == ["a", "b", "c"]
    executor.answer("b", "c")
    executor.has_sent(4)
    executor.answer("d")
    assert consumer.ends().error is None
    assert sorted(consumer.found) == list("abcd")


def test_at_the_limit_it_stops_once_nothing_is_in_flight(log: Log) -> None:
    ledger = Ledger(log, limit=22)
    executor = Scripted(capacity=5)
    consumer = Consumer([calls("abcd")], executor, ledger, cost=10.0)
    executor.has_sent(2)
    executor.answer("a", "b")
    assert isinstance(consumer.ends().error, LimitReachedError)
    assert sorted(consumer.found) == ["a", "b"]
    assert ledger.spending.spent == 20
    assert executor.sent == ["a", "b"]


def test_what_could_not_be_answered_is_reserved_and_sent_again(log: Log) -> None:
    ledger, tries = Ledger(log, limit=100), {"a": 0}

    def twice(executor: Scripted, job: Job) -> None:
        tries["a"] += 1
        if tries["a"] < 3:
            executor.fail(job.key, busy(charged=tries["a"] == 2))
        else:
            executor.answer(job.key)

    consumer = Consumer([calls("a", queue="far")], Scripted(on_send=twice), ledger).ends()
    assert (consumer.error, consumer.found) == (None, ["a"])
    assert [event for event, _ in events(log)] == ["reserve", "retry", "reserve", "lost", "reserve", "done"]
    assert next(line for line in log.entries() if line["event"] == "retry")["reason"] == "it is busy"
    account = ledger.accounts["data", "m"]
    assert (account.retries, account.lost, account.amount("flops")) == (1, 1, 11.0)
    assert ledger.spending.reserved == 0


def test_a_call_that_keeps_failing_while_others_succeed_is_given_up(log: Log) -> None:
    def poison(executor: Scripted, job: Job) -> None:
        if job.key == "x":
            executor.fail(job.key, busy(charged=True))
        else:
            executor.answer(job.key)

    consumer = Consumer([calls("x" + "abcdefghij", queue="far")], Scripted(capacity=1, on_send=poison), Ledger(log)).ends()
    assert consumer.error is None
    assert consumer.given_up == ["x"]
    assert sorted(consumer.found) == list("abcdefghij")
    assert sum(event == ("lost", "x") for event in events(log)) == 5
    assert Ledger(log).unanswered() == {}


def test_a_call_whose_prompt_is_refused_is_given_up_at_once_and_may_be_charged(log: Log) -> None:
    def choosy(executor: Scripted, job: Job) -> None:
        if job.key == "x":
            executor.fail(job.key, RefusedPromptError("filters x"))
        else:
            executor.answer(job.key)

    consumer = Consumer([calls("axb", queue="far")], Scripted(on_send=choosy), Ledger(log)).ends()
    assert (consumer.error, consumer.given_up, sorted(consumer.found)) == (None, ["x"], ["a", "b"])
    assert [event for event, key in events(log) if key == "x"] == ["reserve", "lost"]


@pytest.mark.parametrize("capacity", [1, 4])
def test_last_calls_that_are_refused_in_unknown_words_are_given_up(log: Log, capacity: int) -> None:
    def choosy(executor: Scripted, job: Job) -> None:
        if job.key in "xyz":
            error = RefusedPromptError("what is it", reason="refused (400)", certain=False)
            error.charged = False
            executor.fail(job.key, error)
        else:
            executor.answer(job.key)

    consumer = Consumer([calls("abxyz", queue="far")], Scripted(capacity, on_send=choosy), Ledger(log)).ends()
    assert (consumer.error, sorted(consumer.given_up), sorted(consumer.found)) == (None, ["x", "y", "z"], ["a", "b"])
    assert max(events(log).count(("reserve", key)) for key in "xyz") <= 2
    assert not any(event == "lost" for event, _ in events(log))


def test_while_an_endpoint_is_down_one_call_at_a_time_is_sent(log: Log) -> None:
    most: list[int] = []
    failing = threading.Event()
    failing.set()

    def down(executor: Scripted, job: Job) -> None:
        if len(executor.sent) > 20:
            failing.clear()

    executor = Scripted(capacity=6, on_send=down)
    consumer = Consumer([calls("abcdefghijkl", queue="far")], executor, Ledger(log))
    executor.has_sent(6)
    while failing.is_set():
        flying = list(executor.open)
        if executor.sent and len(executor.sent) > 14:
            most.append(len(flying))
        for key in flying:
            executor.fail(key, busy(charged=True))
    while not consumer.is_over():
        for key in list(executor.open):
            executor.answer(key)
    assert consumer.ends().error is None
    assert max(most) == 1
    assert sorted(consumer.found) == list("abcdefghijkl")
    assert consumer.notes[0].startswith("it is busy; retrying")


def test_an_endpoint_that_stays_down_stops_the_run(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isocost.dispatch.calls.RETRYING", Retrying(first=0.001, longest=0.002, patience=0.05))
    ledger = Ledger(log)
    consumer = Consumer([calls("abc", queue="far")], Scripted(on_send=lambda e, job: e.fail(job.key, busy())), ledger).ends()
    assert isinstance(consumer.error, EngineError)
    assert str(consumer.error).startswith("it is busy\n  no answer for")
    assert ledger.spending.reserved == 0
    assert Ledger(log).unanswered() == {}


def test_an_error_stops_sending_and_what_is_in_flight_is_taken_first(log: Log) -> None:
    executor = Scripted(capacity=3)
    consumer = Consumer([calls("abcdef")], executor, Ledger(log))
    executor.has_sent(3)
    executor.fail("b", EngineError("no"))
    executor.answer("a", "c")
    assert isinstance(consumer.ends().error, EngineError)
    assert sorted(consumer.found) == ["a", "c"]
    assert executor.sent == ["a", "b", "c"]
    assert set(Ledger(log).unanswered()) == {"b"}


def test_what_came_together_with_usage_that_cannot_be_right_is_in_flight_too(log: Log) -> None:
    def settle(executor: Scripted, job: Job) -> None:
        if job.key == "d":  # the last: all land before the first is looked at
            executor.fail("a", UsageError("no\n  do", prompt_tokens=0, generated_tokens=500, in_flight=2))
            executor.answer("b", "c")

    executor = Scripted(capacity=4, on_send=settle)
    sent = [replace(each, card=CARD) for each in calls("abcd", "w", worst=10.0)]
    consumer = Consumer([sent], executor, Ledger(log))
    executor.has_withdrawn(1)
    executor.answer("d")
    # 500 tokens at 2 FLOPs are 100 times the worst case of 10, and so may the two others be.
    assert "2 requests in flight could cost 2.0 KFLOPs above what is reserved" in str(consumer.ends().error)


def test_what_an_endpoint_refuses_while_it_stops_is_not_sent_again(log: Log) -> None:
    executor = Scripted(capacity=2)
    consumer = Consumer([calls("abcd", queue="far")], executor, Ledger(log))
    executor.has_sent(2)
    executor.fail("a", EngineError("no"))
    executor.fail("b", busy())
    for key in list(executor.open):
        executor.answer(key)
    assert isinstance(consumer.ends().error, EngineError)
    assert executor.sent.count("b") == 1


def test_ctrl_c_waits_for_what_is_in_flight_and_sends_nothing_more(log: Log) -> None:
    stop = threading.Event()

    def check() -> None:
        if stop.is_set():
            raise KeyboardInterrupt

    ledger, executor = Ledger(log), Scripted(capacity=2)
    consumer = Consumer([calls("abcd")], executor, ledger, check)
    executor.has_sent(2)
    stop.set()

    def others() -> None:
        while True:
            ledger.reserve([Reservation(request="other", worst=Cost())])
            ledger.retry("other", "")

    with pytest.raises(RunError, match="being stopped"):
        others()
    assert not consumer.is_over()
    executor.answer("a", "b")
    assert isinstance(consumer.ends().error, KeyboardInterrupt)
    assert sorted(consumer.found) == ["a", "b"]
    assert executor.sent == ["a", "b"]


def test_ctrl_c_does_not_wait_for_ever(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inflight, "PATIENCE", 0.02)
    rung = iter([None, None])

    def check() -> None:
        if next(rung, "ring") == "ring":
            raise KeyboardInterrupt

    executor = Scripted(capacity=2)
    assert isinstance(Consumer([calls("abcd")], executor, Ledger(log), check).ends().error, KeyboardInterrupt)
    assert executor.sent == ["a", "b"]
    assert set(Ledger(log).unanswered()) == {"a", "b"}


def test_another_exception_of_check_ends_it_at_once(log: Log) -> None:
    def check() -> None:
        if executor.sent:
            raise CancelledError

    executor = Scripted()
    assert isinstance(Consumer([calls("abcd")], executor, Ledger(log), check).ends().error, CancelledError)
    assert executor.sent == ["a", "b"]


def test_a_worker_that_dies_stops_it(log: Log) -> None:
    executor = Scripted(capacity=2, on_send=lambda e, job: e.fail(job.key, BrokenProcessPool("gone")))
    ledger = Ledger(log)
    assert isinstance(Consumer([calls("abcd")], executor, ledger).ends().error, BrokenProcessPool)
    assert len(executor.sent) <= 4
    assert set(ledger.unanswered()) == set(executor.sent)


def test_while_graders_are_behind_nothing_is_sent(log: Log) -> None:
    executor, room = Scripted(capacity=1), threading.Event()
    found: list[str] = []
    for rounds, landed in enumerate(send_calls([calls("abc")], executor, Ledger(log), lambda: None, room.is_set), start=1):
        found += [each.key for each, _ in landed]
        if rounds == 3:
            assert executor.sent == []
            room.set()
        if rounds >= 3:
            executor.answer(*executor.open)
    assert found == list("abc")


@pytest.mark.parametrize("error", [StorageError("the disk is full"), KeyboardInterrupt()])
def test_a_caller_that_fails_before_it_releases_leaves_nobody_waiting_for_room(log: Log, error: BaseException) -> None:
    """Sampling whose disk is full, while the judge waits for the room of what sampling has in flight."""
    ledger = Ledger(log, limit=30)
    executor = Scripted(capacity=2, on_send=lambda e, job: e.answer(job.key))

    def take() -> None:
        found: Iterator[object] = send_calls([calls("ab")], executor, ledger, lambda: None)
        for landed in found:
            if landed:
                found.close()  # type: ignore[attr-defined]  # what `closing` does when its block raises
                raise error

    with pytest.raises(type(error)):
        take()
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(ledger.reserve, [Reservation(request="judge", worst=Cost(flops=25.0))], patient=True)
        try:
            with pytest.raises(LimitReachedError):
                waiting.result(timeout=10)
        finally:
            ledger.close()


def test_a_second_flight_waits_for_the_first_ones_room(log: Log) -> None:
    ledger = Ledger(log, limit=25)
    one, two = Scripted(capacity=2), Scripted(capacity=1)
    first = Consumer([calls("ab")], one, ledger)
    one.has_sent(2)
    second = Consumer([calls("x")], two, ledger)
    assert two.sent == []
    one.answer("a")
    two.has_sent(1)
    two.answer("x")
    one.answer("b")
    assert (first.ends().error, second.ends().error) == (None, None)


def test_nothing_to_ask(log: Log) -> None:
    assert list(send_calls([[], []], Scripted(), Ledger(log), lambda: None)) in ([], [[]])
    assert not log.path.exists()


def test_the_ledger_adds_up_whatever_came(log: Log) -> None:
    ledger = Ledger(log, limit=1000)
    seen: dict[str, int] = {}

    def mixed(executor: Scripted, job: Job) -> None:
        seen[job.key] = seen.get(job.key, 0) + 1
        if (ord(job.key) + seen[job.key]) % 3 == 0 and seen[job.key] < 3:
            executor.fail(job.key, busy(charged=seen[job.key] % 2 == 0))
        else:
            executor.answer(job.key)

    Consumer([calls("abcdefgh", queue="far"), calls("ijklmn")], Scripted(capacity=3, on_send=mixed), ledger).ends()
    lines = [json.loads(line) for line in log.path.read_text().splitlines()]
    done = [line["request"] for line in lines if line["event"] == "done"]
    assert sorted(done) == sorted("abcdefghijklmn")
    lost = sum(line["flops"] for line in lines if line["event"] == "lost")
    assert ledger.spending.spent == pytest.approx(len(done) + lost)
    assert ledger.spending.reserved == 0
    again = Ledger(log)
    assert again.accounts == ledger.accounts
    assert again.unanswered() == {}
    again.release([Answered(request="new", cost=Cost(flops=0.0))])


@pytest.mark.parametrize("why", ["refused", "checked", "limit"])
def test_what_an_endpoint_was_not_asked_when_a_run_stops(log: Log, why: str) -> None:
    failures: list[Exception] = []

    def check() -> None:
        if failures:
            raise failures[0]

    executor = Scripted(capacity=3)
    consumer = Consumer([calls("abcdef", queue="far"), calls("gh")], executor, Ledger(log, limit=52 if why == "limit" else None), check)
    executor.has_sent(5)
    if why == "refused":
        executor.fail("a", EngineError("no such model"))
    elif why == "checked":
        failures.append(EngineError("the judge is gone"))
    else:
        consumer._cost = 10.0
        executor.answer("a")
    executor.has_withdrawn(0 if why == "limit" else 1)
    for key in sorted(executor.open):
        if key == "c" and why != "limit":
            executor.fail(key, NotSentError("not sent"))
        else:
            executor.answer(key)
    error = consumer.ends().error
    assert isinstance(error, LimitReachedError if why == "limit" else EngineError)
    assert executor.withdrawn == ([] if why == "limit" else ["far"])
    assert len(executor.sent) == 5
    assert [key for event, key in events(log) if event == "unsent"] == ([] if why == "limit" else ["c"])
    assert Ledger(log).unanswered().keys() <= ({"a"} if why == "refused" else set())


def test_what_was_not_sent_though_nothing_stops_is_sent_later(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread may have withdrawn it: a judge that asks the same endpoint."""
    monkeypatch.setattr("isocost.dispatch.calls.RETRYING", Retrying(first=0.001))
    executor = Scripted()
    consumer = Consumer([calls("ab", queue="far")], executor, Ledger(log, limit=100))
    executor.has_sent(2)
    executor.fail("a", NotSentError("not sent"))
    executor.has_sent(3)
    executor.answer("a", "b")
    assert sorted(consumer.ends().found) == ["a", "b"]
    assert [event for event, key in events(log) if key == "a"] == ["reserve", "unsent", "reserve", "done"]
    assert Ledger(log).accounts["data", "m"].retries == 0


def test_what_an_executor_does_not_take_costs_nothing(log: Log) -> None:
    def take_one(executor: Scripted, job: Job) -> None:
        if job.key != "a":
            raise OSError(24, "Too many open files")
        executor.answer("a")

    ledger = Ledger(log)
    consumer = Consumer([calls("abc")], Scripted(capacity=3, on_send=take_one), ledger)
    assert isinstance(consumer.ends().error, OSError)
    assert {request for event, request in events(log) if event == "unsent"} == {"b", "c"}
    assert "b" not in ledger.unanswered()


def test_where_nothing_is_sent_nothing_is_waited_for(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """A resumed run passes through all its rounds, whose draws are stored."""
    waits, finished = list[float](), inflight._CallsInFlight.finished

    def recorded(self: Any, timeout: float) -> Any:
        waits.append(timeout)
        return finished(self, timeout)

    monkeypatch.setattr(inflight._CallsInFlight, "finished", recorded)
    list(send_calls([[], iter(())], Scripted(), Ledger(log), lambda: None))
    assert waits == [0.0]
