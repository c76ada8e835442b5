"""More than one machine: desks on a Ray cluster, one an accelerator."""

from isocost.executors.ray.executor import RayExecutor

__all__ = ["RayExecutor"]
