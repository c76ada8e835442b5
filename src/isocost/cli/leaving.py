"""How the command line ends early: Ctrl-C and what a scheduler sends, and what is said of an error."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import NoReturn

from isocost.cli.printing import say
from isocost.errors import InputError, IsocostError


@contextlib.contextmanager
def errors_in_short(*, debug: bool) -> Iterator[None]:
    """Errors become one to three lines and an exit status; the traceback comes first where `debug` asks for it."""
    try:
        if sys.stdout is None:
            raise InputError("standard output: is closed")
        yield
    except IsocostError as error:
        if debug:
            say(_traceback(error))
        for line in _mistakes(error):
            say(f"error: {line}")
        raise SystemExit(error.exit_code) from None
    except Exception as error:  # noqa: BLE001 - a fault of isocost's own: still one line, and the way to see more
        if debug:
            say(_traceback(error))
        say(f"error: {_unforeseen(error)}")
        raise SystemExit(1) from None


def stop_at_once(number: int, frame: FrameType | None) -> NoReturn:
    """Ctrl-C before anything was begun: libraries are being imported, some of which would swallow an exception or show its traceback."""
    with contextlib.suppress(OSError):
        os.write(2, b"\nstopped\n")
    os._exit(130)


def heed_ctrl_c() -> None:
    """Let Ctrl-C, and what a scheduler sends, end a wait: polars, when imported, has waits go on after a signal until they end."""
    import polars  # noqa: F401 - a later import would undo it

    for number in (signal.SIGINT, signal.SIGTERM):  # a scheduler that takes the machine back sends the second
        signal.signal(number, signal.default_int_handler)
        signal.siginterrupt(number, True)


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """Work that Ctrl-C ends in order, its processes too."""
    heed_ctrl_c()
    try:
        yield
    except KeyboardInterrupt:
        say("\nstopped")
        raise SystemExit(130) from None


@contextlib.contextmanager
def resumable(directory: Path | None) -> Iterator[None]:
    """The same for a run, which can go on later: three lines say what is saved, what it cost, how to go on."""
    heed_ctrl_c()
    try:
        yield
    except KeyboardInterrupt:
        say(_interrupted(directory))
        raise SystemExit(130) from None


def _interrupted(directory: Path | None) -> str:
    from isocost.summaries.status import saved

    again = " ".join(["isocost", *sys.argv[1:]])
    return f"\nstopped: {saved(directory) if directory else 'all that was finished is saved'}\n  go on with: {again}"


def _mistakes(error: IsocostError) -> list[str]:
    mistakes: tuple[str, ...] | None = getattr(error, "mistakes", None)
    return list(mistakes) if mistakes else [str(error)]


def _unforeseen(error: Exception) -> str:
    """What to say of an error that isocost did not raise: the machine may be short of something, else isocost is at fault."""
    if isinstance(error, MemoryError):
        return "out of memory; give it more, or use smaller pieces"
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{error.filename or 'standard output'}: {error.strerror}"
    if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE, errno.EAGAIN):
        limits = "raise the limit (ulimit -n of open files, -u of processes)"
        return f"{error.strerror}: the system allows no more\n  {limits} and run the same command again"
    return f"unexpected {type(error).__name__}: {error}\n  this is a fault of isocost; please report it with what --debug prints"


def _traceback(error: Exception) -> str:
    return "".join(traceback.format_exception(error)).rstrip()
