"""Train students on cells' data; a finished training is not repeated, and one that fails leaves the others standing."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from isocost.config.training import Finetune
from isocost.curating import Curated
from isocost.engines import CARRIED
from isocost.errors import IsocostError, MissingExtraError, StorageError
from isocost.events import Listener, Note, StageWatch
from isocost.executors.base import Executor
from isocost.executors.training import Scoring, TrainingJob, source_of, train
from isocost.finetuning import Trained, TrainingSettings, recorded, work_folder
from isocost.ids import digest
from isocost.paths import from_home
from isocost.preparing.prepare import Prepared
from isocost.records import Cell, FailedTraining
from isocost.store import RunDirectory

Key = tuple[str, Cell, int]  # student, cell, seed

# Defaults of earlier versions, by field of the section: a training that was made with them is not repeated.
_FORMER: dict[str, Any] = {"steps": 600, "learning_rates": (1e-6,), "warmup": 0.0, "max_length": 1024}


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """A student trained on a cell's data with one seed."""

    student: str
    cell: Cell
    seed: int
    folder: Path
    trained: Trained


@dataclass(frozen=True, slots=True, kw_only=True)
class Trainings:
    """The outcome of the stage: the trained students, and the trainings that failed, with the error of the first of them."""

    done: tuple[Training, ...] = ()
    failed: tuple[FailedTraining, ...] = ()
    error: IsocostError | None = None

    @property
    def have_failed(self) -> bool:
        """True if there were trainings, and all of them failed."""
        return bool(self.failed) and not self.done


def trained_cells(prepared: Prepared, cells: Sequence[Cell]) -> list[Cell]:
    """Return the cells that the study trains on, in its order."""
    finetune = prepared.study.finetune
    if finetune is None:
        return []
    own = [cell for cell in cells if cell.arm in finetune.arms]
    if not finetune.budgets:  # left out: every budget
        return own
    # A number-matched cell belongs to every budget.
    return [cell for cell in own if cell.budget is None or cell.budget in finetune.budgets]


def finetune(
    prepared: Prepared,
    directory: RunDirectory,
    curated: Mapping[Cell, Curated],
    rows_of: Callable[[Curated, str], Sequence[Mapping[str, Any]]],
    executor: Executor,
    listener: Listener,
) -> Trainings:
    """Train every student on every cell's data with every seed; a finished training is not repeated, an unfinished one goes on.

    Args:
        prepared: The study.
        directory: Its run directory.
        curated: The training sets.
        rows_of: Returns the rows of a training set, in the form in which the named student is trained.
        executor: Runs the trainings.
        listener: Called with progress and notes.

    Raises:
        StorageError: the disk is full.
        MissingExtraError: a package of training is not installed.
    """
    spec = prepared.study.finetune
    if spec is None:
        return Trainings()
    for cell in (cell for cell, data in curated.items() if not data.kept.size):
        listener(Note(text=f"{cell.name} has no correct solution to train on; no student is trained on it"))
    # A cell without solutions is skipped with a note, so that the other cells are still trained on.
    filled = [cell for cell, data in curated.items() if data.kept.size]
    wanted: list[Key] = [(student, cell, seed) for student in spec.students for cell in filled for seed in spec.seeds]
    # One tuple of rows for all seeds: they may take much memory.
    rows = {(student, cell): tuple(rows_of(curated[cell], student)) for student in spec.students for cell in filled}
    jobs = {key: _job(prepared, spec, directory, *key, rows[key[:2]]) for key in wanted}
    done = {key: trained for key, job in jobs.items() if (trained := recorded(job.out)) is not None}
    steps = spec.steps * len(spec.learning_rates)
    watch = StageWatch(stage="finetune", total=len(wanted) * steps, unit="steps", listener=listener, done_before=len(done) * steps)
    # Most expensive first: a long training that starts last would leave the other workers idle.
    todo = sorted((key for key in wanted if key not in done), key=lambda key: -(prepared.cards[key[0]].parameters or 0))
    for key in todo:
        if not work_folder(jobs[key].out).exists():
            directory.remove("logs", jobs[key].progress.name)  # its steps are of a training that was discarded
    failed: dict[Key, IsocostError] = {}
    for key, future in _run({key: jobs[key] for key in todo}, directory, executor, watch, len(wanted)):
        try:
            done[key] = future.result()
        except (StorageError, MissingExtraError):
            raise
        except IsocostError as error:  # of this student or its data; the others stand
            failed[key] = error
    failed = {key: failed[key] for key in wanted if key in failed}  # in the study's order, not that of their ends
    # The last steps may have been written after the last reading.
    watch.done = watch.total
    watch.finish()
    for text in (*_failures(failed), *(text for key, trained in done.items() for text in _notes(key, trained))):
        listener(Note(text=text))
    # A copy has no traceback, which would keep the frames that lead here, and with them all draws, in memory.
    first = copy.copy(next(iter(failed.values()), None))
    return Trainings(done=tuple(_trainings(jobs, done)), failed=tuple(_failed_trainings(failed)), error=first)


def _trainings(jobs: Mapping[Key, TrainingJob], done: Mapping[Key, Trained]) -> Iterator[Training]:
    for key, job in jobs.items():
        if key in done:
            yield Training(student=key[0], cell=key[1], seed=key[2], folder=job.out, trained=done[key])


