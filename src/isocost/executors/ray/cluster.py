"""The connection to a Ray cluster, or to a Ray of our own on this machine, and what there is to work with."""

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

STORE = 256 * 2**20  # bytes of shared memory for a Ray of our own: what is sent is small
CONNECT_TIMEOUT = 10.0  # seconds to wait for the cluster's port; Ray itself would try for minutes
RAY_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".",  # Ray prints to standard output that a worker died; isocost says so itself
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What each worker gets of the cluster, and how many there are."""

    workers: int
    cpus: int
    gpus: int


def load_ray() -> Any:
    """The package.

    Raises:
        MissingExtraError: it is not installed.
    """
    for variable, value in RAY_ENVIRONMENT.items():
        os.environ.setdefault(variable, value)
    try:
        return importlib.import_module("ray")
    except ImportError:
        raise MissingExtraError("ray", "ray") from None


class Cluster:
    """A connection to Ray. One that this process has already is used and left open."""

    def __init__(self, ray: Any, address: str | None, cores: int) -> None:
        """Join the cluster at `address` ("auto": the one that this machine belongs to), or start a Ray on this machine.

        Raises:
            InputError: it cannot be reached or used.
        """
        self.ray = ray
        self._ours = not ray.is_initialized()
        if not self._ours:
            return
        if address is not None:
            _check_reachable(address)
        own = {"num_cpus": cores, "object_store_memory": STORE, "include_dashboard": False} if address is None else {}
        try:
            with _logs_to_nobody():
                ray.init(
                    address=address or "local",
                    log_to_driver=False,
                    configure_logging=False,
                    **own,
                )
        except Exception as error:  # Ray raises ConnectionError, RuntimeError, ValueError and others for what is wrong with a cluster
            where = f"Ray at {address}" if address else "Ray on this machine"
            said = str(error).strip().partition("\n")[0].partition(". ")[0]
            raise InputError(f"{where}: cannot be used: {said}\n  {_advice(address)}") from error

    def share(self, spec: ExecutorSpec, *, small: bool) -> Share:
        """How the cluster is split among workers: one an accelerator, or one a few cores where there is none.

        Args:
            spec: What the study says of it.
            small: Whether the models are so small that a core each is best.

        Raises:
            InputError: there is not even one worker's share.
        """
        nodes: list[Mapping[str, float]] = [node["Resources"] for node in self.ray.nodes() if node["Alive"]]
        cpus_of = [int(node.get("CPU", 0)) for node in nodes]
        gpus_of = [int(node.get("GPU", 0)) for node in nodes]
        if any(gpus_of):
            gpus, cpus = spec.gpus_per_worker, spec.cpus_per_worker or 1
            workers = sum(min(g // gpus, c // cpus) for g, c in zip(gpus_of, cpus_of, strict=True))
        else:
            gpus, cpus = 0, spec.cpus_per_worker or (1 if small else min((c for c in cpus_of if c), default=1))
            workers = sum(c // cpus for c in cpus_of)
        if not workers:
            has = f"{len(nodes)} nodes with {max(cpus_of, default=0)} CPUs and {max(gpus_of, default=0)} GPUs at most"
            needs = f"{cpus} CPUs" + (f" and {gpus} GPUs" if gpus else "")
            raise InputError(f"executor: a worker needs {needs}, and the cluster has {has}\n  lower executor.cpus_per_worker")
        return Share(workers=min(workers, spec.workers or workers), cpus=cpus, gpus=gpus)

    def close(self) -> None:
        """Leave the cluster; a Ray that was started for this run ends."""
        if self._ours:
            self.ray.shutdown()


def _check_reachable(address: str) -> None:
    """Raise an InputError if nobody listens at HOST:PORT."""
    if address == "auto":
        return
    host, colon, port = address.rpartition(":")
    if "://" in address or not colon or not port.isdigit():
        raise InputError(f'executor: "{address}" is no address of a Ray cluster\n  write auto, or HOST:PORT as ray start --head prints it')
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_TIMEOUT).close()
    except (OSError, OverflowError) as error:
        raise InputError(f"Ray at {address}: cannot be reached: {error}\n  {_advice(address)}") from error


def _advice(address: str | None) -> str:
    if address is None:
        return "try it alone: python -c 'import ray; ray.init()'"
    return "start it, and join this machine to it: ray start --address=HOST:PORT; or leave out --address for a Ray of its own"


@contextlib.contextmanager
def _logs_to_nobody() -> Iterator[None]:
    """Only errors of Ray are told, by whoever gets the exception."""
    logger = logging.getLogger("ray")
    before: Sequence[logging.Handler] = list(logger.handlers)
    logger.setLevel(logging.CRITICAL)
    logger.propagate = False
    yield
    logger.handlers[:] = before
