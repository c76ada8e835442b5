"""The data half of a run: pilot, sampling with grading, audit, measures, training sets."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from isocost import planning
from isocost.errors import BudgetError
from isocost.executors.local import LocalExecutor
from isocost.grading import Grading
from isocost.ids import digest
from isocost.ledger import Ledger
from isocost.metrics.intervals import proportion
from isocost.planning import DrawCost
from isocost.records import Allocation, Cell, CellPlan, Outcome, Problem, Sample, Unit, Verdict
from isocost.reporting.numbers import budget as say_budget
from isocost.running.cells import Buyer, longest_prompts, pilot_allocations, plan, run_cells, token_means
from isocost.running.events import Listener, Note, StageWatch
from isocost.running.judging import FOLDER, JudgingPool
from isocost.running.pools import Pool
from isocost.running.preparing import Prepared, generators
from isocost.running.status import pool_totals
from isocost.store import RunDirectory

Graded = tuple[Sample, Verdict]
LONGEST_KEY = 100  # characters of a folder's name


@dataclass(frozen=True, slots=True, kw_only=True)
class Bought:
    """What sampling left.

    Attributes:
        problems: The training problems that count.
        excluded: (id, reason) of those that do not.
        plans: What every cell was going to buy.
        drawn: What every cell drew, problems in the study's order.
        pools: Everything a model's pool holds, in the same order.
    """

    problems: tuple[Problem, ...]
    excluded: tuple[tuple[str, str], ...]
    plans: tuple[CellPlan, ...]
    drawn: Mapping[Cell, Sequence[Graded]]
    pools: Mapping[str, Sequence[Graded]]


class _Tally:
    """What the progress line of sampling says: money spent, share of correct answers, failures."""

    def __init__(self, watch: StageWatch, ledger: Ledger) -> None:
        self.watch, self.ledger = watch, ledger
        self.correct = self.judged = self.failed = 0

    def bought(self, samples: list[Sample]) -> None:
        self.failed += sum(s.finish_reason == "error" for s in samples)
        self.watch.advance(len(samples), tokens=sum(s.num_generated_tokens for s in samples))

    def judged_too(self, verdicts: list[Verdict]) -> None:
        self.judged += len(verdicts)
        self.correct += sum(v.outcome is Outcome.CORRECT for v in verdicts)
        share = proportion(self.correct, self.judged)
        if share.value is not None and share.low is not None and share.high is not None:
            interval = f"{100 * share.value:.0f}% [{100 * share.low:.0f}, {100 * share.high:.0f}]"
            spending = self.ledger.spending
            limit = f"/{say_budget(spending.unit, spending.limit)}" if spending.limit else ""
            self.watch.detail = f"{say_budget(spending.unit, spending.spent)}{limit}  correct {interval}  {self.failed} err"


def sample(prepared: Prepared, directory: RunDirectory, executor: LocalExecutor, grading: Grading, listener: Listener) -> Bought:
    """Buy and grade everything that the study's cells ask for; what is stored already is not bought again.

    Raises:
        BudgetError: a budget that buys nothing.
        LimitReachedError: the limit on the bill leaves no room.
        EngineError: an engine could not answer.
    """
    study, models = prepared.study, generators(prepared.study)
    problems = tuple(prepared.problems["train"])
    ids = tuple(p.id for p in problems)
    pools = {name: make_pool(name, prepared, directory, problems, grading) for name in models}
    n_stored, ledger = _open_ledger(prepared, directory, pools, grading)
    pilot = pilot_allocations(prepared, ids, models)
    expected = sum(a.count for a in pilot) if pilot else _planned_draws(_plans(prepared, ids, {}, pilot)[1], len(ids))
    watch = StageWatch(stage="sample", total=max(n_stored, expected), unit="samples", listener=listener, done_before=n_stored)
    tally = _Tally(watch, ledger)
    buyer = Buyer(pools, executor, grading, ledger, bought=tally.bought, judged=tally.judged_too)
    buyer.buy(pilot)
    costs, plans = _plans(prepared, ids, token_means([s for s, _ in buyer.take(pilot)], models), pilot)
    directory.write_json(planning.to_json(plans), "plan.json")
    watch.total = max(watch.done, _planned_draws(plans, len(ids)))
    piloted = {(a.problem_id, a.model): a.count for a in pilot}
    terms = {p.cell: planning.terms_of(p.cell, study, ids, costs, piloted) for p in plans}
    drawn = run_cells(prepared, directory, terms, pilot, buyer, grader_key(grading))
    for pool in pools.values():
        pool.seal()
    watch.total = watch.done
    watch.finish()
    _say_failed(buyer, listener)
    position = {problem_id: i for i, problem_id in enumerate(ids)}
    return Bought(
        problems=problems,
        excluded=tuple((r.id, r.reason) for r in prepared.refused if r.split == "train"),
        plans=plans,
        drawn={cell: _in_order(buyer.take(allocations), position) for cell, allocations in drawn.items()},
        pools={name: _in_order([d for (m, p, _), d in buyer.draws.items() if m == name and p in position], position) for name in models},
    )


def _say_failed(buyer: Buyer, listener: Listener) -> None:
    failed = [s for s, _ in buyer.draws.values() if s.finish_reason == "error"]
    if failed:
        why = "the engine gave no answer, most often because the prompt fills the model's context"
        listener(Note(text=f"{len(failed)} draws failed and are not graded ({failed[0].model}, {failed[0].problem_id}): {why}"))


def _plans(
    prepared: Prepared, ids: tuple[str, ...], means: Mapping[str, tuple[float, float]], pilot: Sequence[Allocation]
) -> tuple[dict[str, DrawCost], tuple[CellPlan, ...]]:
    """What a draw of each model costs, and what every cell is going to buy."""
    models = generators(prepared.study)
    cards = {m: prepared.cards[m] for m in models}
    costs = planning.draw_costs(prepared.study, cards, means, longest_prompts(prepared, models))
    return costs, tuple(plan(prepared, ids, costs, {(a.problem_id, a.model): a.count for a in pilot}))


def grader_key(grading: Grading) -> str:
    """The grader's name and version, as a folder's name: verdicts of different ones are never mixed."""
    key = f"{grading.grader.name}-{grading.grader.version}"
    plain = re.sub(r"[^A-Za-z0-9._+=@-]", "_", key)[:LONGEST_KEY]
    return plain if plain == key and plain.strip(".") else f"{plain}-{digest('grader', key, length=8)}"


def make_pool(name: str, prepared: Prepared, directory: RunDirectory, problems: Sequence[Problem], grading: Grading) -> Pool:
    """The pool of a model under the study's prompt and sampling setting."""
    template = prepared.templates[name]
    return Pool(
        card=prepared.cards[name],
        identity=prepared.identities[name],
        spec=prepared.specs[name],
        params=prepared.study.sampling.params(template.stop),
        template=template,
        study_seed=prepared.study.seed,
        directory=directory,
        problems={p.id: p for p in problems},
        grader=grader_key(grading),
    )


