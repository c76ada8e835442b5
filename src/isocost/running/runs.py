"""Run, plan and rehearse studies: the public functions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from isocost.config import ExecutorSpec, Study
from isocost.costs.expected import DrawCost
from isocost.dispatch.batches.terms import WAITING, BatchTerms
from isocost.errors import InputError, RunError, StudyError
from isocost.events import Listener, Note
from isocost.executors.base import Executor
from isocost.executors.engineworker import ask, count_available, describe, render
from isocost.executors.local import LocalExecutor
from isocost.executors.training import try_student
from isocost.grading import Grading, GradingPool
from isocost.judging.pool import JudgingPool
from isocost.ledger import Ledger
from isocost.nearest import did_you_mean
from isocost.paths import shell_word
from isocost.preparing import gold
from isocost.preparing.changes import note_changes, read_last_study
from isocost.preparing.executing import ExecutorChoice, largest_model, make_executor
from isocost.preparing.facts import cache_available, cache_facts
from isocost.preparing.parts import known_parts
from isocost.preparing.prepare import Prepared, own_parts, prepare
from isocost.preparing.problemchanges import compare_problems
from isocost.records import CellPlan
from isocost.running.contact import Contact, Tell, contact_endpoints
from isocost.running.finished import Finished
from isocost.running.folders import (
    base_of,
    chat_date_of,
    check_same_study,
    keep_study,
    manifest,
    refuse_change,
    refuse_foreign_study,
    refuse_run,
    resolved,
)
from isocost.running.leftovers import mark_leftovers
from isocost.running.limits import is_lowered, open_ledger
from isocost.running.plans import count_recorded, pilot_of, plan_prepared
from isocost.running.rounds import note_first_round, run_rounds
from isocost.running.stages import LAST_STAGES, STAGES, StudyRun
from isocost.running.starts import Start, resume_command
from isocost.running.unchanged import ReportedRun, report_run
from isocost.sampling.formerpools import note_draws_that_would_not_count
from isocost.store import PILOT, RunDirectory
from isocost.store.unstudied import no_study
from isocost.studyfile import load_study, placed
from isocost.summaries.choices import ChoiceForecast, forecast_choices, token_lengths
from isocost.summaries.pilots import warn_of_small_budgets
from isocost.summaries.plans import first_prompts


def run(
    study: Path,
    out: Path | None = None,
    *,
    settings: Sequence[str] = (),
    until: str = "report",
    force: bool = False,
    strict: bool = False,
    executor: ExecutorChoice | None = None,
    batch_terms: BatchTerms = WAITING,
    listener: Listener = lambda event: None,
) -> Finished:
    """Run a study, or resume it.

    Args:
        study: The study file.
        out: The run directory; default `runs/NAME` in the working directory.
        settings: `key.key=value` settings that override the study file.
        until: The last stage to run, one of `LAST_STAGES`; `pilot` buys the pilot alone.
        force: Do that stage again. `grade` discards the grader's verdicts first, `finetune` models and evaluations, `evaluate`
            evaluations. `sample` buys only samples whose files are missing; `audit` repeats only a judge's failed calls. Other stages
            are repeated at every start, unless nothing has changed since the last report: then `report` repeats them.
        strict: Refuse a study with a problem whose own reference answer the grader does not accept, rather than leave it out.
        executor: Overrides the study file's executor for this start.
        batch_terms: What to do with batches at endpoints.
        listener: Called with progress and notes.

    Raises:
        InputError: the study, its problems, models or budgets cannot be used, or there is no such stage; nothing was spent.
        RunError: the run failed; bought samples are kept, and the same call resumes the run.
        BatchesOpenError: no failure: batches were left under way or cancelled, as `batch_terms` say.
    """
    _refuse_unknown(until, LAST_STAGES)
    refuse_run(study)
    checked = load_study(study, settings, known_parts())
    if until == "pilot" and checked.pilot is None:
        raise InputError(f"{study}: it has no pilot to buy", advice="add one: pilot: {problems: 50, samples_per_problem: 2}")
    where = executor.apply_to(checked.executor) if executor else checked.executor
    directory_path = out or Path("runs") / checked.name
    again = resume_command(study, directory_path, until, settings=settings, strict=strict, executor=executor)
    base = study.resolve().parent
    with RunDirectory(directory_path) as directory, _locate_mistakes(study, settings):
        # Before Start, which would overwrite the record of the run that a refused folder holds.
        check_same_study(directory, checked)
        refuse_foreign_study(directory)
        refuse_change(directory, resolved(checked, base))
        note_changes(directory.read_text("study.yaml"), resolved(checked, base), listener)
        with Start(directory, again) as start:
            how = _Options(until=until, force=force, strict=strict, batch_terms=batch_terms, listener=listener)
            return _run_all(checked, base, directory, where, start, again, how)


def _refuse_unknown(stage: str, known: Sequence[str]) -> None:
    if stage not in known:
        raise InputError(f'no stage "{stage}"', advice=did_you_mean(stage, known) or f"stages: {', '.join(known)}")


def run_stage(
    directory_path: Path,
    stage: str,
    *,
    settings: Sequence[str] = (),
    force: bool = False,
    strict: bool = False,
    executor: ExecutorChoice | None = None,
    batch_terms: BatchTerms = WAITING,
    listener: Listener = lambda event: None,
) -> Finished:
    """Run a stage of a run directory again, from the stored data; what it needs from earlier stages is completed first.

    Args:
        directory_path: The run directory.
        stage: One of `STAGES`.
        settings: As for `run`. They also hold for later stages: study.yaml of the directory is written with them.
        force: As for `run`.
        strict: As for `run`.
        executor: As for `run`.
        batch_terms: As for `run`.
        listener: Called with progress and notes.

    Raises:
        RunDirectoryError: the folder is not a run directory.
        InputError: As for `run`.
        RunError: As for `run`.
    """
    _refuse_unknown(stage, STAGES)
    if not (directory_path / "study.yaml").exists():
        raise no_study(directory_path, f"start one: isocost run STUDY.yaml -o {shell_word(directory_path)}")
    with RunDirectory(directory_path) as directory:
        read_last_study(directory)  # raises on a damaged file with the remedy; load_study would report YAML errors only
        base = base_of(directory)
        study = load_study(directory_path / "study.yaml", settings, known_parts())
        check_same_study(directory, study)
        refuse_change(directory, resolved(study, base))
        note_changes(directory.read_text("study.yaml"), resolved(study, base), listener)
        where = executor.apply_to(study.executor) if executor else study.executor
        again = resume_command(None, directory_path, stage, settings=settings, strict=strict, executor=executor)
        with _locate_mistakes(directory_path / "study.yaml", settings), Start(directory, again) as start:
            how = _Options(until=stage, force=force, strict=strict, batch_terms=batch_terms, listener=listener)
            return _run_all(study, base, directory, where, start, again, how)


def plan_study(
    study: Path, settings: Sequence[str] = (), listener: Listener = lambda event: None
) -> tuple[Prepared, dict[str, DrawCost], list[CellPlan]]:
    """Compute the samples that each budget buys, without spending or writing anything.

    Models are opened only if the study file leaves out their size. Problems whose reference answer the grader refuses are left out, as in a
    run.

    Args:
        study: The study file.
        settings: As for `run`.
        listener: Called with notes.

    Returns:
        The prepared study, the cost per draw by model, and the plan of every cell. If lengths are to be measured by a pilot, costs are the
        largest ones, and counts that follow from the pilot are left out.

    Raises:
        InputError: the study cannot be used.
    """
    with _prepare_without_run(study, settings, listener, to_spend=False) as (prepared, _):
        return plan_prepared(prepared)


def plan_from_pilot(
    study: Path,
    settings: Sequence[str] = (),
    *,
    table: Path | None = None,
    out: Path | None = None,
    listener: Listener = lambda event: None,
) -> tuple[Prepared, dict[str, DrawCost], list[CellPlan], ChoiceForecast | None]:
    """Plan as `plan_study` does, with the lengths of a pilot, and forecast from it what each choice brings.

    Args:
        study: The study file.
        settings: As for `run`.
        table: A table of samples, or a run directory, with draws of the study's models for its problems. By default it is the study's own
            run directory, if the study has a pilot that it holds.
        out: The run directory; default `runs/NAME`.
        listener: Called with notes, one on settings that differ from those of the run that holds the pilot among them.

    Returns:
        As `plan_study`, and the forecast; None if there is no pilot to forecast from.

    Raises:
        InputError: the study or the pilot cannot be used.
    """
    with _prepare_without_run(study, settings, listener, to_spend=False) as (prepared, executor):
        run = out or Path("runs") / prepared.study.name
        found = pilot_of(prepared, table, run, listener)
        if found is None:
            return *plan_prepared(prepared), None
        if table is None:  # draws of another prompt say little about those that the study would buy
            note_changes(RunDirectory(run).read_text("study.yaml"), resolved(prepared.study, study.resolve().parent), listener)
        prepared, costs, plans = plan_prepared(prepared, token_lengths(prepared, found))
        available = count_recorded(prepared, lambda spec: executor.submit(count_available, spec).result())
        return prepared, costs, plans, forecast_choices(prepared, plans, found, available)


def dry_run(
    study: Path, settings: Sequence[str] = (), *, strict: bool = False, out: Path | None = None, listener: Listener = lambda event: None
) -> tuple[Prepared, dict[str, DrawCost], list[CellPlan], str]:
    """Check all that a run would check (every problem set and reference answer, every model), then plan as `plan_study` does.

    Args:
        study: The study file.
        settings: As for `run`.
        strict: As for `run`.
        out: As for `run`.
        listener: Called with notes, one for each model whose stored draws a run would not use among them.

    Returns:
        As `plan_study`, and the first prompt to each model as text.

    Raises:
        InputError: the study cannot be used.
    """
    with _prepare_without_run(study, settings, listener, to_spend=True, strict=strict) as (prepared, executor):
        note_draws_that_would_not_count(prepared, out or Path("runs") / prepared.study.name, listener)
        prompts = first_prompts(prepared, lambda model, request: executor.submit(render, prepared.specs[model], request).result())
        return *plan_prepared(prepared), prompts


def check_endpoints(study: Path, settings: Sequence[str] = (), tell: Tell = lambda line: None) -> list[Contact]:
    """Send one small request to each model of a study that is behind an endpoint, outside any run. See `contact_endpoints`.

    `tell` is called with a line for people while an endpoint does not answer.

    Raises:
        InputError: the study cannot be used.
    """
    with _prepare_without_run(study, settings, None, to_spend=True) as (prepared, executor):
        return contact_endpoints(prepared, lambda spec, request, params: executor.submit(ask, spec, request, params), tell)


@contextmanager
def _locate_mistakes(study: Path, settings: Sequence[str] = ()) -> Iterator[None]:
    """Add the place in the study file to mistakes that are found when the study's parts are opened."""
    try:
        yield
    except StudyError as error:
        raise StudyError(placed(study, settings, error.mistakes)) from error


