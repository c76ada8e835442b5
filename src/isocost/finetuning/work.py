"""Keep an unfinished training beside the model that it will make, so that a start after a kill goes on with it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from isocost.errors import RunDirectoryError
from isocost.finetuning.records import Candidate, Diverged
from isocost.store.files import atomic_write, sync_folder

_STATE = "training.json"


def work_folder(out: Path) -> Path:
    """Return the folder of the unfinished training of a model: `.NAME.part` beside it, on the same file system."""
    return out.with_name(f".{out.name}.part")


@dataclass(slots=True)
class Work:
    """An unfinished training.

    Attributes:
        folder: Its folder.
        stamp: A digest of everything that decides the training.
        candidates: Scored checkpoints.
        diverged: Runs that were stopped.
        rates: Number of learning rates that are done.
        seconds: Seconds of training at these rates.
    """

    folder: Path
    stamp: str
    candidates: tuple[Candidate, ...] = ()
    diverged: tuple[Diverged, ...] = ()
    rates: int = 0
    seconds: float = 0.0

    @property
    def best(self) -> Path:
        """The folder of the best checkpoint so far."""
        return self.folder / "best"

    def run(self, rate: int) -> Path:
        """Return the folder of the run at a learning rate, by its position."""
        return self.folder / f"rate-{rate}"

    def save(self) -> None:
        """Write what is known to the disk."""
        fields = {name: getattr(self, name) for name in ("stamp", "rates", "seconds")}
        lists = {name: [asdict(each) for each in getattr(self, name)] for name in ("candidates", "diverged")}
        with atomic_write(self.folder / _STATE) as temporary:
            temporary.write_text(json.dumps({**fields, **lists}, indent=2), encoding="utf-8")


def open_work(out: Path, stamp: str) -> Work:
    """Return the unfinished training of a model, or a new one.

    Raises:
        RunDirectoryError: the folder holds the checkpoints of another training, or its state cannot be read.
    """
    folder = work_folder(out)
    if folder.is_symlink():
        folder.unlink()  # nothing is written through it
    found = _read(folder / _STATE)
    if found is None and folder.is_dir() and any(not path.name.endswith(".tmp") for path in folder.iterdir()):
        raise RunDirectoryError(
            f"{folder}: holds checkpoints, and {_STATE} in it is missing or damaged\n"
            f"  restore that file from a copy to go on, or move the folder away to start this training anew"
        )
    if found is not None and found.get("stamp") != stamp:
        raise RunDirectoryError(
            f"{folder}: holds the checkpoints of another training (other rows, settings or base model)\n"
            "  move it away, or remove it to start this training anew"
        )
    work = Work(folder, stamp)
    if found is None:
        # Without its state and without checkpoints a folder is what a kill left at the very start.
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        work.save()
        return work
    work.candidates = tuple(Candidate(**each) for each in found["candidates"])
    work.diverged = tuple(Diverged(**each) for each in found["diverged"])
    work.rates, work.seconds = int(found["rates"]), float(found["seconds"])
    return work


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def publish(folder: Path, out: Path) -> None:
    """Rename a finished folder to `out`, after all its files are on the disk."""
    for path in (path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            os.fsync(file.fileno())
    for inner in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        sync_folder(inner)
    folder.rename(out)
    sync_folder(out.parent)


def stamp_of_files(folder: Path) -> Sequence[tuple[str, int]]:
    """Return names and sizes of a model's files: enough to notice another base model in the place of the first.

    A download of the hub's has none: it is one commit, which the training's name has, and may gain files between two starts.
    """
    if folder.parent.name == "snapshots":
        return []
    return sorted((path.name, path.stat().st_size) for path in folder.glob("*") if path.is_file())
