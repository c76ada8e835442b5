"""What a sample is put behind, before any of its code runs: namespaces of its own, no capabilities, limits, forbidden system calls."""

from __future__ import annotations

import ctypes
import os
import resource
from collections.abc import Callable
from dataclasses import dataclass

from .calls import Filter

MOST_FILES = 64  # open at a time; each may be a pipe with a buffer that no other limit counts
MOST_THREADS = 1024  # root is exempt: there, memory is what limits them
MOST_TMP = 16 << 20  # bytes in /tmp
MOST_TMP_FILES = 1000

_NEW_MOUNTS, _NEW_PIDS = 0x00020000, 0x20000000
_NO_SUID_NO_DEV = 0x2 | 0x4
_NO_NEW_PRIVILEGES, _SECCOMP, _FILTER = 38, 22, 2
_CAPABILITY_VERSION = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a sample may take: wall-clock seconds, bytes of address space."""

    seconds: float
    memory: int


def fork_alone(server: int) -> int:
    """Fork a process that is the first of a new PID namespace: 0 there, its PID here.

    Args:
        server: A PID file descriptor of the calling process.

    Raises:
        OSError: the kernel refuses.
    """
    _call("unshare", _NEW_PIDS)  # of the children, not of this process
    try:
        pid = os.fork()
    except OSError:
        _call("setns", server, _NEW_PIDS)
        raise
    if pid:
        _call("setns", server, _NEW_PIDS)
    return pid


def move_in() -> None:
    """Give this process, and those that it forks, an empty /tmp that no other sees.

    Raises:
        OSError: the kernel refuses.
    """
    _call("unshare", _NEW_MOUNTS)
    _call("mount", b"tmpfs", b"/tmp", b"tmpfs", _NO_SUID_NO_DEV, f"size={MOST_TMP},nr_inodes={MOST_TMP_FILES},mode=700".encode())
    os.chdir("/tmp")


def close_in(limits: Limits, calls: Filter) -> None:
    """Take from this process all that a sample must not have. It cannot be undone.

    Raises:
        OSError: the kernel refuses a part of it.
    """
    os.setsid()  # a signal to process group 0 reaches the server's group, across PID namespaces
    _limit(limits)
    header, nothing = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0), (ctypes.c_uint32 * 6)()
    _call("capset", header, nothing)
    _call("prctl", _NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    _call("prctl", _SECCOMP, _FILTER, ctypes.byref(calls), 0, 0)


def _limit(limits: Limits) -> None:
    seconds = int(limits.seconds * (os.cpu_count() or 1)) + 2  # of all threads: should the server not be there to stop them
    for which, most in (
        (resource.RLIMIT_AS, limits.memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, MOST_TMP),
        (resource.RLIMIT_NOFILE, MOST_FILES),
        (resource.RLIMIT_NPROC, MOST_THREADS),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(which)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(which, (most, most))


def _call(name: str, *arguments: object) -> None:
    function: Callable[..., int] = getattr(_libc, name)
    if function(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