def _open_ledger(prepared: Prepared, directory: RunDirectory, pools: Mapping[str, Pool], grading: Grading) -> tuple[int, Ledger]:
    study = prepared.study
    unit: Unit = study.limit.unit if study.limit else next((b.unit for b in study.budgets.values()), "flops")
    stored = [pool.stored() for pool in pools.values()]
    folders = [*directory.folders("pools"), *directory.folders(FOLDER)]
    spent = [pool_totals(folder)[unit] for folder in folders]  # also what other settings and former models cost
    if study.limit and None in spent:
        raise BudgetError(f"the limit is in {unit}, and what this folder holds was bought at a cost not known in {unit}")
    ledger = Ledger(
        directory.log("ledger.jsonl"),
        unit=unit,
        limit=study.limit.amount if study.limit else None,
        spent=sum(amount or 0.0 for amount in spent),
    )
    answered = {key for pool in pools.values() for key in pool.stored_batches()}
    if isinstance(grading, JudgingPool):
        answered |= grading.stored_batches()
        grading.ledger = ledger
    ledger.settle(answered)
    return sum(n for n, _ in stored), ledger


def _planned_draws(plans: Sequence[CellPlan], n_problems: int) -> int:
    """Draws that the pools will hold: cells of a model share them, so the largest decides."""
    largest: dict[str, float] = {}
    for p in plans:
        for model, each in p.samples_per_problem.items():
            largest[model] = max(largest.get(model, 0.0), each)
    return round(sum(largest.values()) * n_problems)


def _in_order(draws: Sequence[Graded], position: Mapping[str, int]) -> list[Graded]:
    return sorted(draws, key=lambda d: (d[0].model, position[d[0].problem_id], d[0].sample_index))
