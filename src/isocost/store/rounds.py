"""The folders of an iterated study: its run directory is the first round, and holds those of the later rounds under `rounds/`."""

from __future__ import annotations

import os
from pathlib import Path

ROUNDS = "rounds"
MARK = "round.json"  # in the folder of a later round: its number


def round_folder(run: Path, number: int) -> Path:
    """Return the run directory of a round of an iterated study, numbered from 1."""
    return run if number == 1 else run / ROUNDS / str(number)


def later_rounds(run: Path) -> dict[int, Path]:
    """Return the run directories of the rounds after the first that have begun, by number."""
    found = {int(path.name): path for path in (run / ROUNDS).glob("*") if path.name.isdecimal() and (path / "study.yaml").exists()}
    return dict(sorted(found.items()))


def other_rounds(run: Path) -> list[Path]:
    """Return the run directories of the other rounds of the iterated study that a run directory belongs to; none of another study.

    A round that has paid counts, even if its study file was removed.
    """
    if not (run / MARK).exists():
        return _that_have_begun(run)
    first = first_round(run)
    return [] if first is None else [first, *(path for path in _that_have_begun(first) if not path.samefile(run))]


def first_round(run: Path) -> Path | None:
    """Return the run directory of the first round, of a later round's; None for another run, and for a later round that was copied.

    The folder `rounds`, or that of a round, may be a link to another disk: the path as it was given counts before the resolved one.
    """
    if not (run / MARK).exists():
        return None
    places = (Path(os.path.abspath(run)).parent.parent, run.resolve().parent.parent)  # noqa: PTH100 - resolve would follow links
    # The round itself need not have begun: its folder is made before its study file.
    return next((first for first in places if _has_begun(first) and any(run.samefile(path) for path in _folders(first))), None)


def _that_have_begun(run: Path) -> list[Path]:
    return sorted(filter(_has_begun, _folders(run)), key=lambda path: int(path.name))


def _folders(run: Path) -> list[Path]:
    return [path for path in (run / ROUNDS).glob("*") if path.name.isdecimal() and path.is_dir()]


def _has_begun(folder: Path) -> bool:
    return any((folder / name).exists() for name in ("study.yaml", "ledger.jsonl"))