def _failed_trainings(failed: Mapping[Key, IsocostError]) -> Iterator[FailedTraining]:
    for (student, cell, seed), error in failed.items():
        yield FailedTraining(student=student, cell=cell.name, seed=seed, reason=str(error).partition("\n")[0])


def _failures(failed: Mapping[Key, IsocostError]) -> Iterator[str]:
    for (student, cell, seed), error in failed.items():
        yield f"training of {student} on {cell.name}, seed {seed}, failed: {error}"


def _run(
    jobs: Mapping[Key, TrainingJob], directory: RunDirectory, executor: Executor, watch: StageWatch, total: int
) -> Iterator[tuple[Key, Future[Trained]]]:
    """Run the trainings and yield each as it ends. Those that accelerate launches use all its devices, and run one after the other."""
    left = list(jobs)
    at_once = 1 if any(job.launch for job in jobs.values()) else len(left)
    waiting: dict[Future[Trained], Key] = {}
    while left or waiting:
        for key in left[: at_once - len(waiting)]:
            waiting[executor.submit(train, jobs[key])] = key
        left = [key for key in left if key not in waiting.values()]
        # Workers report steps through files; half a second is often enough to read them for a progress line.
        finished, _ = wait_for(waiting, timeout=0.5)
        steps_now = sum(_steps_done(directory, job) for job in jobs.values())
        ended = total - len(left) - (len(waiting) - len(finished))
        watch.advance(max(0, steps_now - (watch.done - watch.done_before)), detail=f"{ended}/{total} models")
        for future in finished:
            yield waiting.pop(future), future


def _notes(key: Key, trained: Trained) -> Iterator[str]:
    """Yield what a user should know of a training."""
    student, cell, seed = key
    if trained.n_too_long:
        yield f"{trained.n_too_long} rows of {cell.name} were too long to train {student} on and left out"
    if trained.n_with_end:
        yield f"{trained.n_with_end} rows of {cell.name} have an end token of {student} in their middle and were left out"
    if trained.n_with_stop:
        yield f"{trained.n_with_stop} rows of {cell.name} contain a stop string of {student} and were left out"
    for each in trained.diverged:
        where = f"{student} on {cell.name}, seed {seed}, learning rate {each.learning_rate:g}"
        yield f"{where}: the loss was not a number at step {each.step}; only checkpoints before it count"
    for remark in trained.remarks:
        yield f"{student}: {remark}"


def _job(
    prepared: Prepared,
    spec: Finetune,
    directory: RunDirectory,
    student: str,
    cell: Cell,
    seed: int,
    rows: tuple[Mapping[str, Any], ...],
) -> TrainingJob:
    study, engine = prepared.study, prepared.specs[student]
    settings = _settings(spec, seed)
    scoring = _scoring(prepared, spec, student)

    def name_under(settings: TrainingSettings) -> str:
        # The digest names the folder, so a change of anything in it trains a new model rather than reuse an old one.
        stamp = digest(
            "training",
            prepared.identities[student],
            settings,
            [sorted(r.items()) for r in rows],
            scoring and [scoring.problems, scoring.template, scoring.params, scoring.grader.name, *sorted(scoring.grader.options.items())],
            *([scoring.reasoning] if scoring and scoring.reasoning else []),  # absent, so that students of earlier versions are found
        )
        return f"{student}-{cell.name}-{seed}-{stamp}"

    name = name_under(settings)
    former = name_under(replace(settings, **{key: value for key, value in _FORMER.items() if key not in spec.model_fields_set}))
    models = directory.path / "models"
    if not (models / name).exists() and (models / former).exists():
        name = former
    config = study.executor.config
    return TrainingJob(
        model=source_of(engine),
        rows=rows,
        out=models / name,
        settings=settings,
        scoring=scoring,
        stop=prepared.trained_params(student).stop,
        progress=directory.path / "logs" / f"training-{name}.jsonl",
        report_to=spec.report_to,
        launch=None if config is None else from_home(engine.base, config),
        chat_date=engine.chat_date,
        revision=None if (revision := dict(engine.options).get("revision")) is None else str(revision),
    )


def _settings(spec: Finetune, seed: int) -> TrainingSettings:
    same = spec.model_dump(
        include={"steps", "batch_size", "learning_rates", "checkpoints", "method", "max_length", "warmup", "scheduler", "weight_decay"}
        | {"gradient_accumulation", "gradient_checkpointing"}
    )
    lora = {f"lora_{key}": value for key, value in spec.lora.model_dump().items()}
    return TrainingSettings(seed=seed, **same, **lora)


def _scoring(prepared: Prepared, spec: Finetune, student: str) -> Scoring | None:
    # A single checkpoint needs no score: there is no choice to make.
    if spec.checkpoints * len(spec.learning_rates) == 1 or "validation" not in prepared.problems:
        return None
    study, engine = prepared.study, prepared.specs[student]
    return Scoring(
        problems=tuple(prepared.problems["validation"]),
        template=prepared.templates[student],
        params=prepared.trained_params(student),
        engine=engine.name,
        engine_options={k: v for k, v in dict(engine.options).items() if k in CARRIED},
        grader=study.reference_grader,
        chat=study.trains_chat(student),
        reasoning=own.delimiters() if (own := study.models[student].reasoning) else None,
        chat_date=engine.chat_date,
    )


def _steps_done(directory: RunDirectory, job: TrainingJob) -> int:
    return max((entry.get("step", 0) for entry in directory.log("logs", job.progress.name).peek()), default=0)