@contextmanager
def _prepare_without_run(
    path: Path, settings: Sequence[str], listener: Listener | None, *, to_spend: bool, strict: bool = False
) -> Iterator[tuple[Prepared, LocalExecutor]]:
    """Prepare a study without a run directory, and yield it with an executor that describes and renders for its models.

    With a listener, reference answers are checked as in a run, and it is called with notes.
    """
    study = load_study(path, settings, known_parts())
    executor = LocalExecutor(None)
    try:
        with _locate_mistakes(path, settings):
            prepared = prepare(
                study,
                path.resolve().parent,
                lambda spec: executor.submit(describe, spec).result(),
                to_spend=to_spend,
                render=lambda spec, request: executor.submit(render, spec, request).result(),
                attempt=lambda spec, request, params: executor.submit(try_student, spec, request, params).result(),
                count_available=lambda spec: executor.submit(count_available, spec).result(),
            )
            yield (prepared if listener is None else gold.check_references(prepared, listener, strict=strict, must=to_spend)), executor
    finally:
        executor.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Options:
    """The options of a start; the fields are arguments of `run`."""

    until: str
    force: bool
    strict: bool
    batch_terms: BatchTerms
    listener: Listener


def _run_all(study: Study, base: Path, directory: RunDirectory, where: ExecutorSpec, start: Start, again: str, how: _Options) -> Finished:
    """Run a study, and the later rounds of an iterated one."""
    note_first_round(study, directory.path, how.until, how.listener)
    first = _run(study, base, directory, where, start, how)
    if study.rounds == 1 or how.until != "report":
        return first

    def run_one(derived: Study, inner: RunDirectory, start: Start) -> Finished:
        return _run(derived, base, inner, where, start, how)

    return run_rounds(study, base, directory, first, run_one, again, how.listener)


