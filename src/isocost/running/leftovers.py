"""Files of cells that the study has no more, as after an arm was renamed: marked, so that nobody takes them for current ones.

What was paid for stays where it is and counts again once the cell is back. Training sets are made from it whenever a run gets there, so
those of other cells go to `trainsets/stale/`, and `trainsets/` holds current ones alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from isocost.config import Study
from isocost.events import Listener, Note
from isocost.planning import cells
from isocost.store import RunDirectory

FILE = "stale.json"
_TRAINSETS, _STALE = "trainsets", "stale"
_NAMED = 5  # files in a note


def mark_leftovers(study: Study, directory: RunDirectory, listener: Listener) -> None:
    """Move stale training sets away, list in `stale.json` what else belongs to no cell of the study, and tell the listener what is new."""
    current = {cell.name for cell in cells(study)}
    moved = sorted(_move_trainsets(directory.path / _TRAINSETS, current))
    kept = sorted(str(path.relative_to(directory.path)) for path in _of_other_cells(directory.path, study, current))
    stale = sorted(str(path.relative_to(directory.path)) for path in (directory.path / _TRAINSETS / _STALE).glob("*"))
    before = (directory.read_derived(FILE) or {}).get("not_of_these")
    if stale or kept:
        directory.write_json({"cells": sorted(current), "not_of_these": [*kept, *stale]}, FILE)
    else:
        directory.remove(FILE)
    known = {name for name in before if isinstance(name, str)} if isinstance(before, list) else set()
    new = sorted(set(kept) - known)
    if moved or new:
        listener(Note(text=_said(moved, new)))


def _said(moved: list[str], kept: list[str]) -> str:
    parts = []
    if moved:
        parts.append(f"training sets moved to {_TRAINSETS}/{_STALE}/: {_short(moved)}")
    if kept:
        parts.append(f"kept, and not used: {_short(kept)}")
    return f"files of arms or budgets that the study has no more; {'; '.join(parts)}; {FILE} names all"


def _short(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _move_trainsets(folder: Path, current: set[str]) -> Iterator[str]:
    """Move training sets and cards of other cells; those of a cell that is back are made again, and their stale copies go."""
    for path in list(folder.glob("*@*")):
        if path.is_file() and path.suffix in (".parquet", ".md") and path.stem not in current:
            (folder / _STALE).mkdir(exist_ok=True)
            path.replace(folder / _STALE / path.name)
            yield path.name
    for path in list((folder / _STALE).glob("*")):
        if path.stem in current:
            path.unlink()
    if (folder / _STALE).is_dir() and not any((folder / _STALE).iterdir()):
        (folder / _STALE).rmdir()


def _of_other_cells(path: Path, study: Study, current: set[str]) -> Iterator[Path]:
    """List the folders under the name of a cell: `arms/<cell>`, `models/<student>-<cell>-...`, `evaluations/<student>+<cell>+...`."""
    yield from (found for found in path.glob("arms/*") if found.name not in current)
    starts = tuple(f"{student}-{cell}-" for student in study.models for cell in current)
    yield from (found for found in path.glob("models/*@*") if not found.name.startswith((".", *starts)))
    for found in path.glob("evaluations/*+*"):
        student, cell = found.name.split("+")[:2]
        if student not in study.models or (cell not in current and cell != "untrained"):
            yield found
