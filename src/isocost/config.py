"""The study file: pydantic models, one a section. `studyfile.py` reads YAML into them."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from isocost.records import Basis, PromptReading, SamplingParams, Unit

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=60)]
JUDGE = "judge"  # the grader that is a model of the study

PositiveInt = Annotated[int, Field(gt=0)]
PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]


def _no_truth(value: object) -> object:
    if isinstance(value, bool):  # `input: no` is not a price of nothing
        raise ValueError("must be a number")
    return value


Amount = Annotated[float, BeforeValidator(_no_truth), Field(ge=0, allow_inf_nan=False)]
Discount = Annotated[float, BeforeValidator(_no_truth), Field(ge=0, lt=1)]


class Section(BaseModel):
    """A section of the study file: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class OpenSection(BaseModel):
    """A section whose further keys belong to the part it names (an engine, a problem source, a grader); that part checks them."""

    model_config = ConfigDict(extra="allow", frozen=True)

    @property
    def options(self) -> dict[str, object]:
        """The keys that belong to the part."""
        return dict(self.model_extra or {})


class ProblemSource(OpenSection):
    """Where a problem set comes from."""

    source: str


class ProblemSets(Section):
    """The problem sets of a study: sampling uses `train`; the others are for finetuning and evaluation."""

    train: ProblemSource
    validation: ProblemSource | None = None
    test: ProblemSource | None = None
    transfer: ProblemSource | None = None


class Price(Section):
    """What a model's tokens cost: a price list's prices, or those of the GPUs that it runs on.

    Attributes:
        input: US dollars a million prompt tokens.
        output: US dollars a million generated tokens.
        input_cache_read: US dollars a million prompt tokens that the provider reads from its cache; without it they cost `input`.
        batch_discount: The share that the provider takes off all prices in its batch API: 0.5 is half. Taken off where the model says
            `batch_api: true`.
        gpu_hour: Instead of the above: US dollars for an hour of one GPU.
        gpus: How many GPUs the model runs on.
        tokens_per_second: Tokens that it generates a second on all of them, as measured, reading prompts included.
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
            raise ValueError("gpu_hour is missing: tokens_per_second and gpus say what a GPU's hour makes; give US dollars an hour")
        if self.gpu_hour is None and self.output is None:
            raise ValueError("output is missing: US dollars per million generated tokens (or gpu_hour and tokens_per_second)")
        return self


class Costs(Section):
    """What costs count: `prompt_tokens` and `attention` are about FLOPs, `prices` is about US dollars.

    Attributes:
        prompt_tokens: Reading prompts: `none` (the paper), `shared` (once a request, by all of its draws) or `each` (once a draw).
        attention: Whether attention over the context counts.
        prices: A file of prices, by model.
    """

    prompt_tokens: PromptReading = "none"
    attention: bool = False
    prices: str | None = None


class Example(Section):
    """A worked example of a prompt."""

    question: str
    solution: str


class PromptChanges(Section):
    """A model's own prompt: what it leaves out is as in the study's.

    Attributes:
        template: A template by name, or `package.module:attribute`.
        form: Instead of a name, a template of one's own: one question, with `{question}` where its text goes.
        examples: Worked examples before the question; only with `form`, as are the two below.
        separator: Between examples.
        stop: Strings that end a reply.
        chat: Whether the prompt is the user's message in the model's chat format, rather than text that it goes on from.
        system: The system message; only with `chat`.
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
        """For people and paths: the template's name, or `own`; `-chat` after it in a chat."""
        return (self.template or "own") + ("-chat" if self.chat else "")


class Prompt(PromptChanges):
    """What generators and untrained students see."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.template is None and self.form is None:
            raise ValueError("give template, or form for one of your own")
        if self.system is not None and not self.chat:
            raise ValueError("a system message needs a chat; add chat: true, or leave system out")
        return self


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


class Match(Section):
    """A budget that equals what so many samples a problem from one model cost."""

    model: str
    samples_per_problem: PositiveFloat


class Budget(Section):
    """What each arm may spend: an amount, or the cost of a number of samples from one model."""

    unit: Unit
    amount: PositiveFloat | None = None
    match: Match | None = None
    basis: Basis = "planned"

    @model_validator(mode="after")
    def _one_of(self) -> Self:
        if (self.amount is None) == (self.match is None):
            raise ValueError("give either amount or match")
        return self


class Limit(Section):
    """A hard cap on what the run pays for data and for judging them."""

    unit: Unit
    amount: PositiveFloat


class Pilot(Section):
    """A few samples on some problems, drawn first: what a sample's length is estimated from."""

    problems: PositiveInt
    samples_per_problem: PositiveInt


class Arm(Section):
    """One way to spend a budget; `samples_per_problem` makes it number-matched instead."""

    policy: str = "uniform"
    models: Annotated[tuple[str, ...], Field(min_length=1), AfterValidator(_distinct)]
    samples_per_problem: PositiveInt | None = None


class GraderSpec(OpenSection):
    """How answers are judged, and options of the grader.

    `name: judge` has a model of the study judge the training solutions: `model` is its name there, `max_tokens` the most that it may write.
    """

    name: str = "math"
    time_limit: PositiveFloat = 5.0


