"""The driver's handle of one worker on the cluster."""

from __future__ import annotations

import importlib.metadata
import secrets
import sys
import threading
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

from isocost.errors import InputError, RunError
from isocost.executors.jobqueue import WorkerDiedError
from isocost.executors.jobs import Job, Outcome
from isocost.executors.ray.actor import Returned, WorkerActor
from isocost.executors.ray.cluster import Share

T = TypeVar("T")

LOGS = "/tmp/ray/session_latest/logs on its node"


class WasDeadError(WorkerDiedError):
    """A worker was found dead before it received any work."""


class RayWorker:
    """The handle of an actor. Ray never restarts it: a replacement writes files of its own, so that the two cannot mix rows.

    Args:
        ray: The imported package.
        number: The worker's number, which its replacements keep.
        share: The worker's resources.
    """

    def __init__(self, ray: Any, number: int, share: Share) -> None:
        self.number = number
        self.writer = f"r{number}-{secrets.token_hex(3)}"
        self.dead = threading.Event()
        self._ray = ray
        self._jobs = 0
        # Nodes have an environment of their own; only a study's own modules must be found there.
        environment = (sys.prefix, sys.base_prefix)
        path = [str(Path(entry).absolute()) for entry in sys.path if not entry.startswith(environment)]
        kind = ray.remote(WorkerActor).options(
            num_cpus=share.cpus,
            num_gpus=share.gpus,
            # Ray must not repeat work by itself: a repeated batch would be paid twice.
            max_restarts=0,
            max_task_retries=0,
            scheduling_strategy="SPREAD",
        )
        self._actor = kind.remote(self.writer, share.cpus, str(Path.cwd()), path)
        self._probe: Any = None

    def is_ready(self, files: Sequence[Path], timeout: float) -> bool:
        """Wait up to `timeout` seconds, and return True if the worker has started and can work.

        Raises:
            InputError: the worker has another version of isocost, or does not see the run directory.
            WorkerDiedError: the worker could not start.
        """
        if self._probe is None:
            self._probe = self._actor.probe.remote([str(file) for file in files])
        try:
            found = self._ray.get(self._probe, timeout=timeout)
        except self._ray.exceptions.GetTimeoutError:
            return False
        except self._ray.exceptions.RayError as error:
            raise WorkerDiedError(_last_reason(error)) from error
        self._check(found)
        return True

    def _check(self, found: dict[str, Any]) -> None:
        ours = own_version()
        if found["isocost"] != ours:
            raise InputError(
                f"executor: a node of the cluster has isocost {found['isocost']}, this machine {ours}\n"
                "  install the same version on all of them"
            )
        if found["unseen"]:
            raise InputError(
                f"executor: a node of the cluster does not see {found['unseen'][0]}\n"
                "  put the run directory where all machines have it under the same path: isocost run -o /SHARED/NAME"
            )

    def exchange(self, jobs: Sequence[Job], timeout: float, withdrawn: Collection[str]) -> list[Outcome]:
        """Call `EngineWorker.exchange` in the actor. It never calls endpoints, so `withdrawn` has no effect.

        Draws are committed only within such a call, so a worker that was given up cannot commit anything later.
        """
        # Only before the first job: a probe for each exchange would double the round trips.
        if jobs and not self._jobs:
            self._check_alive()
        self._jobs += len(jobs)
        try:
            outcomes = cast("list[Outcome]", self._get(self._actor.exchange.remote(list(jobs), timeout)))
        except RunError:
            self._jobs = 0
            raise
        self._jobs -= len(outcomes)
        return outcomes

    def call(self, function: Callable[[], T]) -> T:
        """Run a function in the actor.

        Raises:
            WasDeadError: the worker had ended before.
            WorkerDiedError: the worker ended during the call.
        """
        self._check_alive()
        returned = cast("Returned", self._get(self._actor.call.remote(function)))
        if returned.error is not None:
            raise returned.error
        return cast("T", returned.value)

    def _check_alive(self) -> None:
        """Raise a WasDeadError if the worker died while idle: the work that it is about to get is not the cause."""
        try:
            self._get(self._actor.probe.remote([]))
        except WorkerDiedError as error:
            raise WasDeadError(*error.args) from error

    def _get(self, reference: Any) -> Any:
        try:
            return self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:
            lines = str(error).strip().splitlines()
            raise RunError(f"a worker on the cluster failed: {lines[-1]}\n  its logs: {LOGS}") from error
        except self._ray.exceptions.RayError as error:
            raise WorkerDiedError(_last_reason(error)) from error

    def kill(self) -> None:
        """Kill the actor."""
        self.dead.set()
        self._ray.kill(self._actor)

    def leave(self) -> Any:
        """Ask the actor to end after its current work. Returns a reference that is ready when it has ended."""
        self.dead.set()
        return self._actor.__ray_terminate__.remote()


def own_version() -> str:
    """Return the installed version of isocost."""
    return importlib.metadata.version("isocost")


def _last_reason(error: Exception) -> str:
    """Return the line of Ray's long error text that names the cause, cut to 200 characters."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    reason = next((line for line in lines if "exit detail" in line or "died" in line.lower()), None)
    text = (reason or type(error).__name__).partition("Worker exit detail: ")
    return (text[2] or text[0]).partition(" Some common causes")[0][:200]
