"""Choose the policy of an arm with `policy: auto` from its pilot, and record the choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from isocost.events import Listener, Note
from isocost.forecasting import DistinctLaw, Pilot, Piloted, Question, forecast
from isocost.policies.base import Terms
from isocost.policies.continued import Continued
from isocost.predicting.verdict import recommendation
from isocost.records import Allocation, Cell, Estimate
from isocost.sampling.pools import Pool
from isocost.sampling.solutions import Solutions
from isocost.store import RunDirectory

CANDIDATES = ("uniform", "first-hit", "adaptive")
FILE = "choice.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The choice of an arm.

    Attributes:
        policy: Name of the policy.
        models: The models that it draws from.
        reason: The forecast behind it, in a sentence.
    """

    policy: str
    models: tuple[str, ...]
    reason: str

    @property
    def name(self) -> str:
        """Policy and models, to tell the rounds of different choices apart."""
        return f"auto: {self.policy} {', '.join(self.models)}"

    def open(self, terms: Terms) -> Continued:
        """Return the policy, for the terms of its cell."""
        return Continued(terms, self.policy, self.models)


def choose(
    cell: Cell,
    terms: Terms,
    stamp: str,
    pools: Mapping[str, Pool],
    pilot: Sequence[Allocation],
    directory: RunDirectory,
    listener: Listener,
) -> Chosen:
    """Return the recorded choice of a cell; without one choose by forecast, note the choice and record it.

    Args:
        cell: The cell.
        terms: Its terms.
        stamp: Digest of the terms. A choice holds for the terms that it was made under.
        pools: The pools, by model. They hold the pilot, graded.
        pilot: The draws of the pilot.
        directory: The run directory.
        listener: Called with the note.

    Raises:
        BudgetError: the budget does not pay for the pilot.
    """
    kept = _recorded(directory.read_derived("arms", cell.name, FILE), terms, stamp)
    if kept is not None:
        return kept
    chosen = _choose(terms, {model: pools[model] for model in terms.models}, pilot)
    listener(Note(text=f"{cell.name}: auto chose the policy {chosen.policy} from {' and '.join(chosen.models)}. {chosen.reason}"))
    entry = {"policy": chosen.policy, "models": list(chosen.models), "reason": chosen.reason, "terms": stamp}
    directory.write_json(entry, "arms", cell.name, FILE)
    return chosen


def _recorded(entry: object, terms: Terms, stamp: str) -> Chosen | None:
    """Return a recorded choice; None if it is of other terms, missing or damaged: it can be made again from the pilot."""
    if not isinstance(entry, dict) or entry.get("terms") != stamp:
        return None
    policy, models, reason = entry.get("policy"), entry.get("models"), entry.get("reason")
    if policy not in CANDIDATES or not isinstance(models, list) or not set(models) <= set(terms.models) or not isinstance(reason, str):
        return None
    return Chosen(policy=policy, models=tuple(models), reason=reason)


def _choose(terms: Terms, pools: Mapping[str, Pool], pilot: Sequence[Allocation]) -> Chosen:
    models = [_piloted(model, pool, [a for a in pilot if a.model == model], terms.expected[model]) for model, pool in pools.items()]
    piloted = {a.problem_id for a in pilot}
    question = Question(
        ks=(1,),
        budgets=((terms.amount or 0.0) / len(terms.problem_ids),),
        objective=terms.objective,
        policies=CANDIDATES,
        unit=terms.unit,
        others=tuple(problem for problem in terms.problem_ids if problem not in piloted),
        simulated_only=True,
    )
    solutions = {model: pool.solutions for model, pool in pools.items() if pool.solutions is not None}
    together = DistinctLaw(*_classes(solutions, [a for a in pilot if a.model in solutions]))
    (comparison,) = forecast(models, question, together=together).comparisons
    best = comparison.choices[0]
    silent = [f"{each.pilot.model}: {why}, which settles nothing about it." for each in models if (why := each.pilot.says_nothing)]
    reason = " ".join([recommendation(comparison, terms.objective, terms.unit or "flops"), *silent])
    return Chosen(policy=best.name.partition(" ")[0], models=best.models, reason=reason)


def _piloted(model: str, pool: Pool, pilot: Sequence[Allocation], cost: float) -> Piloted:
    """Return the pilot of a model, for a forecast at the expected cost of a draw."""
    ids = tuple(a.problem_id for a in pilot)
    correct, graded = np.zeros(len(ids), np.int64), np.zeros(len(ids), np.int64)
    for i, allocation in enumerate(pilot):
        for index in range(allocation.first_index, allocation.first_index + allocation.count):
            draw = pool.get(allocation.problem_id, index)
            outcome = draw.verdict.correct if draw is not None and draw.verdict is not None else None
            graded[i] += outcome is not None
            correct[i] += outcome is True
    owner, count = _classes({} if pool.solutions is None else {model: pool.solutions}, pilot)
    found = Pilot(model=model, problem_ids=ids, successes=correct, draws=graded, solution_problem=owner, solution_count=count)
    estimate = Estimate(value=cost, low=cost, high=cost, n=len(ids))
    return Piloted(pilot=found, recorded=None, is_fixed=True, cost=estimate, tokens=None)


def _classes(solutions: Mapping[str, Solutions], pilot: Sequence[Allocation]) -> tuple[np.ndarray, np.ndarray]:
    """Return the problem and the number of draws of each distinct correct solution, int[solutions]; empty without solutions."""
    place = {problem: i for i, problem in enumerate(dict.fromkeys(a.problem_id for a in pilot))}
    found = [
        (place[a.problem_id], digest)
        for a in pilot
        if a.model in solutions
        for index in range(a.first_index, a.first_index + a.count)
        if (digest := solutions[a.model].get(a.problem_id, index))
    ]
    distinct, count = np.unique(np.array(found, np.uint64).reshape(-1, 2), axis=0, return_counts=True)
    return distinct[:, 0].astype(np.int64), count.astype(np.int64)
