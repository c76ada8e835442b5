"""Checkpoints of one training run on the disk: which are complete, where a run resumes, and what is kept of a chosen one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from isocost.store.files import atomic_write

_COMPLETE = "complete.json"  # written last: a checkpoint without it was torn by a kill
# Files of the trainer beside the model. Those of the optimizer are three times as large as the model.
_RESUMING = ("optimizer*", "scheduler.pt", "rng_state*", "scaler.pt", "training_args.bin", "trainer_state.json")


class Checkpoint(NamedTuple):
    """A complete checkpoint: its step, its folder, and the seconds of training until it."""

    step: int
    folder: Path
    seconds: float


def complete(run: Path) -> list[Checkpoint]:
    """Return the complete checkpoints of a run's folder, in the order of their steps."""
    found = []
    for folder in run.glob("checkpoint-*"):
        try:
            fields = json.loads((folder / _COMPLETE).read_text(encoding="utf-8"))
            found.append(Checkpoint(int(fields["step"]), folder, float(fields["seconds"])))
        except (OSError, ValueError, KeyError, TypeError):  # torn
            continue
    return sorted(found)


def resumable(run: Path) -> Checkpoint | None:
    """Return the last complete checkpoint with the state of its optimizer; None where a run starts anew."""
    kept = [each for each in complete(run) if any(each.folder.glob("optimizer*"))]
    return kept[-1] if kept else None


def mark_complete(run: Path, step: int, seconds: float, keep: Collection[int]) -> None:
    """Mark the checkpoint of a step as complete. Of earlier ones, only the models of the steps in `keep` stay."""
    with atomic_write(run / f"checkpoint-{step}" / _COMPLETE) as temporary:
        temporary.write_text(json.dumps({"step": step, "seconds": seconds}), encoding="utf-8")
    # Only now: a kill before this line resumes from the earlier one.
    for earlier in complete(run):
        if earlier.step not in keep and earlier.step < step:
            shutil.rmtree(earlier.folder)
        elif earlier.step < step:
            _remove_state(earlier.folder)


def to_model(folder: Path) -> None:
    """Leave only the model and its tokenizer in the folder of a checkpoint."""
    _remove_state(folder)
    (folder / _COMPLETE).unlink(missing_ok=True)


def _remove_state(folder: Path) -> None:
    for pattern in _RESUMING:
        for path in folder.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
