"""Models, and the sampling settings."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from isocost.config.costs import Price
from isocost.config.prompts import PromptChanges
from isocost.config.sections import OpenSection, PositiveFloat, PositiveInt, Section
from isocost.records import SamplingParams


class Sampling(Section):
    """Sampling parameters, with vLLM's names.

    Attributes:
        temperature: 0 is greedy decoding.
        top_p: Keep the most likely tokens up to this probability; 1 keeps all.
        top_k: Keep this many of the most likely tokens; 0 keeps all.
        max_tokens: Largest number of generated tokens per sample; a longer sample is cut off.
        stop: Strings that end a sample; they are cut from its text.
    """

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
    """A model: its engine, its costs, and the options of its engine.

    Attributes:
        engine: An engine by name, or `package.module:attribute`.
        params: Parameters that a token passes through (the P of 2P FLOPs per token); null means as the engine reads them.
        price: Price of its tokens; null means as in the file of `costs.prices`.
        prompt: Changes to the study's prompt for this model.
        sampling: Changes to the study's sampling settings for this model, key by key.
        tokens_per_sample: Expected generated tokens per sample. Give it for all generators or for none; a pilot measures it.
        prompt_tokens: Expected tokens of a prompt.
        attention: Layers * heads * head size, for the FLOPs of attention; null means as the engine reads it.
        batch_api: Price the model at its provider's batch API: apply the `batch_discount` of its price.
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
