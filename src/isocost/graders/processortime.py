"""A limit on the processor time of a computation, which other work on the machine does not use up, as it does a limit by the clock."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

REPEAT = 0.05  # seconds of processor time until the exception is raised again, if a library has swallowed it


class TooLongError(BaseException):
    """Raised where the limit is reached. It is no `Exception`, so that libraries do not take it for a failure of their own."""


@contextmanager
def processor_time(seconds: float) -> Iterator[None]:
    """Limit the processor time of the block, in the main thread; elsewhere there is no limit, because signals reach the main thread only.

    One operation of C code, such as a power of huge integers, ends before the limit is noticed.

    Raises:
        TooLongError: the block took longer.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    limited = True

    def stop(*_: object) -> None:
        if limited:
            raise TooLongError

    previous = signal.signal(signal.SIGVTALRM, stop)
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, seconds, REPEAT)
        try:
            yield
        finally:
            limited = False
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, previous)
