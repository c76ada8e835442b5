import threading
import time
from contextlib import suppress

import pytest

from isocost.graders.processortime import TooLongError, processor_time


def busy(seconds: float) -> None:
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def test_work_beyond_the_limit_is_ended() -> None:
    with pytest.raises(TooLongError), processor_time(0.05):
        busy(5)


def test_waiting_uses_no_processor_time() -> None:
    with processor_time(0.1):
        time.sleep(0.3)


def swallowing(times: int) -> None:
    for _ in range(times):
        with suppress(TooLongError):
            busy(5)
    busy(5)


def test_an_exception_that_is_swallowed_is_raised_again() -> None:
    with pytest.raises(TooLongError), processor_time(0.05):
        swallowing(2)


def test_nothing_is_raised_after_the_block() -> None:
    with processor_time(0.05):
        pass
    busy(0.2)


def test_other_threads_have_no_limit() -> None:
    ended: list[bool] = []

    def work() -> None:
        with processor_time(0.01):
            busy(0.1)
            ended.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert ended == [True]
