"""Progress of a run called from Python: a line on standard error, or one display below the cell of a notebook."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from isocost.events import Listener, Note, StageProgress
from isocost.terminal import ProgressLine, describe, printable

_REDRAW = 0.5  # seconds: each redraw is a message to the browser


@contextmanager
def listener(*, wanted: bool) -> Iterator[Listener]:
    """Yield a listener that shows progress where the caller can see it; without `wanted` it shows nothing."""
    if not wanted:
        yield lambda event: None
    elif (display := _notebook_display()) is not None:
        yield NotebookProgress(display)
    else:
        yield ProgressLine(sys.stderr)


class NotebookProgress:
    """A listener that keeps one line per stage in one display of a notebook.

    Args:
        display: Shows a bundle of MIME types and returns a handle that updates it: `IPython.display.display`.
    """

    def __init__(self, display: Any) -> None:
        self._display = display
        self._handle: Any = None
        self._lines: dict[str, str] = {}
        self._notes = 0
        self._last = 0.0

    def __call__(self, event: StageProgress | Note) -> None:
        """Take a note or a progress event, and redraw if that is due."""
        if isinstance(event, Note):
            self._notes += 1
            self._lines[f"note {self._notes}"] = f"note: {event.text}"
        else:
            self._lines[event.stage] = describe(event)
        done = isinstance(event, Note) or event.finished
        if not done and self._handle is not None and time.monotonic() - self._last < _REDRAW:
            return
        self._last = time.monotonic()
        bundle = {"text/plain": printable("\n".join(self._lines.values()))}
        if self._handle is None:
            self._handle = self._display(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)


def _notebook_display() -> Any:
    """Return the display function of a running notebook kernel; None elsewhere. Nothing is imported that is not loaded yet."""
    shell = sys.modules.get("IPython")
    kernel = None if shell is None else shell.get_ipython()
    if kernel is None or not hasattr(kernel, "kernel"):
        return None
    from IPython.display import display

    return display
