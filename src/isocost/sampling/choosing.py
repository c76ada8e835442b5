"""Choose the policy of an arm with `policy: auto` from its pilot, and record the choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from isocost.events import Listener, Note
from isocost.forecasting import Question, forecast
from isocost.policies.base import Terms
from isocost.policies.continued import Continued
from isocost.predicting.verdict import recommendation
from isocost.records import Allocation, Cell, Estimate
from isocost.sampling.pilots import law_of_all, read_piloted
from isocost.sampling.pools import Pool
from isocost.sampling.predictions import Predicted, also_measured, of_choice, predicted_cost
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
    kept_solutions: int | None,
    directory: RunDirectory,
    listener: Listener,
) -> tuple[Chosen, Predicted | None]:
    """Return the recorded choice of a cell; without one choose by forecast, note the choice and record it, and return what is predicted.

    Args:
        cell: The cell.
        terms: Its terms.
        stamp: Digest of the terms. A choice holds for the terms that it was made under.
        pools: The pools, by model. They hold the pilot, graded.
        pilot: The draws of the pilot.
        kept_solutions: The largest number of solutions kept per problem; None for no cap.
        directory: The run directory.
        listener: Called with the note.

    Raises:
        BudgetError: the budget does not pay for the pilot.
    """
    kept = recorded_choice(cell, terms, stamp, directory)
    if kept is not None:
        return kept, None
    chosen, predicted = _choose(terms, {model: pools[model] for model in terms.models}, pilot, kept_solutions)
    listener(Note(text=f"{cell.name}: auto chose the policy {chosen.policy} from {' and '.join(chosen.models)}. {chosen.reason}"))
    entry = {"policy": chosen.policy, "models": list(chosen.models), "reason": chosen.reason, "terms": stamp}
    directory.write_json(entry, "arms", cell.name, FILE)
    return chosen, predicted


def recorded_choice(cell: Cell, terms: Terms, stamp: str, directory: RunDirectory) -> Chosen | None:
    """Return a recorded choice; None if it is of other terms, missing or damaged: it can be made again from the pilot."""
    entry = directory.read_derived("arms", cell.name, FILE)
    if entry is None or entry.get("terms") != stamp:
        return None
    policy, models, reason = entry.get("policy"), entry.get("models"), entry.get("reason")
    if policy not in CANDIDATES or not isinstance(models, list) or not set(models) <= set(terms.models) or not isinstance(reason, str):
        return None
    return Chosen(policy=policy, models=tuple(models), reason=reason)


def _choose(terms: Terms, pools: Mapping[str, Pool], pilot: Sequence[Allocation], kept: int | None) -> tuple[Chosen, dict[str, Estimate]]:
    """Return the choice, and what is predicted for it.

    With false positive rates the choice is the best by sound solutions; predicted are correct ones, which the run will measure.
    """
    models = read_piloted(pools, pilot, terms)
    piloted = {a.problem_id for a in pilot}
    counted = all(pool.solutions is not None for pool in pools.values())
    question = Question(
        ks=(1,),
        budgets=((terms.amount or 0.0) / len(terms.problem_ids),),
        objective=terms.objective,
        policies=CANDIDATES,
        unit=terms.unit,
        also=tuple(also_measured(terms, kept if counted else None)),
        others=tuple(problem for problem in terms.problem_ids if problem not in piloted),
        labels=terms.labels,
        available=terms.available,
        false_positive_rates=terms.false_positive_rates,
        simulated_only=True,
    )
    (comparison,) = forecast(models, question, together=law_of_all(pools, pilot)).comparisons
    best = comparison.choices[0]
    silent = [f"{each.pilot.model}: {why}, which settles nothing about it." for each in models if (why := each.pilot.says_nothing)]
    reason = " ".join([recommendation(comparison, question, terms.unit or "flops"), *silent])
    chosen = Chosen(policy=best.name.partition(" ")[0], models=best.models, reason=reason)
    return chosen, {**of_choice(comparison, best, terms.objective, kept), **predicted_cost(best.draws, best.readings, terms, pools, pilot)}
