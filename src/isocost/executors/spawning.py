"""Spawned processes that do not import the caller's `__main__` again.

multiprocessing runs the main module a second time in every spawned process, to find functions that it defines. A script without a guard
(`if __name__ == "__main__":`) would then start its run again inside each worker, and the pool would break. isocost's workers are sent
functions of isocost only, so they need no main module.
"""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import popen_spawn_posix, resource_tracker, spawn
from multiprocessing.context import SpawnContext, SpawnProcess
from multiprocessing.process import BaseProcess
from typing import Any

_LOCK = threading.Lock()


class _Popen(popen_spawn_posix.Popen):
    """Start a process whose preparation names no main module."""

    def _launch(self, process_obj: BaseProcess) -> None:
        with _without_main():
            super()._launch(process_obj)  # type: ignore[misc]


class _Process(SpawnProcess):
    @staticmethod
    def _Popen(process_obj: BaseProcess) -> Any:  # noqa: N802 - the name that multiprocessing calls
        return _Popen(process_obj)


class _Context(SpawnContext):
    Process = _Process


def spawning() -> multiprocessing.context.BaseContext:
    """Return the context in which workers are started."""
    # The process that keeps their semaphores lets Ctrl-C pass by itself, but not the signal of a closed terminal: it inherits the mask.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGHUP,))
    try:
        resource_tracker.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return _Context()


@contextmanager
def _without_main() -> Iterator[None]:
    """Leave the main module out of what a new process is told to import."""
    with _LOCK:
        told = spawn.get_preparation_data

        def tell(name: str) -> dict[str, Any]:
            return {key: value for key, value in told(name).items() if not key.startswith("init_main")}

        spawn.get_preparation_data = tell
        try:
            yield
        finally:
            spawn.get_preparation_data = told
