"""Mark files of cells that are no longer in the study, such as after an arm was renamed, so that no reader takes them for current.

Paid data stays in place and is used again once the cell is back in the study. Training sets are built again on each run, so those of other
cells are moved to `trainsets/stale/`, and `trainsets/` holds current ones only.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from isocost.config import Study
from isocost.events import Listener, Note
from isocost.planning import cells
from isocost.store import RunDirectory

FILE = "stale.json"
_TRAINSETS, _STALE = "trainsets", "stale"
_FILES = ("train.parquet", "README.md")  # of a training set
_NAMED = 5  # files in a note; stale.json lists all


def mark_leftovers(study: Study, directory: RunDirectory, listener: Listener) -> None:
    """Move stale training sets, list other files of no current cell in `stale.json`, and send the listener a note of new ones.

    Args:
        study: The study.
        directory: Its run directory.
        listener: Called with the note.
    """
    current = {cell.name for cell in cells(study)}
    moved = sorted(_move_trainsets(directory.path / _TRAINSETS, current))
    kept = sorted(str(path.relative_to(directory.path)) for path in _folders_of_other_cells(directory.path, study, current))
    stale = sorted(str(path.relative_to(directory.path)) for path in (directory.path / _TRAINSETS / _STALE).glob("*"))
    before = (directory.read_derived(FILE) or {}).get("not_of_these")
    if stale or kept:
        directory.write_json({"cells": sorted(current), "not_of_these": [*kept, *stale]}, FILE)
    else:
        directory.remove(FILE)
    # The file may be damaged; then every name counts as new.
    listed = before if isinstance(before, list) else []
    known = {name for name in listed if isinstance(name, str)}
    new = sorted(set(kept) - known)
    if moved or new:
        listener(Note(text=_format_note(moved, new)))


def _format_note(moved: list[str], kept: list[str]) -> str:
    parts = []
    if moved:
        parts.append(f"training sets moved to {_TRAINSETS}/{_STALE}/: {_format_names(moved)}")
    if kept:
        parts.append(f"kept, and not used: {_format_names(kept)}")
    return f"files of arms or budgets that the study has no more; {'; '.join(parts)}; {FILE} names all"


def _format_names(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _move_trainsets(folder: Path, current: set[str]) -> Iterator[str]:
    """Move training sets of other cells and files of earlier versions. Delete stale copies of cells that are back."""
    for path in list(folder.glob("*@*")):  # a list, as the loop moves files out of the folder
        # Earlier versions wrote a file and a card, not a folder. Somebody's own notes may have such a name too: files are never deleted.
        cell = path.name if path.is_dir() else path.stem if path.suffix in (".parquet", ".md") else None
        if cell is not None and (cell not in current or path.is_file()):
            (folder / _STALE).mkdir(exist_ok=True)
            path.replace(_free_place(folder / _STALE / path.name))
            yield path.name
    for path in list((folder / _STALE).glob("*")):
        if path.name in current:
            _discard(path)
    # An empty folder would suggest that stale sets exist.
    if (folder / _STALE).is_dir() and not any((folder / _STALE).iterdir()):
        (folder / _STALE).rmdir()


def _free_place(path: Path) -> Path:
    """Return the path, without the training set of an earlier start; a numbered one if anything else is there."""
    _discard(path)
    number = 2
    free = path
    while free.exists() or free.is_symlink():
        free, number = path.with_name(f"{path.name}.{number}"), number + 1
    return free


def _discard(path: Path) -> None:
    """Delete the files of a training set that this version wrote. What somebody put into its folder stays, and so does a link."""
    if path.is_dir() and not path.is_symlink():
        for name in _FILES:
            if not (path / name).is_dir():
                (path / name).unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # not empty
            path.rmdir()


def _folders_of_other_cells(path: Path, study: Study, current: set[str]) -> Iterator[Path]:
    """Yield the folders named for a cell that is not current.

    These are `arms/<cell>`, `models/<student>-<cell>-...` and `evaluations/<student>+<cell>+...`.
    """
    yield from (found for found in path.glob("arms/*") if found.name not in current)
    # Names of students and cells may hold hyphens, so a folder's name cannot be split; its beginning is compared instead.
    starts = tuple(f"{student}-{cell}-" for student in study.models for cell in current)
    yield from (found for found in path.glob("models/*@*") if not found.name.startswith((".", *starts)))
    for found in path.glob("evaluations/*+*"):
        student, cell = found.name.split("+")[:2]
        if student not in study.models or (cell not in current and cell != "untrained"):
            yield found
