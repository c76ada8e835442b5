"""A server that runs samples one after the other, each in two processes forked for it, until the caller closes its socket."""

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
from types import ModuleType
from typing import Never

from . import judge, sample
from .calls import Filter, system_call_filter
from .crossing.pipes import read_frame, write_frame
from .frames import BrokenFrameError, receive, send
from .isolation import Limits, fork_in_namespace, isolate, mount_tmp, resource_limits, unmount_tmp
from .names import Reference
from .warmup import warm_up

PASSED, TIMEOUT, EXIT, TAMPERED = "passed", "timeout", judge.EXIT, judge.TAMPERED
BROKEN = "sandbox: "
LONGEST_REQUEST = 64 << 20
READY = b"ready"
_HOME = "/isocost"  # not /tmp, which cannot be unmounted while it is a working directory
TOKEN = 16  # bytes
_PATIENCE = 4.0  # seconds until a sample's process is isolated, on a machine under load
_LONGEST_ANSWER = 200  # bytes; longer than any reason
_MOST_OPEN = 1 << 10  # the server itself has a handful of files open
_REASON = re.compile(rb"memory|syntax|exit|tampered|signal: \w{1,20}|failed: \w{0,60}")
_PRELOADED = (  # the modules that programs of HumanEval and MBPP import, so that no sample waits for them
    "array", "bisect", "cmath", "collections", "copy", "dataclasses", "datetime", "decimal", "enum", "fractions", "functools", "hashlib",
    "heapq", "itertools", "json", "math", "numbers", "operator", "random", "re", "statistics", "string", "textwrap", "time", "typing",
)  # fmt: skip

# Made once, before the forks: a process that makes its own copies more memory pages.
_judge_peer, _program_peer = judge.TestPeer(), sample.ProgramPeer()


def main() -> None:
    """Serve the peer of standard input, a socket.

    A request is two messages: an object {"program", "seconds", "memory"}, then the tests, an object of `Reference`'s fields. Only the
    process that runs the tests reads the second, so neither the program's process nor the server ever holds them. The answer is
    `passed`, or the reason for the failure; `sandbox: ...` where the sample could not be run.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (hard, hard))  # the inherited limit would end the server after some samples
    peer = socket.socket(fileno=os.dup(0))
    myself = os.pidfd_open(os.getpid())
    calls = system_call_filter()
    for name in _PRELOADED:
        importlib.import_module(name)
    vars(builtins).update(exit=sys.exit, quit=sys.exit)  # the module site does this, but -S leaves it out
    warm_up()
    _hide()
    _program_peer.define(sample.make_module())
    gc.collect()
    gc.freeze()  # else the first collection in each fork would copy every page of the heap
    while True:
        try:
            request = json.loads(receive(peer, LONGEST_REQUEST))
        except BrokenFrameError:
            return
        limits = Limits(seconds=request["seconds"], memory=request["memory"])
        try:
            made = _start(request["program"], limits, calls, myself, peer)
        except OSError as error:
            receive(peer, LONGEST_REQUEST)
            send(peer, f"{BROKEN}{error}".encode())
            continue
        answer = _watch(made, limits.seconds)
        unmount_tmp()
        if answer is None:
            return  # the position in the stream is unknown, so the caller must start another server
        send(peer, answer.encode())


def _hide() -> None:
    """Remove the sandbox's modules from sys.modules, so that a program finds the standard library only."""
    package = __name__.partition(".")[0]
    _hidden.extend(sys.modules.pop(name) for name in [*sys.modules] if name.partition(".")[0] == package)


_hidden: list[ModuleType] = []  # keeps the modules alive, as nothing else refers to them


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sample:
    """The processes of a sample, the socket of the one that runs the tests, and the token that proves a pass."""

    program: int
    judge: int
    socket: socket.socket
    token: bytes


