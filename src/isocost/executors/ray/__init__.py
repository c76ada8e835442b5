"""An executor on a Ray cluster: one worker per accelerator."""

from isocost.executors.ray.executor import RayExecutor

__all__ = ["RayExecutor"]
