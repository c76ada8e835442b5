"""The cores of this machine and the signals that stop a process; memory that is returned to the system, and rarer garbage collections."""

from __future__ import annotations

import ctypes
import gc
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

SELDOM = 20_000  # new objects between two collections; Python's own 700 cost a fifth of the time where 50,000 requests are held


def available_cores() -> int:
    """Return the number of cores that this process may use: a container may allow fewer than the machine has."""
    if affinity := getattr(os, "sched_getaffinity", None):
        return len(affinity(0))
    return os.cpu_count() or 1  # macOS, where every process may use all


def release_freed() -> None:
    """Return memory that was freed and that the allocators of C and pyarrow still hold; polars returns its own at once (`isocost`).

    Both keep it for later use. Without this, each stage of a large run would add its own peak to what the earlier stages have left.
    """
    import pyarrow as pa  # not every command that imports this needs pyarrow

    pa.default_memory_pool().release_unused()
    # glibc only: other C libraries have no such function.
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
        trim(0)


@contextmanager
def memory_returned() -> Iterator[None]:
    """Let pyarrow take memory from jemalloc meanwhile, where it has it, and return at the end what was freed.

    Its default, mimalloc, keeps tens of MB otherwise, and needs three times as long to return them.
    """
    import pyarrow as pa

    before = pa.default_memory_pool()
    with suppress(NotImplementedError):  # a build without jemalloc
        pa.set_memory_pool(pa.jemalloc_memory_pool())
    try:
        yield
    finally:
        pa.default_memory_pool().release_unused()
        pa.set_memory_pool(before)


@contextmanager
def rare_collections() -> Iterator[None]:
    """Let Python look for cycles of garbage only after `SELDOM` new objects, or as seldom as the caller has chosen already."""
    before = gc.get_threshold()
    if 0 < before[0] < SELDOM:  # 0: switched off
        gc.set_threshold(SELDOM, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def stop_signals() -> tuple[signal.Signals, ...]:
    """Return the signals that ask a process to stop. That of a closed terminal is none if `nohup` has it ignored."""
    always = (signal.SIGINT, signal.SIGTERM)
    return always if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else (*always, signal.SIGHUP)
