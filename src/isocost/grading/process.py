"""The driver's side of a worker process: starts it, hands it pairs, kills it when a pair takes too long, says what became of it.

A plain subprocess, not one of multiprocessing: it does not import the caller's `__main__`, so graders run in notebooks, in scripts
without a guard, under `python -`, and in processes that may have no children of multiprocessing's.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from isocost.grading.judging import OUT_OF_MEMORY
from isocost.grading.messages import Message, Messages
from isocost.grading.worker import END, END_CHILD, NO_MEMORY
from isocost.records import Outcome, Verdict

START_LIMIT = 300.0  # seconds that a grader may take to load
STOP_LIMIT = 5.0  # seconds that a process may take to end
_MAIN = "import json, sys; sys.path[:] = json.loads(sys.argv[2]); from isocost.grading.worker import main; main()"


class StartError(Exception):
    """A worker process did not get ready; `final` if another would not either."""

    def __init__(self, message: str, *, final: bool) -> None:
        super().__init__(message)
        self.final = final


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What a worker needs to know.

    Attributes:
        name: The grader's.
        options: The grader's, plain data.
        time_limit: Seconds that a grader which keeps the limit by itself allows a pair.
        patience: Seconds after which a pair is taken for a hang.
    """

    name: str
    options: Mapping[str, object]
    time_limit: float
    patience: float


class Process:
    """One worker process, for one thread; only `interrupt` may be called from others.

    Attributes:
        fate: Why `judge` ended early: `timeout`, `memory` or `crash`; None where no pair is to blame.
        ready: Whether it was started and has not been stopped.
    """

    def __init__(self, setup: Setup) -> None:
        self.fate: str | None = None
        self.ready = False
        self._setup = setup
        self._lock = threading.Lock()  # who holds it may signal `_process`: it has not been waited for, so its number is its own
        self._interrupted = False
        self._process: subprocess.Popen[bytes] | None = None
        self._messages: Messages | None = None
        self._grading = False  # whether a process that grades is there, as far as is known
        self._alone = False  # whether that is the worker itself, not a child of its
        self._chunk = 0
        self._served = False  # whether it has judged anything since it was started

    def start(self) -> None:
        """Start it, if it is not running, and wait until it is ready.

        Raises:
            StartError: it did not get there.
        """
        if self._messages is not None:
            return
        setup = {"name": self._setup.name, "options": dict(self._setup.options), "time_limit": self._setup.time_limit}
        with tempfile.TemporaryFile() as complaints:
            process = subprocess.Popen(
                [sys.executable, "-c", _MAIN, json.dumps(setup), json.dumps([str(folder) for folder in sys.path])],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaints,
                bufsize=0,
                start_new_session=True,  # Ctrl-C is for the driver
            )
            if process.stdin is None or process.stdout is None:
                raise AssertionError("unreachable: both are pipes")
            self._messages = Messages(process.stdin, process.stdout)
            with self._lock:
                self._process = process
                if self._interrupted:  # while there was no process to be killed
                    _kill(process.pid)
            try:
                message = self._messages.receive(START_LIMIT) or {"failed": f"not ready after {START_LIMIT:.0f} seconds"}
            except (EOFError, OSError):
                message = {}
            if "ready" not in message:
                code = self.stop()
                complaints.seek(0)
                said = complaints.read().decode(errors="replace").strip().splitlines()
                raise StartError(message.get("failed") or (said[-1] if said else f"exit code {code}"), final=bool(message))
        self._grading, self._alone, self._served, self.ready = True, message["ready"] == process.pid, False, True

    def judge(self, pairs: Sequence[tuple[str, str]]) -> Iterator[Verdict]:
        """The verdicts of the first pairs, in order: fewer than asked for if the process died, most often of the next one.

        Args:
            pairs: (reference, answer or solution).
        """
        self._chunk, self.fate = self._chunk + 1, None
        messages = self._messages
        if messages is None:
            return
        try:
            while message := messages.receive(0.0):  # it died while it had nothing to do, and is there again
                self._grading = "ready" in message
            messages.send({"chunk": self._chunk, "pairs": pairs}, self._setup.patience)
        except TimeoutError:  # it does not even read; what it judged before has stopped it, if there was anything
            self.stop()
            self.fate = None if self._served else "timeout"
            return
        except (OSError, EOFError):
            self.stop()
            return
        for _ in pairs:
            verdict = self._verdict(messages)
            if verdict is None:
                return
            self._served = True
            yield verdict
            if verdict == OUT_OF_MEMORY:
                self._wait_for_end(messages)
            if not self._grading:
                return

    def interrupt(self) -> None:
        """End it now, and any that is being started."""
        with self._lock:
            self._interrupted = True
            self._end()

    def stop(self) -> int | None:
        """End it, busy or not; its exit code."""
        with self._lock:
            if self._messages is not None:
                self._messages.close()
            self._end()
            process, self._process, self._messages, self.ready, self._grading = self._process, None, None, False, False
        if process is None:
            return None
        try:
            return process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            _kill(process.pid)
            return process.wait()

    def _end(self) -> None:
        """With the lock: a worker ends its child and itself; one that grades, or is not ready yet, is killed."""
        if self._process is None:
            return
        if self.ready and not self._alone:
            os.kill(self._process.pid, END)
        else:
            _kill(self._process.pid)

    def _end_grading(self) -> None:
        """Have the process that grades killed by the worker: the number may be another process's by the time that it is known here."""
        if self._process is not None:
            if self._alone:
                _kill(self._process.pid)
            else:
                os.kill(self._process.pid, END_CHILD)

    def _verdict(self, messages: Messages) -> Verdict | None:
        """The next verdict; None, and `fate` says why, where none will come."""
        try:
            while message := messages.receive(self._setup.patience):
                if "ended" in message:
                    self._grading = False
                    self.fate = _fate(message["ended"])
                    return None
                self._grading = self._grading or "ready" in message
                if message.get("chunk") == self._chunk:
                    return _to_verdict(message)
        except EOFError:
            self.fate = _fate(self.stop())
            return None
        self._end_grading()
        verdict = self._wait_for_end(messages)
        self.fate = None if verdict else "timeout"
        return verdict

    def _wait_for_end(self, messages: Messages) -> Verdict | None:
        """Wait for the end of the process that grades; a verdict that it gave in its last moment."""
        found: Verdict | None = None
        try:
            while message := messages.receive(STOP_LIMIT):
                if "ended" in message:
                    self._grading = False
                    return found
                if message.get("chunk") == self._chunk:
                    found = _to_verdict(message)
        except EOFError:
            pass
        self.stop()
        return found


def _to_verdict(message: Message) -> Verdict:
    outcome, answer, reason = message["verdict"]
    return Verdict(outcome=Outcome(outcome), predicted_answer=answer, reason=reason)


def _fate(code: int | None) -> str:
    """Nobody but the system, short of memory, kills a worker with -9."""
    return "memory" if code in (NO_MEMORY, -signal.SIGKILL) else "crash"


def _kill(number: int) -> None:
    """Kill a process with everything that it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(number, signal.SIGKILL)
