"""Run the stages in order, resume runs, and provide the public `run`.

A run reads what earlier starts stored and does what is missing, stage after stage. No stage is marked as done: each compares the stored
content with the study. A killed run and a run with a changed study file therefore resume in the same way.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from isocost.events import Note, StageProgress
    from isocost.running.finished import Finished
    from isocost.running.runs import check_endpoints, dry_run, plan_from_pilot, plan_study, run, run_stage
    from isocost.running.stages import STAGES

__all__ = ["STAGES", "Finished", "Note", "StageProgress", "check_endpoints", "dry_run", "plan_from_pilot", "plan_study", "run", "run_stage"]

_HOMES = {
    "Finished": "isocost.running.finished",
    "Note": "isocost.events",
    "STAGES": "isocost.running.stages",
    "StageProgress": "isocost.events",
}


def __getattr__(name: str) -> object:
    # Importing `runs` takes a second; `isocost status` imports this package and needs none of it.
    if name in __all__:
        return getattr(import_module(_HOMES.get(name, "isocost.running.runs")), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
