"""Cards of models for tests of costs."""

from __future__ import annotations

from typing import Any

from isocost.records import ModelCard

P, WIDTH = 1_000, 48  # parameters; layers * attention width


def card(**facts: Any) -> ModelCard:
    """A model of P parameters without a price; `facts` say more."""
    own: dict[str, Any] = {
        "name": "m",
        "engine": "replay",
        "source": "m",
        "parameters": P,
        "parameters_are": "given",
        "flops_per_token": 2.0 * P,
        "usd_per_million": None,
        "attention": WIDTH,
    }
    return ModelCard(**own | facts)
