"""The data half of a run: settling the ledger, then pilot and sampling with grading."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from isocost import planning
from isocost.config import Study
from isocost.costs.draws import max_cost_of
from isocost.costs.expected import DrawCost, draw_costs
from isocost.costs.price import question_price
from isocost.dispatch.batches.terms import WAITING, BatchTerms
from isocost.errors import LimitReachedError
from isocost.events import Listener, Note, StageWatch
from isocost.executors.base import Executor
from isocost.grading import Grading
from isocost.ids import digest
from isocost.ledger import Answered, Ledger
from isocost.ledger.submissions import FILE as SUBMISSIONS
from isocost.ledger.submissions import Submissions
from isocost.measuring.words import named_unit
from isocost.policies.base import KeptPerProblem
from isocost.preparing.difficulty import note_unlabelled
from isocost.preparing.prepare import Prepared, generators
from isocost.preparing.problemchanges import keep_problems, note_changed_problems, refuse_moved_questions
from isocost.preparing.unrecorded import note_unrecorded
from isocost.records import UNITS, Allocation, Cell, CellPlan, Failed, Problem
from isocost.sampling.batches import cancel_batches, open_dispatcher, settle_batches
from isocost.sampling.cells import CellsRun, Sampler, all_terms, has_begun, longest_prompts, pilot_allocations, plan, run_cells, token_means
from isocost.sampling.doubts import doubt_references, failed_models, note_failures, note_truncations
from isocost.sampling.formerpools import note_former_draws, refuse_renamed
from isocost.sampling.pilottable import keep_pilot
from isocost.sampling.pools import Pool
from isocost.sampling.predictions import Predicted
from isocost.sampling.progress import Progress, last_total
from isocost.sampling.rates import note_mixed_rates
from isocost.sampling.reconciliation import Reconciliation, ReconciliationTerms
from isocost.sampling.solutions import Solutions
from isocost.store import RunDirectory

LONGEST_KEY = 100  # characters; file systems allow 255 bytes for a name


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingOutcome:
    """The outcome of sampling.

    Attributes:
        problems: The training problems, without those left out.
        excluded: (id, reason) of each problem left out.
        plans: The plan of every cell.
        rounds: The draws of every cell by round, its pilot first.
        policies: The policy of every cell, as in `CellsRun`.
        predicted: Forecasts of cells, as in `CellsRun`.
        ledger: The ledger, with all payments.
        failed: The draws that failed, by model that has any.
        doubt: Why the reference answers are probably wrong; "" if nothing suggests it.
        mixed_rates: Models with draws that were charged at other prices or another size than the study has now.
    """

    problems: tuple[Problem, ...]
    excluded: tuple[tuple[str, str], ...]
    plans: tuple[CellPlan, ...]
    rounds: Mapping[Cell, Sequence[Sequence[Allocation]]]
    policies: Mapping[Cell, str]
    predicted: Mapping[Cell, Predicted]
    ledger: Ledger
    failed: Mapping[str, Failed] = field(default_factory=dict)
    doubt: str = ""
    mixed_rates: tuple[str, ...] = ()

    @property
    def allocations(self) -> dict[Cell, list[Allocation]]:
        """The draws of every cell."""
        return {cell: [allocation for one in rounds for allocation in one] for cell, rounds in self.rounds.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """The sampling stage of one start, as `open_sampling` prepares it.

    Attributes:
        prepared: The study.
        directory: Its run directory.
        pools: The pools, by model.
        sampler: Buys draws into the pools.
        pilot: The draws of the pilot; empty without one.
        progress: The progress of the stage.
        listener: Called with notes.
        mixed_rates: As in `SamplingOutcome`.
    """

    prepared: Prepared
    directory: RunDirectory
    pools: dict[str, Pool]
    sampler: Sampler
    pilot: Sequence[Allocation]
    progress: Progress
    listener: Listener
    mixed_rates: tuple[str, ...]


@contextmanager
def open_sampling(
    prepared: Prepared,
    directory: RunDirectory,
    executor: Executor,
    ledger: Ledger,
    grading: Grading,
    listener: Listener,
    *,
    lowered: bool = False,
    again: bool = False,
    batch_terms: BatchTerms = WAITING,
    stopped: Callable[[Mapping[str, Pool]], str] = lambda pools: "",
) -> Iterator[Sampling]:
    """Settle the ledger and load the pools; afterwards write how far the stage came.

    Args:
        prepared: The study.
        directory: Its run directory.
        executor: Executor that runs the engines.
        ledger: The ledger as opened. It is first settled against the stored draws.
        grading: Grades the samples.
        listener: Called with progress and notes.
        lowered: True if the limit is lower than at the last start.
        again: True to buy draws again that are paid and no longer stored, however many.
        batch_terms: What to do with batches at endpoints.
        stopped: Called with the pools when the limit stops the run; returns what it did with their draws, for the message.

    Raises:
        RunDirectoryError: the ledger and the stored draws contradict each other, many questions have other ids, or
            a model has another name.
        StorageError: a file is damaged, or the disk is full.
        LimitReachedError: raised inside, with the number of samples that are saved.
        BatchesOpenError: batches were cancelled, as `batch_terms` say.
    """
    pools = _make_pools(prepared, directory, grading, listener)
    terms = ReconciliationTerms(remote={name: facts.remote for name, facts in prepared.facts.items()}, lowered=lowered, again=again)
    submissions = _settle(ledger, directory, pools, terms, listener)
    _take_changes(prepared, directory, pools, listener)
    _note_unpriced(pools, listener)
    mixed_rates = note_mixed_rates(pools, directory, listener)
    pilot = pilot_allocations(prepared, _ids(prepared), list(pools))
    watch = _watch(prepared, directory, pools, pilot, listener)
    progress = Progress(watch=watch, ledger=ledger, pools=pools, directory=directory, workers=executor.workers)
    for pool in pools.values():
        progress.judged(list(pool.stored.verdicts()))
    batches = open_dispatcher(submissions, directory, executor, ledger, batch_terms, progress)
    sampler = Sampler(pools, executor, grading, ledger, progress, batches)
    try:
        if batch_terms.cancel:
            cancel_batches(submissions, pools, executor, ledger, grading, progress, batches)
        yield Sampling(
            prepared=prepared,
            directory=directory,
            pools=pools,
            sampler=sampler,
            pilot=pilot,
            progress=progress,
            listener=listener,
            mixed_rates=mixed_rates,
        )
    except LimitReachedError as error:
        for pool in pools.values():
            pool.seal()
        raise error.telling(f"{watch.done:,} of {watch.total:,} samples are saved{stopped(pools)}") from error
    finally:
        progress.write()  # `isocost status` then shows how far a stopped run came


def buy_pilot(sampling: Sampling) -> None:
    """Buy and grade the draws of the pilot that are not stored already, and write them as a table of samples.

    Raises:
        LimitReachedError: the next draws do not fit under the limit.
        EngineError: an engine could not answer.
        BatchesOpenError: batches are under way, and are not waited for.
    """
    sampling.sampler.buy(sampling.pilot)
    keep_pilot(sampling.directory, sampling.prepared.study, sampling.pools, sampling.pilot)
    sampling.progress.doubt = _doubt_pilot(sampling.pools, sampling.pilot, sampling.listener)
    if sampling.pilot:  # in time to raise max_tokens
        note_truncations(sampling.progress.truncations(), sampling.listener)


def sample(sampling: Sampling, grading: Grading) -> SamplingOutcome:
    """Buy and grade all draws that the study's cells ask for, without those that are stored already.

    Args:
        sampling: The stage, open.
        grading: Grades the samples.

    Raises:
        BudgetError: a budget buys no draw.
        LimitReachedError: the next draws do not fit under the limit.
        EngineError: an engine could not answer.
        BatchesOpenError: batches are under way, and are not waited for.
    """
    buy_pilot(sampling)
    plans, ran = _buy_cells(sampling, grader_key(grading))
    _conclude(sampling.progress, sampling.pools, sampling.listener)
    return _outcome(sampling, plans, ran)


def _make_pools(prepared: Prepared, directory: RunDirectory, grading: Grading, listener: Listener) -> dict[str, Pool]:
    """Make the pool of each model that is drawn from; note doubtful prices, and problems without the difficulty that an arm needs."""
    problems = prepared.problems["train"]
    pools = {name: make_pool(name, prepared, directory, problems, grading) for name in generators(prepared.study)}
    note_unlabelled(prepared.study, problems, listener)
    note_unrecorded(prepared.available, problems, listener)
    for text in filter(None, map(question_price, prepared.cards.values())):
        listener(Note(text=text))
    return pools


def _outcome(sampling: Sampling, plans: tuple[CellPlan, ...], ran: CellsRun) -> SamplingOutcome:
    """Return the outcome of a stage that is finished."""
    prepared, progress = sampling.prepared, sampling.progress
    return SamplingOutcome(
        problems=tuple(prepared.problems["train"]),
        excluded=tuple((r.id, r.reason) for r in prepared.refused if r.split == "train"),
        plans=plans,
        rounds=ran.rounds,
        policies=ran.policies,
        predicted=ran.predicted,
        ledger=progress.ledger,
        failed=failed_models(progress.pools),
        doubt=progress.doubt,
        mixed_rates=sampling.mixed_rates,
    )


def _ids(prepared: Prepared) -> tuple[str, ...]:
    """Return the ids of the training problems."""
    return tuple(problem.id for problem in prepared.problems["train"])


def _watch(
    prepared: Prepared, directory: RunDirectory, pools: Mapping[str, Pool], pilot: Sequence[Allocation], listener: Listener
) -> StageWatch:
    """Return the watch of the stage: it expects what the last start did, else the pilot's draws, or without a pilot those of the plan."""
    stored = sum(pool.stored.count() for pool in pools.values())
    ids = _ids(prepared)
    expected = sum(a.count for a in pilot) if pilot else _planned_draws(_plans(prepared, ids, {}, pilot, directory)[1], len(ids))
    total = max(stored, expected, last_total(directory))
    return StageWatch(stage="sample", total=total, unit="samples", listener=listener, done_before=stored)


