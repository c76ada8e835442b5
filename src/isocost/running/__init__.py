"""The order of the stages, resume, and the public `run`.

A run reads what earlier starts stored and does what is missing, stage after stage. Nothing is marked as done: every stage finds out by
content what it still owes, so a run that was killed, and one whose study file was changed, go on the same way.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from isocost.events import Note, StageProgress
    from isocost.running.runs import Finished, dry_run, plan_study, run, run_stage
    from isocost.running.stages import STAGES

__all__ = ["STAGES", "Finished", "Note", "StageProgress", "dry_run", "plan_study", "run", "run_stage"]

_HOMES = {"STAGES": "isocost.running.stages", "StageProgress": "isocost.events", "Note": "isocost.events"}


def __getattr__(name: str) -> object:
    # What a run needs takes a second to import: `isocost status` needs none of it.
    if name in __all__:
        return getattr(import_module(_HOMES.get(name, "isocost.running.runs")), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
