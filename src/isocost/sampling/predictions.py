"""Forecasts of what cells will bring, made from the pilot and stored before the cells are sampled."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from isocost.config import Arm, Curate
from isocost.dispatch.draws import Draw
from isocost.errors import BudgetError
from isocost.forecasting import Choice, Comparison, CurveForecast, Question, forecast
from isocost.forecasting.prices import Price
from isocost.metrics.intervals import amount_interval
from isocost.planning import in_unit
from isocost.policies import ONE_MODEL
from isocost.policies.base import Coverage, KeptPerProblem, Objective, Terms
from isocost.records import Allocation, Cell, CellPlan, Estimate, Unit, estimate_json
from isocost.sampling.pilots import draws_of, law_of_all, read_pilot, read_piloted
from isocost.sampling.pools import Pool
from isocost.store import RunDirectory

FILE = "forecast.json"
Predicted = Mapping[str, Estimate]  # by name of the measure
SIMULATED = ("first-hit", "dart", "cascade", "adaptive")  # policies that a forecast simulates, with their default keys


def predict(arm: Arm, plan: CellPlan, terms: Terms, pools: Mapping[str, Pool], pilot: Sequence[Allocation], kept: int | None) -> Predicted:
    """Predict what a cell will bring; empty if the forecast does not know its policy.

    Known are `uniform`, `mixed` with equal money for two models, and isocost's policies that observe outcomes, with their default keys.

    Args:
        arm: The arm.
        plan: The plan of the cell, made with the pilot's lengths.
        terms: Its terms.
        pools: The pools of its models, which hold the pilot, graded.
        pilot: The draws of the pilot from these models.
        kept: The largest number of solutions kept per problem; None for no cap.

    Returns:
        `covered` and `kept_per_problem` with 90% intervals, and where counts are planned `cost` in the budget's unit with a 95% interval,
        from the pilot's costs. Kept solutions are left out if no pool has its solutions. All count correct solutions, sound or not, as the
        outcome that they are compared with does: a run does not measure which of a problem's correct solutions are sound. A policy that
        discounts by false positive rates is simulated with them.
    """
    counted = all(pool.solutions is not None for pool in pools.values())
    if arm.policy == "uniform":
        return _uniform(plan, terms, pools, pilot, kept, counted=counted)
    also = tuple(also_measured(terms, kept if counted else None))
    name = choice_of(arm, plan.models)
    if name is None or terms.amount is None:
        return {}
    piloted = {a.problem_id for a in pilot}
    question = Question(
        ks=(1,),
        budgets=(terms.amount / len(terms.problem_ids),),
        objective=terms.objective,
        policies=(arm.policy,) if arm.policy in SIMULATED else (),
        unit=terms.unit,
        also=also,
        others=tuple(problem for problem in terms.problem_ids if problem not in piloted),
        labels=terms.labels,
        available=terms.available,
        false_positive_rates=terms.false_positive_rates,
        simulated_only=arm.policy in SIMULATED,
    )
    found = forecast(read_piloted(pools, pilot, terms), question, together=law_of_all(pools, pilot)).comparisons[0]
    choice = next(choice for choice in found.choices if choice.name == name)
    return {**of_choice(found, choice, terms.objective, kept), **predicted_cost(choice.draws, choice.readings, terms, pools, pilot)}


def also_measured(terms: Terms, kept: int | None) -> Iterator[Objective]:
    """Yield what a forecast measures beside the objective of a cell."""
    for measure in (Coverage(), *(() if kept is None else (KeptPerProblem(kept),))):
        if measure != terms.objective:
            yield measure


def of_choice(found: Comparison, choice: Choice, objective: Objective, kept: int | None) -> dict[str, Estimate]:
    """Return the predicted `covered` and `kept_per_problem` of a choice, where they were asked for, by correct solutions, sound or not."""
    values = {objective: choice.value} | {m: by_name[choice.name] for m, by_name in (found.correct or found.measured).items()}
    wanted: dict[str, Objective] = {"covered": Coverage()}
    if kept is not None:
        wanted["kept_per_problem"] = KeptPerProblem(kept)
    return {name: values[measure] for name, measure in wanted.items() if measure in values}


def store(predicted: Predicted, directory: RunDirectory, cell: Cell, stamp: str) -> None:
    """Store a forecast under the digest of the cell's terms."""
    measures = {name: estimate_json(estimate) for name, estimate in predicted.items()}
    directory.write_json({"terms": stamp, "measures": measures}, "arms", cell.name, FILE)


def stored(directory: RunDirectory, cell: Cell, stamp: str) -> Predicted | None:
    """Return the stored forecast of a cell; None if there is none of these terms, or it is damaged."""
    entry = directory.read_derived("arms", cell.name, FILE)
    if entry is None or entry.get("terms") != stamp or not isinstance(entry.get("measures"), dict):
        return None
    found = {name: _estimate(each) for name, each in entry["measures"].items()}
    return {name: each for name, each in found.items() if each is not None}


def predict_cells(
    arms: Mapping[str, Arm],
    plans: Sequence[CellPlan],
    terms: Mapping[Cell, Terms],
    pools: Mapping[str, Pool],
    pilot: Sequence[Allocation],
    curate: Callable[[str], Curate],
) -> Iterator[tuple[Cell, Predicted]]:
    """Yield the forecast of each of the cells in `terms`, as `predict` makes it; `curate` returns the rules of an arm's training sets.

    Kept solutions are not predicted for arms that keep others than the correct ones of all problems.
    """
    for plan in plans:
        own = terms.get(plan.cell)
        if own is None:
            continue
        mine, rules = [a for a in pilot if a.model in own.models], curate(plan.cell.arm)
        try:
            found = predict(arms[plan.cell.arm], plan, own, {model: pools[model] for model in own.models}, mine, rules.per_problem)
        except BudgetError:  # the cell's policy refuses the budget itself, and says why
            continue
        is_subset = rules.filter != "correct" or rules.audit is not None or rules.problems is not None
        yield plan.cell, {name: value for name, value in found.items() if not (is_subset and name == "kept_per_problem")}


