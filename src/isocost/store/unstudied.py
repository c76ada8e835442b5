"""Folders without a study file: runs that lost it, and folders that are no run directory. Nothing here imports polars."""

from __future__ import annotations

from pathlib import Path

from isocost.errors import RunDirectoryError


def holds_run(path: Path) -> bool:
    """Return whether a folder has what a run bought."""
    return any((path / name).exists() for name in ("ledger.jsonl", "pools"))


def no_study(path: Path, advice: str = "") -> RunDirectoryError:
    """Return the error for a folder without a study file; `advice` is for a folder that is no run directory."""
    if holds_run(path):
        lost = "restore it from a copy, or put a copy of the run's study file there under this name"
        return RunDirectoryError(f"{path}: holds what a run bought, but no study.yaml", advice=lost)
    return RunDirectoryError(f"{path}: no study.yaml; is it a run directory?", advice=advice)
