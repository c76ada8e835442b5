"""Describe in a status how far the later rounds of an iterated study came."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from isocost.ledger.bill import format_bill
from isocost.ledger.summary import paid_in_other_rounds
from isocost.records import UNITS
from isocost.store.rounds import later_rounds

_OWN = ("directory", "running", "finished", "spent", "spent_known", "accounts")


def rounds_of(path: Path, status_of: Callable[[Path], dict[str, Any]]) -> dict[str, Any]:
    """Return the keys `rounds` and `elsewhere` of a status.

    Args:
        path: The run directory of the first round.
        status_of: Returns the status of a run directory.
    """
    rounds = []
    for number, folder in later_rounds(path).items():
        found = status_of(folder)
        samples = sum(each["samples"] for each in found["accounts"] if each["account"] == "data")
        rounds.append({"round": number, "samples": samples, **{key: found[key] for key in _OWN}})
    return {"rounds": rounds, "elsewhere": {unit: paid_in_other_rounds(path, unit, strict=False) for unit in UNITS}}


def round_lines(rounds: Sequence[dict[str, Any]]) -> list[str]:
    """Return the lines of a status on the rounds after the first; none without later rounds.

    Args:
        rounds: As `rounds_of` returns them.
    """
    lines = ["later rounds, each a run directory:"] if rounds else []
    for each in rounds:
        state = "running" if each["running"] else "finished" if each["finished"] else "stopped"
        lines.append(f"  round {each['round']}: {state}, {each['samples']:,} samples, {format_bill(each['accounts'])}: {each['directory']}")
    return lines
