"""The sections of the study file on budgets, arms, problems, grading, students and machines, and the whole file as one model."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_serializer, model_validator

from isocost.config.grading import JUDGE, AuditSpec, GraderSpec
from isocost.config.models import Costs, ModelSpec, Prompt, PromptChanges, Sampling
from isocost.config.sections import Count, Name, OpenSection, PositiveFloat, PositiveInt, Rate, Section, distinct
from isocost.config.training import Curate, CurateChanges, Evaluate, Finetune
from isocost.records import Basis, Unit


class Match(Section):
    """The cost of a number of samples per problem from one model, as a budget.

    Attributes:
        model: A model of the study.
        samples_per_problem: Samples per problem from that model.
    """

    model: str
    samples_per_problem: Count


class Budget(Section):
    """The amount that each arm may spend; give either `amount` or `match`.

    Attributes:
        unit: `flops` (FLOPs) or `usd` (US dollars).
        amount: The amount, in the unit.
        match: Instead of an amount: the cost of a number of samples from one model.
        basis: `planned` fixes the counts from expected costs (the paper's way); `realised` buys until the next draw, at its worst case, no
            longer fits.
    """

    unit: Unit
    amount: PositiveFloat | None = None
    match: Match | None = None
    basis: Basis = "planned"

    @model_validator(mode="after")
    def _one_of(self) -> Self:
        # Both or neither: an amount that contradicts a match, or no amount at all.
        if (self.amount is None) == (self.match is None):
            raise ValueError("give either amount or match")
        return self


class Limit(Section):
    """A hard cap on the bill for data and for a model that judges them; training and evaluation do not count.

    Attributes:
        unit: `flops` (FLOPs) or `usd` (US dollars).
        amount: The most that may be spent, in the unit.
    """

    unit: Unit
    amount: PositiveFloat


class Pilot(Section):
    """A few samples of some problems, drawn first from every generator to estimate the length of a sample.

    Attributes:
        problems: Number of training problems.
        samples_per_problem: Samples per problem and model. Every cell that uses them pays for them.
    """

    problems: PositiveInt
    samples_per_problem: PositiveInt


class Objective(Section):
    """Objective of a policy; give one of the keys, or the word `coverage` (problems with a correct sample) in their place.

    Attributes:
        kept_per_problem: Distinct correct solutions, counted up to this number per problem.
        mixed_groups: Problems with a group of this many draws of one model that are neither all correct nor all incorrect.
    """

    kept_per_problem: PositiveInt | None = None
    mixed_groups: Annotated[int, Field(ge=2, lt=1 << 31)] | None = None

    @model_validator(mode="after")
    def _one_of(self) -> Self:
        if self.kept_per_problem is not None and self.mixed_groups is not None:
            raise ValueError("give either kept_per_problem or mixed_groups")
        return self

    @model_serializer
    def _as_written(self) -> str | dict[str, int]:
        given = {"kept_per_problem": self.kept_per_problem, "mixed_groups": self.mixed_groups}
        return {key: value for key, value in given.items() if value is not None} or "coverage"


def _objective(value: object) -> object:
    if value == "coverage":
        return Objective()
    # An empty section would mean coverage by accident.
    if isinstance(value, str) or value == {}:
        raise ValueError("must be coverage, {kept_per_problem: NUMBER} or {mixed_groups: NUMBER}")
    return value


class Target(Section):
    """The number of correct samples that the policy `dart` aims at.

    Attributes:
        correct_per_problem: Correct samples per problem; with `by: difficulty`, those of the problem that turns out hardest.
        by: `uniform` aims at the same number for every problem, `difficulty` at fewer where more draws are correct.
    """

    correct_per_problem: PositiveInt = 4
    by: Literal["uniform", "difficulty"] = "uniform"


class Arm(Section):
    """One way to spend a budget. A key that the arm's policy does not use is refused. See [policies.md](policies.md).

    Attributes:
        policy: The policy that allocates draws, by name or as `package.module:attribute`.
        models: The generators that it draws from, by their names in `models`.
        samples_per_problem: A fixed number of samples per problem instead of a budget (number-matched).
        objective: What the policy is to make the most of; null means `{kept_per_problem: 4}` if the study trains students, else `coverage`.
        difficulty: A field of the problems that goes with their difficulty: a number, or text with one number in it such as `Level 3`. A
            problem without it is of unknown difficulty.
        false_positive_rates: Share of a model's correct samples whose reasoning is wrong, by model, to discount them by; 0 if not given.
        shares: Money of each model in relation to the others: `{weak: 1, strong: 3}` gives weak a quarter. Empty means equal shares.
        target: The number of correct samples to aim at.
        curate: Changes to the study's `curate` for this arm's training sets.
    """

    policy: str = "uniform"
    models: Annotated[tuple[str, ...], Field(min_length=1), AfterValidator(distinct)]
    samples_per_problem: PositiveInt | None = None
    objective: Annotated[Objective | None, BeforeValidator(_objective)] = None
    difficulty: str | None = None
    false_positive_rates: dict[str, Rate] = Field(default_factory=dict)
    shares: dict[str, PositiveFloat] = Field(default_factory=dict)
    target: Target = Target()
    curate: CurateChanges | None = None

    @model_validator(mode="after")
    def _all_have_a_share(self) -> Self:
        if self.shares and (lacking := [model for model in self.models if model not in self.shares]):
            raise ValueError(f"shares lacks {', '.join(lacking)}; give every model of the arm a number, or leave shares out")
        return self


class ExecutorSpec(Section):
    """The machines on which models run and students are trained; `executor: ray` is short for `{name: ray}`. See [ray.md](ray.md).

    Attributes:
        name: `local` (worker processes on this machine), `ray` (a Ray cluster), or `accelerate`: students are trained one after the other,
            each by `accelerate launch` on all its devices; everything else is `local`.
        config: Configuration file of accelerate, as `accelerate config` writes it; needed with `accelerate`.
        address: Address of the Ray cluster, `HOST:PORT`; `auto` means the cluster of this machine, null starts Ray on this machine.
        workers: Largest number of workers; null means as many as fit.
        cpus_per_worker: Cores per worker; null means one on nodes with GPUs and for small models, otherwise a whole node.
        gpus_per_worker: GPUs per worker, if the cluster has GPUs.
    """

    name: Literal["local", "ray", "accelerate"] = "local"
    config: Annotated[str, Field(min_length=1)] | None = None
    address: Annotated[str, Field(min_length=1)] | None = None
    workers: PositiveInt | None = None
    cpus_per_worker: PositiveInt | None = None
    gpus_per_worker: PositiveInt = 1

    @model_validator(mode="after")
    def _only_a_cluster_is_shared_out(self) -> Self:
        given = self.model_fields_set - {"name"}
        if self.name != "ray" and (others := given - {"config"}):
            raise ValueError(f"{min(others)} goes with name: ray")
        if self.name != "accelerate" and "config" in given and self.config is not None:
            raise ValueError("config goes with name: accelerate")
        if self.name == "accelerate" and self.config is None:
            raise ValueError("accelerate needs config, the file that `accelerate config` writes")
        return self


class ProblemSource(OpenSection):
    """A problem source and its options. Every source also takes `where`, `repeated`, `skip` and `limit`.

    Attributes:
        source: A problem source by name, or `package.module:attribute`.
    """

    source: str


class ProblemSets(Section):
    """The problem sets of a study. No question of `train` may occur in another set.

    Attributes:
        train: Problems that generators are sampled on, and students trained on.
        validation: Problems on which a student's best checkpoint is chosen.
        test: Problems on which students are evaluated.
        transfer: A second test set, for problems of another kind.
    """

    train: ProblemSource
    validation: ProblemSource | None = None
    test: ProblemSource | None = None
    transfer: ProblemSource | None = None


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

    def curate_of(self, arm: str) -> Curate:
        """Return the rules of an arm's training sets: the study's, with each key of the arm's own in its place."""
        own = self.arms[arm].curate
        return self.curate.model_copy(update={key: getattr(own, key) for key in own.model_fields_set}) if own else self.curate

    def trains_chat(self, model: str) -> bool:
        """True if a model is trained, and asked after it, in its chat format."""
        wanted = self.finetune.format if self.finetune else "auto"
        return self.prompt_of(model).chat if wanted == "auto" else wanted == "chat"

    def trained_reasoning(self, model: str, stop: Collection[str] = ()) -> str | None:
        """Return the text before a solution whose reasoning a model is trained on, with `{reasoning}` in its place; None without it.

        Args:
            model: The model.
            stop: Its stop strings. None is written between the closing delimiter and the solution.
        """
        wanted = self.finetune.reasoning if self.finetune else None
        own = self.models[model].reasoning
        if wanted == "drop":
            return None
        if wanted is None or own is None:
            return self.curate.reasoning
        after = next((each for each in ("\n\n", "\n") if not any(text in each for text in stop)), "")
        return (f"{own.open}\n" if own.open else "") + f"{{reasoning}}\n{own.close}{after}"

    @property
    def compared_reasoning(self) -> str | None:
        """The form of reasoning in the texts by which solutions are compared: that of the first student that is trained on reasoning.

        None compares solutions alone. Delimiters differ between students and not between solutions, so any form finds the same duplicates.
        """
        if self.finetune is None:
            return self.curate.reasoning
        return next((form for form in map(self.trained_reasoning, self.finetune.students) if form is not None), None)

    def reader(self, arm: str) -> str:
        """Return the model in whose form an arm's training sets are written: the first student, or the arm's first model without one."""
        return self.finetune.students[0] if self.finetune else self.arms[arm].models[0]

    @property
    def rounds(self) -> int:
        """The rounds of sampling and training; 1 for a study that is not iterated."""
        return self.finetune.rounds if self.finetune else 1

    @property
    def is_judged(self) -> bool:
        """True if a model of the study judges the training solutions."""
        return self.grader.name == JUDGE

    @property
    def reference_grader(self) -> GraderSpec:
        """The grader that compares with reference answers: the study's own, unless that is a model."""
        return (self.evaluate.grader or GraderSpec()) if self.is_judged else self.grader
