"""Steps of a batch's life: a generator that waits for futures and times, driven by a loop that never blocks."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from concurrent.futures import Future
from typing import Any, TypeVar

from isocost.dispatch.batches.terms import Timing
from isocost.dispatch.calls import AnsweredCalls
from isocost.errors import EngineError, TryAgainError

T = TypeVar("T")
# Yields a future and is resumed with its result, a number of seconds and is resumed after them, or answers to be stored at once.
Steps = Generator[Future[Any] | float | AnsweredCalls, Any, T]


class Stepper:
    """Drives the steps of one batch."""

    def __init__(self, steps: Steps[None]) -> None:
        self._steps = steps
        self._awaited: Future[Any] | None = None
        self._due = 0.0
        self._begun = self.is_over = False

    @property
    def awaited(self) -> Future[Any] | None:
        """The future that it waits for, or None."""
        return self._awaited

    def is_ready(self) -> bool:
        """Return True if it can go on now."""
        if self.is_over:
            return False
        return self._awaited.done() if self._awaited is not None else time.monotonic() >= self._due

    def advance(self) -> AnsweredCalls | None:
        """Go one step; return answers to be stored, or None.

        Raises:
            Exception: the steps have failed. They are over.
        """
        awaited, self._awaited, self._due = self._awaited, None, 0.0
        try:
            if awaited is not None and (error := awaited.exception()):
                step = self._steps.throw(error)
            else:
                step = self._steps.send(awaited.result() if awaited is not None else None)
        except StopIteration:
            self.is_over = True
            return None
        except BaseException:
            self.is_over = True
            raise
        if isinstance(step, Future):
            self._awaited = step
        elif isinstance(step, list):
            return step
        else:
            self._due = time.monotonic() + step
        return None

    def close(self) -> None:
        """End the steps where they are."""
        self.is_over = True
        self._steps.close()


def patiently(ask: Callable[[], Future[T]], timing: Timing, notify: Callable[[str], None]) -> Steps[T]:
    """Ask an endpoint until it answers.

    Raises:
        EngineError: it refuses, or has not answered for `Timing.patience`.
    """
    began, wait, failures = time.monotonic(), timing.retry, 0
    while True:
        try:
            return (yield ask())  # type: ignore[no-any-return]
        except TryAgainError as error:
            failures += 1
            raise_if_late(began, timing, error)
            if failures == 3:  # one or two are usual
                notify(f"{error.happened}; asking again for up to {timing.patience / 60:.0f} minutes")
            yield max(wait, min(error.wait or 0.0, 2 * timing.longest_retry))
            wait = min(2 * wait, timing.longest_retry)


def raise_if_late(began: float, timing: Timing, error: EngineError) -> None:
    """Raise an error if an endpoint has not answered for `Timing.patience` since a time (monotonic).

    Raises:
        EngineError: it has not.
    """
    if time.monotonic() - began > timing.patience:
        raise EngineError(error.happened, advice="nothing that was submitted is lost; run the same command to resume") from error
