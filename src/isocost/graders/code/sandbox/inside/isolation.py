"""Isolation of a sample before any of its code runs: its own namespaces, no capabilities, limits, forbidden system calls."""

from __future__ import annotations

import ctypes
import os
import resource
from collections.abc import Callable
from dataclasses import dataclass

from .calls import Filter

MOST_FILES = 64  # open at a time; each may be a pipe with a buffer that no other limit counts
MOST_THREADS = 1024  # root is exempt: there, memory limits them
MOST_TMP = 16 << 20  # bytes in /tmp
MOST_TMP_FILES = 1000

_NEW_PIDS, _DETACH = 0x20000000, 2
_NO_SUID_NO_DEV = 0x2 | 0x4
_NO_NEW_PRIVILEGES, _SECCOMP, _FILTER = 38, 22, 2
_CAPABILITY_VERSION = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)
# Looked up once, before the forks: a process that does it itself copies more memory pages.
_FUNCTIONS: dict[str, Callable[..., int]] = {
    name: getattr(_libc, name) for name in ("unshare", "setns", "mount", "umount2", "capset", "prctl")
}
_header, _nothing = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0), (ctypes.c_uint32 * 6)()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of a sample's process: wall-clock seconds, bytes of address space."""

    seconds: float
    memory: int


def fork_in_namespace(server: int) -> int:
    """Fork a process that is the first of a new PID namespace. Return 0 there, and its PID here.

    Args:
        server: A PID file descriptor of the calling process.

    Raises:
        OSError: the kernel refuses.
    """
    _call("unshare", _NEW_PIDS)  # affects the children, not this process
    try:
        pid = os.fork()
    except OSError:
        _call("setns", server, _NEW_PIDS)
        raise
    if pid:  # else the next fork would join the namespace of this program
        _call("setns", server, _NEW_PIDS)
    return pid


def mount_tmp() -> None:
    """Mount an empty /tmp over the current one, for this process and those that it forks.

    Raises:
        OSError: the kernel refuses.
    """
    _call("mount", b"tmpfs", b"/tmp", b"tmpfs", _NO_SUID_NO_DEV, f"size={MOST_TMP},nr_inodes={MOST_TMP_FILES},mode=700".encode())


def unmount_tmp() -> None:
    """Unmount the last /tmp, with all its files.

    Raises:
        OSError: the kernel refuses.
    """
    _call("umount2", b"/tmp", _DETACH)


def resource_limits(limits: Limits) -> list[tuple[int, int]]:
    """Return the resources to limit and their limits, which are at most those of this process."""
    # CPU seconds add up over threads. This limit matters only if the server dies and nobody stops the sample by the clock.
    seconds = int(limits.seconds * (os.cpu_count() or 1)) + 2
    wanted = (
        (resource.RLIMIT_AS, limits.memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, MOST_TMP),
        (resource.RLIMIT_NOFILE, MOST_FILES),
        (resource.RLIMIT_NPROC, MOST_THREADS),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_CORE, 0),
    )
    hard = {which: resource.getrlimit(which)[1] for which, _ in wanted}
    return [(which, most if hard[which] == resource.RLIM_INFINITY else min(most, hard[which])) for which, most in wanted]


def isolate(limits: list[tuple[int, int]], calls: Filter) -> None:
    """Remove every privilege from this process that a sample must not have. It cannot be undone.

    Raises:
        OSError: the kernel refuses a part of it.
    """
    os.setsid()  # else a signal to process group 0 would reach the server's group, across PID namespaces
    for which, most in limits:
        resource.setrlimit(which, (most, most))
    _call("capset", _header, _nothing)
    _call("prctl", _NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    # After no_new_privs: without it, the kernel refuses a filter from a process without capabilities.
    _call("prctl", _SECCOMP, _FILTER, ctypes.byref(calls), 0, 0)


def _call(name: str, *arguments: object) -> None:
    if _FUNCTIONS[name](*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
