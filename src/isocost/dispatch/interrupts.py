"""Defer Ctrl-C while answers are stored, so that no step is left half done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


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
        if received:  # a second Ctrl-C: the user does not want to wait for a clean stop
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
        handled = [number for number in SIGNALS if signal.getsignal(number) is signal.default_int_handler]
    for number in handled:
        signal.signal(number, handle)
    try:
        yield raise_if_received
    finally:
        for number in handled:
            signal.signal(number, signal.default_int_handler)
    raise_if_received()
