"""The connection to a Ray cluster, or to a Ray instance started on this machine, and its resources."""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from isocost.config import ExecutorSpec
from isocost.errors import InputError, MissingExtraError

STORE = 256 * 2**20  # bytes of shared memory for a local Ray instance; jobs and answers are small
CONNECT_TIMEOUT = 10.0  # seconds to wait for the cluster's port; Ray itself retries for minutes
RAY_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".",  # Ray prints worker deaths to standard output; isocost reports them itself
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """The resources of each worker, and the number of workers."""

    workers: int
    cpus: int
    gpus: int


def load_ray() -> Any:
    """Import Ray.

    Raises:
        MissingExtraError: Ray is not installed.
    """
    for variable, value in RAY_ENVIRONMENT.items():
        os.environ.setdefault(variable, value)
    try:
        return importlib.import_module("ray")
    except ImportError:
        raise MissingExtraError("ray", "ray") from None


class Cluster:
    """A connection to Ray. A connection that this process already has is used and left open."""

    def __init__(self, ray: Any, address: str | None, cores: int) -> None:
        """Join the cluster at `address` ("auto": the cluster of this machine), or start Ray on this machine.

        Raises:
            InputError: the cluster cannot be reached or used.
        """
        self.ray = ray
        self._ours = not ray.is_initialized()
        if not self._ours:
            return
        # Checked first, because Ray itself retries for minutes and logs meanwhile.
        if address is not None:
            _check_reachable(address)
        own = {"num_cpus": cores, "object_store_memory": STORE, "include_dashboard": False} if address is None else {}
        try:
            with _silenced_logs():
                ray.init(
                    address=address or "local",
                    log_to_driver=False,
                    configure_logging=False,
                    **own,
                )
        except Exception as error:  # Ray raises ConnectionError, RuntimeError, ValueError and others for a faulty cluster
            where = f"Ray at {address}" if address else "Ray on this machine"
            reason = str(error).strip().partition("\n")[0].partition(". ")[0]
            raise InputError(f"{where}: cannot be used: {reason}\n  {_advice(address)}") from error

    def share(self, spec: ExecutorSpec, *, small: bool) -> Share:
        """Divide the cluster among workers: one per accelerator, or one per few cores on a cluster without accelerators.

        Args:
            spec: The study's executor section.
            small: True if the models are small enough that one core per worker is best.

        Raises:
            InputError: the cluster has too few resources for one worker.
        """
        nodes: list[Mapping[str, float]] = [node["Resources"] for node in self.ray.nodes() if node["Alive"]]
        cpus_of = [int(node.get("CPU", 0)) for node in nodes]
        gpus_of = [int(node.get("GPU", 0)) for node in nodes]
        # With accelerators, cores are counted per node too: a worker needs both on the same node.
        if any(gpus_of):
            gpus, cpus = spec.gpus_per_worker, spec.cpus_per_worker or 1
            workers = sum(min(g // gpus, c // cpus) for g, c in zip(gpus_of, cpus_of, strict=True))
        else:
            # All cores of the smallest node, so that every node fits at least one worker.
            whole_node = min(filter(None, cpus_of), default=1)
            gpus, cpus = 0, spec.cpus_per_worker or (1 if small else whole_node)
            workers = sum(c // cpus for c in cpus_of)
        if not workers:
            has = f"{len(nodes)} nodes with {max(cpus_of, default=0)} CPUs and {max(gpus_of, default=0)} GPUs at most"
            needs = f"{cpus} CPUs" + (f" and {gpus} GPUs" if gpus else "")
            raise InputError(f"executor: a worker needs {needs}, and the cluster has {has}\n  lower executor.cpus_per_worker")
        return Share(workers=min(workers, spec.workers or workers), cpus=cpus, gpus=gpus)

    def close(self) -> None:
        """Disconnect. A Ray instance that this run started ends."""
        if self._ours:
            self.ray.shutdown()


def _check_reachable(address: str) -> None:
    """Raise an InputError if nothing listens at HOST:PORT."""
    if address == "auto":
        return
    host, colon, port = address.rpartition(":")
    if "://" in address or not colon or not port.isdigit():
        raise InputError(
            f'executor: "{address}" is not the address of a Ray cluster\n  write auto, or HOST:PORT as ray start --head prints it'
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_TIMEOUT).close()
    except (OSError, OverflowError) as error:
        raise InputError(f"Ray at {address}: cannot be reached: {error}\n  {_advice(address)}") from error


def _advice(address: str | None) -> str:
    if address is None:
        return "try it alone: python -c 'import ray; ray.init()'"
    return "start it, and join this machine to it: ray start --address=HOST:PORT; or leave out --address for a Ray of its own"


@contextlib.contextmanager
def _silenced_logs() -> Iterator[None]:
    """Silence Ray's log for the length of a `with` block. Its errors reach the caller as exceptions."""
    logger = logging.getLogger("ray")
    # Ray adds handlers on init; they are removed afterwards.
    before: Sequence[logging.Handler] = list(logger.handlers)
    logger.setLevel(logging.CRITICAL)
    logger.propagate = False
    yield
    logger.handlers[:] = before
