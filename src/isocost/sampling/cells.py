"""The cells of a run: their policies, their recorded rounds, and the draws that each of them took."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count

from isocost.costs.expected import DrawCost
from isocost.dispatch.batches.dispatcher import BatchDispatcher
from isocost.dispatch.draws import Draw
from isocost.events import Listener
from isocost.executors.base import Executor
from isocost.grading import Grading
from isocost.ids import digest, digested, seeded_choice
from isocost.ledger import Ledger
from isocost.planning import cells, in_unit, plan_cell, plan_open_cell, terms_of
from isocost.policies import AUTO, FIXED, load_policy
from isocost.policies.base import KeptPerProblem, Observation, Policy, Terms
from isocost.preparing.difficulty import difficulty_labels
from isocost.preparing.prepare import Prepared
from isocost.records import Allocation, Cell, CellPlan
from isocost.sampling.choosing import choose, recorded_choice
from isocost.sampling.loop import buy
from isocost.sampling.pools import Pool
from isocost.sampling.predictions import Predicted, predict_cells, store, stored
from isocost.sampling.progress import Progress
from isocost.sampling.rounds import missing_allocations, required_draws, sample
from isocost.sampling.solutions import Novelty, rounds_log
from isocost.sampling.verdicts import FAILED
from isocost.store import Log, RunDirectory


def plan(
    prepared: Prepared, problem_ids: tuple[str, ...], costs: Mapping[str, DrawCost], piloted: Mapping[tuple[str, str], int]
) -> list[CellPlan]:
    """Plan the purchases of every cell.

    Args:
        prepared: The study.
        problem_ids: Ids of the training problems.
        costs: Cost of a draw, by model.
        piloted: Draws in the pilot, by problem id and model.

    Raises:
        BudgetError: a budget buys no draw, or a cost is unknown.
    """
    plans = []
    for cell, terms in all_terms(prepared, problem_ids, costs, piloted).items():
        name = prepared.study.arms[cell.arm].policy
        # The most that a run can draw is the same for every policy that it can choose.
        policy = load_policy("adaptive" if name == AUTO else name, terms)
        is_open = name not in FIXED and terms.amount is not None
        plans.append(plan_open_cell(cell, terms, policy) if is_open else plan_cell(cell, terms, costs, policy))
    return plans


def all_terms(
    prepared: Prepared, problem_ids: tuple[str, ...], costs: Mapping[str, DrawCost], piloted: Mapping[tuple[str, str], int]
) -> dict[Cell, Terms]:
    """Return the terms of every cell. The arguments and errors are those of `plan`."""
    study, problems = prepared.study, prepared.problems["train"]
    labels = {arm: difficulty_labels(spec.difficulty, problems) for arm, spec in study.arms.items()}
    # A problem that a table lacks has no sample in it, so every problem of a replayed model gets an entry.
    available = {(p, model): counts.get(p, 0) for model, counts in prepared.available.items() for p in problem_ids}
    return {cell: terms_of(cell, study, problem_ids, costs, piloted, labels=labels[cell.arm], available=available) for cell in cells(study)}


def longest_prompts(prepared: Prepared, models: Sequence[str]) -> dict[str, int]:
    """Return an upper bound on the tokens of any prompt, by model. It is made from text lengths, so that no engine is opened."""
    questions = [p.question for p in prepared.problems["train"]]
    return {m: max(prepared.templates[m].most_tokens(q) for q in questions) for m in models}


def pilot_allocations(prepared: Prepared, problem_ids: tuple[str, ...], models: Sequence[str]) -> list[Allocation]:
    """Return the draws of the study's pilot: the same problems, chosen by the study's seed, for every model."""
    pilot = prepared.study.pilot
    if pilot is None:
        return []
    chosen = seeded_choice("pilot", prepared.study.seed, problem_ids, pilot.problems)
    return [Allocation(problem_id=p, model=model, first_index=0, count=pilot.samples_per_problem) for model in models for p in chosen]


def token_means(draws: Iterable[tuple[str, Draw]]) -> dict[str, tuple[float, float]]:
    """Return the mean (prompt tokens, generated tokens) per draw, by model, without models that have no draw."""
    sums: dict[str, tuple[int, int, int]] = {}
    for model, draw in draws:
        n, prompt, generated = sums.get(model, (0, 0, 0))
        sums[model] = (n + 1, prompt + draw.num_prompt_tokens, generated + draw.num_generated_tokens)
    return {model: (prompt / n, generated / n) for model, (n, prompt, generated) in sums.items()}


class Sampler:
    """Buy the draws that cells propose, and look up their results in the pools."""

    def __init__(
        self,
        pools: Mapping[str, Pool],
        executor: Executor,
        grading: Grading,
        ledger: Ledger,
        listener: Progress,
        batches: BatchDispatcher | None = None,
    ) -> None:
        self.pools, self._batches = pools, batches
        self._executor, self._grading, self._ledger, self._listener = executor, grading, ledger, listener

    def buy(self, allocations: Sequence[Allocation], *, spread: bool = False) -> None:
        """Complete the pools so that they hold all these draws, with verdicts. The arguments are those of `Pool.order`."""
        for model, missing in missing_allocations(allocations, lambda model, problem: self.pools[model].bought(problem)).items():
            self.pools[model].order(missing, self._executor, spread=spread)
        models = {a.model for a in allocations}
        concerned = [pool for name, pool in self.pools.items() if name in models]
        buy(concerned, required_draws(allocations), self._executor, self._grading, self._ledger, self._listener, self._batches)

    def iter_draws(self, allocations: Iterable[Allocation]) -> Iterator[tuple[str, str, int, Draw]]:
        """Yield (model, problem id, sample index, draw) for the draws of allocations, in their order."""
        for a in allocations:
            for index in range(a.first_index, a.first_index + a.count):
                if draw := self.pools[a.model].get(a.problem_id, index):
                    yield a.model, a.problem_id, index, draw


@dataclass(frozen=True, slots=True, kw_only=True)
class CellsRun:
    """Draws and policies of the cells.

    Attributes:
        rounds: All draws of each cell by round; the first entry is its pilot, empty without one.
        policies: Name of each cell's policy; of `policy: auto` the one that was chosen, with its models.
        predicted: What was predicted of each cell from the pilot before anything else of it was bought, if there was a pilot.
    """

    rounds: Mapping[Cell, Sequence[Sequence[Allocation]]]
    policies: Mapping[Cell, str]
    predicted: Mapping[Cell, Predicted]


def run_cells(
    prepared: Prepared,
    directory: RunDirectory,
    plans: Sequence[CellPlan],
    terms: Mapping[Cell, Terms],
    pilot: Sequence[Allocation],
    sampler: Sampler,
    grader: str,
    wants: Callable[[Cell, Sequence[Allocation]], None],
    listener: Listener,
) -> CellsRun:
    """Run all policies. Rounds that an earlier start recorded under the same terms are replayed as recorded.

    Args:
        prepared: The study.
        directory: Its run directory.
        plans: The plan of each cell, made with the pilot's lengths.
        terms: Terms of each cell, with the amount that it may spend.
        pilot: The draws of the pilot.
        sampler: Buys the draws that cells propose.
        grader: Name and version of the grader, for the record of each round.
        wants: Called with the draws that a cell asks for, before they are bought.
        listener: Called with a note for each choice that is made.
    """
    policies, names, chosen = _open_policies(prepared, directory, terms, pilot, sampler, listener)
    kept = {cell: own.models for cell, own in terms.items() if isinstance(own.objective, KeptPerProblem)}
    novelty = {cell: Novelty({model: sampler.pools[model] for model in models}) for cell, models in kept.items()}
    compared = (pool.solutions.reasoning for pool in sampler.pools.values() if pool.solutions is not None)
    rounds = _Rounds(directory, terms, names, grader, wants, next(compared, None))

    def observe(cell: Cell, allocations: list[Allocation]) -> Iterator[Observation]:
        unit = terms[cell].unit
        for model, problem_id, index, draw in sampler.iter_draws(allocations):
            cost = in_unit(draw.cost, unit, model) if unit else 0.0
            verdict = draw.verdict or FAILED
            new = not verdict.correct or cell not in novelty or novelty[cell].is_new(model, problem_id, index)
            yield Observation(problem_id=problem_id, model=model, sample_index=index, verdict=verdict, cost=cost, new=new)

    unbegun = {cell: own for cell, own in terms.items() if not rounds.has_begun(cell)}
    _predict(prepared, directory, plans, unbegun, sampler.pools, pilot, chosen)
    piloted = {cell: [a for a in pilot if (a.problem_id, a.model) in terms[cell].piloted] for cell in terms}
    for cell, allocations in piloted.items():
        wants(cell, allocations)
    # Without a policy that observes there is one round, whose draws must not depend on the machine; with one there are many small ones.
    observing = any(prepared.study.arms[cell.arm].policy not in FIXED for cell in terms)
    buy_round = partial(sampler.buy, spread=observing)
    sample(policies, piloted, recorded=rounds.recorded, record=rounds.record, buy=buy_round, observe=observe)
    return CellsRun(
        rounds={cell: [piloted[cell], *rounds.consecutive(cell)] for cell in terms},
        policies=names,
        predicted=_predicted(prepared, directory, terms),
    )


def has_begun(prepared: Prepared, directory: RunDirectory, terms: Mapping[Cell, Terms]) -> bool:
    """Return True if a cell has a round, or a choice of its policy, that was recorded under these terms."""
    return any(_has_begun(prepared.study.arms[cell.arm].policy, directory, cell, own) for cell, own in terms.items())


def _has_begun(policy: str, directory: RunDirectory, cell: Cell, terms: Terms) -> bool:
    if policy == AUTO:
        return recorded_choice(cell, terms, _stamp(terms, AUTO), directory) is not None
    stamp = _stamp(terms, policy)
    return any(entry["terms"] == stamp for entry in rounds_log(directory, cell).entries())


class _Rounds:
    """The recorded rounds of the cells, and those that this start adds.

    A round counts only under the terms that it was proposed under: another budget or set of problems proposes others.
    """

    def __init__(
        self,
        directory: RunDirectory,
        terms: Mapping[Cell, Terms],
        names: Mapping[Cell, str],
        grader: str,
        wants: Callable[[Cell, Sequence[Allocation]], None],
        reasoning: str | None,
    ) -> None:
        self._wants, self._facts = wants, {"grader": grader, **({} if reasoning is None else {"reasoning": reasoning})}
        self._logs = {cell: rounds_log(directory, cell) for cell in terms}
        self._stamps = {cell: _stamp(own, names[cell]) for cell, own in terms.items()}
        self._rounds = {
            (cell, number): allocations
            for cell, own in terms.items()
            for number, allocations in _recorded(self._logs[cell], own, self._stamps[cell])
        }

    def has_begun(self, cell: Cell) -> bool:
        """Return True if a cell has a round."""
        return (cell, 0) in self._rounds

    def recorded(self, cell: Cell, number: int) -> list[Allocation] | None:
        """Return the allocations of a recorded round, or None."""
        earlier = self._rounds.get((cell, number))
        self._wants(cell, earlier or ())
        return earlier

    def record(self, cell: Cell, number: int, allocations: list[Allocation]) -> None:
        """Write a new round down."""
        self._wants(cell, allocations)
        self._rounds[cell, number] = allocations
        self._logs[cell].append(
            {
                "round": number,
                "terms": self._stamps[cell],
                **self._facts,
                "allocations": [[a.problem_id, a.model, a.first_index, a.count] for a in allocations],
            }
        )

    def consecutive(self, cell: Cell) -> Iterator[list[Allocation]]:
        """Yield the rounds of a cell, which is done at the first number without one."""
        for number in count():
            if (cell, number) not in self._rounds:
                return
            yield self._rounds[cell, number]


def _predict(
    prepared: Prepared,
    directory: RunDirectory,
    plans: Sequence[CellPlan],
    terms: Mapping[Cell, Terms],
    pools: Mapping[str, Pool],
    pilot: Sequence[Allocation],
    chosen: Mapping[Cell, Predicted],
) -> None:
    """Store forecasts of the cells that have none.

    Args:
        prepared: The study.
        directory: Its run directory.
        plans: The plan of each cell.
        terms: The terms of cells of which nothing is recorded yet. A forecast after the fact would be none.
        pools: The pools, by model.
        pilot: The draws of the pilot.
        chosen: What is predicted for the choices of `policy: auto` that were made now.
    """
    arms = prepared.study.arms
    for cell, predicted in chosen.items():
        if cell in terms:
            store(predicted, directory, cell, _forecast_stamp(prepared, cell, terms[cell]))
    open_cells = {cell: own for cell, own in terms.items() if pilot and arms[cell.arm].policy != AUTO}
    missing = {cell: own for cell, own in open_cells.items() if stored(directory, cell, _forecast_stamp(prepared, cell, own)) is None}
    for cell, predicted in predict_cells(arms, plans, missing, pools, pilot, prepared.study.curate_of):
        if predicted:
            store(predicted, directory, cell, _forecast_stamp(prepared, cell, terms[cell]))


def _predicted(prepared: Prepared, directory: RunDirectory, terms: Mapping[Cell, Terms]) -> dict[Cell, Predicted]:
    """Return the forecasts of the cells that have one."""
    found = {cell: stored(directory, cell, _forecast_stamp(prepared, cell, own)) for cell, own in terms.items()}
    return {cell: predicted for cell, predicted in found.items() if predicted}


def _forecast_stamp(prepared: Prepared, cell: Cell, terms: Terms) -> str:
    """Return a digest of what a forecast is of: another cap on kept solutions would be another measure."""
    study, curate = prepared.study, prepared.study.curate_of(cell.arm)
    return digest("forecast", _terms_fields(terms), study.arms[cell.arm].policy, curate.per_problem, curate.distinct)


def _open_policies(
    prepared: Prepared,
    directory: RunDirectory,
    terms: Mapping[Cell, Terms],
    pilot: Sequence[Allocation],
    sampler: Sampler,
    listener: Listener,
) -> tuple[dict[Cell, Policy], dict[Cell, str], dict[Cell, Predicted]]:
    """Return a fresh policy for each cell, its name, and what is predicted for the choices of `policy: auto` that are made here."""
    policies: dict[Cell, Policy] = {}
    names: dict[Cell, str] = {}
    made: dict[Cell, Predicted] = {}
    for cell, own in terms.items():
        names[cell] = prepared.study.arms[cell.arm].policy
        if names[cell] == AUTO:
            stamp, kept = _stamp(own, AUTO), prepared.study.curate_of(cell.arm).per_problem
            chosen, predicted = choose(cell, own, stamp, sampler.pools, pilot, kept, directory, listener)
            if predicted:
                made[cell] = predicted
            names[cell], policies[cell] = chosen.name, chosen.open(own)
        else:
            policies[cell] = load_policy(names[cell], own)
    return policies, names, made


def _stamp(terms: Terms, policy: str) -> str:
    return digest("terms", _terms_fields(terms), policy)


def _recorded(log: Log, terms: Terms, stamp: str) -> Iterator[tuple[int, list[Allocation]]]:
    """Yield the number and the allocations of each round that a log holds under these terms.

    Raises:
        StorageError: a line is damaged, or names a problem or model that is not in the terms.
    """
    problems, models = set(terms.problem_ids), set(terms.models)
    for line, entry in enumerate(log.entries(), start=1):
        if entry["terms"] != stamp:
            continue
        for problem_id, model, _, _ in entry["allocations"]:
            if problem_id not in problems or model not in models:
                kind, name = ("model", model) if model not in models else ("problem", problem_id)
                raise log.damaged(line, f"allocates draws to the {kind} {name[:40]!r}, which its terms do not have")
        yield entry["round"], [Allocation(problem_id=p, model=m, first_index=f, count=c) for p, m, f, c in entry["allocations"]]


# What each digest of terms covers, in this order. Fields that `Terms` gained later join it only if they are not at their default, so that
# the rounds of earlier versions are still found.
_DIGESTED_FIRST = (
    "problem_ids", "models", "amount", "unit", "basis", "expected", "worst", "samples_per_problem", "seed", "piloted", "prompt",
)  # fmt: skip


def _terms_fields(terms: Terms) -> list[object]:
    values = digested(terms)
    del values["available"]  # a longer table adds rounds to those that are recorded
    for name, value in values.items():
        if isinstance(value, Mapping):
            # Keys of pairs are no keys of JSON.
            values[name] = sorted((list(key), n) for key, n in value.items()) if name == "piloted" else dict(value)
    first: list[object] = [values.pop(name) for name in _DIGESTED_FIRST]
    return [*first, values] if values else first
