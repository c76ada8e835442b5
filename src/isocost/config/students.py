"""Training sets, students and their evaluation."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from isocost.config.grading import GraderSpec
from isocost.config.sections import PositiveFloat, PositiveInt, Section, distinct


class Curate(Section):
    """The correct solutions that go into a training set.

    Attributes:
        distinct: Solutions count as the same by exact string, by `normalised` text, or by their `equations`; null keeps duplicates.
        per_problem: Largest number of solutions per problem; null means all.
    """

    distinct: Literal["string", "normalised", "equations"] | None = "string"
    per_problem: PositiveInt | None = None


class Finetune(Section):
    """Training of every student on the data of every arm, with TRL. Without this section nothing is trained.

    Attributes:
        students: Models of the study that are trained; their engine must be `transformers`.
        arms: Arms whose data they are trained on.
        budgets: Budgets of these arms' cells; empty means all.
        steps: Optimizer steps, the same for all students and arms.
        batch_size: Training examples per step.
        learning_rates: Learning rates; the one whose checkpoint is best on `validation` is kept.
        checkpoints: Checkpoints per training, evenly spaced, scored on `validation`.
        seeds: Seeds; every student is trained once per seed, and outcomes are averaged per problem.
        method: `full` trains all weights, `lora` a LoRA adapter.
    """

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
    """Evaluation of students on `test` and `transfer`: greedy pass@1, and maj@k if requested.

    Attributes:
        maj_at: Values of k for maj@k.
        grader: The grader of test answers if the study's own grader is a judge; null means `math`. No model scores its own students.
    """

    maj_at: tuple[PositiveInt, ...] = ()
    grader: GraderSpec | None = None