def _uniform(
    plan: CellPlan, terms: Terms, pools: Mapping[str, Pool], pilot: Sequence[Allocation], kept: int | None, *, counted: bool
) -> Predicted:
    (model,) = plan.models
    k = plan.samples_per_problem[model]
    own = read_pilot(model, pools[model], pilot)
    curve = CurveForecast(own, len(terms.problem_ids) - len(own.problem_ids))
    of_piloted, of_others = ([each] for each in curve.levels(k))
    found = {"covered": curve.coverage(of_piloted, of_others, outcomes=True)[0]}
    if counted:
        found["kept_per_problem"] = curve.kept(of_piloted, kept, of_others)[0]
    price = Price(
        alone=terms.expected.get(model, 0.0),
        prompt=terms.prompt.get(model, 0.0),
        per_request=terms.per_request.get(model),
        pilot=max(a.count for a in pilot),
        share=len(own.problem_ids) / len(terms.problem_ids),
    )
    return {**found, **predicted_cost({model: k}, {model: price.readings(k)}, terms, pools, pilot)}


def predicted_cost(
    draws: Mapping[str, float], readings: Mapping[str, float], terms: Terms, pools: Mapping[str, Pool], pilot: Sequence[Allocation]
) -> Predicted:
    """Return the predicted cost of draws per problem: their number times what a draw of the pilot cost.

    Where draws share a prompt, its readings are paid apart from the generated parts. Each problem of the pilot then gives a cost of both,
    so that the interval holds what differs between problems.

    Args:
        draws: Draws per problem, by model.
        readings: Readings of the prompt per problem that serve them, by model.
        terms: The terms of the cell.
        pools: The pools of the models.
        pilot: The draws of the pilot.

    Returns:
        `cost`; nothing for a budget that is paid as realised, which is its own cost.
    """
    unit = terms.unit
    if unit is None or terms.basis == "realised":
        return {}
    total = np.zeros(3)
    for model, number in draws.items():
        own = [list(draws_of(pools[model], a)) for a in pilot if a.model == model]
        each = _problem_costs(model, unit, terms, [drawn for drawn in own if drawn])
        if each is None:
            mean = amount_interval([float(np.mean([in_unit(draw.cost, unit, model) for draw in drawn])) for drawn in own if drawn])
            scale = number
        else:
            mean, scale = amount_interval([reading * readings[model] + part * number for reading, part in each]), 1.0
        if mean.value is None or mean.low is None or mean.high is None:
            return {}
        total += scale * len(terms.problem_ids) * np.array([mean.value, mean.low, mean.high])
    value, low, high = total.tolist()
    return {"cost": Estimate(value=value, low=low, high=high, n=len(terms.problem_ids))}


def _problem_costs(model: str, unit: Unit, terms: Terms, drawn: Sequence[Sequence[Draw]]) -> list[tuple[float, float]] | None:
    """Return what a reading of the prompt and the generated part of a draw cost for each problem of a pilot; None if draws share none.

    A reading costs what the terms say for the mean prompt, in proportion to the problem's tokens: exact but for what a request costs
    besides. The rest of what the problem's draws cost is their generated part.
    """
    prompt = terms.prompt.get(model, 0.0)
    if not prompt or not drawn:
        return None
    tokens = np.array([max(draw.num_prompt_tokens for draw in own) for own in drawn], np.float64)
    readings = (prompt * tokens / tokens.mean() if tokens.any() else np.full(len(drawn), prompt)).tolist()
    found = []
    for own, reading in zip(drawn, readings, strict=True):
        spent = sum(in_unit(draw.cost, unit, model) for draw in own)
        found.append((reading, max(0.0, spent - terms.readings(model, len(own)) * reading) / len(own)))
    return found


def choice_of(arm: Arm, models: Sequence[str]) -> str | None:
    """Return the name of the choice of a forecast that an arm's policy makes; None if none is the same.

    Args:
        arm: The arm.
        models: The models of the forecast, in its order.
    """
    own = [model for model in models if model in arm.models]
    if arm.policy == "uniform":
        return own[0]
    if arm.policy == "mixed":
        return "+".join(own) if len(own) == 2 and len(set(arm.shares.values())) < 2 else None
    if arm.policy not in SIMULATED or has_own_keys(arm):
        return None
    if arm.policy in ONE_MODEL:
        return f"{arm.policy} {own[0]}"
    return arm.policy if len(own) == len(models) else None


def has_own_keys(arm: Arm) -> bool:
    """Return True if an arm's policy has keys other than the defaults, with which policies are simulated."""
    return bool(arm.shares) or arm.target != Arm(models=arm.models).target


def _estimate(entry: Any) -> Estimate | None:
    ends = [entry.get(name) for name in ("value", "low", "high")] if isinstance(entry, dict) else []
    if len(ends) != 3 or any(type(end) not in (int, float) for end in ends) or type(entry.get("n")) is not int:
        return None
    return Estimate(value=ends[0], low=ends[1], high=ends[2], n=entry["n"])