def _buy_cells(sampling: Sampling, grader: str) -> tuple[tuple[CellPlan, ...], CellsRun]:
    """Plan every cell from what the pilot has measured, and buy the cells' draws; return the plans and the rounds."""
    prepared, directory, pilot, progress = sampling.prepared, sampling.directory, sampling.pilot, sampling.progress
    ids, sampler = _ids(prepared), sampling.sampler
    means = token_means((model, draw) for model, _, _, draw in sampler.iter_draws(pilot))
    costs, plans = _plans(prepared, ids, means, pilot, directory)
    directory.write_json(planning.to_json(plans), "plan.json")
    # The plan is now made from tokens that the pilot has measured.
    progress.watch.total = max(progress.watch.done, _planned_draws(plans, len(ids)))
    progress.budgets = {p.cell: (p.unit, p.amount) for p in plans if p.unit is not None and p.amount is not None}
    cells = all_terms(prepared, ids, costs, {(a.problem_id, a.model): a.count for a in pilot})
    return plans, run_cells(prepared, directory, plans, cells, pilot, sampler, grader, progress.wants, sampling.listener)


def _conclude(progress: Progress, pools: Mapping[str, Pool], listener: Listener) -> None:
    """Seal the pools, finish the stage, and note what is doubtful about all that was bought."""
    for pool in pools.values():
        pool.seal()
    progress.watch.total = progress.watch.done
    progress.watch.finish()
    earlier, progress.doubt = progress.doubt, doubt_references(pools)
    if progress.doubt and not earlier:
        listener(Note(text=progress.doubt, loud=True))
    note_failures(pools, listener)
    note_truncations(progress.truncations(), listener)
    progress.write()


