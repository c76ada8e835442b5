"""Everything that a report shows: models, cells, curves, evaluations."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from isocost.records.costs import Basis, BillLine, Cost, Unit
from isocost.records.estimates import Estimate
from isocost.records.forecasts import ForecastOutcome
from isocost.records.rounds import RoundResult
from isocost.records.samples import Failed, Truncation
from isocost.records.spending import Spending

PromptReading = Literal["none", "shared", "each"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTier:
    """Prices in US dollars per million tokens for requests with more than `above` prompt tokens, in the form of `ModelCard`."""

    above: int
    usd_per_million: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """A model as the study uses it: its size and price, and their sources.

    Attributes:
        name: The study's name of the model.
        engine: The engine's name.
        source: The engine's name of the model.
        parameters: P, the parameters that a token passes through; None if unknown.
        parameters_are: The source of the count, as text.
        flops_per_token: 2P.
        usd_per_million: US dollars per million tokens as paid, after discounts: `input`, `output`, `input_cache_read`,
            `input_cache_write`; None if unknown.
        online_usd_per_million: The same for requests that are sent singly, of a model that is bought in batches; None for others.
        usd_per_request: US dollars per request besides.
        price_tiers: Prices of requests with longer prompts, by ascending length.
        attention: layers * attention width, the L d of 4 L d FLOPs per token and token of context; None if unknown.
        prompt_reading: The prompt readings that a draw's FLOPs count: none, one shared by the draws of a request, or one each.
        counts_attention: True if a draw's FLOPs count attention.
        price_is: The source of the price, as text.
        priced_on: The day the price was read.
        tokens_per_second: The measured rate, if the price follows from it.
        to_know: By unit whose cost is unknown, the key to add to the study.
    """

    name: str
    engine: str
    source: str
    parameters: int | None
    parameters_are: str
    flops_per_token: float | None
    usd_per_million: Mapping[str, float] | None
    online_usd_per_million: Mapping[str, float] | None = None
    usd_per_request: float = 0.0
    price_tiers: tuple[PriceTier, ...] = ()
    attention: int | None = None
    prompt_reading: PromptReading = "none"
    counts_attention: bool = False
    price_is: str = ""
    priced_on: dt.date | None = None
    tokens_per_second: float | None = None
    to_know: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One arm under one budget; `budget` is None for an arm whose count is given (number-matched)."""

    arm: str
    budget: str | None

    @property
    def name(self) -> str:
        """`arm@budget`. A number-matched arm has one cell, `arm@number`."""
        return f"{self.arm}@{self.budget or 'number'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CellPlan:
    """The draws that a cell plans to buy.

    Attributes:
        cell: The cell.
        models: Its models, in the study's order.
        unit: Unit of its budget; None if number-matched.
        amount: Amount of its budget, over all problems; None if number-matched.
        basis: Basis of its budget.
        samples_per_problem: Mean planned draws per problem, by model; empty if outcomes decide what is drawn, or if the counts follow from
            a pilot that has not run.
        cost: Planned cost of these draws, in every known unit, and in seconds if tokens per second are known. If outcomes decide, it is the
            amount.
        at_most_per_problem: If outcomes decide, the mean draws per problem that the amount pays for if one model gets all of it, by model.
    """

    cell: Cell
    models: tuple[str, ...]
    unit: Unit | None
    amount: float | None
    basis: Basis
    samples_per_problem: Mapping[str, float]
    cost: Cost
    at_most_per_problem: Mapping[str, float] = field(default_factory=dict)

    @property
    def awaits_pilot(self) -> bool:
        """True if its counts follow from a pilot that has not run."""
        return not self.samples_per_problem and not self.at_most_per_problem


