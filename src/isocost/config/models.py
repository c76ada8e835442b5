"""Models and their sampling settings."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from isocost.config.costs import Price
from isocost.config.prompts import PromptChanges
from isocost.config.sections import OpenSection, PositiveFloat, PositiveInt, Section
from isocost.records import SamplingParams


class Sampling(Section):
    """Sampling settings, under vLLM's names."""

    temperature: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.7
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    top_k: Annotated[int, Field(ge=0)] = 0
    max_tokens: PositiveInt = 512
    stop: tuple[str, ...] = ()

    def params(self, stop: tuple[str, ...] = ()) -> SamplingParams:
        """Return the settings in the form that engines use, with a template's own stop strings added."""
        return SamplingParams(
            temperature=self.temperature,
            top_p=self.top_p,
            top_k=self.top_k,
            max_tokens=self.max_tokens,
            # Without duplicates and in order, because the setting is part of the pool's id.
            stop=tuple(dict.fromkeys((*self.stop, *stop))),
        )


class ModelSpec(OpenSection):
    """A model: its engine, the price of its tokens, and options of the engine.

    Attributes:
        engine: The engine's name.
        params: Parameters that a token passes through; by default the engine's count.
        price: Price of its tokens; by default that of the file `costs.prices`.
        prompt: Its own changes of the study's prompt.
        sampling: Its own changes of the study's sampling settings.
        tokens_per_sample: Expected tokens of a draw.
        prompt_tokens: Expected tokens of a prompt.
        attention: layers * heads * head size; by default the engine's value.
        batch_api: True if it is called through the provider's batch API. The price's `batch_discount` then applies.
    """

    engine: str
    params: PositiveInt | None = None
    price: Price | None = None
    prompt: PromptChanges | None = None
    sampling: Sampling | None = None
    tokens_per_sample: PositiveFloat | None = None
    prompt_tokens: PositiveFloat | None = None
    attention: PositiveInt | None = None
    batch_api: bool = False
