"""The sections on models: their prices and prompts, and the sampling settings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
    model_validator,
)

from isocost.config.sections import Count, OpenSection, PositiveFloat, PositiveInt, Section
from isocost.records import Delimiters, PromptReading, SamplingParams


class Example(Section):
    """A worked example before the question.

    Attributes:
        question: Text of the question, put in the form.
        solution: Text of its solution.
    """

    question: str
    solution: str


class PromptChanges(Section):
    """Changes of one model to the study's prompt; a key that is left out keeps the study's value.

    Attributes:
        template: A template by name, or `package.module:attribute`.
        form: Instead of a template: the text of one question, with `{question}` in the place of the problem.
        examples: Worked examples before the question; only with `form`.
        separator: Text between examples; only with `form`.
        stop: Strings that end a reply; only with `form`.
        chat: Send the prompt as the user's message in the model's chat format, not as text to continue.
        system: The system message; only with `chat: true`.
    """

    template: str | None = None
    form: str | None = None
    examples: tuple[Example, ...] = ()
    separator: str = "\n\n"
    stop: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    chat: bool = False
    system: str | None = None

    @field_validator("form")
    @classmethod
    def _asks(cls, form: str | None) -> str | None:
        if form is not None and "{question}" not in form:
            raise ValueError("write {question} where the problem's text goes")
        return form

    @model_validator(mode="after")
    def _fits(self) -> Self:
        # A template brings its own form, so one of the two would be ignored silently.
        if self.template is not None and self.form is not None:
            raise ValueError("give either template or form")
        own = [key for key in ("examples", "separator", "stop") if key in self.model_fields_set]
        if own and self.form is None:
            raise ValueError(
                f"{own[0]} belongs to a form of your own; add form" + (" or put it under sampling" if own[0] == "stop" else "")
            )
        return self

    @property
    def name(self) -> str:
        """The name for people and paths: the template's name, or `own`, followed by `-chat` in a chat."""
        return (self.template or "own") + ("-chat" if self.chat else "")


class Prompt(PromptChanges):
    """The prompt of generators and of untrained students; give either `template` or `form`."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.template is None and self.form is None:
            raise ValueError("give template, or form for one of your own")
        if self.system is not None and not self.chat:
            raise ValueError("a system message needs a chat; add chat: true, or leave system out")
        return self


Amount = Annotated[float, Field(ge=0, le=1e100, allow_inf_nan=False)]
Discount = Annotated[float, Field(ge=0, lt=1)]


class PriceTier(Section):
    """Other prices of requests with long prompts.

    Attributes:
        above: Prompt tokens above which these prices hold, for all tokens of the request.
        input: US dollars per million prompt tokens.
        output: US dollars per million generated tokens.
        input_cache_read: US dollars per million prompt tokens read from the cache; null means the price of `input`.
        input_cache_write: US dollars per million prompt tokens written to the cache; null means the price of `input`.
    """

    above: PositiveInt
    input: Amount
    output: Amount
    input_cache_read: Amount | None = None
    input_cache_write: Amount | None = None


def _ascending(tiers: tuple[PriceTier, ...]) -> tuple[PriceTier, ...]:
    bounds = [tier.above for tier in tiers]
    if bounds != sorted(set(bounds)):
        raise ValueError("list tiers by above, from the lowest to the highest")
    return tiers


Tiers = Annotated[tuple[PriceTier, ...], AfterValidator(_ascending)]


class ListPrice(Section):
    """The prices of a list: those of prompt and generated tokens, and what may differ from them."""

    input: Amount
    output: Amount
    input_cache_read: Amount | None = None
    input_cache_write: Amount | None = None
    request: Amount | None = None
    tiers: Tiers = ()


class BatchPrice(ListPrice):
    """The prices of a provider's batch API, for models with `batch: true`. There is no default discount: providers differ.

    Attributes:
        input: US dollars per million prompt tokens.
        output: US dollars per million generated tokens.
        input_cache_read: US dollars per million prompt tokens that the provider reads from its cache; null means the price of `input`.
        input_cache_write: US dollars per million prompt tokens that the provider writes to its cache; null means the price of `input`.
        request: US dollars per request, whatever its tokens.
        tiers: Prices of requests with longer prompts.
    """


class Price(Section):
    """The price of a model's tokens: either from a price list, or from the hourly price of the GPUs that it runs on.

    Attributes:
        input: US dollars per million prompt tokens; 0 if they are free. A study that prices prompts is refused without it, and so is every
            run that calls the model.
        output: US dollars per million generated tokens; required, but for `gpu_hour`.
        input_cache_read: US dollars per million prompt tokens that the provider reads from its cache; null means the price of `input`.
        input_cache_write: US dollars per million prompt tokens that the provider writes to its cache; null means the price of `input`.
        request: US dollars per request, whatever its tokens.
        tiers: Prices of requests with longer prompts.
        batch: The prices of the provider's batch API, for models with `batch: true`.
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
    input_cache_write: Amount | None = None
    request: Amount | None = None
    tiers: Tiers = ()
    batch: BatchPrice | None = None
    batch_discount: Discount | None = None
    gpu_hour: PositiveFloat | None = None
    gpus: PositiveInt = 1
    tokens_per_second: PositiveFloat | None = None
    dated: dt.date | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        keys = ("input", "output", "input_cache_read", "input_cache_write", "request", "tiers", "batch", "batch_discount")
        listed = [key for key in keys if getattr(self, key) not in (None, ())]
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


