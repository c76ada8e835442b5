"""The driver's side of a worker process: starts it, sends it pairs, kills it when a pair takes too long, reports its fate.

It is a plain subprocess, not one of multiprocessing: it does not import the caller's `__main__`, so graders run in notebooks, in scripts
without a guard, under `python -`, and in processes that may have no multiprocessing children.
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

START_LIMIT = 300.0  # seconds that a grader may take to load; importing sympy on a busy machine takes long
STOP_LIMIT = 5.0  # seconds that a process may take to end
_MAIN = "import json, sys; sys.path[:] = json.loads(sys.argv[2]); from isocost.grading.worker import main; main()"


class StartError(Exception):
    """Raised where a worker process did not become ready; `final` if another would fail the same way."""

    def __init__(self, message: str, *, final: bool) -> None:
        super().__init__(message)
        self.final = final


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """The configuration of a worker.

    Attributes:
        name: The grader's name.
        options: The grader's options, plain data.
        time_limit: Seconds per pair that a grader enforces itself, if it does.
        patience: Seconds after which a pair counts as hanging.
    """

    name: str
    options: Mapping[str, object]
    time_limit: float
    patience: float


class Process:
    """One worker process, for use by one thread; only `interrupt` may be called from others.

    Attributes:
        fate: The reason why `judge` ended early: `timeout`, `memory` or `crash`; None where no pair is the cause.
        ready: True if it was started and has not been stopped.
    """

    def __init__(self, setup: Setup) -> None:
        self.fate: str | None = None
        self.ready = False
        self._setup = setup
        # Only its holder may signal `_process`: until it is waited for, no other process can get its PID.
        self._lock = threading.Lock()
        self._interrupted = False
        self._process: subprocess.Popen[bytes] | None = None
        self._messages: Messages | None = None
        self._grading = False  # a grading process exists, as far as is known
        self._alone = False  # that process is the worker itself, not its child
        self._chunk = 0  # number of the current request; answers to an earlier one are ignored
        self._served = False  # it has judged something since it was started

    def start(self) -> None:
        """Start the process if it is not running, and wait until it is ready.

        Raises:
            StartError: it did not become ready.
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
                start_new_session=True,  # Ctrl-C must reach the driver only
            )
            if process.stdin is None or process.stdout is None:
                raise AssertionError("unreachable: both are pipes")
            self._messages = Messages(process.stdin, process.stdout)
            with self._lock:
                self._process = process
                if self._interrupted:  # before there was a process to kill
                    _kill(process.pid)
            try:
                message = self._messages.receive(START_LIMIT) or {"failed": f"not ready after {START_LIMIT:.0f} seconds"}
            except (EOFError, OSError):
                message = {}
            if "ready" not in message:
                code = self.stop()
                complaints.seek(0)
                output = complaints.read().decode(errors="replace").strip().splitlines()
                reason = output[-1] if output else f"exit code {code}"  # the last line of a traceback names the error
                raise StartError(message.get("failed") or reason, final=bool(message))
        self._grading, self._alone, self._served, self.ready = True, message["ready"] == process.pid, False, True

    def judge(self, pairs: Sequence[tuple[str, str]]) -> Iterator[Verdict]:
        """Yield the verdicts of the first pairs, in order: fewer than requested if the process died, most often of the next pair.

        Args:
            pairs: (reference, answer or solution).
        """
        self._chunk, self.fate = self._chunk + 1, None
        messages = self._messages
        if messages is None:
            return
        try:
            while message := messages.receive(0.0):  # the child died while idle, and a new one reported
                self._grading = "ready" in message
            messages.send({"chunk": self._chunk, "pairs": pairs}, self._setup.patience)
        except TimeoutError:  # it does not even read: an earlier pair has blocked it, if there was one
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
        """End the process now, and any that is being started."""
        with self._lock:
            self._interrupted = True
            self._end()

    def stop(self) -> int | None:
        """End the process, busy or not, and return its exit code; None where there is none."""
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
        """Signal the process, with the lock held. A worker ends its child and itself; one that grades, or is not ready yet, is killed."""
        if self._process is None:
            return
        if self.ready and not self._alone:
            os.kill(self._process.pid, END)
        else:
            _kill(self._process.pid)

    def _end_grading(self) -> None:
        """Let the worker kill the process that grades: once that PID is known here, it may already be another process's."""
        if self._process is not None:
            if self._alone:
                _kill(self._process.pid)
            else:
                os.kill(self._process.pid, END_CHILD)

    def _verdict(self, messages: Messages) -> Verdict | None:
        """Return the next verdict; None where none will come, and then `fate` is the reason."""
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
        """Wait for the end of the process that grades, and return a verdict that it sent in its last moment."""
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
    """Return the cause of a death. SIGKILL from elsewhere counts as memory: only the system's out-of-memory killer sends it."""
    return "memory" if code in (NO_MEMORY, -signal.SIGKILL) else "crash"


def _kill(number: int) -> None:
    """Kill a process with every process that it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(number, signal.SIGKILL)
