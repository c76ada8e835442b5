"""Where a run's work is done: what the study says, what the command line says over it, and the executor that comes of both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from isocost.config import ExecutorSpec
from isocost.errors import InputError
from isocost.executors.base import Executor
from isocost.executors.local import SMALL

NAMES = ("local", "ray")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What is said for one start of a run, over what the study file says; it is not written down with the study.

    Attributes:
        name: `local` or `ray`; None leaves the study's.
        address: Of a Ray cluster; None leaves the study's.
    """

    name: str | None = None
    address: str | None = None

    def over(self, spec: ExecutorSpec) -> ExecutorSpec:
        """The study's executor with these in its place.

        Raises:
            InputError: there is no such executor, or an address where none belongs.
        """
        if self.name is not None and self.name not in NAMES:
            raise InputError(f"--executor {self.name}: is not known; one of {', '.join(NAMES)}")
        asked = spec.model_dump(exclude_unset=True) if self.name in (None, spec.name) else {"name": self.name}
        if self.address is not None:
            asked["address"] = self.address
        try:
            return ExecutorSpec.model_validate(asked)
        except ValidationError:
            raise InputError(f'--address "{self.address}": goes with --executor ray, and is auto or HOST:PORT') from None


def make_executor(spec: ExecutorSpec, largest: int | None, folder: Path, local: Callable[[int | None], Executor]) -> Executor:
    """The executor.

    Args:
        spec: Which.
        largest: Parameters of the largest model that runs on devices of ours, or None if not known.
        folder: The run directory.
        local: Makes the executor of this machine, for models so large.
    """
    if spec.name == "local":
        return local(largest)
    from isocost.executors.ray import RayExecutor

    small = largest is not None and largest <= SMALL
    return RayExecutor(spec, local(None), small=small, files=[folder.resolve() / "lock", Path.cwd()])
