"""What is known of the last start of a run: which process, how to do it again, and how it ended. `isocost status` reads it."""

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
_ROOM = 500  # characters of a reason; an error may quote what an endpoint wrote


class Start:
    """One start: a context that writes down how it ended.

    Nothing is written before `begin`: a folder without a study is nobody's run yet.

    Args:
        directory: The run directory, open.
        command: What a person types to go on.
    """

    def __init__(self, directory: RunDirectory, command: str) -> None:
        self._directory, self._begun = directory, False
        self._entry: dict[str, Any] = {"pid": os.getpid(), "command": command, "began": _now(), "ended": None, "why": None, "advice": None}

    def begin(self) -> None:
        """Write down that it runs."""
        self._begun = True
        self._directory.write_json(self._entry, FILE)

    def __enter__(self) -> Start:
        """Begin, if the folder holds a study already."""
        if self._directory.read_text("study.yaml") is not None:
            self.begin()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        """Write down how it ended; where the disk is full, that is told already."""
        if not self._begun:
            return
        why, advice = _reason(error) if error is not None else (None, None)
        self._entry |= {"ended": _now(), "why": why, "advice": advice}
        with contextlib.suppress(StorageError):
            self._directory.write_json(self._entry, FILE)


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")


def _reason(error: BaseException) -> tuple[str, str | None]:
    """What happened, and what to do about it where the error says."""
    if isinstance(error, KeyboardInterrupt):
        return "Ctrl-C, or a signal to stop", None
    if not isinstance(error, IsocostError):
        return f"unexpected {type(error).__name__}: {error}".partition("\n")[0][:_ROOM], None
    return error.happened[:_ROOM], error.advice[:_ROOM] or None


def command_of(
    study: Path | None,
    directory: Path,
    until: str,
    *,
    settings: Sequence[str] = (),
    strict: bool = False,
    executor: ExecutorChoice | None = None,
) -> str:
    """What to type to start again.

    Args:
        study: The study file; None for a stage of a run that has one.
        directory: The run directory.
        until: The last stage.
        settings: `--set`.
        strict: `--strict`.
        executor: What was said of it for this start.
    """
    where = str(directory.absolute())
    given = [word for setting in settings for word in ("--set", setting)]
    words = ["isocost", until, where, *given]
    if study is not None and until == "report":
        words = ["isocost", "run", str(study.absolute()), "-o", where, *given]
    words += ["--strict"] if strict else []
    for option in ("name", "address"):
        if executor and (value := getattr(executor, option)):
            words += ["--executor" if option == "name" else "--address", value]
    return shlex.join(words)
