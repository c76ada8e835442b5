"""Progress events of a run. The run never prints; a listener does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class StageProgress:
    """The progress of a stage.

    Attributes:
        stage: Name of the stage.
        done: Units done, over every start of the run.
        total: Units in all.
        unit: Name of a unit.
        seconds: Seconds since the stage began in this start.
        done_before: Units that earlier starts had done.
        tokens: Tokens generated in this start.
        detail: Further text, such as money or the share of correct answers.
        finished: True in the last event of a stage.
        rate: Units per second since the first answer, so that start-up does not count; None until there is a second answer.
    """

    stage: str
    done: int
    total: int
    unit: str
    seconds: float
    done_before: int
    tokens: int
    detail: str
    finished: bool
    rate: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A sentence for the user.

    Attributes:
        text: The sentence.
        loud: True if what follows is probably worthless without a change.
    """

    text: str
    loud: bool = False


Listener = Callable[[StageProgress | Note], None]


@dataclass(slots=True, kw_only=True)
class StageWatch:
    """Counts a stage's work and sends events to the listener.

    Attributes:
        uncertain: True while some work makes no progress, so that the rate of the rest says nothing about the time left.
    """

    stage: str
    total: int
    unit: str
    listener: Listener
    done_before: int = 0
    done: int = 0
    tokens: int = 0
    detail: str = ""
    uncertain: bool = False
    started: float = field(default_factory=time.monotonic)
    _first: tuple[float, int] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self) -> None:
        self.done = self.done_before
        self._tell(finished=False)

    def resume(self, units: int) -> None:
        """Count units that an earlier start had done."""
        with self._lock:
            self.done += units
            self.done_before += units

    def advance(self, units: int = 1, *, tokens: int = 0, detail: str | None = None) -> None:
        """Count new units and tell the listener. Safe for several threads."""
        with self._lock:
            self._count(units, tokens)
            self.detail = self.detail if detail is None else detail
            self._tell(finished=False)

    def count(self, units: int, *, tokens: int = 0) -> None:
        """Count new units; the next `advance` tells the listener of all of them. Safe for several threads."""
        with self._lock:
            self._count(units, tokens)

    def _count(self, units: int, tokens: int) -> None:
        self.done += units
        self.tokens += tokens
        # The clock starts at the first answer: loading a model can take longer than the stage itself.
        if self._first is None and units:
            self._first = time.monotonic(), self.done - self.done_before

    def rate(self) -> float | None:
        """Return units per second since the first answer, or None until there is a second one, and while it says nothing."""
        if self._first is None or self.uncertain:
            return None
        seconds, new = time.monotonic() - self._first[0], self.done - self.done_before - self._first[1]
        return new / seconds if new > 0 and seconds > 0 else None

    def finish(self) -> float:
        """Send the last event and return the stage's seconds."""
        self._tell(finished=True)
        return time.monotonic() - self.started

    def _tell(self, *, finished: bool) -> None:
        self.listener(
            StageProgress(
                stage=self.stage,
                done=self.done,
                total=self.total,
                unit=self.unit,
                seconds=time.monotonic() - self.started,
                done_before=self.done_before,
                tokens=self.tokens,
                detail=self.detail,
                finished=finished,
                rate=self.rate(),
            )
        )
