"""Train students on cells' data; a finished training is not repeated."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import wait as wait_for
from dataclasses import dataclass
from pathlib import Path

from isocost.curating import Curated
from isocost.events import Listener, Note, StageWatch
from isocost.executors.base import Executor
from isocost.executors.training import Scoring, TrainingJob, train
from isocost.finetuning import Trained, TrainingSettings, recorded
from isocost.ids import digest
from isocost.preparing.prepare import Prepared
from isocost.records import Cell
from isocost.store import RunDirectory


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """A student trained on a cell's data with one seed."""

    student: str
    cell: Cell
    seed: int
    folder: Path
    trained: Trained


def trained_cells(prepared: Prepared, cells: Sequence[Cell]) -> list[Cell]:
    """Return the cells that the study trains on, in its order."""
    finetune = prepared.study.finetune
    if finetune is None:
        return []
    own = [cell for cell in cells if cell.arm in finetune.arms]
    if not finetune.budgets:  # left out: every budget
        return own
    return [cell for cell in own if cell.budget in finetune.budgets]


def finetune(
    prepared: Prepared,
    directory: RunDirectory,
    curated: Mapping[Cell, Curated],
    rows_of: Callable[[Curated, str], Sequence[Mapping[str, str]]],
    executor: Executor,
    listener: Listener,
) -> list[Training]:
    """Train every student on every cell's data with every seed; a finished training is not repeated.

    Args:
        prepared: The study.
        directory: Its run directory.
        curated: The training sets.
        rows_of: Returns a training set as prompt-completion rows, in the form that the named student sees.
        executor: Runs the trainings.
        listener: Called with progress and notes.

    Raises:
        RunError: a training failed.
    """
    spec = prepared.study.finetune
    if spec is None:
        return []
    for cell in (cell for cell, data in curated.items() if not data.kept.size):
        listener(Note(text=f"{cell.name} has no correct solution to train on; no student is trained on it"))
    # A cell without solutions is skipped with a note, so that the other cells are still trained on.
    filled = [cell for cell, data in curated.items() if data.kept.size]
    wanted = [(student, cell, seed) for student in spec.students for cell in filled for seed in spec.seeds]
    jobs = {key: _job(prepared, directory, *key, rows_of(curated[key[1]], key[0])) for key in wanted}
    done = {key: trained for key, job in jobs.items() if (trained := recorded(job.out)) is not None}
    steps = spec.steps * len(spec.learning_rates)
    watch = StageWatch(stage="finetune", total=len(wanted) * steps, unit="steps", listener=listener, done_before=len(done) * steps)
    # Most expensive first: a long training that starts last would leave the other workers idle.
    todo = sorted((key for key in wanted if key not in done), key=lambda key: -(prepared.cards[key[0]].parameters or 0))
    for key in todo:
        directory.remove("logs", jobs[key].progress.name)  # its steps are of an unfinished training, which starts again
    futures = {executor.submit(train, jobs[key]): key for key in todo}
    waiting = set(futures)
    while waiting:
        # Workers report steps through files; half a second is often enough to read them for a progress line.
        finished, waiting = wait_for(waiting, timeout=0.5)
        steps_now = sum(_steps_done(directory, jobs[key]) for key in todo)
        watch.advance(max(0, steps_now - (watch.done - watch.done_before)), detail=f"{len(wanted) - len(waiting)}/{len(wanted)} models")
        for future in finished:
            done[futures[future]] = future.result()
    # The last steps may have been written after the last reading.
    watch.done = watch.total
    watch.finish()
    for (student, cell, _), trained in done.items():
        if trained.n_too_long:
            listener(Note(text=f"{trained.n_too_long} rows of {cell.name} were too long to train {student} on and left out"))
    return [Training(student=s, cell=c, seed=seed, folder=jobs[s, c, seed].out, trained=done[s, c, seed]) for s, c, seed in wanted]


def _job(
    prepared: Prepared, directory: RunDirectory, student: str, cell: Cell, seed: int, rows: Sequence[Mapping[str, str]]
) -> TrainingJob:
    study, engine = prepared.study, prepared.specs[student]
    spec = study.finetune
    if spec is None:
        raise AssertionError("unreachable: only called for studies that train")
    chosen = spec.model_dump(include={"steps", "batch_size", "learning_rates", "checkpoints", "method"})
    settings = TrainingSettings(seed=seed, **chosen)
    options = dict(engine.options)
    source = engine.base / str(options["model"])
    scoring = None
    # A single checkpoint needs no score: there is no choice to make.
    if spec.checkpoints * len(spec.learning_rates) > 1 and "validation" in prepared.problems:
        template = prepared.templates[student]
        scoring = Scoring(
            problems=tuple(prepared.problems["validation"]),
            template=template,
            params=study.sampling_of(student).params(template.stop),
            engine=engine.name,
            engine_options={k: v for k, v in options.items() if k in ("device", "dtype", "batch_size")},
            grader=study.reference_grader,
        )
    # The digest names the folder, so a change of anything in it trains a new model rather than reuse an old one.
    stamp = digest(
        "training",
        prepared.identities[student],
        settings,
        [sorted(r.items()) for r in rows],
        scoring and [scoring.problems, scoring.template, scoring.params, scoring.grader.name, *sorted(scoring.grader.options.items())],
    )
    name = f"{student}-{cell.name}-{seed}-{stamp}"
    return TrainingJob(
        model_path=source if source.is_dir() else Path(str(options["model"])),
        rows=tuple(rows),
        out=directory.path / "models" / name,
        settings=settings,
        scoring=scoring,
        progress=directory.path / "logs" / f"training-{name}.jsonl",
    )


def _steps_done(directory: RunDirectory, job: TrainingJob) -> int:
    return max((entry["step"] for entry in directory.log("logs", job.progress.name).peek()), default=0)