def _note_unpriced(pools: Mapping[str, Pool], listener: Listener) -> None:
    """Note the models whose price or size was given after some of their draws were bought: these keep the cost that they had then."""
    for name, pool in pools.items():
        now = max_cost_of(pool.card, prompt_tokens=0, generated_tokens=1)
        units = [unit for unit in UNITS if now.amount(unit) is not None and not pool.stored.knows_costs(unit)]
        if units:
            listed = " and ".join(named_unit(unit) for unit in units)
            text = f"{name}: draws that were bought before its cost in {listed} was known stay without one, so the run's bill lacks them"
            listener(Note(text=f"{text}\n  a new run directory counts all: isocost run STUDY -o DIR"))


def _doubt_pilot(pools: Mapping[str, Pool], pilot: Sequence[Allocation], listener: Listener) -> str:
    """Warn of references and models that the pilot casts doubt on, before the rest is bought; return the doubt about references."""
    has_more = sum(pool.stored.count() for pool in pools.values()) > sum(each.count for each in pilot)
    doubt = doubt_references(pools, None if has_more else pilot) if pilot else ""
    if doubt:
        listener(Note(text=f"{doubt}. Samples are graded again at no cost once the references are corrected", loud=True))
    for model, each in failed_models(pools).items() if pilot else ():
        if each.prevents:
            listener(Note(text=f"{each.warning(model)}: it will not be compared with other models", loud=True))
    return doubt


def _take_changes(prepared: Prepared, directory: RunDirectory, pools: Mapping[str, Pool], listener: Listener) -> None:
    """Note what has changed in the problems since the last start, and record them as they are now."""
    refuse_renamed(pools, directory)
    note_former_draws(pools, directory, listener)
    stale = sum((pool.stored.stale for pool in pools.values()), Counter[str]())
    # Refused before the new digests are written: otherwise the next start would find nothing changed, and buy the draws again.
    refuse_moved_questions(prepared.changes, stale, directory.path)
    note_changed_problems(prepared.changes, stale, listener)
    keep_problems(directory, prepared.problems)


