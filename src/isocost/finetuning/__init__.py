"""Train a student on a cell's kept solutions with TRL, and keep the checkpoint with the best validation score.

Every arm gets the same number of steps and the same batch size, whatever the size of its data (the paper, arXiv 2408.16737): a larger
set is seen fewer times, never longer. The loss is on the completion alone, and the end token is part of it, or the student would never
learn to stop.

An unfinished training lies beside the model that it will make. A start after a kill goes on from the last state of its optimizer, and on
a CPU ends with the same bytes.
"""

from __future__ import annotations

import datetime as dt
import importlib.util
import itertools
import json
import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from isocost.amounts import quantity
from isocost.errors import InputError, MissingExtraError, ModelError, RunDirectoryError, RunError, StorageError
from isocost.finetuning.checkpoints import to_model
from isocost.finetuning.records import Candidate, Diverged, Logged, Method, Trained, TrainingSettings
from isocost.finetuning.rows import IGNORED, Encoded, Encoding, Row, cycled, encode
from isocost.finetuning.trainer import Course, Report, limits_of, load_tokenizer, micro_batch, train
from isocost.finetuning.work import Work, open_work, publish, stamp_of_files, work_folder
from isocost.ids import digest

Score = Callable[[Path], float]  # of a model's folder, higher is better
Progress = Callable[[Logged], None]  # its steps are counted over all learning rates
__all__ = [
    "IGNORED",
    "Candidate",
    "Diverged",
    "Encoded",
    "Encoding",
    "Logged",
    "Trained",
    "TrainingSettings",
    "check_packages",
    "cycled",
    "encode",
    "finetune",
    "load_tokenizer",
    "recorded",
    "work_folder",
]

_RECORD = "trained.json"


def finetune(
    model_path: Path,
    rows: Sequence[Row],
    out: Path,
    settings: TrainingSettings,
    *,
    score: Score | None,
    progress: Progress | None = None,
    stop: Sequence[str] = (),
    report_to: Sequence[str] = (),
    tracked_in: Path | None = None,
    launch: Path | None = None,
    chat_date: dt.date | None = None,
) -> Trained:
    """Train the model in `model_path` on `rows` and save the checkpoint with the highest score as `out`.

    `out` appears by one rename after everything in it is on the disk: a folder of that name is complete. Until then the work lies beside
    it in `.NAME.part` (at most the checkpoints of one learning rate and the best one so far), with which the next start goes on. On a CPU
    the same rows, settings and number of threads give the same weights, killed or not. The process's global random state is seeded.

    Args:
        model_path: A folder that transformers can load; nothing is looked up on the network.
        rows: Rows with `prompt` and `completion`, or with `messages`.
        out: The folder to make.
        settings: How to train.
        score: The validation score of a model's folder, higher is better; of equal scores the first wins. It is called between training
            runs, when no optimizer holds memory. None only where settings leave a single checkpoint.
        progress: Called with what is logged: after every step, or 100 to 150 times a learning rate of 200 steps or more.
        stop: Strings that end the model's answer when it is asked; a row that contains one is left out.
        report_to: Trackers of transformers that get the same: `tensorboard`, `trackio`.
        tracked_in: The folder of TensorBoard's files.
        launch: A configuration file of accelerate: training runs in the processes that it names, scoring in this one.
        chat_date: The date for a chat template that asks for it; None for that of the clock.

    Raises:
        InputError: no row fits max_length, or settings leave nothing to train or several checkpoints and no score.
        ModelError: the folder holds no causal language model, its tokenizer has no end token, its chat template does not fit, or most rows
            contain a stop string.
        RunDirectoryError: `out` exists, or checkpoints of another training lie beside it.
        MissingExtraError: trl is not installed, or for LoRA peft, or a tracker.
        RunError: a score is not a number, the loss was never a number, or the memory does not suffice.
    """
    _check(out, settings, score, report_to)
    tokenizer = load_tokenizer(model_path)
    encoding = _encoded(tokenizer, rows, model_path, out, settings, stop, chat_date)
    data = list(itertools.islice(cycled(encoding.rows, settings.seed), settings.steps * settings.batch_size))
    course = Course(
        model_path=model_path,
        tokenizer=tokenizer,
        data=data,
        settings=settings,
        report_to=tuple(report_to),
        tracked_in=tracked_in,
        launch=launch,
    )
    work = open_work(out, digest(settings, [row.input_ids for row in encoding.rows], stamp_of_files(model_path)))
    _try_rates(course, work, score, progress)
    trained = _trained(work, encoding, data, settings)
    record = json.dumps({"trained": asdict(trained), "settings": asdict(settings)}, indent=2) + "\n"
    (work.best / _RECORD).write_text(record, encoding="utf-8")
    publish(work.best, out)
    shutil.rmtree(work.folder)
    return trained


