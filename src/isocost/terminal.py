"""Show progress on a terminal and in a log file, one line per stage."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import time
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:  # its import takes a second, which every command would wait for
    from isocost.events import Note, StageProgress

_REDRAW = 0.25  # seconds between redraws on a terminal
_COUNT = 2.0  # seconds between counts on a terminal
_QUIET = 30.0  # seconds between lines in a log file, or 5% of the stage if that comes first


_shown: list[ProgressLine] = []  # the one whose line is on the screen, if any: other output must not be written behind it


def end_line() -> None:
    """End the progress line that is on the screen, if there is one, before something else is written there."""
    for line in list(_shown):
        line.close()


class ProgressLine:
    """A listener that writes a run's progress to a stream: redrawn in place on a terminal, a new line at intervals elsewhere."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.live = stream.isatty()
        self._last = 0.0
        self._last_share = 0.0
        self._width = 0
        self._stage = ""
        self._passing = False
        self._told: set[str] = set()

    def begin(self, text: str) -> None:
        """Show a text, on a terminal only, until the first event takes its place: reading a study and its models may take seconds."""
        if self.live:
            self._write(text, end="")
            self._passing = True

    def close(self) -> None:
        """End the line that is on the screen: of a stage that was left, keep it, and erase the text before the first one."""
        if self._width:
            write_text(self.stream, f"\r{' ' * self._width}\r" if self._passing else "\n")
        self._width = 0
        self._note_shown()

    def _note_shown(self) -> None:
        if self in _shown:
            _shown.remove(self)
        if self._width:
            _shown.append(self)

    def __call__(self, event: StageProgress | Note) -> None:
        """Show a note, or a progress event if it is due."""
        from isocost.events import Note

        if isinstance(event, Note):
            if event.text in self._told:  # a later stage has found it too
                return
            self._told.add(event.text)
            self._write(f"{'WARNING' if event.loud else 'note'}: {event.text}", end="\n")
            return
        share = event.done / event.total if event.total else 0.0
        now = time.monotonic()
        first = event.stage != self._stage
        if first:
            self._stage, self._last, self._last_share = event.stage, now, share
        interval = _REDRAW if self.live else _QUIET
        advanced = not self.live and share - self._last_share >= 0.05
        due = now - self._last >= interval or advanced
        complete = event.total and event.done == event.total  # shown once, by the event that finishes the stage
        resumes = 0 < event.done == event.done_before  # it may have nothing left to do
        if not (event.finished or (((first and not resumes) or due) and not complete)):
            return
        # A stage with nothing left to do has no meaningful rate.
        if event.finished and event.done == event.done_before:
            self._write(f"{event.stage:9s} {event.done:,} {event.unit}  already done", end="\n")
        else:
            self._write(describe(event), end="\n" if event.finished or not self.live else "")
        self._stage = "" if event.finished else event.stage
        self._last, self._last_share = now, 0.0 if event.finished else share

    def _write(self, text: str, *, end: str) -> None:
        text = printable(text)
        if self.live and not end:  # a line that wraps could not be redrawn
            text = text if len(text) < (columns := self._columns()) else f"{text[: columns - 2]}…"
        start = "\r" if self.live else ""
        if self.live and "\n" in text and self._width:  # its first line may be shorter than the one on the screen
            start, self._width = f"\r{' ' * self._width}\r", 0
        # Spaces overwrite the rest of an earlier, longer line.
        padding = " " * max(0, self._width - len(text)) if self.live else ""
        self._width, self._passing = 0 if end else len(text), False
        write_text(self.stream, f"{start}{text}{padding}{end}")
        self._note_shown()

    def _columns(self) -> int:
        try:
            return os.get_terminal_size(self.stream.fileno()).columns
        except OSError:  # no terminal after all, or one that does not say; io.UnsupportedOperation is an OSError
            return sys.maxsize


class CountLine:
    """A counter for a stream of unknown length: redrawn in place, on a terminal only.

    Args:
        stream: The stream to write to.
        wanted: False if data goes to the same terminal.
    """

    def __init__(self, stream: TextIO, *, wanted: bool) -> None:
        self.stream, self._wanted = stream, wanted and stream.isatty()
        self._started = self._last = time.monotonic()
        self._width = 0

    def show(self, what: str, done: int, unit: str) -> None:
        """Show a count, if it is due."""
        now = time.monotonic()
        if self._wanted and now - self._last >= _COUNT:
            text = f"{what:9s} {done:,} {unit}  {done / (now - self._started):,.0f} {unit}/s  {clock(now - self._started)}"
            write_text(self.stream, f"\r{text:{self._width}s}")
            self._last, self._width = now, len(text)

    def clear(self) -> None:
        """Erase the line, before other output is written."""
        if self._width:
            write_text(self.stream, f"\r{'':{self._width}s}\r")
            self._width = 0


def write_text(stream: TextIO, text: str) -> None:
    """Write a text at once. If the terminal was closed, or nobody reads the pipe, this and all later texts are dropped: work goes on."""
    try:
        stream.write(text)
        stream.flush()
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.ENOSPC):  # for the moment: the text stays in the buffer
            return
        # A stream without a file raises io.UnsupportedOperation, which is an OSError.
        with contextlib.suppress(OSError), open(os.devnull, "w") as nothing:  # noqa: PTH123
            os.dup2(nothing.fileno(), stream.fileno())


def printable(text: str) -> str:
    """Replace control characters other than line breaks: names and answers may hold escapes that a terminal obeys."""
    return "".join(c if c == "\n" or c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def describe(event: StageProgress) -> str:
    """Format an event, such as `sample     1,240/4,000 samples  31%  2,130 tokens/s  correct 62% [59, 65]  2:10 left`."""
    parts = [f"{event.stage:9s} {event.done:,}/{event.total:,} {event.unit}"]
    if event.total:
        parts.append(f"{100 * event.done / event.total:.0f}%")
    if event.tokens and event.seconds > 0:
        parts.append(f"{event.tokens / event.seconds:,.0f} tokens/s")
    if event.detail:
        parts.append(event.detail)
    if event.finished:
        parts.append(f"{clock(event.seconds)}")
    elif event.rate and event.total > event.done:
        parts.append(f"{clock((event.total - event.done) / event.rate)} left")
    return "  ".join(parts)


def clock(seconds: float) -> str:
    """Format a duration, such as `0:07`, `2:10` or `1:02:45`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
