"""Compute-optimal sampling for synthetic reasoning data: which model to buy it from, at a fixed budget.

    run = isocost.run("study.yaml", "runs/study")
    run.headline, run.arms, run.samples

runs a study, or resumes it. `Study` makes one from a dict, `Run` opens a run directory, `isocost.plots` draws its figures. The functions
on tables of samples are those of the command line. Errors are in `isocost.errors`. See docs/python.md.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING

from isocost.errors import IsocostError

# polars, imported later, would keep freed memory for half a second, a sixth of the driver's peak in a run of a million samples. It reads
# this variable, of its allocator jemalloc, once. `machine.release_freed` does the same for other allocators.
os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:0")

if TYPE_CHECKING:
    from isocost.api.functions import (
        backtest,
        export,
        forecast,
        measure,
        plan,
        push_to_hub,
        read_samples,
        run,
        status,
        verify,
        write_samples,
    )
    from isocost.api.runs import Run
    from isocost.api.studies import Study

__all__ = [
    "IsocostError",
    "Run",
    "Study",
    "backtest",
    "export",
    "forecast",
    "measure",
    "plan",
    "push_to_hub",
    "read_samples",
    "run",
    "status",
    "verify",
    "write_samples",
]

_HOMES = {"Run": "isocost.api.runs", "Study": "isocost.api.studies"}


def __getattr__(name: str) -> object:
    # `import isocost` stays quick: a name brings its imports with the first look at it.
    if name in __all__:
        return getattr(import_module(_HOMES.get(name, "isocost.api.functions")), name)
    raise AttributeError(f"module 'isocost' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
