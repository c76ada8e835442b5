"""The sections on training: what goes into a training set, how students are trained and evaluated."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, field_validator, model_validator

from isocost.config.grading import GraderSpec
from isocost.config.sections import PositiveFloat, PositiveInt, Rate, Section, distinct

# One name may stand without a list, and is written that way: a study that names one auditor reads the same in every version.
Auditors = Annotated[
    tuple[Literal["steps", "judge", "labels"], ...],
    AfterValidator(distinct),
    BeforeValidator(lambda value: (value,) if isinstance(value, str) else value),
    PlainSerializer(lambda names: names[0] if len(names) == 1 else list(names)),
]


class CurateChanges(Section):
    """Changes of one arm to the study's `curate`, such as for a control; a key that is left out keeps the study's value.

    Attributes:
        per_problem: Largest number of solutions per problem; null means all. Solutions with different equations are chosen first.
        filter: `correct` keeps solutions with the correct answer; `none` keeps them whatever their answer.
        audit: Leave out solutions whose reasoning is unsound by `steps`, by the `judge` of the audit or by people's `labels`: one name, or
            a list to leave out what any of them finds unsound; null leaves none out.
        problems: Use solutions of the first problems of `train` only, this many; null means all.
    """

    per_problem: PositiveInt | None = None
    filter: Literal["correct", "none"] = "correct"
    audit: Auditors | None = None
    problems: PositiveInt | None = None


# Outside of the class, whose field `distinct` would hide the function.
_Sets = Annotated[tuple[str, ...], AfterValidator(distinct)]


class Curate(CurateChanges):
    """The solutions that go into a training set.

    Attributes:
        distinct: Solutions count as the same by exact string, by `normalised` text, or by their `equations`; null keeps duplicates.
        reasoning: Text put before a solution whose endpoint returned its reasoning apart, with `{reasoning}` in its place, such as
            `"<think>{reasoning}</think>"`; null trains on the solution alone.
        decontaminate: Sets whose problems no training problem may nearly repeat: `validation`, `test` or `transfer` of the study, a
            problem source as `source:split`, or a `.jsonl` file of problems. See [curating.md](curating.md#near-duplicates).
        ngram: Words of an n-gram that counts as common to two questions.
        overlap: Share of the words of the other question that are in common n-grams, from which a training problem is left out.
    """

    distinct: Literal["string", "normalised", "equations"] | None = "string"
    reasoning: str | None = None
    decontaminate: _Sets = ()
    ngram: PositiveInt = 8
    overlap: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = 0.5

    @field_validator("reasoning")
    @classmethod
    def _has_a_place(cls, form: str | None) -> str | None:
        if form is not None and form.count("{reasoning}") != 1:
            raise ValueError("write {reasoning} once, where the reasoning goes")
        return form


class Lora(Section):
    """LoRA adapters; only with `method: lora`.

    Attributes:
        rank: Rank of the matrices.
        alpha: Scale of the update; it is divided by the rank.
        targets: Names of the layers that get adapters, such as `q_proj`; empty means every linear layer but the last.
    """

    rank: PositiveInt = 16
    alpha: PositiveInt = 32
    targets: Annotated[tuple[str, ...], AfterValidator(distinct)] = ()


class Finetune(Section):
    """Training of every student on the data of every arm, with TRL. Without this section nothing is trained.
    See [training.md](training.md).

    Attributes:
        students: Models of the study that are trained; their engine must be `transformers`.
        arms: Arms whose data they are trained on.
        budgets: Budgets of these arms' cells; empty means all. Number-matched arms have no budget, and are trained on either way.
        format: `chat` trains and asks students in their chat format, system message included, `plain` as text to continue; `auto` is
            `chat` for students whose prompt has `chat: true`.
        reasoning: Reasoning that an endpoint returned apart from a solution: `keep` trains on it, between the student's own delimiters
            (`models.X.reasoning`), `drop` on the solution alone; null means as `curate.reasoning` says.
        max_length: Largest number of tokens of a row, prompt included. Longer rows are left out and counted, never cut.
        steps: Optimizer steps, the same for all students and arms.
        batch_size: Training examples per step.
        learning_rates: Peak learning rates of AdamW; the one whose checkpoint is best on `validation` is kept.
        warmup: Share of the steps over which the rate rises from 0.
        scheduler: The rate after that: `linear` or `cosine` fall to 0, `constant_with_warmup` stays.
        weight_decay: Weight decay of AdamW.
        checkpoints: Checkpoints per training, evenly spaced, scored on `validation`.
        seeds: Seeds; every student is trained once per seed, and outcomes are averaged per problem.
        method: `full` trains all weights, `lora` a LoRA adapter.
        lora: Size and place of the adapter.
        gradient_accumulation: Parts into which a batch is cut, to save memory. A step sees the same examples for any number.
        gradient_checkpointing: Compute activations twice, to save memory; null means on a GPU.
        report_to: Trackers that get the loss besides `logs/`: `tensorboard`, `trackio`.
        rounds: Rounds of sampling and training. From the second on, each student in an arm samples as it was trained on that arm in the
            round before; the budget is split evenly. See [training.md](training.md#rounds).
    """

    students: Annotated[tuple[str, ...], Field(min_length=1), AfterValidator(distinct)]
    arms: Annotated[tuple[str, ...], Field(min_length=1), AfterValidator(distinct)]
    budgets: tuple[str, ...] = ()
    format: Literal["auto", "plain", "chat"] = "auto"
    reasoning: Literal["keep", "drop"] | None = None
    max_length: PositiveInt = 4096
    steps: PositiveInt = 150
    batch_size: PositiveInt = 32
    learning_rates: Annotated[tuple[PositiveFloat, ...], Field(min_length=1), AfterValidator(distinct)] = (3e-4,)
    warmup: Rate = 0.1
    scheduler: Literal["linear", "cosine", "constant_with_warmup"] = "linear"
    weight_decay: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    checkpoints: PositiveInt = 10
    seeds: Annotated[tuple[Annotated[int, Field(ge=0, lt=1 << 32)], ...], Field(min_length=1), AfterValidator(distinct)] = (0,)
    method: Literal["full", "lora"] = "full"
    lora: Lora = Lora()
    gradient_accumulation: PositiveInt = 1
    gradient_checkpointing: bool | None = None
    report_to: Annotated[tuple[Literal["tensorboard", "trackio"], ...], AfterValidator(distinct)] = ()
    rounds: Annotated[int, Field(ge=1, le=100)] = 1

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if "lora" in self.model_fields_set and self.method != "lora":
            raise ValueError("lora goes with method: lora; add that, or leave lora out")
        if self.batch_size % self.gradient_accumulation:
            raise ValueError(
                f"gradient_accumulation: {self.gradient_accumulation} does not cut batch_size: {self.batch_size} into equal parts"
            )
        return self


class Evaluate(Section):
    """Evaluation of students on `test` and `transfer`, and greedily on `validation`. See [training.md](training.md).

    Attributes:
        maj_at: Values of k for maj@k.
        pass_at: Values of k for pass@k, of draws at the study's sampling settings.
        grader: The grader of test answers if the study's own grader is a judge; null means `math`. No model scores its own students.
    """

    maj_at: tuple[PositiveInt, ...] = ()
    pass_at: Annotated[tuple[PositiveInt, ...], AfterValidator(distinct)] = ()
    grader: GraderSpec | None = None
