"""The forecast of a table of samples."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from isocost.costs.given import COST, GivenCosts, no_model
from isocost.errors import InputError, Option
from isocost.forecasting import Forecast, Question, forecast
from isocost.measuring.words import with_unit
from isocost.metrics.diversity import Level
from isocost.policies.base import KeptPerProblem, Objective
from isocost.predicting.asking import CHECKED, MOST_DRAWS, MOST_KEPT_DRAWS, default_budget, default_ks
from isocost.predicting.pilots import Pilots, read_pilots
from isocost.records import UNITS

POLICIES = ("adaptive",)  # simulated beside the models and their mixtures


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """A forecast, the pilots that it comes from, and notes on both, one sentence each."""

    pilots: Pilots
    forecast: Forecast
    notes: tuple[str, ...]


def predict(
    path: Path,
    *,
    pilot: int | None,
    objective: Objective,
    ks: Sequence[int] = (),
    budgets: Sequence[float] = (),
    given: GivenCosts | None = None,
    policies: Sequence[str] = POLICIES,
    distinct: Level | None = "string",
    false_positive_rates: Mapping[str, float] = MappingProxyType({}),
) -> Prediction:
    """Predict from the first graded draws of each problem what more of them bring.

    Args:
        path: A table of samples, or a run directory.
        pilot: Graded draws per problem in the pilot, by sample_index; None takes all.
        objective: What choices make the most of.
        ks: Draws per problem to predict; none: 4, 16 and 25 times the pilot.
        budgets: Money per problem at which choices are compared; none: four pilots of the most expensive model.
        given: Costs that take the place of the table's own; see `measuring.costs.costs`.
        policies: Names of the policies to simulate.
        distinct: Level at which solutions count as the same; None counts each as different.
        false_positive_rates: Share of a model's correct draws that are unsound, by model; without one above 0, correct solutions count.

    Raises:
        TableError: The file is not a table of samples.
        RunDirectoryError: The directory holds no samples.
        InputError: The pilot is larger than the table, models share no problem, costs are unknown where a budget is given, a budget is
            smaller than the pilot, or a rate is of a model that the table lacks.
    """
    pilots = read_pilots(path, pilot, given, distinct=distinct)
    if pilots.draws == 0:
        raise InputError(f"{path}: no sample is graded\n  grade them first: isocost verify")
    _check_rates(false_positive_rates, [each.pilot.model for each in pilots.models])
    costs = {each.pilot.model: each.cost.value for each in pilots.models if each.cost is not None and each.cost.value is not None}
    unknown = [each.pilot.model for each in pilots.models if each.pilot.model not in costs]
    if unknown and budgets:
        raise InputError(
            f"the cost of a draw of model {unknown[0][:80]} is unknown",
            advice=("give it with ", COST, ", or give the table num_generated_tokens or cost for every draw"),
            option=_budget_option(),
        )
    _check_budgets(budgets, pilots, costs, MOST_KEPT_DRAWS if isinstance(objective, KeptPerProblem) else MOST_DRAWS)
    question = Question(
        ks=tuple(ks) or default_ks(pilots.draws),
        budgets=tuple(budgets) or (() if unknown else (default_budget(pilots.draws, list(costs.values())),)),
        objective=objective,
        policies=tuple(policies),
        unit=pilots.unit if pilots.unit in UNITS else None,
        false_positive_rates=false_positive_rates,
    )
    found = forecast(pilots.models, question, together=pilots.together, answers=pilots.answers)
    return Prediction(pilots=pilots, forecast=found, notes=(*pilots.notes, *_far(question, pilots.draws, costs)))


def _far(question: Question, pilot: int, costs: Mapping[str, float]) -> list[str]:
    """Return a note if more draws are predicted than simulation has checked."""
    most = max([*question.ks, *(budget / cost for budget in question.budgets for cost in costs.values())])
    if most <= CHECKED * pilot:
        return []
    return [
        f"Some forecasts are of {most:,.0f} draws per problem. Intervals were checked up to {CHECKED} times the pilot, {CHECKED * pilot:,}."
    ]


def _check_rates(rates: Mapping[str, float], models: Sequence[str]) -> None:
    for name in rates:
        if name not in models:
            raise no_model(Option(name="false-positives"), name, models)


def _check_budgets(budgets: Sequence[float], pilots: Pilots, costs: Mapping[str, float], largest: float) -> None:
    spent = pilots.draws * sum(costs.values())
    for budget in budgets:
        if not 0 < budget < math.inf:
            raise InputError("is not an amount above 0; write one, such as 2e6", option=_budget_option(str(budget)))
        # Equal to the pilot leaves nothing to choose.
        if budget <= spent:
            given, paid = with_unit(budget, pilots.unit), with_unit(spent, pilots.unit)
            raise InputError(
                f"the pilot alone costs {paid} per problem", advice="give more than that", option=_budget_option(f"{given} per problem")
            )
        if (most := budget / min(costs.values())) > largest:
            raise InputError(
                f"buys {most:.3g} draws of a problem, more than {largest:,.0f}",
                advice="give less, in the unit of the costs",
                option=_budget_option(f"{budget:.3g} per problem"),
            )


def _budget_option(value: str = "") -> Option:
    return Option(name="budget", value=value, argument="budgets")
