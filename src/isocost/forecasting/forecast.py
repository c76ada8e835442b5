"""Everything that a pilot predicts: curves, choices at budgets, crossovers, doubtful problems, scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations, compress

import numpy as np

from isocost.arrays import Ints
from isocost.errors import BudgetError
from isocost.forecasting.choices import Choice, Difference, Market
from isocost.forecasting.curves import ENDS, CurveForecast, Pilot, outward
from isocost.forecasting.distinct import DistinctLaw
from isocost.forecasting.doubts import Agreement, Answers, Impossible, agreements, impossible
from isocost.forecasting.joint import Replicates, replicates
from isocost.forecasting.margins import Margin
from isocost.forecasting.overtaking import Overtaking, overtaking
from isocost.forecasting.prices import Price
from isocost.forecasting.scores import Score, scores
from isocost.forecasting.simulated import Result, Simulation
from isocost.policies import ONE_MODEL
from isocost.policies.base import Objective
from isocost.records import Estimate, Unit

_UNLIMITED = np.iinfo(np.int64).max
_MOST_PAIRED = 4  # models of which every pair is compared


@dataclass(frozen=True, slots=True, kw_only=True)
class Piloted:
    """One model's pilot, and what is known beside it.

    Attributes:
        pilot: The pilot.
        recorded: All recorded draws of the same problems, to score the forecast; None if there are no more, or they have no unbiased score.
        is_fixed: False if the number of draws depends on their outcomes, or appears to.
        cost: Cost per graded draw of the pilot, with its prompt; None if unknown.
        tokens: Generated tokens per graded draw of the pilot; None if unknown.
        prompt: Part of the cost that the draws of a request share; 0 if every draw pays its own prompt.
        per_request: The most draws of a problem in a request; None without a bound.
    """

    pilot: Pilot
    recorded: Pilot | None
    is_fixed: bool
    cost: Estimate | None
    tokens: Estimate | None
    prompt: float = 0.0
    per_request: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Questions to a pilot.

    Attributes:
        ks: Draws per problem to predict.
        budgets: Money per problem at which choices are compared, in `unit`.
        objective: What choices make the most of.
        policies: Names of policies to simulate. Those of one model (`ONE_MODEL`) are simulated with each.
        unit: Unit of costs, if it is that of a budget.
        also: What else choices are measured by.
        others: Ids of problems of the same kind that are bought for and were not piloted.
        labels: Numbers that go with the difficulty of problems, by id, for the posterior and for policies that use them.
        available: Draws that there are, by problem id and model, where recorded ones are replayed; no entry: as many as wanted.
        false_positive_rates: Share of a model's correct draws that are unsound, by model; no entry: 0. With any above 0, every value counts
            sound solutions (`forecasting.values`), and policies that use the rates know them.
        simulated_only: Compare the policies alone, without each model's and each pair's own forecast.
    """

    ks: tuple[int, ...]
    budgets: tuple[float, ...]
    objective: Objective
    policies: tuple[str, ...] = ()
    unit: Unit | None = None
    also: tuple[Objective, ...] = ()
    others: tuple[str, ...] = ()
    labels: Mapping[str, float] = field(default_factory=dict)
    available: Mapping[tuple[str, str], int] = field(default_factory=dict)
    false_positive_rates: Mapping[str, float] = field(default_factory=dict)
    simulated_only: bool = False

    @property
    def counts_sound(self) -> bool:
        """True if values count sound solutions, False if they count correct ones."""
        return any(self.false_positive_rates.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Predictions after k draws per problem.

    Attributes:
        k: Draws per problem.
        coverage: Share of problems with a correct sample; with false positive rates, as all of these, with a sound one.
        distinct: Distinct correct solutions per problem; None if the pilot has no texts.
        objective: Value of the objective; that of coverage is `coverage`.
    """

    k: int
    coverage: Estimate
    distinct: Estimate | None
    objective: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelForecast:
    """The forecast of one model.

    Attributes:
        piloted: The pilot.
        points: Predictions at each k.
        impossible: Share of the problems that are impossible for the model.
        scores: Predictions beside recorded outcomes; empty if nothing more is recorded. They are of correct solutions, with false positive
            rates too: verdicts do not tell which correct draws are sound.
    """

    piloted: Piloted
    points: tuple[Point, ...]
    impossible: Estimate
    scores: tuple[Score, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The choices at one budget.

    Attributes:
        budget: Money per problem.
        choices: Highest predicted value first.
        differences: The first choice minus each other one, in that order.
        margins: Gains of the next draw, of each model alone.
        measured: Value of each choice, by its name, in what else is measured.
        correct: Value of each choice, by its name, in the objective and what else is measured, for correct solutions, sound or not; empty
            without false positive rates.
        left_out: Choices that need more draws of a problem than are recorded, by name.
        refused: Policies for which the budget does not pay: they buy a pilot of all models first.
    """

    budget: float
    choices: tuple[Choice, ...]
    differences: tuple[Difference, ...]
    margins: tuple[Margin, ...]
    measured: Mapping[Objective, Mapping[str, Estimate]] = field(default_factory=dict)
    correct: Mapping[Objective, Mapping[str, Estimate]] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """Everything that a pilot predicts.

    Attributes:
        question: What was asked.
        models: By name.
        comparisons: One per budget.
        overtakings: Crossovers of each pair of models.
        impossible: Problems that are probably impossible for all models.
        agreements: Problems whose reference answer is doubtful.
        correlation: Posterior mean of the correlation of the models' abilities; None for one model.
    """

    question: Question
    models: Mapping[str, ModelForecast]
    comparisons: tuple[Comparison, ...]
    overtakings: tuple[Overtaking, ...]
    impossible: tuple[Impossible, ...]
    agreements: tuple[Agreement, ...]
    correlation: float | None


def forecast(models: Sequence[Piloted], question: Question, *, together: DistinctLaw, answers: Sequence[Answers] = ()) -> Forecast:
    """Predict what more draws bring. The same pilot gives the same forecast.

    Args:
        models: The pilots. A problem that a model was not piloted on has its pass rate drawn given the other
            models' counts, but the law of each model is learned from its own problems, as if these were chosen at random.
        question: What is asked. Without known costs of all models it may have no budgets.
        together: Law of distinct solutions among the correct ones of all models.
        answers: Incorrect answers of the pilot's problems.

    Raises:
        BudgetError: A budget pays for no choice.
    """
    piloted = {problem for each in models for problem in each.pilot.problem_ids}
    n = len(piloted) + len(question.others)
    curves = [
        CurveForecast(
            each.pilot,
            unpiloted=n - len(each.pilot.problem_ids),
            power_law=each.is_fixed,
            false_positive_rate=question.false_positive_rates.get(each.pilot.model, 0.0),
        )
        for each in models
    ]
    generator = np.random.default_rng(0)
    drawn = replicates(curves, generator, question.others, question.labels)
    share = len(piloted) / n
    prices = _prices(models, n)

    def markets(of: Sequence[CurveForecast]) -> list[Market]:
        return [Market(of, drawn, prices, objective, together) for objective in (question.objective, *question.also)]

    simulation = Simulation(
        models=drawn.models,
        prices=prices,
        pilot=max(int(each.pilot.draws.max(initial=1)) for each in models),
        share=share,
        objective=question.objective,
        also=question.also,
        together=together,
        unit=question.unit,
        labels=tuple(question.labels.get(drawn.problem_ids[i]) for i in drawn.places.tolist()) if question.labels else (),
        false_positive_rates=question.false_positive_rates,
        available=_available(question, drawn),
    )
    of_correct = markets([curve.of_correct() for curve in curves]) if question.counts_sound else []
    pairs = list(combinations(curves, 2)) if len(prices) == len(curves) <= _MOST_PAIRED else []
    crossed = [overtaking(pair, drawn, prices, question.objective) for pair in pairs]
    return Forecast(
        question=question,
        models={each.pilot.model: _of_model(each, curve, drawn, question) for each, curve in zip(models, curves, strict=True)},
        comparisons=tuple(_compared(markets(curves), of_correct, budget, question, simulation) for budget in question.budgets),
        overtakings=tuple(each for each in crossed if each is not None),
        impossible=tuple(impossible(drawn)),
        agreements=tuple(agreements(answers)),
        correlation=drawn.correlation,
    )


def _prices(models: Sequence[Piloted], n: int) -> dict[str, Price]:
    """Return the price of a draw by model, for models with a known cost; `n` is the number of problems."""
    return {
        each.pilot.model: Price(
            alone=each.cost.value,
            prompt=each.prompt,
            per_request=each.per_request,
            pilot=int(each.pilot.draws.max(initial=0)),
            share=len(each.pilot.problem_ids) / n,
        )
        for each in models
        if each.cost is not None and each.cost.value is not None
    }


def _available(question: Question, drawn: Replicates) -> Ints | None:
    """Return the draws that there are of the drawn problems, int[drawn problems, models]; None if there is no limit."""
    if not question.available:
        return None
    ids = [drawn.problem_ids[i] for i in drawn.places.tolist()]
    return np.array([[question.available.get((problem, model), _UNLIMITED) for model in drawn.models] for problem in ids], np.int64)


def _of_model(piloted: Piloted, curve: CurveForecast, drawn: Replicates, question: Question) -> ModelForecast:
    ks = question.ks
    distinct = curve.kept(ks, None) if len(piloted.pilot.solution_problem) else [None] * len(ks)
    points = zip(ks, curve.coverage(ks), distinct, curve.of(question.objective, ks), strict=True)
    none = (drawn.cells[:, :, drawn.models.index(piloted.pilot.model)] == 0).mean(axis=1)
    low, high = np.quantile(none, ENDS)
    known, asked = curve.of_correct(piloted_alone=True), question.objective
    found = [] if piloted.recorded is None else scores(known, piloted.recorded, list(ks), asked)
    return ModelForecast(
        piloted=piloted,
        points=tuple(Point(k=k, coverage=coverage, distinct=each, objective=value) for k, coverage, each, value in points),
        impossible=outward(float(none.mean()), low, high, curve.n, 1.0),
        scores=tuple(found),
    )


def _compared(
    markets: Sequence[Market],
    of_correct: Sequence[Market],
    budget: float,
    question: Question,
    simulation: Simulation,
) -> Comparison:
    """Return the choices at a budget. The first market values them; the others say what else they bring, or which correct solutions."""
    market, *rest = markets
    names = market.drawn.models
    alone = [] if question.simulated_only else [(name,) for name in names]
    pairs = list(combinations(names, 2)) if alone and len(names) <= _MOST_PAIRED else []
    plain, left_out = _offered([*alone, *pairs], simulation, budget)
    runs, refused = _simulated(question.policies, simulation, budget, market.drawn)
    if refused and not runs and not plain:
        raise refused[0][1]

    def valued(by: Market) -> list[Choice]:
        choices = [by.model(models[0], budget) if len(models) == 1 else by.pair(models[0], models[1], budget) for models in plain]
        counted = [[replace(one, values=one.correct) for one in results] if by in of_correct else results for _, _, results in runs]
        return choices + [by.policy(policy, budget, results, models) for (policy, models, _), results in zip(runs, counted, strict=True)]

    def by_name(others: Sequence[Market]) -> dict[Objective, dict[str, Estimate]]:
        return {by.objective: {choice.name: choice.value for choice in valued(by)} for by in others}

    best, *others = sorted(valued(market), key=lambda choice: -(choice.value.value or 0.0))
    return Comparison(
        budget=budget,
        choices=(best, *others),
        differences=tuple(market.difference(best, other) for other in others),
        margins=tuple(market.margin(model, budget) for model in names),
        measured=by_name(rest),
        correct=by_name(of_correct),
        left_out=tuple("+".join(models) for models in left_out),
        refused=tuple(name for name, _ in refused),
    )


def _simulated(
    policies: Sequence[str], simulation: Simulation, budget: float, drawn: Replicates
) -> tuple[list[tuple[str, tuple[str, ...] | None, list[Result]]], list[tuple[str, BudgetError]]]:
    """Return the simulated runs of each policy, with its models, and the policies that the budget does not pay for."""
    runs: list[tuple[str, tuple[str, ...] | None, list[Result]]] = []
    refused: list[tuple[str, BudgetError]] = []
    rates = drawn.rates
    for policy in policies:
        for models in [(name,) for name in drawn.models] if policy in ONE_MODEL else [None]:
            try:
                runs.append((policy, models, simulation.run(policy, budget, rates, models)))
            except BudgetError as error:
                refused.append((" ".join([policy, *(models or ())]), error))
    return runs, refused


def _offered(
    choices: Sequence[tuple[str, ...]], simulation: Simulation, budget: float
) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    """Divide choices of equal money for each model into those for which enough draws are recorded, and the others."""
    if simulation.available is None:
        return list(choices), []
    least = dict(zip(simulation.models, simulation.available.min(axis=0).tolist(), strict=True))
    fits = [all(simulation.prices[model].draws(budget / len(models)) <= least[model] for model in models) for models in choices]
    return list(compress(choices, fits)), list(compress(choices, [not fit for fit in fits]))
