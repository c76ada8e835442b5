"""Models, and how they are drawn from."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from isocost.config.costs import Price
from isocost.config.prompts import PromptChanges
from isocost.config.sections import OpenSection, PositiveFloat, PositiveInt, Section
from isocost.records import SamplingParams


class Sampling(Section):
    """How solutions are drawn, under vLLM's names."""

    temperature: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.7
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    top_k: Annotated[int, Field(ge=0)] = 0
    max_tokens: PositiveInt = 512
    stop: tuple[str, ...] = ()

    def params(self, stop: tuple[str, ...] = ()) -> SamplingParams:
        """The setting as engines take it, with a template's own stop strings added."""
        return SamplingParams(
            temperature=self.temperature,
            top_p=self.top_p,
            top_k=self.top_k,
            max_tokens=self.max_tokens,
            stop=tuple(dict.fromkeys((*self.stop, *stop))),
        )


class ModelSpec(OpenSection):
    """A model: its engine, what its tokens cost, and options of the engine.

    Attributes:
        engine: What runs it.
        params: Parameters that a token passes through; else as the engine reads them.
        price: What its tokens cost; else as the file of `costs.prices` says.
        prompt: What it sees, where that is not the study's prompt.
        tokens_per_sample: Expected tokens of a draw.
        prompt_tokens: Expected tokens of a prompt.
        attention: layers * heads * size of a head; else as the engine reads them.
        batch_api: Whether it is asked through the provider's batch API: then the price's `batch_discount` is taken off.
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
