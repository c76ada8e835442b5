"""The whole study file as one model."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from isocost.config.arms import Arm, Budget, Limit, Pilot
from isocost.config.costs import Costs
from isocost.config.executors import ExecutorSpec
from isocost.config.grading import JUDGE, AuditSpec, GraderSpec
from isocost.config.models import ModelSpec, Sampling
from isocost.config.problems import ProblemSets
from isocost.config.prompts import Prompt, PromptChanges
from isocost.config.sections import Name, Section
from isocost.config.students import Curate, Evaluate, Finetune


# `executor: ray` is short for `executor: {name: ray}`.
def _by_name(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


class Study(Section):
    """A whole study file.

    Attributes:
        name: Name of the study, and of its run directory below `runs/`.
        seed: Seed of sampling, allocation, curation and audits.
        problems: The problem sets.
        models: Models by name: generators, students, judges.
        prompt: The prompt of generators and of untrained students.
        sampling: Sampling parameters.
        budgets: Budgets by name. Each pair of an arm and a budget is a cell, `arm@budget`.
        costs: The costs that count.
        limit: A hard cap on the bill for data and judge.
        pilot: Samples drawn first, to estimate lengths.
        arms: Ways to spend a budget, by name.
        grader: The grader of training solutions.
        audit: The search for false positives.
        curate: The contents of training sets.
        finetune: Training of students.
        evaluate: Evaluation of students.
        executor: The machines on which models run.
    """

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
        """Return the prompt of a model: the study's with the model's own changes. A template and a form replace each other."""
        own = self.models[model].prompt
        if own is None:
            return self.prompt
        changed = {key: getattr(own, key) for key in own.model_fields_set}
        # A new template or form brings its own examples and stop strings; only the chat settings carry over.
        kept = {"chat", "system"} if own.template is not None or own.form is not None else set(PromptChanges.model_fields)
        merged = {key: getattr(self.prompt, key) for key in self.prompt.model_fields_set & kept} | changed
        # A model that turns the chat off drops the study's system message with it, instead of failing on it.
        if not merged.get("chat") and "system" not in changed:
            merged.pop("system", None)
        return Prompt.model_validate(merged)

    def sampling_of(self, model: str) -> Sampling:
        """Return the sampling settings of a model: the study's, with each setting of the model's own in its place."""
        own = self.models[model].sampling
        return self.sampling.model_copy(update={key: getattr(own, key) for key in own.model_fields_set}) if own else self.sampling

    @property
    def is_judged(self) -> bool:
        """True if a model of the study judges the training solutions."""
        return self.grader.name == JUDGE

    @property
    def reference_grader(self) -> GraderSpec:
        """The grader that compares with reference answers: the study's own, unless that is a model."""
        return (self.evaluate.grader or GraderSpec()) if self.is_judged else self.grader
