"""Runs samples one after the other, each in two processes forked for it, until nobody asks any more."""

from __future__ import annotations

import builtins
import contextlib
import fcntl
import gc
import importlib
import json
import os
import re
import resource
import secrets
import signal
import socket
import sys
import time
from dataclasses import dataclass
from typing import Never

from . import judge, sample
from .calls import Filter, system_call_filter
from .frames import BrokenFrameError, receive, send
from .names import Reference
from .walls import Limits, close_in, fork_alone, move_in

PASSED, TIMEOUT, EXIT, TAMPERED = "passed", "timeout", judge.EXIT, judge.TAMPERED
BROKEN = "sandbox: "
LONGEST_REQUEST = 64 << 20
READY = b"ready"
TOKEN = 16  # bytes
_PATIENCE = 4.0  # seconds for the walls to be up, on a machine under load
_LONGEST_ANSWER = 200
_MOST_OPEN = 1 << 10  # the server itself has a handful of files open
_REASON = re.compile(rb"memory|syntax|exit|tampered|signal: \w{1,20}|failed: \w{0,60}")
_PRELOADED = (  # what programs of HumanEval and MBPP import, so that no sample waits for it
    "array", "bisect", "cmath", "collections", "copy", "dataclasses", "datetime", "decimal", "enum", "fractions", "functools", "hashlib",
    "heapq", "itertools", "json", "math", "numbers", "operator", "random", "re", "statistics", "string", "textwrap", "time", "typing",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sample:
    """What the processes of a sample are made with.

    Attributes:
        program: The program's source.
        limits: What each of the two processes may take.
        calls: The system calls that they may not make.
        asker: Where the tests come from.
        token: What says that they passed.
    """

    program: str
    limits: Limits
    calls: Filter
    asker: socket.socket
    token: bytes


def main() -> None:
    """Serve the peer of standard input, a socket.

    A request is two messages: an object {"program", "seconds", "memory"}, then the tests, an object of `Reference`'s fields. The second is
    read by the process that runs the tests, so that neither the program's process nor the server has ever held them. The answer is
    `passed`, or the reason why not; `sandbox: ...` where the sample could not be run.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (hard, hard))  # a caller's limit is for a sample, not for a day of them
    peer = socket.socket(fileno=os.dup(0))
    myself = os.pidfd_open(os.getpid())
    calls = system_call_filter()
    for name in _PRELOADED:
        importlib.import_module(name)
    vars(builtins).update(exit=sys.exit, quit=sys.exit)  # as the module site does, which is left out
    gc.collect()
    gc.freeze()  # else the first collection in each sample copies every page of the heap
    while True:
        try:
            request = json.loads(receive(peer, LONGEST_REQUEST))
        except BrokenFrameError:
            return
        limits = Limits(seconds=request["seconds"], memory=request["memory"])
        made = _Sample(program=request["program"], limits=limits, calls=calls, asker=peer, token=secrets.token_bytes(TOKEN))
        try:
            ours, pid = _start(made, myself)
        except OSError as error:
            receive(peer, LONGEST_REQUEST)
            send(peer, f"{BROKEN}{error}".encode())
            continue
        answer = _watch(ours, pid, made.token, limits.seconds)
        if answer is None:
            return  # nobody knows how much of the tests has been read: the caller starts another server
        send(peer, answer.encode())


def _start(made: _Sample, myself: int) -> tuple[socket.socket, int]:
    ours, theirs = socket.socketpair()
    pid = fork_alone(myself)
    if pid == 0:
        _become_judge(made, theirs)
    theirs.close()
    return ours, pid


def _become_judge(made: _Sample, server: socket.socket) -> Never:
    """Fork the program's process, then take in the tests and run them."""
    try:
        try:
            connection, pid = _fork_program(made)
        except OSError as error:
            receive(made.asker, LONGEST_REQUEST)
            send(server, str(error).encode())
            os._exit(1)
        told = json.loads(receive(made.asker, LONGEST_REQUEST))
        server, connection = _keep_open(server, connection)
        peer = judge.TestPeer(connection, pid)
        try:
            close_in(made.limits, made.calls)
            problem = str(peer.hear_plainly()["problem"])
        except OSError as error:
            problem = str(error)
        send(server, problem.encode() or READY)
        judge.run(Reference(**told), made.token, server, peer)
    finally:
        os._exit(1)


def _fork_program(made: _Sample) -> tuple[socket.socket, int]:
    move_in()
    ours, theirs = socket.socketpair()
    pid = fork_alone(os.pidfd_open(os.getpid()))
    if pid == 0:
        _become_program(made, theirs)
    return ours, pid


def _become_program(made: _Sample, connection: socket.socket) -> Never:
    try:
        (connection,) = _keep_open(connection)
        problem = ""
        try:
            close_in(made.limits, made.calls)
        except OSError as error:
            problem = str(error)
        sample.run(made.program, connection, problem)
    finally:
        os._exit(1)


def _keep_open(*sockets: socket.socket) -> list[socket.socket]:
    """Close every file but these, which become 3 and on; standard input and output lead nowhere."""
    high = [fcntl.fcntl(one.detach(), fcntl.F_DUPFD, _MOST_OPEN // 2) for one in sockets]
    quiet = os.open("/dev/null", os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(quiet, standard)
    kept = [socket.socket(fileno=os.dup2(file, place)) for place, file in enumerate(high, 3)]
    os.closerange(3 + len(sockets), _MOST_OPEN)
    return kept


def _watch(ours: socket.socket, pid: int, token: bytes, seconds: float) -> str | None:
    """The sample's answer; when this returns, no process of it is left. None where the tests may not have been read."""
    status, answer = 0, None
    try:
        answer = _converse(ours, token, seconds)
    finally:
        ours.close()
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)  # the kernel ends what else lives in its namespace, before it can be waited for
        _, status = os.waitpid(pid, 0)
    if answer == EXIT and os.WIFSIGNALED(status) and os.WTERMSIG(status) != signal.SIGKILL:
        return judge.SIGNAL + signal.Signals(os.WTERMSIG(status)).name
    return answer


def _converse(ours: socket.socket, token: bytes, seconds: float) -> str | None:
    try:
        said = receive(ours, _LONGEST_ANSWER, deadline=time.monotonic() + _PATIENCE)
    except (BrokenFrameError, TimeoutError):
        return None
    if said != READY:
        return BROKEN + said.decode(errors="replace")
    try:
        said = receive(ours, _LONGEST_ANSWER, deadline=time.monotonic() + seconds)
    except TimeoutError:
        return TIMEOUT
    except (BrokenFrameError, OSError):
        return EXIT
    if secrets.compare_digest(said, token):
        return PASSED
    return said.decode() if _REASON.fullmatch(said) else TAMPERED  # anything else is not what the judge says
