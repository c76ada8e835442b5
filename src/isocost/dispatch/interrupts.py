"""Ctrl-C while calls are written down: it waits until nothing is half done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def deferred() -> Iterator[Callable[[], None]]:
    """Have the first Ctrl-C wait until somebody looks for it; a second one raises wherever it comes.

    Only signals that would raise KeyboardInterrupt are held back, and only in the main thread, which alone receives them.

    Yields:
        Raises KeyboardInterrupt once a signal has come; later calls do nothing.

    Raises:
        KeyboardInterrupt: at the end, for a signal that nobody looked for.
    """
    came = looked = False

    def come(number: int, frame: FrameType | None) -> None:
        nonlocal came
        if came:
            signal.default_int_handler(number, frame)
        came = True

    def look() -> None:
        nonlocal looked
        if came and not looked:
            looked = True
            raise KeyboardInterrupt

    held = [number for number in SIGNALS if signal.getsignal(number) is signal.default_int_handler] if _may_hold() else []
    for number in held:
        signal.signal(number, come)
    try:
        yield look
    finally:
        for number in held:
            signal.signal(number, signal.default_int_handler)
    look()


def _may_hold() -> bool:
    return threading.current_thread() is threading.main_thread()