def _start(program: str, limits: Limits, calls: Filter, myself: int, asker: socket.socket) -> _Sample:
    """Fork a process for a program, as the first of its own PID namespace, then one for its tests; they share a /tmp.

    Raises:
        OSError: the kernel refuses. No process is left.
    """
    mount_tmp()
    os.chdir("/tmp")  # before the program starts, which can remove everybody's permission to enter it
    most = resource_limits(limits)
    ours, theirs = socket.socketpair()
    questions, answers = os.pipe(), os.pipe()
    pids: list[int] = []
    problem, token = None, b""
    try:
        pids.append(fork_in_namespace(myself))
        if pids[0] == 0:
            _become_program(program, most, calls, (answers[1], questions[0]))
        token = secrets.token_bytes(TOKEN)  # made after the program's fork, so that process never holds it
        pids.append(os.fork())  # tests need no PID namespace: they are trusted and cannot fork
        if pids[1] == 0:
            _become_judge(most, calls, (theirs.fileno(), answers[0], questions[1]), asker.fileno(), token)
    except OSError as error:
        problem = error
    os.chdir(_HOME)
    theirs.close()
    for file in (*questions, *answers):
        os.close(file)
    if problem is not None:
        _end(pids)
        ours.close()
        unmount_tmp()
        raise problem
    return _Sample(program=pids[0], judge=pids[1], socket=ours, token=token)


def _become_program(program: str, limits: list[tuple[int, int]], calls: Filter, files: tuple[int, int]) -> Never:
    try:
        _keep_open(*files)
        try:
            isolate(limits, calls)
        except OSError as error:
            write_frame(sample.WRITES, str(error).encode())
            os._exit(1)
        write_frame(sample.WRITES, b"")
        raise sample.Program(program, _program_peer)
    except Exception:  # noqa: BLE001 - any error must end this process, which is not the server
        os._exit(1)


def _become_judge(limits: list[tuple[int, int]], calls: Filter, files: tuple[int, int, int], asker: int, token: bytes) -> Never:
    try:
        fields = json.loads(read_frame(asker, LONGEST_REQUEST, bytearray()))
        _keep_open(*files)
        try:
            isolate(limits, calls)
            problem = _judge_peer.receive_problem()
        except OSError as error:
            problem = str(error)
        write_frame(judge.SERVER, problem.encode() or READY)
        judge.run(Reference(**fields), token, _judge_peer)
    finally:
        os._exit(1)


def _keep_open(*files: int) -> None:
    """Close every file descriptor but these, which become 3 and up; standard input and output become /dev/null."""
    # Moved out of the way first: one of them may already have a number that another is to get.
    high = [fcntl.fcntl(file, fcntl.F_DUPFD, _MOST_OPEN // 2) for file in files]
    quiet = os.open("/dev/null", os.O_RDWR)
    for place, file in enumerate((quiet, quiet, quiet, *high)):
        os.dup2(file, place)
    os.closerange(3 + len(files), _MOST_OPEN)


def _watch(made: _Sample, seconds: float) -> str | None:
    """Return the sample's answer, after all its processes have ended. None where the tests may not have been read completely."""
    answer = None
    try:
        answer = _converse(made.socket, made.token, seconds)
    finally:
        made.socket.close()
        statuses = _end([made.judge, made.program])
    # SIGKILL is the server's own; any other signal is the reason why the pipe was closed.
    for status in statuses if answer == EXIT else ():
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) != signal.SIGKILL:
            return f"signal: {signal.Signals(os.WTERMSIG(status)).name}"
    return answer


def _end(pids: list[int]) -> list[int]:
    """End processes and return their statuses. The kernel ends the other processes of their namespaces before they can be waited for."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return [os.waitpid(pid, 0)[1] for pid in pids]


def _converse(ours: socket.socket, token: bytes, seconds: float) -> str | None:
    try:
        answer = receive(ours, _LONGEST_ANSWER, deadline=time.monotonic() + _PATIENCE)
    except (BrokenFrameError, TimeoutError):
        return None
    if answer != READY:
        return BROKEN + answer.decode(errors="replace")
    try:
        answer = receive(ours, _LONGEST_ANSWER, deadline=time.monotonic() + seconds)
    except TimeoutError:
        return TIMEOUT
    except (BrokenFrameError, OSError):
        return EXIT
    if secrets.compare_digest(answer, token):
        return PASSED
    return answer.decode() if _REASON.fullmatch(answer) else TAMPERED  # the judge sends nothing else
