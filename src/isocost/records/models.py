"""Models as the study uses them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

PromptReading = Literal["none", "shared", "each"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """A model as the study uses it: what its tokens cost and which size and price that comes from.

    Attributes:
        name: The study's name of the model.
        engine: What runs it.
        source: The engine's name of the model.
        parameters: P, those that a token passes through; None where not known.
        parameters_are: How they were counted, for people.
        flops_per_token: 2P.
        usd_per_million: US dollars a million tokens, as they are paid (a discount is taken off): `input`, `output`, `input_cache_read`;
            None where not known.
        attention: layers * attention width, the L d of 4 L d FLOPs a token and token of context; None where not known.
        prompt_reading: Which reading of prompts a draw's FLOPs count: none, one shared by the draws of a request, or one each.
        counts_attention: Whether a draw's FLOPs count attention.
        price_is: Where the price comes from, for people.
        priced_on: The day the price was read.
        tokens_per_second: Measured, where the price was made from it.
        to_know: By unit that is not known, what to add to the study so that it is.
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
