"""The executor of a study."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from isocost.config.sections import PositiveInt, Section


class ExecutorSpec(Section):
    """The place where jobs run: worker processes on this machine, or a Ray cluster.

    Attributes:
        name: `local` or `ray`.
        address: Address of the cluster, HOST:PORT; "auto" is the cluster of this machine. None starts Ray on this machine.
        workers: Largest number of workers; None is as many as there is room for.
        cpus_per_worker: Cores per worker; None is one on nodes with GPUs and for small models, else a whole node.
        gpus_per_worker: GPUs per worker, if the cluster has any.
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
