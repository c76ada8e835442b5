"""Choose the executor of a run, from the study file and the command line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from isocost.config import ExecutorSpec
from isocost.errors import InputError
from isocost.executors.base import Executor
from isocost.executors.local import SMALL
from isocost.preparing.prepare import Prepared

NAMES = ("local", "ray")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutorChoice:
    """The executor that the command line chooses for one start. It is not stored with the study, because it does not change results.

    Attributes:
        name: `local` or `ray`; None keeps that of the study.
        address: Address of a Ray cluster; None keeps that of the study.
    """

    name: str | None = None
    address: str | None = None

    def apply_to(self, spec: ExecutorSpec) -> ExecutorSpec:
        """Return the study's executor with this choice applied.

        Raises:
            InputError: the executor is unknown, or an address is given for the local one.
        """
        if self.name is not None and self.name not in NAMES:
            raise InputError(f"--executor {self.name}: is not known; one of {', '.join(NAMES)}")
        # Another executor does not inherit the options of the study's: a Ray address means nothing to the local one.
        options = spec.model_dump(exclude_unset=True) if self.name in (None, spec.name) else {"name": self.name}
        if self.address is not None:
            options["address"] = self.address
        try:
            return ExecutorSpec.model_validate(options)
        except ValidationError:  # its text names keys of the study file, which the user of an option did not write
            raise InputError(f'--address "{self.address}": goes with --executor ray, and is auto or HOST:PORT') from None


def make_executor(spec: ExecutorSpec, largest: int | None, folder: Path, local: Callable[[int | None], Executor]) -> Executor:
    """Make the executor of a run.

    Args:
        spec: The executor's section of the study.
        largest: Parameters of the largest model that runs on the user's own devices, or None if unknown.
        folder: The run directory.
        local: Makes the executor of this machine, given `largest`.
    """
    if spec.name != "ray":
        return local(largest)
    from isocost.executors.ray.executor import RayExecutor  # ray is an extra, and slow to import

    # Small models get one core per actor, so that a node runs several.
    small = largest is not None and largest <= SMALL
    return RayExecutor(spec, local(None), small=small, files=[folder.resolve() / "lock", Path.cwd()])


def largest_model(prepared: Prepared) -> int | None:
    """Return the parameters of the largest model that the workers must hold, or None if unknown."""
    if any(facts.exclusive for facts in prepared.facts.values()):
        return None  # such an engine is started once, so the number of workers need not fit its size
    return max((facts.size.parameters for facts in prepared.facts.values() if facts.size is not None), default=None)