@dataclass(frozen=True, slots=True, kw_only=True)
class CellResult:
    """The draws that a cell bought, and their measures.

    Attributes:
        plan: The plan.
        cost: Realised cost of its draws.
        n_samples: Number of draws.
        n_tokens: Number of generated tokens.
        measures: By name: `covered`, `kept_per_problem`, `coverage@3`, `diversity@3`, `pass@1`, `fpr`.
        funnel: From drawn to kept: (stage, count), each stage after its losses.
        n_kept: Number of solutions in its training set.
        exhausted: True if it has every recorded draw of its models, so that its budget could buy no more.
    """

    plan: CellPlan
    cost: Cost
    n_samples: int
    n_tokens: int
    measures: Mapping[str, Estimate]
    funnel: tuple[tuple[str, int], ...]
    n_kept: int
    exhausted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CellComparison:
    """The data of two cells paired problem by problem.

    Attributes:
        left: A cell.
        right: The other cell.
        measure: `covered` (in shares of problems) or `kept_per_problem` (in solutions).
        difference: left minus right.
        detectable: The smallest true difference that as many problems detect with 80% power at the 5% level; None for solutions.
    """

    left: str
    right: str
    measure: str
    difference: Estimate
    detectable: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCurve:
    """The value of k draws per problem from one model's pool, or from a mixture of models. All points use the same problems.

    Attributes:
        model: The study's name of the model, or a description of the mixture.
        cost: Mean cost per graded draw of these problems. The cost of ungraded draws is added to the graded ones.
        ks: Draws per problem, ascending from 1.
        measures: `coverage` and `diversity` (distinct correct solutions), one estimate per entry of `ks`.
        mix: By model of a mixture, its share of the draws; empty for a single model.
    """

    model: str
    cost: Cost
    ks: tuple[int, ...]
    measures: Mapping[str, tuple[Estimate, ...]]
    mix: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCrossover:
    """The cost per problem from which one model stays ahead of the other.

    Attributes:
        measure: `coverage` or `diversity`.
        models: The two models.
        unit: Unit of every cost here. All costs are per problem.
        ahead: The model that is ahead at the end of the shorter curve; None if both are level there.
        cost: The cost at which it takes the lead; 0.0 if it leads from the first draw, None if `ahead` is None.
        low: Lower end of the 95% interval; None beyond the reach.
        high: Upper end of the 95% interval; None beyond the reach.
        reach: The cost at the end of the shorter curve.
        absent: Share of the resamples of problems in which that model is not ahead at the reach.
        n: Number of problems.
    """

    measure: str
    models: tuple[str, str]
    unit: Unit
    ahead: str | None
    cost: float | None
    low: float | None
    high: float | None
    reach: float
    absent: float
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPair:
    """A comparison of two models on the same problems, at equal cost or at equal numbers of draws.

    Attributes:
        models: Left and right.
        budget: The budget that both spend; None for equal numbers.
        unit: Unit of the budget.
        cost: Cost per problem of each: the budget's, or that at the end of the shorter curve; None for equal numbers.
        draws: Draws per problem of each, fractional as planned.
        measures: `coverage` and `diversity` of each.
        differences: The same measures, left minus right, paired.
        only: Share of the problems that only this model solves, for each.
        both: Share that both solve.
        neither: Share that neither solves.
    """

    models: tuple[str, str]
    budget: str | None
    unit: Unit | None
    cost: float | None
    draws: tuple[float, float]
    measures: Mapping[str, tuple[Estimate, Estimate]]
    differences: Mapping[str, Estimate]
    only: tuple[Estimate, Estimate]
    both: Estimate
    neither: Estimate


