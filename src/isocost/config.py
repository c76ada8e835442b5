"""The study file: pydantic models, one a section. `studyfile.py` reads YAML into them."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from isocost.records import Basis, SamplingParams, Unit

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=60)]
JUDGE = "judge"  # the grader that is a model of the study

PositiveInt = Annotated[int, Field(gt=0)]
PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]


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
    """US dollars per million tokens, with the day they were read."""

    output: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    input: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    input_cache_read: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    dated: dt.date | None = None


class Prompt(Section):
    """What generators and untrained students see."""

    template: str


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
    """A model: its engine, what its tokens cost, and options of the engine."""

    engine: str
    params: PositiveInt | None = None
    price: Price | None = None
    prompt: Prompt | None = None
    tokens_per_sample: PositiveFloat | None = None
    prompt_tokens: PositiveFloat | None = None


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
    """How false positives are looked for, and in how many solutions a model."""

    by: Literal["steps"] = "steps"
    per_model: PositiveInt | None = None


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


class Study(Section):
    """A whole study file."""

    name: Name
    seed: int = 0
    problems: ProblemSets
    models: Annotated[dict[Name, ModelSpec], Field(min_length=1)]
    prompt: Prompt
    sampling: Sampling = Sampling()
    budgets: dict[Name, Budget] = Field(default_factory=dict)
    limit: Limit | None = None
    pilot: Pilot | None = None
    arms: Annotated[dict[Name, Arm], Field(min_length=1)]
    grader: GraderSpec = GraderSpec()
    audit: AuditSpec = AuditSpec()
    curate: Curate = Curate()
    finetune: Finetune | None = None
    evaluate: Evaluate = Evaluate()
    executor: Literal["local"] = "local"

    @property
    def is_judged(self) -> bool:
        """Whether a model of the study judges the training solutions."""
        return self.grader.name == JUDGE

    @property
    def reference_grader(self) -> GraderSpec:
        """The grader that compares with reference answers: the study's own, unless that is a model."""
        return (self.evaluate.grader or GraderSpec()) if self.is_judged else self.grader
