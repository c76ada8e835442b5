"""What runs in a worker process: reads pairs from a pipe, answers each as soon as it is judged, so that a death has one pair to blame.

The process loads the grader once and forks: the child grades, the parent waits for it to die and forks the next, which is there in a few
milliseconds where a new process would import sympy for a second. A grader that starts threads cannot be forked and grades by itself.

Messages are lines of JSON, so a line that was torn by a kill is passed over by whoever reads it:
    driver -> worker    {"chunk": 3, "pairs": [["1/2", "0.5"], ...]}
    worker -> driver    {"ready": 4711}                 a process that grades, by its number
                        {"chunk": 3, "verdict": ["correct", "0.5", "equal"]}, in the order of the pairs
                        {"ended": -9}                   the child died so
                        {"failed": "..."}               the grader cannot be loaded
"""

from __future__ import annotations

import ctypes
import json
import os
import queue
import resource
import signal
import sys
import threading
from typing import Any, NoReturn

import psutil

from isocost.errors import IsocostError
from isocost.graders import load_grader
from isocost.graders.base import Grader
from isocost.grading.judging import OUT_OF_MEMORY, judged, last_step

AFRESH, NO_MEMORY = 75, 76  # how a child ends that wants to be replaced: with nothing to blame, and for want of memory

END, END_CHILD = signal.SIGTERM, signal.SIGUSR1  # from the driver: kill the child, and end or fork the next

Message = dict[str, Any]


def main() -> None:
    """Load the grader and serve until the driver closes the pipe."""
    _die_with_parent()
    setup = json.loads(sys.argv[1])
    requests, replies = os.dup(0), os.dup(1)
    with open(os.devnull, "r+b") as nothing:  # noqa: PTH123 - what a grader prints or reads must not meet the messages
        os.dup2(nothing.fileno(), 0)
        os.dup2(nothing.fileno(), 1)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver decides when to stop
        try:
            grader = load_grader(setup["name"], setup["options"])
            if hasattr(grader, "time_limit"):
                grader.time_limit = setup["time_limit"]
            if prepare := getattr(grader, "prepare", None):
                prepare()
        except Exception as error:  # noqa: BLE001 - a user's grader may raise anything: told to the driver, which raises it
            _tell(replies, {"failed": str(error) if isinstance(error, IsocostError) else f"{type(error).__name__}: {error}"})
            return
        os.dup2(nothing.fileno(), 2)
    if psutil.Process().num_threads() == 1:
        _wait_for_children(replies)
    _serve(grader, requests, replies)


def _wait_for_children(replies: int) -> None:
    """Return in a new child each time the last one has died; end when it has ended as it should."""
    signal.signal(signal.SIGCHLD, lambda *_: None)  # else systems may drop what is waited for
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {END, END_CHILD, signal.SIGCHLD})
    while child := os.fork():
        code = _end_of(child)
        if code == 0:
            os._exit(0)
        os.write(replies, b"\n")  # ends a line that the child did not
        _tell(replies, {"ended": code})
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    _die_with_parent()
    os.setsid()  # a group of its own, killed together with whatever the grader starts


def _end_of(child: int) -> int:
    """The child's exit code. Signals are taken one by one, so none is acted on when the child's number may be another process's."""
    while True:
        number = signal.sigwait({END, END_CHILD, signal.SIGCHLD})
        if number != signal.SIGCHLD:
            _kill(child)
        if number == END:
            os._exit(0)
        ended, status = os.waitpid(child, os.WNOHANG)  # SIGCHLD is also of children that are stopped, and of a grader's own
        if ended:
            return os.waitstatus_to_exitcode(status)


def _kill(child: int) -> None:
    try:
        os.killpg(child, signal.SIGKILL)
    except OSError:  # it has no group yet
        os.kill(child, signal.SIGKILL)


def _serve(grader: Grader, requests: int, replies: int) -> NoReturn:
    judge = last_step(grader)
    if limit := getattr(grader, "memory_limit", None):
        _limit_memory(limit)
    chunks: queue.SimpleQueue[Message] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(requests, chunks), daemon=True).start()
    _tell(replies, {"ready": os.getpid()})
    while True:
        chunk = chunks.get()
        for reference, text in chunk["pairs"]:
            verdict = judged(judge, reference, text)
            _tell(replies, {"chunk": chunk["chunk"], "verdict": [verdict.outcome, verdict.predicted_answer, verdict.reason]})
            if verdict == OUT_OF_MEMORY:  # what was left of it may not do for the next pair
                os._exit(AFRESH)


def _read(requests: int, chunks: queue.SimpleQueue[Message]) -> None:
    """Runs beside the grading, so that the process ends when the driver has, even one killed with -9."""
    try:
        with os.fdopen(requests, "rb") as lines:
            for line in lines:
                try:
                    chunk = json.loads(line)
                except ValueError:
                    continue
                if isinstance(chunk, dict) and "pairs" in chunk:
                    chunks.put(chunk)
    except MemoryError:
        os._exit(NO_MEMORY)
    os._exit(0)


def _tell(replies: int, message: Message) -> None:
    left = memoryview(json.dumps(message).encode() + b"\n")
    while left:
        left = left[os.write(replies, left) :]


def _limit_memory(limit: int) -> None:
    used = psutil.Process().memory_info().vms
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = used + limit if hard == resource.RLIM_INFINITY else min(used + limit, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


def _die_with_parent() -> None:
    """Deep in C code no thread of the process runs, not even the one that would see the driver's end (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
