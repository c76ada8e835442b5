"""The actor that runs on a node of the cluster: a process with an `EngineWorker`. Nothing here imports Ray."""

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
    """The return value of a function, or its error."""

    value: Any = None
    error: BaseException | None = None


class WorkerActor:
    """The Ray actor. Its constructor and `probe` use plain values only, so that another version of isocost can still be detected.

    Args:
        writer: Name of the worker's files, distinct from those of other workers.
        threads: Cores that the worker may use.
        folder: The driver's working directory, the base of relative paths.
        path: The driver's import paths outside its environment. A study's own engines are found there.
    """

    def __init__(self, writer: str, threads: int, folder: str, path: Sequence[str]) -> None:
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # the driver handles these, and no endpoint is called from here
        for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
            os.environ[variable] = str(threads)
        os.environ["TOKENIZERS_PARALLELISM"] = "false"
        # Appended, so that the node's own installation takes precedence.
        sys.path += [entry for entry in path if entry not in sys.path]
        if os.path.isdir(folder):  # noqa: PTH112 - a node without the folder is reported by `probe`
            os.chdir(folder)
        engineworker.set_writer(writer)

    def probe(self, files: Sequence[str]) -> dict[str, Any]:
        """Return the isocost version, the process id, and the files that this node does not see."""
        unseen = [file for file in files if not os.path.exists(file)]  # noqa: PTH110 - plain values, as the class says
        return {"isocost": importlib.metadata.version("isocost"), "pid": os.getpid(), "unseen": unseen}

    def exchange(self, jobs: Sequence[Job], timeout: float) -> list[Outcome]:
        """Call `EngineWorker.exchange`."""
        return engineworker.exchange(jobs, timeout)

    def call(self, function: Callable[[], Any]) -> Returned:
        """Run a function and return its value or error."""
        try:
            return Returned(value=function())
        except BaseException as error:  # noqa: BLE001 - the driver raises it again
            return Returned(error=make_picklable(error))


def make_picklable(error: BaseException) -> BaseException:
    """Return the error itself if it survives pickling, else an EngineError with its text."""
    try:
        again = pickle.loads(pickle.dumps(error))
    except Exception:  # noqa: BLE001 - copying a third-party exception can raise anything
        again = None
    # Some exceptions unpickle into another message, which would mislead.
    if type(again) is type(error) and str(again) == str(error):
        return error
    replacement = EngineError(f"{type(error).__name__}: {error}")
    replacement.add_note("".join(traceback.format_exception(error)))
    return replacement
