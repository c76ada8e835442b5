"""End the command line early: on Ctrl-C, on a scheduler's signal, and on errors."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shlex
import signal
import sys
import sysconfig
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import NoReturn

import isocost
from isocost.cli.printing import say
from isocost.errors import BatchesOpenError, InputError, IsocostError, escape_controls
from isocost.machine import stop_signals

# What is wrong with a path that the user named, wherever it is opened.
_OF_A_PATH = (errno.ENAMETOOLONG, errno.EACCES, errno.EPERM, errno.EROFS, errno.ELOOP, errno.ENOTDIR, errno.EISDIR)


@contextlib.contextmanager
def report_errors(*, debug: bool) -> Iterator[None]:
    """Turn errors into one to three lines and an exit status, after the traceback if `debug` is set.

    Raises:
        SystemExit: with the error's exit status; 1 for an unexpected error.
    """
    try:
        if sys.stdout is None:
            raise InputError("standard output: is closed")
        yield
    except IsocostError as error:
        if debug:
            say(_format_traceback(error))
        # An error of the study file lists every mistake; each is a line.
        for line in getattr(error, "mistakes", None) or [str(error)]:
            say(f"error: {line}")
        raise SystemExit(error.exit_code) from None
    except Exception as error:  # noqa: BLE001 - a fault of isocost: print one line, and how to see the traceback
        if debug:
            say(_format_traceback(error))
        say("error: " + "\n  ".join(map(escape_controls, _format_unexpected(error).split("\n  "))))
        raise SystemExit(1) from None


def stop_at_once(number: int, frame: FrameType | None) -> NoReturn:
    """Exit at once on Ctrl-C during start-up.

    Libraries are being imported then, and some swallow a KeyboardInterrupt or print its traceback.
    """
    # A signal handler may interrupt a write to sys.stderr, so it bypasses the buffer and the exit handlers.
    with contextlib.suppress(OSError):
        os.write(2, b"\nstopped\n")
    os._exit(130)


def install_interrupts() -> None:
    """Let Ctrl-C, SIGTERM and the end of the terminal interrupt a wait.

    Importing polars makes system calls restart after a signal, so a wait would go on to its end.
    """
    import polars  # noqa: F401 - a later import would undo the settings below

    for number in stop_signals():
        signal.signal(number, signal.default_int_handler)
        signal.siginterrupt(number, True)


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """Run the body so that Ctrl-C ends it and its processes in order.

    Raises:
        SystemExit: 130 on Ctrl-C, as shells expect.
    """
    install_interrupts()
    try:
        yield
    except KeyboardInterrupt:
        say("\nstopped")
        raise SystemExit(130) from None


@contextlib.contextmanager
def resumable(directory: Path | None) -> Iterator[None]:
    """Run the body as `stoppable` does, and on Ctrl-C print what is saved, its cost and the command that resumes the run.

    Args:
        directory: The run directory; None if it is not known yet.

    Raises:
        SystemExit: 130 on Ctrl-C; 0 if the run leaves batches at endpoints, as it was asked to.
    """
    install_interrupts()
    try:
        yield
    except KeyboardInterrupt:
        say(_format_interrupted(directory))
        raise SystemExit(130) from None
    except BatchesOpenError as left:
        say(f"{left}\n  resume with: {_again()}")
        raise SystemExit(left.exit_code) from None


def _format_interrupted(directory: Path | None) -> str:
    from isocost.summaries.status import describe_saved

    return f"\nstopped: {describe_saved(directory) if directory else 'all that was finished is saved'}\n  resume with: {_again()}"


def _again() -> str:
    """Return the command that resumes the run, quoted for a shell: this one, which waits for batches and cancels none."""
    return shlex.join(["isocost", *(word for word in sys.argv[1:] if word not in ("--no-wait", "--cancel-batches"))])


def _format_unexpected(error: Exception) -> str:
    """Return a message for an error that isocost did not raise: a resource of the machine is short, or isocost is at fault."""
    if isinstance(error, MemoryError):
        return "out of memory; give it more, or use smaller pieces"
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{error.filename or 'a file or standard output'}: {error.strerror}"
    if isinstance(error, OSError) and error.errno in _OF_A_PATH and error.filename:
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE, errno.EAGAIN):
        limits = "raise the limit (ulimit -n of open files, -u of processes)"
        return f"{error.strerror}: the system allows no more\n  {limits} and run the same command again"
    what = f"unexpected {type(error).__name__}: {error}"
    if place := _own_place(error):
        return f"{what}\n  raised by the study's own code at {place}; --debug prints the traceback"
    return f"{what}\n  this is a fault of isocost; please report it with what --debug prints"


def _own_place(error: Exception) -> str | None:
    """Return file:line of the innermost call in code that is neither isocost's nor installed: a part that the study names."""
    places = [(call.filename, str(call.lineno)) for call in traceback.extract_tb(error.__traceback__)]
    # An error of a worker process has the traceback of that process as a note.
    places += re.findall(r'(?m)^  File "(.+)", line (\d+)', "\n".join(getattr(error, "__notes__", ())))
    foreign = (Path(isocost.__file__).parent, *map(Path, sysconfig.get_paths().values()))
    for name, line in reversed(places):
        # "<frozen runpy>" and the like are no files.
        if Path(name).is_absolute() and not any(Path(name).is_relative_to(folder) for folder in foreign):
            return f"{name}:{line}"
    return None


def _format_traceback(error: Exception) -> str:
    return "".join(traceback.format_exception(error)).rstrip()