def _or_default(default: object) -> Callable[[object], object]:
    """Return a validator that reads null as a value that is not sent."""
    return lambda value: default if value is None else value


def _bounded(value: object) -> object:
    if value is None:  # without it nothing bounds what a request may cost
        raise ValueError("cannot be left out: it is reserved for each request; max_tokens_field: null of a model does not send it")
    return value


class Sampling(Section):
    """Sampling parameters, with vLLM's names. Null leaves one out of requests to endpoints that refuse it.

    Attributes:
        temperature: 0 is greedy decoding; null leaves it to the endpoint.
        top_p: Keep the most likely tokens up to this probability; 1 keeps all, null leaves it to the endpoint.
        top_k: Keep this many of the most likely tokens; 0 keeps all, and is not sent.
        max_tokens: Largest number of generated tokens per sample; a longer sample is cut off.
        stop: Strings that end a sample; they are cut from its text.
    """

    temperature: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = 0.7
    top_p: Annotated[float, Field(gt=0, le=1)] | None = 1.0
    top_k: Annotated[int, Field(ge=0), BeforeValidator(_or_default(0))] = 0
    max_tokens: Annotated[PositiveInt, BeforeValidator(_bounded)] = 512
    stop: Annotated[tuple[str, ...], BeforeValidator(_or_default(()))] = ()

    def params(self, stop: tuple[str, ...] = ()) -> SamplingParams:
        """Return the settings in the form that engines use, with a template's own stop strings added."""
        # Without duplicates and in order, because the setting is part of the pool's id.
        return SamplingParams(**{**self.model_dump(), "stop": tuple(dict.fromkeys((*self.stop, *stop)))})


class Reasoning(Section):
    """The delimiters of a model's reasoning. An answer is read from what follows the last `close`; reasoning that is not closed has none.

    Attributes:
        open: The text before the reasoning; null if the prompt has it, so that a sample without `close` is reasoning only.
        close: The text after it.
    """

    open: Annotated[str, Field(min_length=1)] | None = None
    close: Annotated[str, Field(min_length=1)]

    def delimiters(self) -> Delimiters:
        """Return the delimiters in the form that graders use."""
        return Delimiters(open=self.open, close=self.close)


def _for_endpoints(value: Any, checked: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
    """Check `batch`, but leave that of an engine outside isocost as it is: there it is an option of the engine."""
    return value if ":" in str(info.data.get("engine")) else checked(value)


def _unchanged(value: Any) -> Any:
    return value


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
        reasoning: Delimiters of its reasoning, beside those that are known (`<think>`, `[THINK]`, the channels of gpt-oss and others).
        license: Licence of its weights, such as `apache-2.0`, for the cards of the data that it writes.
        terms: What its terms say about training on its outputs, or where they are, for the same cards.
        trained_from: The model of the study that it was trained from; data that it samples then counts as that model's own
            (self-improvement).
        batch: Buy the model's samples through the batch API of its endpoint, at the prices of `price.batch`; for engine `openai`. See
            [batch.md](batch.md).
        batch_api: Only price the model at its provider's batch API: apply the `batch_discount` of its price, and send requests singly.
    """

    engine: str
    params: PositiveInt | None = None
    price: Price | None = None
    prompt: PromptChanges | None = None
    sampling: Sampling | None = None
    tokens_per_sample: Count | None = None
    prompt_tokens: Count | None = None
    attention: PositiveInt | None = None
    reasoning: Reasoning | None = None
    batch: Annotated[bool, WrapValidator(_for_endpoints), PlainSerializer(_unchanged, return_type=Any)] = False
    batch_api: bool = False
    license: Annotated[str, Field(min_length=1)] | None = None
    terms: Annotated[str, Field(min_length=1)] | None = None
    trained_from: str | None = None

    @property
    def options(self) -> dict[str, object]:
        """The options of the engine."""
        own = {"batch": self.batch} if ":" in self.engine and "batch" in self.model_fields_set else {}
        return {**super().options, **own}

    @property
    def is_batched(self) -> bool:
        """True if samples are bought through the batch API of an endpoint."""
        return self.engine == "openai" and self.batch

    @model_validator(mode="after")
    def _batched_by_an_endpoint(self) -> Self:
        if ":" in self.engine:
            return self
        if self.batch and self.engine != "openai":
            raise ValueError(f"batch: true is for engine openai, whose endpoints have a batch API; the engine is {self.engine}")
        if self.batch and self.batch_api:
            raise ValueError("batch sends through the batch API, batch_api only prices as if it did; leave batch_api out")
        return self
