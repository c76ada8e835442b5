"""Signals to stop are deferred while answers are stored."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from isocost.dispatch.inflight import defer_interrupts, send_calls
from isocost.errors import EngineError, RunError
from isocost.ledger import Ledger, Reservation
from isocost.records import Cost
from isocost.store import Log
from tests.dispatch.scripted import Scripted, calls

ALL = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]  # the last also where the tests run under nohup


@pytest.fixture(autouse=True)
def heeded() -> Iterator[None]:
    before = {number: signal.signal(number, signal.default_int_handler) for number in ALL}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


EACH = pytest.mark.parametrize("number", ALL)


@EACH
def test_the_first_waits_until_somebody_looks(number: signal.Signals) -> None:
    done: list[str] = []
    with defer_interrupts() as look:
        look()
        signal.raise_signal(number)
        done.append("what was begun")
        with pytest.raises(KeyboardInterrupt):
            look()
        look()
        done.append("what follows")
    assert len(done) == 2


def test_a_terminal_that_is_closed_sends_several_and_the_second_waits_too() -> None:
    done: list[str] = []
    with defer_interrupts() as look:
        for _ in range(3):
            signal.raise_signal(signal.SIGHUP)
        done.append("what was begun")
        with pytest.raises(KeyboardInterrupt):
            look()
        signal.raise_signal(signal.SIGHUP)
        done.append("what follows")
    assert len(done) == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("looks", [False, True])
def test_the_second_does_not_wait(number: signal.Signals, *, looks: bool) -> None:
    with defer_interrupts() as look, suppress(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
        if looks:
            with suppress(KeyboardInterrupt):
                look()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
        look()


def interrupted(*, fails: bool = False) -> Iterator[str]:
    with defer_interrupts():
        signal.raise_signal(signal.SIGINT)
        if fails:
            raise ValueError("that")
        yield "done"


def test_one_that_nobody_looked_for_is_heard_at_the_end() -> None:
    steps = interrupted()
    assert next(steps) == "done"
    with pytest.raises(KeyboardInterrupt):
        next(steps)


def test_what_fails_meanwhile_is_what_is_raised() -> None:
    steps = interrupted(fails=True)
    with pytest.raises(ValueError, match="that"):
        next(steps)


def test_handlers_are_as_they_were_afterwards() -> None:
    with defer_interrupts():
        assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_somebody_elses_handler_is_left_alone() -> None:
    came: list[int] = []
    signal.signal(signal.SIGINT, lambda number, frame: came.append(number))
    with defer_interrupts() as look:
        signal.raise_signal(signal.SIGINT)
        look()
    assert came == [signal.SIGINT]


def test_in_another_thread_nothing_is_held() -> None:
    found: list[object] = []

    def hold() -> None:
        with defer_interrupts() as look:
            look()
            found.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=hold)
    thread.start()
    thread.join()
    assert found == [signal.default_int_handler]


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Ledger]:
    """A ledger whose room a judge's request holds, which is lost after 20 seconds: a test that waits for it has failed."""
    ledger = Ledger(Log(tmp_path / "ledger.jsonl"), limit=15)
    ledger.reserve([Reservation(request="judge", worst=Cost(flops=10.0))])
    late = threading.Timer(20, lambda: ledger.lose("judge", "late"))
    late.start()
    yield ledger
    late.cancel()


@EACH
def test_the_first_ends_a_wait_for_room_under_the_limit(full: Ledger, number: signal.Signals) -> None:
    ring = threading.Timer(0.05, os.kill, (os.getpid(), number))
    ring.start()
    with pytest.raises(KeyboardInterrupt):
        list(send_calls([calls("a")], Scripted(), full, lambda: None))
    assert set(full.unanswered()) == {"judge"}
    with pytest.raises(RunError, match="being stopped"):  # for the judge's thread
        full.reserve([Reservation(request="another", worst=Cost(flops=1.0))])


def test_a_failed_check_ends_a_wait_for_room_under_the_limit(full: Ledger) -> None:
    looks = 0

    def check() -> None:
        nonlocal looks
        looks += 1
        if looks > 2:
            raise EngineError("the judge is gone")

    with pytest.raises(EngineError, match="the judge is gone"):
        list(send_calls([calls("a")], Scripted(), full, check))
    assert set(full.unanswered()) == {"judge"}
