"""Worker processes on this machine."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

SMALL = 100_000_000  # parameters; up to here a process a core beats one process with all cores, and memory is no concern


class LocalExecutor:
    """Runs functions in worker processes, each with its share of the cores.

    Small models run one process a core, because their matrices are too small to be split; large ones, and anything on a GPU, run in one
    process with all cores.

    Args:
        largest: Parameters of the largest model of the study, or None if not known.
    """

    def __init__(self, largest: int | None) -> None:
        self.cores = cores = len(os.sched_getaffinity(0))
        small = largest is not None and largest <= SMALL and shutil.which("nvidia-smi") is None
        self.workers = cores if small else 1
        self.threads = cores // self.workers
        self._pool: ProcessPoolExecutor | None = None
        self._starting = threading.Lock()

    def submit(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run a function in a worker; the workers start with the first call."""
        with self._starting:  # several threads may be the first
            if self._pool is None:
                self._pool = ProcessPoolExecutor(
                    self.workers,
                    mp_context=multiprocessing.get_context("spawn"),
                    initializer=_start_worker,
                    initargs=(self.threads,),
                )
        return self._pool.submit(function, *args, **kwargs)

    def close(self, *, wait: bool = True) -> None:
        """End the workers; without `wait` they are killed in the middle of their work."""
        if self._pool is None:
            return
        processes: list[Any] = list((self._pool._processes or {}).values())
        self._pool.shutdown(wait=wait, cancel_futures=True)
        if not wait:
            for process in processes:
                process.kill()
        self._pool = None


def _start_worker(threads: int) -> None:
    # Ctrl-C reaches the whole process group; the driver decides what to do about it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _die_with_parent()
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = str(threads)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"


def _die_with_parent() -> None:
    # A driver killed with -9 cannot stop its workers; without this they would wait for work for ever (Linux only).
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
