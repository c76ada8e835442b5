"""Prices of tokens, and the costs that count."""

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
    """The price of a model's tokens: either from a price list, or from the hourly price of the GPUs that it runs on.

    Attributes:
        input: US dollars per million prompt tokens.
        output: US dollars per million generated tokens.
        input_cache_read: US dollars per million prompt tokens that the provider reads from its cache; null means the price of `input`.
        batch_discount: The provider's discount for its batch API, as a share: 0.5 halves all prices. It applies to models with
            `batch_api: true`.
        gpu_hour: Instead of the prices above: US dollars per hour of one GPU.
        gpus: Number of GPUs that the model runs on.
        tokens_per_second: Measured throughput on all of these GPUs: generated tokens per second, time for reading prompts included.
        dated: The day on which the prices were read.
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
    """The costs that count. `prompt_tokens` and `attention` are about FLOPs, `prices` is about US dollars. See [costs.md](costs.md).

    Attributes:
        prompt_tokens: FLOPs of reading prompts: `none` (as in the paper), `shared` (once per request) or `each` (once per draw).
        attention: Count the FLOPs of attention over the context.
        prices: A YAML file of prices by model; a model's own `price` wins.
    """

    prompt_tokens: PromptReading = "none"
    attention: bool = False
    prices: str | None = None
