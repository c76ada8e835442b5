"""The folders of an iterated study: its run directory is the first round, and holds those of the later rounds under `rounds/`."""

from __future__ import annotations

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
    """Return the run directories of the other rounds of the iterated study that a run directory belongs to; none of another study."""
    if not (run / MARK).exists():
        return list(later_rounds(run).values())
    first = run.resolve().parent.parent
    if not (first / "study.yaml").exists():  # the folder of the round was copied
        return []
    return [first, *(path for path in later_rounds(first).values() if path != run.resolve())]
