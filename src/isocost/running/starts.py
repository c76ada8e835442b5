"""Record the last start of a run for `isocost status`: its process, the command that resumes it, and how it ended."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from isocost.errors import IsocostError, StorageError
from isocost.preparing.executing import ExecutorChoice
from isocost.store import RunDirectory

FILE = "start.json"
_MAX_REASON = 500  # characters; an error may quote a long reply of an endpoint


class Start:
    """One start of a run: a context manager that records how the start ended.

    Nothing is written before `begin`: a folder without a study is not a run yet.

    Args:
        directory: The run directory, open.
        command: The command that resumes the run.
    """

    def __init__(self, directory: RunDirectory, command: str) -> None:
        self._directory, self._begun = directory, False
        self._entry: dict[str, Any] = {"pid": os.getpid(), "command": command, "began": _now(), "ended": None, "why": None, "advice": None}

    def begin(self) -> None:
        """Record that the run has begun."""
        self._begun = True
        self._directory.write_json(self._entry, FILE)

    def __enter__(self) -> Start:
        """Begin, if the folder holds a study already."""
        if self._directory.read_text("study.yaml") is not None:
            self.begin()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        """Record how the start ended; a full disk is ignored here, as the error on its way out reports it."""
        if not self._begun:
            return
        why, advice = _reason(error) if error is not None else (None, None)
        self._entry |= {"ended": _now(), "why": why, "advice": advice}
        with contextlib.suppress(StorageError):
            self._directory.write_json(self._entry, FILE)


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")


def _reason(error: BaseException) -> tuple[str, str | None]:
    """Return the cause of an error, and its advice or None."""
    if isinstance(error, KeyboardInterrupt):
        return "Ctrl-C, or a signal to stop", None
    if not isinstance(error, IsocostError):
        return f"unexpected {type(error).__name__}: {error}".partition("\n")[0][:_MAX_REASON], None
    return error.happened[:_MAX_REASON], error.advice[:_MAX_REASON] or None


def resume_command(
    study: Path | None,
    directory: Path,
    until: str,
    *,
    settings: Sequence[str] = (),
    strict: bool = False,
    executor: ExecutorChoice | None = None,
) -> str:
    """Return the command that starts the run again, quoted for a shell.

    Args:
        study: The study file; None for a stage of a run directory, which has its own.
        directory: The run directory.
        until: The last stage.
        settings: The values of `--set`.
        strict: Whether `--strict` was given.
        executor: The options `--executor` and `--address` of this start.
    """
    # Absolute, so that the command works in any folder; links stay as the user typed them.
    where = str(directory.absolute())
    given = [word for setting in settings for word in ("--set", setting)]
    words = ["isocost", until, where, *given]
    if study is not None:
        words = ["isocost", "run", str(study.absolute()), "-o", where, *given]
        words += ["--until", until] if until != "report" else []
    words += ["--strict"] if strict else []
    for option in ("name", "address"):
        if executor and (value := getattr(executor, option)):
            words += ["--executor" if option == "name" else "--address", value]
    return shlex.join(words)