def _trained(work: Work, encoding: Encoding, data: Sequence[Encoded], settings: TrainingSettings) -> Trained:
    """Return the record of a training that is complete."""
    runs = len(settings.learning_rates)
    return Trained(
        best=_best_of(work.candidates),
        candidates=work.candidates,
        n_rows=len(encoding.rows),
        n_too_long=encoding.n_too_long,
        steps=runs * settings.steps,
        tokens=runs * sum(len(row.input_ids) for row in data),
        seconds=work.seconds,
        n_with_end=encoding.n_with_end,
        diverged=work.diverged,
        remarks=encoding.remarks,
        n_with_stop=encoding.n_with_stop,
    )


def recorded(out: Path) -> Trained | None:
    """Return the record of an earlier `finetune` of the model in `out`, or None where none was finished.

    Raises:
        StorageError: the record is damaged.
    """
    path = out / _RECORD
    if not path.exists():
        return None
    try:
        fields: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["trained"]
        candidates = tuple(Candidate(**candidate) for candidate in fields.pop("candidates"))
        diverged = tuple(Diverged(**each) for each in fields.pop("diverged", ()))
        remarks = tuple(map(str, fields.pop("remarks", ())))
        return Trained(best=Candidate(**fields.pop("best")), candidates=candidates, diverged=diverged, remarks=remarks, **fields)
    except (OSError, ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        raise StorageError(
            f"{path}: is damaged: {str(error).partition(chr(10))[0] or type(error).__name__}\n"
            f"  restore it from a copy, or remove {out} to train this model again"
        ) from error


def _check(out: Path, settings: TrainingSettings, score: Score | None, report_to: Sequence[str]) -> None:
    numbers = (settings.steps, settings.batch_size, len(settings.learning_rates), settings.checkpoints, settings.gradient_accumulation)
    if min(numbers) < 1:
        raise InputError("finetune: steps, batch_size, learning_rates, checkpoints and gradient_accumulation must each be at least one")
    micro_batch(settings, 1)
    if score is None and len(settings.learning_rates) * len(settings.checkpoint_steps) > 1:
        raise InputError("finetune: choosing among checkpoints needs a validation score\n  give one, or a single rate and checkpoint")
    if out.exists():
        raise RunDirectoryError(f"{out} exists already\n  move it away to train this model again")
    check_packages(settings.method, report_to)


def check_packages(method: Method, report_to: Sequence[str]) -> None:
    """Make sure that the packages of a training are installed.

    Raises:
        MissingExtraError: trl is not installed, or for LoRA peft.
        InputError: a tracker is not installed.
    """
    for package in ("trl", "peft") if method == "lora" else ("trl",):
        if importlib.util.find_spec(package) is None:
            raise MissingExtraError(package, "train")
    for tracker in report_to:
        if importlib.util.find_spec(tracker) is None:
            raise InputError(f"finetune.report_to: {tracker} is not installed\n  pip install {tracker}, or leave it out")


def _encoded(
    tokenizer: Any,
    rows: Sequence[Row],
    model_path: Path,
    out: Path,
    settings: TrainingSettings,
    stop: Sequence[str],
    chat_date: dt.date | None,
) -> Encoding:
    """Return the rows that the model can be trained on.

    Raises:
        InputError: there are none.
        ModelError: most rows contain a stop string.
    """
    context, ends = limits_of(model_path)
    limit = settings.max_length if context is None else min(settings.max_length, context)
    encoding = encode(tokenizer, rows, limit=limit, ends=ends, stop=stop, place=str(model_path), chat_date=chat_date)
    if 2 * encoding.n_with_stop > len(rows):
        strings = ", ".join(json.dumps(text, ensure_ascii=False) for text in stop)
        raise ModelError(
            f"{out.name}: {encoding.n_with_stop} of {len(rows)} rows contain a stop string of the student ({strings}), at which its "
            "answers are cut\n  give the student a prompt with other stop strings (models.NAME.prompt), or finetune.format: chat"
        )
    if not encoding.rows:
        if not rows:
            raise InputError(f"{out.name}: nothing to train on: no rows")
        ended = f", or with an end token in their solution ({encoding.n_with_end})" if encoding.n_with_end else ""
        longest = "the model's context" if limit == context else "finetune.max_length"
        raise InputError(
            f"{out.name}: nothing to train on: {quantity(len(rows), 'row')}, all of them longer than {longest} of {limit:,} tokens{ended}",
            advice="give a student with a longer context" if limit == context else "raise finetune.max_length",
        )
    return encoding


def _try_rates(course: Course, work: Work, score: Score | None, progress: Progress | None) -> None:
    """Train at each rate that is not done yet; the best checkpoint of all goes to `work.best`.

    Raises:
        ModelError: the model cannot be loaded.
        RunError: a score is not a number, or the loss was never a number.
    """
    steps, rates = course.settings.steps, course.settings.learning_rates
    for position, rate in enumerate(rates):
        if position >= work.rates:
            run = train(course, rate, work.run(position), _continued(progress, position * steps))
            # A run that diverged has the checkpoints before it, if any.
            found = [Candidate(learning_rate=rate, step=step, score=_scored(folder, score)) for step, folder in run.checkpoints.items()]
            work.candidates += tuple(found)
            if run.diverged is not None:
                work.diverged += (Diverged(learning_rate=rate, step=run.diverged),)
            work.rates, work.seconds = position + 1, work.seconds + run.seconds
            work.save()
        _keep_best(work, position, rate)
    if not work.candidates:
        where = ", ".join(f"{each.step} at {each.learning_rate:g}" for each in work.diverged)
        raise RunError(f"the loss was not a number at step {where}, before any checkpoint\n  give smaller finetune.learning_rates")


def _keep_best(work: Work, position: int, rate: float) -> None:
    """Move the best checkpoint out of a run's folder, and remove the rest. A kill in between leaves something to do again."""
    best = _best_of(work.candidates) if work.candidates else None
    folder = work.run(position) / f"checkpoint-{best.step}" if best and best.learning_rate == rate else None
    if folder is not None and folder.exists():
        to_model(folder)
        shutil.rmtree(work.best, ignore_errors=True)
        folder.rename(work.best)
    shutil.rmtree(work.run(position), ignore_errors=True)


def _best_of(candidates: Sequence[Candidate]) -> Candidate:
    """Return the candidate with the highest score, of equal ones the first."""
    return max(candidates, key=lambda candidate: -math.inf if candidate.score is None else candidate.score)


def _continued(progress: Progress | None, done: int) -> Report:
    return lambda logged: None if progress is None else progress(logged._replace(step=done + logged.step))


def _scored(folder: Path, score: Score | None) -> float | None:
    value = None if score is None else score(folder)
    if value is not None and math.isnan(value):
        raise RunError(f"the validation score of {folder} is not a number")
    return value