Setup = Literal["distillation", "self-improvement", "weak-to-strong improvement", "mixed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """The score of one trained or untrained model on one problem set.

    Attributes:
        student: The model's name in the study.
        cell: The cell whose data it was trained on; None for untrained.
        prompt: `plain` (the prompt of trained models) or the few-shot template's name.
        split: `test`, `transfer` or `validation`.
        metric: `pass@1` (greedy), `maj@4`, `pass@4` and so on, or of the greedy answers `response_tokens`, `stopped`, `false_positives`.
        estimate: Share of problems solved; or mean tokens, share of answers that ended by themselves, share of right answers with a false
            step.
        setup: The paper's set-up; None for untrained.
    """

    student: str
    cell: str | None
    prompt: str
    split: str
    metric: str
    estimate: Estimate
    setup: Setup | None = None


ALL_STUDENTS = "all students"  # no name of a model has a space


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two evaluations paired problem by problem.

    Attributes:
        student: The model's name in the study, or `ALL_STUDENTS` for the mean over all of them.
        split: The problem set.
        metric: The compared metric.
        left: A cell, or None for untrained.
        right: The other cell, or None for untrained.
        difference: left minus right, in shares of problems (0.05 is five points).
        detectable: The smallest true difference that this many problems detect with 80% power at the 5% level.
        setup: The paper's set-up of `left`.
        right_prompt: The prompt of an untrained `right`; None where students have different ones.
        seeds: Training seeds of the side that has more; None if unknown. With one, the interval is over problems alone.
        selected_on: True if checkpoints of a trained side were chosen by their score on this split, which flatters them.
    """

    student: str
    split: str
    metric: str
    left: str | None
    right: str | None
    difference: Estimate
    detectable: float
    setup: Setup | None
    right_prompt: str | None = None
    seeds: int | None = None
    selected_on: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedTraining:
    """A training that failed, which leaves the others standing.

    Attributes:
        student: The model's name in the study.
        cell: The cell whose data it was trained on.
        seed: The training seed.
        reason: The first line of the error.
    """

    student: str
    cell: str
    seed: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """All values that the report shows.

    Attributes:
        study: The study's name.
        models: The models of the study.
        n_problems: Training problems, after exclusions.
        excluded: (problem id, reason) of problems left out of every denominator.
        cells: One entry per cell, in the study's order.
        pools: By model: coverage@k and diversity@k of its whole pool, `measures[model]["coverage@3"]`.
        evaluations: The evaluations of all students.
        comparisons: Paired differences between students.
        cell_comparisons: Paired differences between the data of cells.
        bill: The amounts that the run paid.
        seconds: Wall-clock seconds by stage, over every start of the run.
        environment: Versions and hardware, for the footer.
        curves: The curve of each model whose draws do not depend on outcomes, up to the size of its pool.
        crossovers: The crossover of each pair of these models, in the unit of each budget.
        model_pairs: The comparison of each pair, at every budget and at equal numbers.
        without_curve: The reason why a model has no curve, by model.
        independent_draws: By model that is drawn by outcomes too: the number of its draws that do not depend on outcomes, on which its
            measures at k and its curve rest, and the number of all its draws.
        reasoning: By (account, model) whose endpoint reports it: tokens of reasoning, and all tokens that it generated.
        truncated: By model that has any: its samples that were cut off at max_tokens.
        failed: By model that has any: its draws that failed.
        mixed_rates: Models with draws that were charged at other prices or another size than `models` has: their costs are as charged.
        doubt: Why the reference answers are probably wrong; "" if nothing suggests it.
        mixtures: Curves of mixtures of models with equal money for each, in the unit of each budget. The cost is known in that unit only.
        forecasts: What the pilot predicted of cells, beside what came of it.
        spendings: What the policy of each cell did, for cells whose policy observes outcomes.
        failed_trainings: Trainings that failed.
        rounds: Of an iterated study whose rounds are all done: each round by cell and student. Everything else is of the first round, but
            `bill`, `seconds`, `truncated`, `doubt` and `failed_trainings`, which are of all.
        pass_rates: By model whose draws do not depend on outcomes: problems by share of correct draws. The first count is of problems
            never solved, the last of those always solved, those between are by tenths.
    """

    study: str
    models: tuple[ModelCard, ...]
    n_problems: int
    excluded: tuple[tuple[str, str], ...]
    cells: tuple[CellResult, ...]
    pools: Mapping[str, Mapping[str, Estimate]]
    evaluations: tuple[Evaluation, ...]
    comparisons: tuple[Comparison, ...]
    bill: tuple[BillLine, ...]
    seconds: Mapping[str, float]
    environment: Mapping[str, str]
    cell_comparisons: tuple[CellComparison, ...] = ()
    curves: tuple[ModelCurve, ...] = ()
    crossovers: tuple[ModelCrossover, ...] = ()
    model_pairs: tuple[ModelPair, ...] = ()
    without_curve: Mapping[str, str] = field(default_factory=dict)
    mixtures: tuple[ModelCurve, ...] = ()
    independent_draws: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    spendings: tuple[Spending, ...] = ()
    forecasts: tuple[ForecastOutcome, ...] = ()
    reasoning: Mapping[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    truncated: Mapping[str, Truncation] = field(default_factory=dict)
    failed: Mapping[str, Failed] = field(default_factory=dict)
    mixed_rates: tuple[str, ...] = ()
    doubt: str = ""
    failed_trainings: tuple[FailedTraining, ...] = ()
    rounds: tuple[RoundResult, ...] = ()
    pass_rates: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