def _run(study: Study, base: Path, directory: RunDirectory, where: ExecutorSpec, start: Start, how: _Options) -> Finished:
    listener = how.listener
    # Code outside isocost shapes the results, so a reader of the notes must know of it.
    for part in own_parts(study):
        listener(Note(text=f"the study runs code of its own: {part}"))
    chat_date = chat_date_of(directory)
    prepared = _prepare_run(study, base, directory, chat_date)
    prepared = replace(prepared, study=prepared.study.model_copy(update={"executor": where}))
    planned = plan_prepared(prepared)  # raises on a budget that buys nothing, before a file is written
    if not (directory.path / PILOT).exists() and (warning := warn_of_small_budgets(*planned)):
        listener(Note(text=warning, loud=True))
    executor = make_executor(where, largest_model(prepared), directory.path, LocalExecutor)
    stopped = True
    try:
        ledger = open_ledger(study, directory)
        with _open_graders(prepared, directory, executor, ledger, listener) as (grading, checking):
            usable = gold.drop_refused(prepared, checking, strict=how.strict)
            # Compare the limits before study.yaml is overwritten.
            lowered = is_lowered(read_last_study(directory), study)
            with keep_study(directory, resolved(study, base)):
                made = manifest(prepared, base, grading, chat_date, ledger.run)
                directory.write_json(made, "manifest.json")
                usable = replace(usable, changes=compare_problems(directory, usable.problems))
                start.begin()
                gold.record(usable, directory, listener)
                mark_leftovers(study, directory, listener)
                reported = ReportedRun(directory, usable, resolved(study, base), made)
                started = StudyRun(
                    usable, directory, executor, ledger, grading, checking, listener, lowered=lowered, batch_terms=how.batch_terms
                )
                reports = how.until == "report"
                report = report_run(started, reported, listener, force=how.force) if reports else started.run(how.until, force=how.force)
        stopped = False
    except BrokenProcessPool as error:
        raise RunError(
            "a worker process died, probably out of memory",
            advice="lower the models' batch_size and run the same command again",
        ) from error
    finally:
        executor.close(wait=not stopped)  # after a failure, requests under way would delay the message
    finished = Finished(directory=directory.path, graded=started.graded if how.until == "grade" else "", trainings=started.trainings)
    if report is None:
        return finished
    path = None if started.keeps_report else directory.path / "report.html"
    return replace(finished, headline=report.headline, report=path, largest=report.largest, results=started.results)