def _plans(
    prepared: Prepared,
    ids: tuple[str, ...],
    means: Mapping[str, tuple[float, float]],
    pilot: Sequence[Allocation],
    directory: RunDirectory,
) -> tuple[dict[str, DrawCost], tuple[CellPlan, ...]]:
    """Return the cost of a draw of each model, and the plan of every cell."""
    models = generators(prepared.study)
    cards = {m: prepared.cards[m] for m in models}
    costs = draw_costs(prepared.study, cards, means, longest_prompts(prepared, models), prepared.shares)
    piloted = {(a.problem_id, a.model): a.count for a in pilot}
    # Earlier versions planned one reading of a prompt per problem. A run that began so keeps its rounds: others would buy other draws.
    earlier = {name: replace(each, per_request=None) for name, each in costs.items()}
    now, before = (all_terms(prepared, ids, each, piloted) for each in (costs, earlier))
    changed = [cell for cell in now if now[cell] != before[cell]]
    began_now, began_before = (has_begun(prepared, directory, {cell: of[cell] for cell in changed}) for of in (now, before))
    if began_before and not began_now:
        costs = earlier
    return costs, tuple(plan(prepared, ids, costs, piloted))


def grader_key(grading: Grading) -> str:
    """Return a folder name made from the grader's name and version, so that verdicts of different graders are never mixed."""
    key = f"{grading.grader.name}-{grading.grader.version}"
    # A user's grader may have any name. Where replacing characters makes two names equal, the digest tells them apart.
    plain = re.sub(r"[^A-Za-z0-9._+=@-]", "_", key)[:LONGEST_KEY]
    return plain if plain == key and plain.strip(".") else f"{plain}-{digest('grader', key, length=8)}"


def make_pool(name: str, prepared: Prepared, directory: RunDirectory, problems: Sequence[Problem], grading: Grading) -> Pool:
    """Make the pool of a model under the study's prompt and sampling parameters."""
    template = prepared.templates[name]
    return Pool(
        card=prepared.cards[name],
        facts=prepared.facts[name],
        spec=prepared.specs[name],
        params=prepared.study.sampling_of(name).params(template.reply_stop),
        template=template,
        study_seed=prepared.study.seed,
        directory=directory,
        problems={p.id: p for p in problems},
        grader=grader_key(grading),
        is_batched=prepared.study.models[name].is_batched,
        reasoning=own.delimiters() if (own := prepared.study.models[name].reasoning) else None,
        solutions=Solutions.of(prepared.study, directory) if name in _counted_by_solution(prepared.study) else None,
    )


def _counted_by_solution(study: Study) -> set[str]:
    """Return the models of the arms whose policy makes the most of distinct solutions; with a pilot all, as it predicts kept solutions."""
    if study.pilot is not None:
        return set(generators(study))
    wanted = {name for name, arm in study.arms.items() if isinstance(planning.objective_of(name, arm, study), KeptPerProblem)}
    return {model for name in wanted for model in study.arms[name].models}


def _settle(
    ledger: Ledger, directory: RunDirectory, pools: Mapping[str, Pool], terms: ReconciliationTerms, listener: Listener
) -> Submissions:
    """Load the pools, compare the ledger with all stored batches, and close the reservations that a kill left open.

    Returns:
        The submissions of batches. Reservations of those that may be under way stay open.
    """
    submissions = Submissions(directory.log(SUBMISSIONS))
    unanswered, reconciliation = ledger.unanswered(), Reconciliation(ledger, directory)
    # The order matters: other logs are read once the study's own pools are known, and the ledger is settled when it is known complete.
    stored: dict[str, Answered] = {}
    for pool in pools.values():
        stored |= pool.load(unanswered, reconciliation.compare_place(("data", pool.card.name, pool.id)))
    stored |= reconciliation.read_others()
    reconciliation.settle(terms, listener)
    settle_batches(submissions, ledger, stored, pools, directory)
    return submissions


def _planned_draws(plans: Sequence[CellPlan], n_problems: int) -> int:
    """Return the number of draws that the pools will hold. Cells of one model share draws, so the largest cell decides."""
    largest: dict[str, float] = {}
    for p in plans:
        for model, each in p.samples_per_problem.items():
            largest[model] = max(largest.get(model, 0.0), each)
    return round(sum(largest.values()) * n_problems)
