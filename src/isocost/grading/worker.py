"""The code of a worker process: it reads pairs from a pipe and answers each at once, so that a death has one pair as its cause.

The process loads the grader once and forks. The child grades; when it dies, the parent forks another, which is ready in a few
milliseconds, while a new process would import sympy for a second. A grader that starts threads cannot be forked and grades by itself.

Messages are lines of JSON, so that a reader can skip a line torn by a kill:
    driver -> worker    {"chunk": 3, "pairs": [["1/2", "0.5"], ...]}
    worker -> driver    {"ready": 4711}                 the PID of a process that grades
                        {"chunk": 3, "verdict": ["correct", "0.5", "equal"]}, in the order of the pairs
                        {"ended": -9}                   the child's exit code
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
from isocost.grading.judging import OUT_OF_MEMORY, judge_pair, last_step

RESTART, NO_MEMORY = 75, 76  # exit codes of a child that must be replaced: without a cause, and because it ran out of memory

END, END_CHILD = signal.SIGTERM, signal.SIGUSR1  # from the driver: kill the child, and end or fork the next

Message = dict[str, Any]


def main() -> None:
    """Load the grader and serve until the driver closes the pipe."""
    _die_with_parent()
    setup = json.loads(sys.argv[1])
    requests, replies = os.dup(0), os.dup(1)
    with open(os.devnull, "r+b") as nothing:  # noqa: PTH123 - a grader's own input and output must not mix with the messages
        os.dup2(nothing.fileno(), 0)
        os.dup2(nothing.fileno(), 1)
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # the driver decides when to stop
        try:
            grader = load_grader(setup["name"], setup["options"])
            if hasattr(grader, "time_limit"):
                grader.time_limit = setup["time_limit"]
            if prepare := getattr(grader, "prepare", None):
                prepare()
        except Exception as error:  # noqa: BLE001 - a user's grader may raise anything: the driver raises it
            _send(replies, {"failed": str(error) if isinstance(error, IsocostError) else f"{type(error).__name__}: {error}"})
            return
        os.dup2(nothing.fileno(), 2)
    if psutil.Process().num_threads() == 1:  # a fork copies one thread only, and would deadlock on locks of the others
        _wait_for_children(replies)
    _serve(grader, requests, replies)


def _wait_for_children(replies: int) -> None:
    """Return in a new child each time the last one has died; exit when the last one exited normally."""
    signal.signal(signal.SIGCHLD, lambda *_: None)  # a default-ignored signal may be dropped instead of waking sigwait
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {END, END_CHILD, signal.SIGCHLD})
    while child := os.fork():
        code = _end_of(child)
        if code == 0:
            os._exit(0)
        os.write(replies, b"\n")  # ends a line that the child left torn
        _send(replies, {"ended": code})
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    _die_with_parent()
    os.setsid()  # a process group of its own, so that processes that the grader starts are killed with it


def _end_of(child: int) -> int:
    """Return the child's exit code. Signals are taken one by one, so that none acts on a PID that may be another process's."""
    while True:
        number = signal.sigwait({END, END_CHILD, signal.SIGCHLD})
        if number != signal.SIGCHLD:
            _kill(child)
        if number == END:
            os._exit(0)
        ended, status = os.waitpid(child, os.WNOHANG)  # SIGCHLD also comes for stopped children, and for a grader's own
        if ended:
            return os.waitstatus_to_exitcode(status)


def _kill(child: int) -> None:
    try:
        os.killpg(child, signal.SIGKILL)
    except OSError:  # it has not called setsid yet
        os.kill(child, signal.SIGKILL)


def _serve(grader: Grader, requests: int, replies: int) -> NoReturn:
    judge = last_step(grader)
    if limit := getattr(grader, "memory_limit", None):
        _limit_memory(limit)
    chunks: queue.SimpleQueue[Message] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(requests, chunks), daemon=True).start()
    _send(replies, {"ready": os.getpid()})
    while True:
        chunk = chunks.get()
        for reference, text in chunk["pairs"]:
            verdict = judge_pair(judge, reference, text)
            _send(replies, {"chunk": chunk["chunk"], "verdict": [verdict.outcome, verdict.predicted_answer, verdict.reason]})
            if verdict == OUT_OF_MEMORY:  # the heap is fragmented, and the next pair may fail for it
                os._exit(RESTART)


def _read(requests: int, chunks: queue.SimpleQueue[Message]) -> None:
    """Read requests in a thread beside the grading, so that the process ends with the driver, even if that is killed with SIGKILL."""
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


def _send(replies: int, message: Message) -> None:
    left = memoryview(json.dumps(message).encode() + b"\n")
    while left:
        left = left[os.write(replies, left) :]


def _limit_memory(limit: int) -> None:
    used = psutil.Process().memory_info().vms  # RLIMIT_AS counts address space, so the limit is added to what is mapped already
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = used + limit if hard == resource.RLIM_INFINITY else min(used + limit, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


def _die_with_parent() -> None:
    """Ask the kernel to kill this process with its parent (Linux only): deep in C code, no thread runs that would see the parent's end."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
