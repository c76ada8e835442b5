"""Training sets, finetuning and evaluation of students."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from isocost.config.grading import GraderSpec
from isocost.config.sections import PositiveFloat, PositiveInt, Section, distinct


class Curate(Section):
    """The selection of correct solutions for a training set."""

    distinct: Literal["string", "normalised", "equations"] | None = "string"
    per_problem: PositiveInt | None = None


class Finetune(Section):
    """The students, the arms whose data they are trained on, and the training settings. Empty `budgets` means all."""

    students: Annotated[tuple[str, ...], Field(min_length=1), AfterValidator(distinct)]
    arms: Annotated[tuple[str, ...], Field(min_length=1), AfterValidator(distinct)]
    budgets: tuple[str, ...] = ()
    steps: PositiveInt = 600
    batch_size: PositiveInt = 32
    learning_rates: Annotated[tuple[PositiveFloat, ...], Field(min_length=1), AfterValidator(distinct)] = (1e-6,)
    checkpoints: PositiveInt = 10
    seeds: Annotated[tuple[int, ...], Field(min_length=1), AfterValidator(distinct)] = (0,)
    method: Literal["full", "lora"] = "full"


class Evaluate(Section):
    """The metrics of evaluation: greedy pass@1 always, maj@k on request.

    `grader` compares with reference answers if the study's own grader is a model: no model scores its own students.
    """

    maj_at: tuple[PositiveInt, ...] = ()
    grader: GraderSpec | None = None
