"""Remember the rates at which a run's draws were charged: a corrected price or size holds for later draws alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from isocost.amounts import listed
from isocost.events import Listener, Note
from isocost.records import ModelCard
from isocost.store import RunDirectory

Rates = dict[str, Any]  # as JSON has them: what the cost of a draw follows from, besides its tokens
_ROUNDS = "rounds.jsonl"  # of a pool: its orders, not its draws


def charged_rates(directory: RunDirectory, cards: Mapping[str, ModelCard]) -> dict[str, list[Rates]]:
    """Return the rates that draws of each model were charged at, in the order of their use, those of this start last.

    Rates of a start that bought no draw of a model are forgotten. Runs of earlier versions remember none.

    Args:
        directory: The run directory; `manifest.json` has the rates of earlier starts under `rates`.
        cards: The models of this start.
    """
    before = _remembered(directory)
    found: dict[str, list[Rates]] = {}
    for name, card in cards.items():
        earlier = before.get(name, []) if _has_draws(directory, name) else []
        now = _rates(card)
        found[name] = [*(each for each in earlier if each != now), now]
    return found


def note_mixed_rates(directory: RunDirectory, rates: Mapping[str, Sequence[Rates]], listener: Listener) -> None:
    """Note the models whose price or size has changed since the last start, while the run holds draws of them.

    Args:
        directory: The run directory, before the manifest of this start is written.
        rates: The rates that `charged_rates` returned.
        listener: Called with the note.
    """
    before = _remembered(directory)
    changed = [name for name, each in rates.items() if len(each) > 1 and before[name][-1] != each[-1]]
    if changed:
        text = (
            f"the price or the size of {listed(changed)} has changed: stored draws keep the cost that they were charged, so comparisons "
            "by cost mix both. To compare at the new one alone, run the study in a new folder, or isocost measure RUN --cost"
        )
        listener(Note(text=text, loud=True))


def _remembered(directory: RunDirectory) -> Mapping[str, list[Rates]]:
    """Return the rates of earlier starts by model, none of them empty."""
    kept = (directory.read_derived("manifest.json") or {}).get("rates")
    return {name: each for name, each in kept.items() if isinstance(each, list) and each} if isinstance(kept, dict) else {}


def _rates(card: ModelCard) -> Rates:
    return {
        "usd_per_million": dict(card.usd_per_million or {}),
        "usd_per_request": card.usd_per_request,
        "price_tiers": [[tier.above, dict(tier.usd_per_million)] for tier in card.price_tiers],
        "flops_per_token": card.flops_per_token,
        "attention": card.attention if card.counts_attention else None,
    }


def _has_draws(directory: RunDirectory, model: str) -> bool:
    pool = directory.path / "pools" / model
    return any(path.name != _ROUNDS and path.is_file() and path.stat().st_size for path in pool.rglob("*")) if pool.is_dir() else False
