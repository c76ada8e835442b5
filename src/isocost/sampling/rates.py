"""Remember the rates at which a pool's draws were charged: a corrected price or size holds for later draws alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from isocost.amounts import listed
from isocost.events import Listener, Note
from isocost.records import ModelCard
from isocost.sampling.pools import Pool
from isocost.store import RunDirectory

FILE = "rates.json"
Rates = dict[str, Any]  # as JSON has them: what the cost of a draw follows from, besides its tokens


def note_mixed_rates(pools: Mapping[str, Pool], directory: RunDirectory, listener: Listener) -> tuple[str, ...]:
    """Return the models with stored draws that were charged at other rates than a draw of this start; keep the rates of this start.

    A model that has become one of them since the last start is noted. `rates.json` has, by model, a list of `{"pool", "draws", "rates"}`:
    the pool had that many draws when a start began at those rates. Rates under which none was bought are forgotten, and those of draws of
    an earlier version are unknown.

    Args:
        pools: The pools by model, loaded, before anything is bought.
        directory: The run directory.
        listener: Called with the note.
    """
    before = directory.read_derived(FILE) or {}
    kept, mixed, changed = {}, [], []
    for name, pool in pools.items():
        now, n = _rates_of(pool.card), pool.stored.count() + pool.stored.stale.total()
        entries = _entries(before.get(name))
        last = next((each["rates"] for each in reversed(entries) if each["pool"] == pool.id), None)
        entries = [each for each in entries if each["pool"] != pool.id or each["draws"] < n]
        own = [each["rates"] for each in entries if each["pool"] == pool.id]
        if any(rates != now for rates in own):
            mixed.append(name)
            changed += [name] if last != now else []
        if not own or own[-1] != now:
            entries.append({"pool": pool.id, "draws": n, "rates": now})
        kept[name] = entries
    directory.write_json({**before, **kept}, FILE)
    if changed:
        text = (
            f"the price or the size of {listed(changed)} has changed: stored draws keep the cost that they were charged, so comparisons "
            "by cost mix both. To compare at the new one alone, run the study in a new folder, or isocost measure RUN --cost"
        )
        listener(Note(text=text, loud=True))
    return tuple(mixed)


def _entries(found: object) -> list[dict[str, Any]]:
    """Return the entries of a model that are as `note_mixed_rates` writes them."""
    shape = {"pool": str, "draws": int, "rates": dict}
    entries = found if isinstance(found, list) else []
    return [each for each in entries if isinstance(each, dict) and all(type(each.get(key)) is kind for key, kind in shape.items())]


def _rates_of(card: ModelCard) -> Rates:
    return {
        "usd_per_million": dict(card.usd_per_million or {}),
        "usd_per_request": card.usd_per_request,
        "price_tiers": [[tier.above, dict(tier.usd_per_million)] for tier in card.price_tiers],
        "flops_per_token": card.flops_per_token,
        "prompt_reading": card.prompt_reading,
        "attention": card.attention if card.counts_attention else None,
    }
