"""Models as the study uses them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

PromptReading = Literal["none", "shared", "each"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """A model as the study uses it: its size and price, and their sources.

    Attributes:
        name: The study's name of the model.
        engine: The engine's name.
        source: The engine's name of the model.
        parameters: P, the parameters that a token passes through; None if unknown.
        parameters_are: The source of the count, as text.
        flops_per_token: 2P.
        usd_per_million: US dollars per million tokens as paid, after discounts: `input`, `output`, `input_cache_read`; None if unknown.
        attention: layers * attention width, the L d of 4 L d FLOPs per token and token of context; None if unknown.
        prompt_reading: The prompt readings that a draw's FLOPs count: none, one shared by the draws of a request, or one each.
        counts_attention: True if a draw's FLOPs count attention.
        price_is: The source of the price, as text.
        priced_on: The day the price was read.
        tokens_per_second: The measured rate, if the price follows from it.
        to_know: By unit whose cost is unknown, the key to add to the study.
    """

    name: str
    engine: str
    source: str
    parameters: int | None
    parameters_are: str
    flops_per_token: float | None
    usd_per_million: Mapping[str, float] | None
    attention: int | None = None
    prompt_reading: PromptReading = "none"
    counts_attention: bool = False
    price_is: str = ""
    priced_on: dt.date | None = None
    tokens_per_second: float | None = None
    to_know: Mapping[str, str] = field(default_factory=dict)
