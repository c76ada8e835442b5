"""Forecast from a pilot what the choices of a study bring at its budgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from isocost.config import Study
from isocost.costs.expected import DrawCost, draw_costs, prompts_are_counted
from isocost.errors import BudgetError, InputError
from isocost.forecasting import Choice, Comparison, Piloted, Question, forecast
from isocost.measuring.rundirs import SAMPLES
from isocost.planning import in_unit, objective_of, shared_prompt
from isocost.policies import AUTO
from isocost.policies.base import Coverage, KeptPerProblem, Objective
from isocost.predicting import Prediction
from isocost.predicting.studied import StudyPilot, read_study_pilot
from isocost.preparing.difficulty import difficulty_labels
from isocost.preparing.prepare import Prepared, generators
from isocost.records import Cell, CellPlan, Cost, Estimate, Unit
from isocost.sampling.cells import longest_prompts, pilot_allocations
from isocost.sampling.predictions import SIMULATED, choice_of, has_own_keys
from isocost.store import PILOT


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetForecast:
    """The forecast at a budget.

    Attributes:
        budget: Name of the budget.
        unit: Its unit.
        prediction: The forecast at this budget alone, per problem.
        costs: Cost of each choice over all problems, at the mean length of a draw and at both ends of its interval.
    """

    budget: str
    unit: Unit
    prediction: Prediction
    costs: Mapping[str, tuple[Cost, Cost, Cost]]

    @property
    def question(self) -> Question:
        """The question that the forecast answers."""
        return self.prediction.forecast.question

    @property
    def comparison(self) -> Comparison:
        """The choices."""
        return self.prediction.forecast.comparisons[0]

    def measured(self, objective: Objective) -> Mapping[str, Estimate]:
        """Return the value of each choice in an objective that was asked for; empty for others."""
        if objective == self.question.objective:
            return {choice.name: choice.value for choice in self.comparison.choices}
        return self.comparison.measured.get(objective, {})

    def correct(self, objective: Objective) -> Mapping[str, Estimate]:
        """Return the same for correct solutions, sound or not."""
        return self.comparison.correct.get(objective, {}) if self.question.counts_sound else self.measured(objective)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceForecast:
    """The forecasts of a study's choices, from its pilot.

    Attributes:
        pilot: The pilot.
        objective: What the choices are ranked by.
        kept: The number of distinct solutions up to which kept ones are counted; None if the pilot has no texts.
        budgets: One per budget.
        coverage: Predicted coverage of the cells that are among the choices, by correct solutions, sound or not: what the run will measure.
        false_positive_rates: Those that the arms state, by model; with any above 0, all values of `budgets` count sound solutions.
        notes: What is doubtful about the forecast, one sentence each.
    """

    pilot: StudyPilot
    objective: Objective
    kept: KeptPerProblem | None
    budgets: tuple[BudgetForecast, ...]
    coverage: Mapping[Cell, Estimate]
    false_positive_rates: Mapping[str, float]
    notes: tuple[str, ...]


def find_pilot(prepared: Prepared, table: Path | None, run: Path) -> StudyPilot | None:
    """Read the pilot of a study from the table that is given, else from its run directory; None if neither has one.

    Raises:
        InputError: The table cannot be used.
        RunDirectoryError: The folder that is given holds no samples.
    """
    study, models = prepared.study, generators(prepared.study)
    ids = tuple(problem.id for problem in prepared.problems["train"])
    each = study.pilot.samples_per_problem if study.pilot else None
    if table is not None:
        return read_study_pilot(table, models, ids, each, distinct=prepared.study.curate.distinct)
    # Without a pilot in the study, the samples of its run are those of its arms.
    if study.pilot is None or not any((run / name).exists() for name in (SAMPLES, PILOT)):
        return None
    chosen = {allocation.problem_id for allocation in pilot_allocations(prepared, ids, models)}
    # The first draws of the pilot's problems were bought whatever came out, and whatever was drawn after them.
    return read_study_pilot(run, models, chosen, each, as_fixed=True, distinct=prepared.study.curate.distinct)


def token_lengths(prepared: Prepared, pilot: StudyPilot) -> dict[str, tuple[float, float]]:
    """Return the mean prompt and generated tokens of a draw, by model.

    Raises:
        InputError: Prompts are counted, and their lengths are unknown.
    """
    return _lengths(prepared, pilot, {name: each.value for name, each in pilot.lengths.items()})


def _lengths(prepared: Prepared, pilot: StudyPilot, generated: Mapping[str, float]) -> dict[str, tuple[float, float]]:
    found = {}
    for name, tokens in generated.items():
        prompt, declared = pilot.lengths[name].prompt, prepared.study.models[name].prompt_tokens
        if prompt is None and declared is None and prompts_are_counted(prepared.cards[name]):
            raise InputError(
                f"{pilot.source}: the length of prompts to model {name} is unknown, and they are counted\n"
                f"  give the table num_prompt_tokens, or models.{name}.prompt_tokens"
            )
        found[name] = (prompt or 0.0, tokens)
    return found


def forecast_choices(
    prepared: Prepared, plans: Sequence[CellPlan], pilot: StudyPilot, available: Mapping[str, Mapping[str, int]]
) -> ChoiceForecast:
    """Forecast the choices at every budget: each model alone, equal money for two, the policy `adaptive`, and those of the arms.

    Args:
        prepared: The study.
        plans: The plan of every cell, made with the pilot's lengths.
        pilot: The pilot.
        available: Number of recorded samples by model and problem id, of models that replay them.

    Raises:
        BudgetError: A budget does not pay for the pilot.
    """
    study = prepared.study
    objective = _objective(study)
    has_texts = any(len(each.pilot.solution_problem) for each in pilot.pilots.models)
    kept = None
    if has_texts:
        kept = objective if isinstance(objective, KeptPerProblem) else KeptPerProblem(study.curate.per_problem or 4)
    also = [measure for measure in (Coverage(), kept) if measure is not None and measure != objective]
    budgets = {plan.cell.budget: plan for plan in plans if plan.cell.budget is not None}
    rates, conflict = _false_positive_rates(study)
    asked = Question(
        ks=(pilot.pilots.draws,),
        budgets=(),
        objective=objective,
        also=tuple(also),
        labels=_labels(prepared),
        # A problem that a table lacks has no sample in it.
        available={(p.id, model): counts.get(p.id, 0) for model, counts in available.items() for p in prepared.problems["train"]},
        false_positive_rates=rates,
    )
    found = tuple(_at_budget(prepared, name, plan, pilot, asked) for name, plan in budgets.items())
    coverage = {}
    for one in found:
        by_name = one.correct(Coverage())
        for plan in plans:
            estimate = by_name.get(choice_of(study.arms[plan.cell.arm], generators(study)) or "")
            if plan.cell.budget == one.budget and estimate is not None:
                coverage[plan.cell] = estimate
    return ChoiceForecast(
        pilot=pilot,
        objective=objective,
        kept=kept,
        budgets=found,
        coverage=coverage,
        false_positive_rates=rates,
        notes=(*pilot.pilots.notes, *([conflict] if conflict else []), *_unknown_arms(study)),
    )


def _unknown_arms(study: Study) -> list[str]:
    """Return a note on the arms whose policies have keys of their own."""
    names = [name for name, arm in study.arms.items() if arm.policy in SIMULATED and has_own_keys(arm)]
    return [f"No choice is that of {', '.join(names)}: policies are forecast with their default keys."] if names else []


def _objective(study: Study) -> Objective:
    """Return the only objective of the arms that have one; else that of an adaptive arm by default."""
    given = {objective_of(name, arm, study) for name, arm in study.arms.items() if arm.policy in ("adaptive", AUTO)}
    if len(given) == 1:
        return given.pop()
    return KeptPerProblem(4) if study.finetune else Coverage()


def _labels(prepared: Prepared) -> dict[str, float]:
    """Return the difficulty of problems, if the arms whose policy uses one name the same field."""
    fields = {arm.difficulty for arm in prepared.study.arms.values() if arm.policy in ("adaptive", AUTO)}
    return difficulty_labels(fields.pop(), prepared.problems["train"]) if len(fields) == 1 else {}


def _false_positive_rates(study: Study) -> tuple[dict[str, float], str]:
    """Return the rates that the arms whose policy uses them state, by model, and why they are left out; "" if they are not.

    A model that an arm draws from and states no rate of has the rate 0 there. Arms that differ leave no rate for a table of all choices.
    """
    stated: dict[str, dict[float, str]] = {}
    for name, arm in study.arms.items():
        if arm.policy in ("adaptive", AUTO):
            for model in arm.models:
                stated.setdefault(model, {}).setdefault(arm.false_positive_rates.get(model, 0.0), name)
    for model, rates in stated.items():
        if len(rates) > 1:
            (one, first), (other, second) = list(rates.items())[:2]
            said = f"The arms {first} and {second} state different false positive rates of {model}, {one:g} and {other:g}"
            return {}, f"{said}: the choices count correct solutions, sound or not."
    return {model: rate for model, (rate,) in stated.items() if rate}, ""


def _at_budget(prepared: Prepared, budget: str, plan: CellPlan, pilot: StudyPilot, asked: Question) -> BudgetForecast:
    study, n = prepared.study, len(prepared.problems["train"])
    unit, amount = plan.unit, plan.amount
    if unit is None or amount is None:
        raise ValueError(f"the budget {budget} has no amount yet")
    by_end = [_costs(prepared, pilot, end) for end in ("value", "low", "high")]
    models = [_priced(each, by_end, unit) for each in pilot.pilots.models]
    piloted = {problem for each in models for problem in each.pilot.problem_ids}
    policies = {arm.policy for arm in study.arms.values() if not has_own_keys(arm)} | {"adaptive"}
    question = replace(
        asked,
        budgets=(amount / n,),
        policies=tuple(policy for policy in SIMULATED if policy in policies),
        unit=unit,
        others=tuple(problem.id for problem in prepared.problems["train"] if problem.id not in piloted),
    )
    try:
        found = forecast(models, question, together=pilot.pilots.together, answers=pilot.pilots.answers)
    except BudgetError as error:
        raise BudgetError(f"budgets.{budget}: {error}") from error
    pilots = replace(pilot.pilots, models=tuple(models), unit=unit)
    spent = {choice.name: _spent(choice, by_end, n) for choice in found.comparisons[0].choices}
    return BudgetForecast(budget=budget, unit=unit, prediction=Prediction(pilots=pilots, forecast=found, notes=pilots.notes), costs=spent)


def _costs(prepared: Prepared, pilot: StudyPilot, end: str) -> dict[str, DrawCost]:
    """Return the cost of a draw at an end of the interval of its length."""
    models = generators(prepared.study)
    lengths = _lengths(prepared, pilot, {name: getattr(each, end) for name, each in pilot.lengths.items()})
    return draw_costs(
        prepared.study, {name: prepared.cards[name] for name in models}, lengths, longest_prompts(prepared, models), prepared.shares
    )


def _priced(piloted: Piloted, by_end: Sequence[Mapping[str, DrawCost]], unit: Unit) -> Piloted:
    name = piloted.pilot.model
    value, low, high = (in_unit(costs[name].expected, unit, name, costs[name].to_know) for costs in by_end)
    cost, own = Estimate(value=value, low=low, high=high, n=len(piloted.pilot.draws)), by_end[0][name]
    return replace(piloted, cost=cost, prompt=shared_prompt(own, unit, name), per_request=own.per_request)


def _spent(choice: Choice, by_end: Sequence[Mapping[str, DrawCost]], n: int) -> tuple[Cost, Cost, Cost]:
    """Return the cost of a choice over all problems, for each end of the lengths, with the readings that its requests take."""

    def at(costs: Mapping[str, DrawCost]) -> Cost:
        total = Cost(flops=0.0, usd=0.0, seconds=0.0)
        for model, draws in choice.draws.items():
            total = total + costs[model].of(draws=draws * n, readings=choice.readings[model] * n)
        return total

    value, low, high = map(at, by_end)
    return value, low, high