class AuditSpec(Section):
    """How false positives are looked for, and in how many solutions a model; people look at them with `isocost view`, whatever stands here.

    Attributes:
        by: `steps` reads the arithmetic that solutions write out; `judge` has a model of the study read them too.
        model: The judge's name in the study; only with `by: judge`.
        max_tokens: The most that the judge may write; only with `by: judge`.
        per_model: Solutions of each model; one of every problem that it solved where it is left out.
    """

    by: Literal["steps", "judge"] = "steps"
    model: str | None = None
    max_tokens: PositiveInt | None = None
    per_model: PositiveInt | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.by == "judge" and self.model is None:
            raise ValueError("by: judge needs model, the name of a model of the study")
        own = [key for key in ("model", "max_tokens") if getattr(self, key) is not None]
        if self.by != "judge" and own:
            raise ValueError(f"{own[0]} goes with by: judge; add that, or set {own[0]}: null")
        return self


class Curate(Section):
    """Which correct solutions go into a training set."""

    distinct: Literal["string", "normalised", "equations"] | None = "string"
    per_problem: PositiveInt | None = None


def _distinct(names: tuple[Any, ...]) -> tuple[Any, ...]:
    repeated = [name for i, name in enumerate(names) if name in names[:i]]
    if repeated:
        raise ValueError(f"{repeated[0]!r} stands twice")
    return names


class Finetune(Section):
    """Which students are trained on which arms' data, and how. `budgets` empty means all."""

    students: Annotated[tuple[str, ...], Field(min_length=1), AfterValidator(_distinct)]
    arms: Annotated[tuple[str, ...], Field(min_length=1), AfterValidator(_distinct)]
    budgets: tuple[str, ...] = ()
    steps: PositiveInt = 600
    batch_size: PositiveInt = 32
    learning_rates: Annotated[tuple[PositiveFloat, ...], Field(min_length=1), AfterValidator(_distinct)] = (1e-6,)
    checkpoints: PositiveInt = 10
    seeds: Annotated[tuple[int, ...], Field(min_length=1), AfterValidator(_distinct)] = (0,)
    method: Literal["full", "lora"] = "full"


class Evaluate(Section):
    """Greedy pass@1 always; maj@k where asked for.

    `grader` compares with reference answers where the study's own grader is a model: no model scores its own students.
    """

    maj_at: tuple[PositiveInt, ...] = ()
    grader: GraderSpec | None = None


class ExecutorSpec(Section):
    """Where work runs: worker processes on this machine, or on a Ray cluster.

    Attributes:
        name: Which.
        address: Of the cluster, HOST:PORT; "auto" is the one that this machine belongs to. None starts a Ray on this machine.
        workers: At most so many; None is as many as there is room for.
        cpus_per_worker: Cores of a worker; None is one on nodes with GPUs and for small models, else a whole node.
        gpus_per_worker: GPUs of a worker, where the cluster has any.
    """

    name: Literal["local", "ray"] = "local"
    address: Annotated[str, Field(min_length=1)] | None = None
    workers: PositiveInt | None = None
    cpus_per_worker: PositiveInt | None = None
    gpus_per_worker: PositiveInt = 1

    @model_validator(mode="after")
    def _only_a_cluster_is_shared_out(self) -> Self:
        if self.name == "local" and (others := self.model_fields_set - {"name"}):
            raise ValueError(f"{min(others)} goes with name: ray")
        return self


def _by_name(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


class Study(Section):
    """A whole study file."""

    name: Name
    seed: int = 0
    problems: ProblemSets
    models: Annotated[dict[Name, ModelSpec], Field(min_length=1)]
    prompt: Prompt
    sampling: Sampling = Sampling()
    budgets: dict[Name, Budget] = Field(default_factory=dict)
    costs: Costs = Costs()
    limit: Limit | None = None
    pilot: Pilot | None = None
    arms: Annotated[dict[Name, Arm], Field(min_length=1)]
    grader: GraderSpec = GraderSpec()
    audit: AuditSpec = AuditSpec()
    curate: Curate = Curate()
    finetune: Finetune | None = None
    evaluate: Evaluate = Evaluate()
    executor: Annotated[ExecutorSpec, BeforeValidator(_by_name)] = ExecutorSpec()

    def prompt_of(self, model: str) -> Prompt:
        """What a model sees: the study's prompt with the model's own changes; a template and a form replace each other."""
        own = self.models[model].prompt
        if own is None:
            return self.prompt
        changed = {key: getattr(own, key) for key in own.model_fields_set}
        kept = {"chat", "system"} if own.template is not None or own.form is not None else set(PromptChanges.model_fields)
        merged = {key: getattr(self.prompt, key) for key in self.prompt.model_fields_set & kept} | changed
        if not merged.get("chat") and "system" not in changed:
            merged.pop("system", None)
        return Prompt.model_validate(merged)

    def sampling_of(self, model: str) -> Sampling:
        """How a model's solutions are drawn: the study's setting with the model's own in its place, one by one."""
        own = self.models[model].sampling
        return self.sampling.model_copy(update={key: getattr(own, key) for key in own.model_fields_set}) if own else self.sampling

    @property
    def is_judged(self) -> bool:
        """Whether a model of the study judges the training solutions."""
        return self.grader.name == JUDGE

    @property
    def reference_grader(self) -> GraderSpec:
        """The grader that compares with reference answers: the study's own, unless that is a model."""
        return (self.evaluate.grader or GraderSpec()) if self.is_judged else self.grader
