"""Prices of tokens, and the parts of a draw that count as cost."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from isocost.config.sections import PositiveFloat, PositiveInt, Section
from isocost.records import PromptReading


def _no_truth(value: object) -> object:
    if isinstance(value, bool):  # pydantic reads False as 0, but `input: no` does not mean a price of zero
        raise ValueError("must be a number")
    return value


Amount = Annotated[float, BeforeValidator(_no_truth), Field(ge=0, allow_inf_nan=False)]
Discount = Annotated[float, BeforeValidator(_no_truth), Field(ge=0, lt=1)]


class Price(Section):
    """The price of a model's tokens: from a price list, or from the GPUs that it runs on.

    Attributes:
        input: US dollars per million prompt tokens.
        output: US dollars per million generated tokens.
        input_cache_read: US dollars per million prompt tokens read from the provider's cache. Without it they cost `input`.
        batch_discount: The share that the provider takes off all prices in its batch API; 0.5 is half. It applies if the model has
            `batch_api: true`.
        gpu_hour: Instead of the above: US dollars per hour of one GPU.
        gpus: Number of GPUs that the model runs on.
        tokens_per_second: Measured tokens generated per second on all of them, with the time for reading prompts included.
        dated: The day the prices were read.
    """

    input: Amount | None = None
    output: Amount | None = None
    input_cache_read: Amount | None = None
    batch_discount: Discount | None = None
    gpu_hour: PositiveFloat | None = None
    gpus: PositiveInt = 1
    tokens_per_second: PositiveFloat | None = None
    dated: dt.date | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        listed = [key for key in ("input", "output", "input_cache_read", "batch_discount") if getattr(self, key) is not None]
        if self.gpu_hour is not None and listed:
            raise ValueError(f"gpu_hour and {listed[0]} are two kinds of price; give one")
        if self.gpu_hour is not None and self.tokens_per_second is None:
            raise ValueError("tokens_per_second is missing: gpu_hour needs it; `isocost status DIR` of a run prints what was measured")
        if self.gpu_hour is None and (self.tokens_per_second is not None or "gpus" in self.model_fields_set):
            raise ValueError("gpu_hour is missing: tokens_per_second and gpus need it; give US dollars per hour of one GPU")
        if self.gpu_hour is None and self.output is None:
            raise ValueError("output is missing: US dollars per million generated tokens (or gpu_hour and tokens_per_second)")
        return self


class Costs(Section):
    """The parts of a draw that count as cost: `prompt_tokens` and `attention` concern FLOPs, `prices` US dollars.

    Attributes:
        prompt_tokens: Reading prompts: `none` (the paper), `shared` (once per request, for all of its draws) or `each` (once per draw).
        attention: True if attention over the context counts.
        prices: A price file.
    """

    prompt_tokens: PromptReading = "none"
    attention: bool = False
    prices: str | None = None
