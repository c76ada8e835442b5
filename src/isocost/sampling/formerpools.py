"""Draws that a run directory holds and a start would buy again: those of a model that was renamed, or that was sampled otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from isocost.amounts import quantity
from isocost.errors import RunDirectoryError
from isocost.events import Listener, Note
from isocost.preparing.prepare import Prepared, pool_ids
from isocost.sampling.pools import Pool
from isocost.sampling.reconciliation import logs_in
from isocost.store import RunDirectory

_REASON = "as the model (its weights or table), its address (base_url), the prompt, a sampling setting or the seed is another"


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
        former = 0 if pool.stored.count() else _draws_of_former(pool, directory)
        if former:
            text = f"{name}: it is sampled from the start; its {quantity(former, 'stored draw')} of before do not count, {_REASON}"
            listener(Note(text=text, loud=True))


def note_draws_that_would_not_count(prepared: Prepared, run: Path, listener: Listener) -> None:
    """Note the models whose stored draws a start of this study in `run` would not use. Looks at names of files alone, without the lock."""
    stored: dict[str, set[str]] = {}
    for model, log in logs_in(run / "pools", whole=False):
        stored.setdefault(model, set()).add(log)
    for name, pool in pool_ids(prepared.study, prepared.identities, prepared.templates).items():
        if pool not in stored.get(name, {pool}):
            text = f"{name}: it would be sampled from the start; its stored draws in {run} would not count, {_REASON}"
            listener(Note(text=text, loud=True))


def _draws_of_former(pool: Pool, directory: RunDirectory) -> int:
    """Return the number of draws in a model's other pools, sealed or not. Those of questions that have changed are in its own pool."""
    name, pools = pool.card.name, directory.path / "pools"
    former = [directory.batches("pools", model, log) for model, log in logs_in(pools, whole=False) if model == name and log != pool.id]
    return sum(1 for log in former for _ in log.rows(("id",)))
