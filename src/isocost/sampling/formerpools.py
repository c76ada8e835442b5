"""Draws that a run directory holds and a start would buy again: those of a model that was renamed, or that was sampled otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyarrow.parquet as pq
from pyarrow import ArrowException

from isocost.amounts import quantity
from isocost.errors import RunDirectoryError
from isocost.events import Listener, Note
from isocost.paths import open_file
from isocost.sampling.pools import Pool
from isocost.store import RunDirectory


def refuse_renamed(pools: Mapping[str, Pool], directory: RunDirectory) -> None:
    """Stop if a model's draws are stored under a former name of it: they would be bought again.

    Raises:
        RunDirectoryError: a model without a draw is one that the study has under another name no more.
    """
    for name, pool in pools.items():
        stored = () if pool.stored.count() else (directory.path / "pools").glob(f"*/{pool.id}.*")
        former = next((path.parent.name for path in stored if path.parent.name not in pools), None)
        if former is not None:
            raise RunDirectoryError(
                f'{directory.path}: models.{name} was called "{former}" when its draws were stored, and they would be bought again',
                advice="give it the name that it had, or sample it again in another folder: -o",
            )


def note_former_draws(pools: Mapping[str, Pool], directory: RunDirectory, listener: Listener) -> None:
    """Note, before any is bought, the models whose stored draws are all of another pool, such as that of another address or prompt."""
    for name, pool in pools.items():
        former = 0 if pool.stored.count() else _draws_in(directory.path / "pools" / name)
        if former:
            text = (
                f"{name}: it is sampled from the start, without the {quantity(former, 'stored draw')} of another model, address "
                "(base_url), prompt, sampling setting or seed"
            )
            listener(Note(text=text, loud=True))


def _draws_in(folder: Path) -> int:
    """Return the number of draws in the sealed parts of a model's pools. A damaged part has none: reading its pool names it."""
    found = 0
    for path in folder.glob("*.parts/*.parquet"):
        try:
            with open_file(path) as file:
                found += pq.read_metadata(file).num_rows
        except (OSError, ArrowException):
            continue
    return found
