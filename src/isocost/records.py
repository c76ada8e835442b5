"""What stages hand on to each other. A record is frozen, has keyword-only fields and no behaviour beyond reading itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

Unit = Literal["flops", "usd"]
Basis = Literal["planned", "realised"]
FinishReason = Literal["stop", "length", "error"]
PromptReading = Literal["none", "shared", "each"]
AuditedBy = Literal["steps", "judge", "human"]
LabelVerdict = Literal["sound", "unsound", "unsure", "skip", "undo"]
Setup = Literal["distillation", "self-improvement", "weak-to-strong improvement", "mixed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A question with its reference answer.

    Attributes:
        id: Unique in its problem set.
        question: What a model is asked.
        answer: The reference answer, as the grader reads it.
        metadata: Anything else about it, such as `level` or `subject`.
    """

    id: str
    question: str
    answer: str
    metadata: Mapping[str, str | int | float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingParams:
    """How to draw a solution, under vLLM's names. `top_k=0` and `top_p=1.0` cut nothing off; `temperature=0` is greedy."""

    temperature: float = 0.7
    top_p: float = 1.0
    top_k: int = 0
    max_tokens: int = 512
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """Draws of one problem from one model: indices first_index .. first_index + count - 1 of the model's pool."""

    problem_id: str
    model: str
    first_index: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What something cost or would cost, in every unit that is known; None is not known, never zero.

    Attributes:
        flops: Floating-point operations.
        usd: US dollars.
        seconds: Measured engine time.
    """

    flops: float | None = None
    usd: float | None = None
    seconds: float | None = None

    def __add__(self, other: Cost) -> Cost:
        """The sum; a unit that either side does not know is not known."""
        return Cost(
            flops=None if self.flops is None or other.flops is None else self.flops + other.flops,
            usd=None if self.usd is None or other.usd is None else self.usd + other.usd,
            seconds=None if self.seconds is None or other.seconds is None else self.seconds + other.seconds,
        )

    def amount(self, unit: Unit) -> float | None:
        """The cost in one unit."""
        return self.flops if unit == "flops" else self.usd


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One solution drawn from a model.

    Attributes:
        id: Hash of model, prompt, sampling setting, problem and index.
        problem_id: The problem asked.
        model: The study's name of the model.
        pool: The pool it belongs to: one model under one prompt and sampling setting.
        sample_index: Its number in the pool for this problem: 0, 1, 2, ...
        generation: The text, prompt not included.
        num_prompt_tokens: Tokens of the prompt.
        num_generated_tokens: Tokens generated, the end token included.
        finish_reason: `stop`, `length` (cut off at max_tokens) or `error`.
        cost: Its own cost.
        seed: What its batch was seeded with.
    """

    id: str
    problem_id: str
    model: str
    pool: str
    sample_index: int
    generation: str
    num_prompt_tokens: int
    num_generated_tokens: int
    finish_reason: FinishReason
    cost: Cost
    seed: int


class Outcome(StrEnum):
    """What a grader found. A solution that could not be graded is `ungraded`, never `incorrect`."""

    CORRECT = "correct"
    INCORRECT = "incorrect"
    NO_ANSWER = "no_answer"
    UNGRADED = "ungraded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A grader's judgement of one solution.

    Attributes:
        outcome: What it found.
        predicted_answer: The answer read from the solution, or None.
        reason: Machine-readable: how it was decided, or why it could not be (`equal`, `different`, `timeout`, ...).
    """

    outcome: Outcome
    predicted_answer: str | None
    reason: str

    @property
    def correct(self) -> bool | None:
        """True, False, or None for not graded."""
        return None if self.outcome is Outcome.UNGRADED else self.outcome is Outcome.CORRECT


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """Whether the reasoning of an answer-correct solution holds.

    Attributes:
        sample_id: The solution.
        by: Who looked.
        sound: True, False, or None where there was nothing to check.
        first_false: The first false equation, where one was found.
    """

    sample_id: str
    by: AuditedBy
    sound: bool | None
    first_false: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """An answer-correct solution that was chosen to be audited.

    Attributes:
        sample_id: The solution.
        model: Who wrote it.
        problem_id: What it solves.
        sample_index: Its number in the model's pool.
        stratum: What it stands for: the problem's level, "" where problems have none.
        weight: How many solved problems of its model it stands for, on average over the choice; weighted means over a model's chosen
            solutions are means over the problems that the model solved.
        place: Its place in the order in which people label: the first n are a random subset of all that were chosen, whatever n is.
    """

    sample_id: str
    model: str
    problem_id: str
    sample_index: int
    stratum: str
    weight: float
    place: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What a person said of a solution.

    Attributes:
        at: When, in UTC, ISO 8601.
        labeller: Who, by the name they gave.
        sample_id: Of what.
        verdict: `sound`, `unsound`, `unsure`, or `skip` (not now); `undo` takes their last word on it back.
        reason: Why it is unsound, where they said: wrong step, lucky, wrong question, copied answer, cut off, grader error.
        note: Anything else they wrote.
    """

    at: str
    labeller: str
    sample_id: str
    verdict: LabelVerdict
    reason: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A number with its 95% interval.

    Attributes:
        value: The estimate; None where it is undefined.
        low: Lower end; None where it is undefined.
        high: Upper end; None where it is undefined.
        n: Problems (or solutions, for rates over audits) it rests on.
        n_ungraded: Solutions left out because they could not be graded.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    n_ungraded: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One arm under one budget; `budget` is None for an arm whose count is given (number-matched)."""

    arm: str
    budget: str | None

    @property
    def name(self) -> str:
        """`arm@budget`; a number-matched arm stands once, as `arm@number`."""
        return f"{self.arm}@{self.budget or 'number'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CellPlan:
    """What a cell is going to buy.

    Attributes:
        cell: The cell.
        models: Its models, in the study's order.
        unit: Of its budget; None if number-matched.
        amount: Of its budget, over all problems; None if number-matched.
        basis: How its budget is held.
        samples_per_problem: Mean planned draws a problem, by model.
        cost: Planned cost of these draws, in every unit that is known; seconds where tokens per second are.
    """

    cell: Cell
    models: tuple[str, ...]
    unit: Unit | None
    amount: float | None
    basis: Basis
    samples_per_problem: Mapping[str, float]
    cost: Cost


@dataclass(frozen=True, slots=True, kw_only=True)
class CellResult:
    """What a cell bought and what it is worth.

    Attributes:
        plan: What was planned.
        cost: What its draws really cost.
        n_samples: Draws taken.
        n_tokens: Tokens generated in them.
        measures: By name: `covered`, `kept_per_problem`, `coverage@3`, `diversity@3`, `pass@1`, `fpr`.
        funnel: From drawn to kept: (what, how many), each stage after what it lost.
        n_kept: Solutions in its training set.
    """

    plan: CellPlan
    cost: Cost
    n_samples: int
    n_tokens: int
    measures: Mapping[str, Estimate]
    funnel: tuple[tuple[str, int], ...]
    n_kept: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """One trained or untrained model on one problem set.

    Attributes:
        student: The model's name in the study.
        cell: The data it was trained on; None for untrained.
        prompt: `plain` (what trained models see) or the few-shot template's name.
        split: `test`, `transfer` or `validation`.
        metric: `pass@1` (greedy) or `maj@4` and so on.
        estimate: Share of problems solved.
        setup: Which of the paper's set-ups this is; None for untrained.
    """

    student: str
    cell: str | None
    prompt: str
    split: str
    metric: str
    estimate: Estimate
    setup: Setup | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two evaluations paired problem by problem.

    Attributes:
        student: The model's name in the study.
        split: The problem set.
        metric: What is compared.
        left: A cell, or None for untrained.
        right: The other cell, or None for untrained.
        difference: left minus right, in shares of problems (0.05 is five points).
        detectable: The smallest true difference this many problems find four times in five (80% power at 5%).
        setup: Which of the paper's set-ups `left` is.
    """

    student: str
    split: str
    metric: str
    left: str | None
    right: str | None
    difference: Estimate
    detectable: float
    setup: Setup | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CellComparison:
    """The data of two cells paired problem by problem.

    Attributes:
        left: A cell.
        right: The other cell.
        measure: `covered` (in shares of problems) or `kept_per_problem` (in solutions).
        difference: left minus right.
    """

    left: str
    right: str
    measure: str
    difference: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class BillLine:
    """A line of what the run really paid: one account and model.

    Attributes:
        account: `data`, `judge`, `training` or `evaluation`.
        model: The model that was paid for.
        what: `kept`, `rejected`, `failed`, `other settings` for data; `verdicts`, `steps`, `answers` for the others.
        count: How many of them.
        tokens: Tokens generated, or trained on.
        cost: What they cost.
    """

    account: str
    model: str
    what: str
    count: int
    tokens: int
    cost: Cost


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """A model as the study uses it: what its tokens cost and which size and price that comes from.

    Attributes:
        name: The study's name of the model.
        engine: What runs it.
        source: The engine's name of the model.
        parameters: P, those that a token passes through; None where not known.
        parameters_are: How they were counted, for people.
        flops_per_token: 2P.
        usd_per_million: US dollars a million tokens, as they are paid (a discount is taken off): `input`, `output`, `input_cache_read`;
            None where not known.
        attention: layers * attention width, the L d of 4 L d FLOPs a token and token of context; None where not known.
        prompt_reading: Which reading of prompts a draw's FLOPs count: none, one shared by the draws of a request, or one each.
        counts_attention: Whether a draw's FLOPs count attention.
        price_is: Where the price comes from, for people.
        priced_on: The day the price was read.
        tokens_per_second: Measured, where the price was made from it.
        to_know: By unit that is not known, what to add to the study so that it is.
    """

    name: str
    engine: str
    source: str
    parameters: int | None
    parameters_are: str
    flops_per_token: float | None
    usd_per_million: Mapping[str, float] | None
    attention: int | None = None
    prompt_reading: PromptReading = "none"
    counts_attention: bool = False
    price_is: str = ""
    priced_on: dt.date | None = None
    tokens_per_second: float | None = None
    to_know: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCurve:
    """What k draws a problem of one model's pool are worth; every point rests on the same problems.

    Attributes:
        model: The study's name of the model.
        cost: Mean cost of a graded draw of these problems, what ungraded draws cost laid on the graded ones.
        ks: Draws a problem, ascending from 1.
        measures: `coverage` and `diversity` (distinct correct solutions), an estimate at each of `ks`.
    """

    model: str
    cost: Cost
    ks: tuple[int, ...]
    measures: Mapping[str, tuple[Estimate, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCrossover:
    """From which cost a problem on the model that is ahead at the end stays ahead of the other.

    Attributes:
        measure: `coverage` or `diversity`.
        models: The two that are compared.
        unit: Of every cost here, each a problem.
        ahead: The one that is ahead where the shorter curve ends; None if both are level there.
        cost: Where it takes the lead; 0.0 if it is ahead from the first draw on, None if `ahead` is.
        low: Lower end of the 95% interval; None beyond the reach.
        high: Upper end; None beyond the reach.
        reach: Where the shorter curve ends.
        absent: Share of the resamples of problems in which that model is not ahead at the reach.
        n: Problems.
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
    """Two models side by side on the same problems, at equal cost or at equal numbers of draws.

    Attributes:
        models: Left and right.
        budget: The budget that both spend; None for equal numbers.
        unit: Of the budget.
        cost: What each spends a problem: the budget's, or where the shorter of the two curves ends; None for equal numbers.
        draws: Draws a problem of each; a fraction is what planning buys.
        measures: `coverage` and `diversity` of each.
        differences: The same, left minus right, paired.
        only: Share of the problems that this model solves and the other does not, of each.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """Everything the report is made from.

    Attributes:
        study: The study's name.
        models: The models of the study.
        n_problems: Training problems, after exclusions.
        excluded: (problem id, reason) of problems left out of every denominator.
        cells: One a cell, in the study's order.
        pools: By model: coverage@k and diversity@k of its whole pool, `measures[model]["coverage@3"]`.
        evaluations: Of all students.
        comparisons: Paired differences between students.
        cell_comparisons: Paired differences between the data of cells.
        bill: What the run paid.
        seconds: Wall-clock seconds by stage, over every start of the run.
        environment: Versions and hardware, for the footer.
        curves: Of each model whose draws do not depend on outcomes, as far as its pool reaches.
        crossovers: Of each two of them, in the unit of each budget.
        model_pairs: Each two of them side by side, at every budget and at equal numbers.
        without_curve: Why a model has no curve, by model.
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