def _prepare_run(study: Study, base: Path, directory: RunDirectory, chat_date: dt.date) -> Prepared:
    """Prepare a study, with what the run directory knows of its models."""
    # Models are described on this machine, before the executor is made: its workers depend on the size of the largest model.
    opening = LocalExecutor(None)
    try:
        # Chat formats and students are checked at the first start only: the check opens every model, and loads the students.
        new = directory.read_text("study.yaml") is None
        return prepare(
            study,
            base,
            cache_facts(directory, lambda spec: opening.submit(describe, spec).result()),
            to_spend=True,
            render=(lambda spec, request: opening.submit(render, spec, request).result()) if new else None,
            attempt=(lambda spec, request, params: opening.submit(try_student, spec, request, params).result()) if new else None,
            count_available=cache_available(directory, lambda spec: opening.submit(count_available, spec).result()),
            chat_date=chat_date,
        )
    finally:
        opening.close()


@contextmanager
def _open_graders(
    prepared: Prepared, directory: RunDirectory, executor: Executor, ledger: Ledger, listener: Listener
) -> Iterator[tuple[Grading, GradingPool]]:
    """Open the grader of training solutions and the reference grader; they differ only if a model is the judge."""
    spec = prepared.study.reference_grader
    with GradingPool(spec.name, workers=executor.cores, time_limit=spec.time_limit, options=spec.options) as checking:
        if not prepared.study.is_judged:
            yield checking, checking
            return
        with JudgingPool(prepared, directory, executor, ledger, listener) as judging:
            yield judging, checking
