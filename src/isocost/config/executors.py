"""The executor: the machines on which models run."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from isocost.config.sections import PositiveInt, Section


class ExecutorSpec(Section):
    """The machines on which models run and students are trained; `executor: ray` is short for `{name: ray}`. See [ray.md](ray.md).

    Attributes:
        name: `local` (worker processes on this machine) or `ray` (a Ray cluster).
        address: Address of the Ray cluster, `HOST:PORT`; `auto` means the cluster of this machine, null starts Ray on this machine.
        workers: Largest number of workers; null means as many as fit.
        cpus_per_worker: Cores per worker; null means one on nodes with GPUs and for small models, otherwise a whole node.
        gpus_per_worker: GPUs per worker, if the cluster has GPUs.
    """

    name: Literal["local", "ray"] = "local"
    address: Annotated[str, Field(min_length=1)] | None = None
    workers: PositiveInt | None = None
    cpus_per_worker: PositiveInt | None = None
    gpus_per_worker: PositiveInt = 1

    @model_validator(mode="after")
    def _only_a_cluster_is_shared_out(self) -> Self:
        if self.name == "local" and (others := self.model_fields_set - {"name"}):
            raise ValueError(f"{min(others)} goes with name: ray")
        return self
