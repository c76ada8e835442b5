"""What runs on a node of the cluster: a process with a desk. Nothing here imports Ray."""

from __future__ import annotations

import importlib.metadata
import os
import pickle
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from isocost.errors import EngineError
from isocost.executors import engineworker
from isocost.executors.jobs import Job, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """What a function returned, or what it failed with."""

    value: Any = None
    error: BaseException | None = None


class WorkerActor:
    """The actor. Its constructor and `probe` take and give plain values only, so that another version of isocost understands them.

    Args:
        writer: What its files are called, beside those of other workers.
        threads: Cores that it may use.
        folder: The driver's working directory, which relative paths start from.
        path: Folders that the driver imports from besides its environment: a study's own engines are found there.
    """

    def __init__(self, writer: str, threads: int, folder: str, path: Sequence[str]) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver decides what Ctrl-C means; no endpoint is asked from here
        for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
            os.environ[variable] = str(threads)
        os.environ["TOKENIZERS_PARALLELISM"] = "false"
        sys.path += [entry for entry in path if entry not in sys.path]
        if os.path.isdir(folder):  # noqa: PTH112 - as `probe` looks for it
            os.chdir(folder)
        engineworker.set_writer(writer)

    def probe(self, files: Sequence[str]) -> dict[str, Any]:
        """Its version of isocost, its process, and which of these files it does not see."""
        unseen = [file for file in files if not os.path.exists(file)]  # noqa: PTH110 - plain values, see above
        return {"isocost": importlib.metadata.version("isocost"), "pid": os.getpid(), "unseen": unseen}

    def exchange(self, jobs: Sequence[Job], timeout: float) -> list[Outcome]:
        """`EngineWorker.exchange`."""
        return engineworker.exchange(jobs, timeout)

    def call(self, function: Callable[[], Any]) -> Returned:
        """Run a function."""
        try:
            return Returned(value=function())
        except BaseException as error:  # noqa: BLE001 - it is raised again by the driver
            return Returned(error=make_picklable(error))


def make_picklable(error: BaseException) -> BaseException:
    """An error that can be sent: itself, or what it said if its class cannot be made again over there."""
    try:
        again = pickle.loads(pickle.dumps(error))
    except Exception:  # noqa: BLE001 - whatever a library's exception does when it is copied
        again = None
    if type(again) is type(error) and str(again) == str(error):
        return error
    told = EngineError(f"{type(error).__name__}: {error}")
    told.add_note("".join(traceback.format_exception(error)))
    return told
