"""Compute-optimal sampling for synthetic reasoning data: which model to buy it from, at a fixed budget.

    finished = isocost.run(Path("study.yaml"), Path("runs/study"))

runs a study, or goes on with it. Everything else is the command line's (`isocost --help`).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from isocost.errors import (
    BudgetError,
    EngineError,
    InputError,
    IsocostError,
    LimitReachedError,
    MissingExtraError,
    ModelError,
    NotSentError,
    ProblemsError,
    RefusedPromptError,
    RunDirectoryError,
    RunError,
    StorageError,
    StudyError,
    TableError,
    TryAgainError,
    UsageError,
)

if TYPE_CHECKING:
    from isocost.running import Finished, run

__all__ = [
    "BudgetError",
    "EngineError",
    "Finished",
    "InputError",
    "IsocostError",
    "LimitReachedError",
    "MissingExtraError",
    "ModelError",
    "NotSentError",
    "ProblemsError",
    "RefusedPromptError",
    "RunDirectoryError",
    "RunError",
    "StorageError",
    "StudyError",
    "TableError",
    "TryAgainError",
    "UsageError",
    "run",
]


def __getattr__(name: str) -> object:
    # `import isocost` stays quick: what a run needs is imported with the first look at `run`.
    if name in ("run", "Finished"):
        return getattr(import_module("isocost.running"), name)
    raise AttributeError(f"module 'isocost' has no attribute {name!r}")
