"""Runs samples one after the other, each in a process forked for it, until nobody asks any more."""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import re
import resource
import secrets
import signal
import socket
import time
from typing import Never

from . import sample
from .calls import Filter, system_call_filter
from .frames import BrokenFrameError, receive, send
from .walls import Limits, close_in, fork_alone

PASSED, TIMEOUT, EXIT, TAMPERED = "passed", "timeout", "exit", "tampered"
SIGNAL, BROKEN = "signal: ", "sandbox: "
LONGEST_REQUEST = 64 << 20
_PATIENCE = 4.0  # seconds for the walls to be up, on a machine under load
_LONGEST_ANSWER = 200
_MOST_OPEN = 1 << 10  # the server itself has a handful of files open
_REASON = re.compile(rb"memory|syntax|exit|failed: \w{0,60}")
_PRELOADED = (  # what programs of HumanEval and MBPP import, so that no sample waits for it
    "array", "bisect", "cmath", "collections", "copy", "dataclasses", "datetime", "decimal", "enum", "fractions", "functools", "hashlib",
    "heapq", "itertools", "json", "math", "numbers", "operator", "random", "re", "statistics", "string", "textwrap", "time", "typing",
)  # fmt: skip


def main() -> None:
    """Serve the peer of standard input, a socket.

    A request is two messages: an object {"program", "seconds", "memory"}, then the tests. They are apart so that a process can be forked
    that has never held its tests. The answer is `passed`, or the reason why not; `sandbox: ...` where the sample could not be run.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (hard, hard))  # a caller's limit is for a sample, not for a day of them
    peer = socket.socket(fileno=os.dup(0))
    myself = os.pidfd_open(os.getpid())
    calls = system_call_filter()
    for name in _PRELOADED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # else the first collection in each sample copies every page of the heap
    while True:
        try:
            request = json.loads(receive(peer, LONGEST_REQUEST))
        except BrokenFrameError:
            return
        limits = Limits(seconds=request["seconds"], memory=request["memory"])
        try:
            ours, pid = _start(request["program"], limits, calls, myself)
        except OSError as error:
            receive(peer, LONGEST_REQUEST)
            send(peer, f"{BROKEN}{error}".encode())
            continue
        del request
        tests = receive(peer, LONGEST_REQUEST)
        send(peer, _watch(ours, pid, tests, limits.seconds).encode())


def _start(program: str, limits: Limits, calls: Filter, myself: int) -> tuple[socket.socket, int]:
    ours, theirs = socket.socketpair()
    pid = fork_alone(myself)
    if pid == 0:
        _become_sample(program, limits, calls, theirs)
    theirs.close()
    return ours, pid


def _become_sample(program: str, limits: Limits, calls: Filter, theirs: socket.socket) -> Never:
    try:
        quiet = os.open("/dev/null", os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(quiet, standard)
        server = socket.socket(fileno=os.dup2(theirs.fileno(), 3))
        theirs.detach()
        os.closerange(4, _MOST_OPEN)
        try:
            close_in(limits, calls)
        except OSError as error:
            send(server, str(error).encode())
            os._exit(1)
        sample.run(program, server)
    finally:
        os._exit(1)


def _watch(ours: socket.socket, pid: int, tests: bytes, seconds: float) -> str:
    """The sample's answer; when this returns, no process of it is left."""
    status, answer = 0, ""
    try:
        answer = _converse(ours, tests, seconds)
    finally:
        ours.close()
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)  # the kernel ends what else lives in its namespace, before it can be waited for
        _, status = os.waitpid(pid, 0)
    if answer == EXIT and os.WIFSIGNALED(status) and os.WTERMSIG(status) != signal.SIGKILL:
        return SIGNAL + signal.Signals(os.WTERMSIG(status)).name
    return answer


def _converse(ours: socket.socket, tests: bytes, seconds: float) -> str:
    try:
        said = receive(ours, _LONGEST_ANSWER, deadline=time.monotonic() + _PATIENCE)
    except (BrokenFrameError, TimeoutError):
        return f"{BROKEN}its process could not be started"
    if said != sample.READY:
        return BROKEN + said.decode(errors="replace")
    deadline = time.monotonic() + seconds
    try:
        said = receive(ours, _LONGEST_ANSWER, deadline=deadline)
        if said == sample.DEFINED:
            token = secrets.token_bytes(sample.TOKEN)
            send(ours, token + tests, deadline=deadline)
            said = receive(ours, _LONGEST_ANSWER, deadline=deadline)
            if secrets.compare_digest(said, token):
                return PASSED
    except TimeoutError:
        return TIMEOUT
    except (BrokenFrameError, OSError):
        return EXIT
    return said.decode() if _REASON.fullmatch(said) else TAMPERED  # anything else is not what `sample` says
