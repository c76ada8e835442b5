"""Purchases of the policies that observe outcomes: draws by round and model, money by model, and uniform draws for the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from isocost.arrays import Bools, Ints
from isocost.planning import objective_of
from isocost.policies import FIXED
from isocost.policies.base import Coverage, KeptPerProblem, Objective
from isocost.preparing.prepare import Prepared
from isocost.records import UNITS, Allocation, CellPlan, ModelSpending, RoundSpending, Spending, UniformMatch, Unit
from isocost.results.drawtable import DrawTable
from isocost.results.independence import Independence
from isocost.results.reached import Reached
from isocost.results.uniform import Bought, match_first_draws, match_posterior
from isocost.sampling.data import SamplingOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """The study, what its cells bought, and the draws that do not depend on outcomes."""

    prepared: Prepared
    bought: SamplingOutcome
    independence: Independence


def counts_solutions(prepared: Prepared) -> bool:
    """Return True if a policy makes the most of distinct solutions, so that `spendings` needs the numbers of solutions."""
    return any(isinstance(_objective(prepared, arm), KeptPerProblem) for arm in _observing(prepared))


def spendings(
    prepared: Prepared, bought: SamplingOutcome, table: DrawTable, independence: Independence, solutions: Ints | None
) -> Iterator[Spending]:
    """Yield what the policy of each cell did, for cells whose policy observes outcomes.

    Args:
        prepared: The study.
        bought: The plans, rounds and policies of the cells.
        table: Every draw.
        independence: The draws that do not depend on outcomes.
        solutions: As in `Reached`.
    """
    observing = _observing(prepared)
    run = _Run(prepared=prepared, bought=bought, independence=independence)
    for plan in bought.plans:
        if plan.cell.arm in observing:
            objective = _objective(prepared, plan.cell.arm)
            yield _spending(run, plan, Reached(table=table, objective=objective, solutions=solutions))


def _observing(prepared: Prepared) -> list[str]:
    return [name for name, arm in prepared.study.arms.items() if arm.policy not in FIXED]


def _objective(prepared: Prepared, arm: str) -> Objective:
    return objective_of(arm, prepared.study.arms[arm], prepared.study)


def _spending(run: _Run, plan: CellPlan, reached: Reached) -> Spending:
    cell, drawn, table = plan.cell, reached.table.cells[plan.cell], reached.table
    unit = plan.unit or next((unit for unit in UNITS if table.cost(drawn).amount(unit) is not None), None)
    kind, size = _named(reached.objective)
    matches = {model: _match(run, reached, drawn, plan.models, model, unit) if unit else None for model in plan.models}
    return Spending(
        cell=cell.name,
        policy=run.bought.policies[cell],
        unit=unit,
        objective=kind,
        size=size,
        models=tuple(_of_model(table, drawn, model) for model in plan.models),
        rounds=tuple(_rounds(table, run.bought.rounds[cell], plan.models)),
        matches=tuple(match for match in matches.values() if match is not None),
        unmatched=tuple(model for model, match in matches.items() if match is None),
    )


def _named(objective: Objective) -> tuple[Literal["coverage", "kept", "mixed"], int | None]:
    if isinstance(objective, Coverage):
        return "coverage", None
    return ("kept", objective.most) if isinstance(objective, KeptPerProblem) else ("mixed", objective.size)


def _of_model(table: DrawTable, drawn: Bools, model: str) -> ModelSpending:
    own = drawn & table.is_of(model)
    each = table.count(own)
    return ModelSpending(
        model=model,
        draws=int(own.sum()),
        problems=int((each > 0).sum()),
        mean=float(each.mean()) if each.size else 0.0,
        median=float(np.median(each)) if each.size else 0.0,
        most=int(each.max(initial=0)),
        cost=table.cost(own),
    )


def _rounds(table: DrawTable, rounds: Sequence[Sequence[Allocation]], models: Sequence[str]) -> Iterator[RoundSpending]:
    """Yield the draws of each round by model. A draw that a policy asks for again counts in its first round."""
    seen = np.zeros(table.draws.height, dtype=np.bool_)
    of_model = {model: table.is_of(model) for model in models}
    for number, allocations in enumerate(rounds):
        taken = table.drawn_by(allocations) & ~seen
        seen |= taken
        for model in models:
            own = taken & of_model[model]
            if own.any():
                problems = int((table.count(own) > 0).sum())
                yield RoundSpending(number=number, model=model, draws=int(own.sum()), problems=problems, cost=table.cost(own))


def _match(run: _Run, reached: Reached, drawn: Bools, models: Sequence[str], model: str, unit: Unit) -> UniformMatch | None:
    """Return uniform draws from a model for what a cell reached: by its fixed draws, else by a posterior; None where neither holds."""
    costs = np.sum([reached.table.amounts(name, unit, drawn) for name in models], axis=0)
    bought = Bought(values=reached.values(drawn), costs=costs, unit=unit)
    found = None
    if model not in run.independence.by_outcomes:
        found = match_first_draws(reached, bought, model, run.independence.measured)
    arms = run.prepared.study.arms
    # Where outcomes of other models decided, the likelihood of this model's own counts leaves out what decided.
    if found is None and all(len(arms[name].models) == 1 for name in _observing(run.prepared) if model in arms[name].models):
        found = match_posterior(reached, bought, model)
    return found
