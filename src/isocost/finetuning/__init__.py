"""Train a student on a cell's kept solutions with TRL, and keep the checkpoint with the best validation score.

Every arm gets the same number of steps and the same batch size, whatever the size of its data (the paper, arXiv 2408.16737): a larger
set is seen fewer times, never longer. The loss is on the completion alone, and the end token is part of it, or the student would never
learn to stop.
"""

from __future__ import annotations

import importlib.util
import itertools
import json
import math
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from isocost.errors import InputError, MissingExtraError, RunDirectoryError, RunError, StorageError
from isocost.finetuning.records import Candidate, Trained, TrainingSettings
from isocost.finetuning.rows import IGNORED, Encoded, cycled, encode
from isocost.finetuning.trainer import Course, Report, load_tokenizer, train
from isocost.store.files import sync_folder

Progress = Callable[[int, int, float], None]  # given steps done, steps in all and the mean loss since the last call
Score = Callable[[Path], float]  # of a model's folder, higher is better
__all__ = ["IGNORED", "Candidate", "Encoded", "Trained", "TrainingSettings", "cycled", "encode", "finetune", "recorded"]

_RECORD = "trained.json"


def finetune(
    model_path: Path,
    rows: Sequence[Mapping[str, str]],
    out: Path,
    settings: TrainingSettings,
    *,
    score: Score | None,
    progress: Progress | None = None,
) -> Trained:
    """Train the model in `model_path` on `rows` and save the checkpoint with the highest score as `out`.

    `out` appears by one rename after everything in it is on the disk: a folder of that name is complete. Until then the work lies beside
    it in `.NAME.part` (at most the checkpoints of one learning rate and the best one so far), which the next start clears. On a CPU the
    same rows, settings and number of threads give the same weights. The process's global random state is seeded.

    Args:
        model_path: A folder that transformers can load; nothing is looked up on the network.
        rows: Prompt-completion rows; only `prompt` and `completion` are read.
        out: The folder to make.
        settings: How to train.
        score: The validation score of a model's folder, higher is better; of equal scores the first wins. It is called between training
            runs, when no optimizer holds memory. None only where settings leave a single checkpoint.
        progress: Called with steps done, steps in all and the mean loss since the last call: after every step, or 100 to 150 times a
            learning rate of 200 steps or more.

    Raises:
        InputError: no row fits max_length, or settings leave nothing to train or several checkpoints and no score.
        ModelError: the folder holds no causal language model, or its tokenizer has no end token.
        RunDirectoryError: `out` exists.
        MissingExtraError: trl is not installed, or for LoRA peft.
        RunError: a score is not a number.
    """
    _check(out, settings, score)
    tokenizer = load_tokenizer(model_path)
    encoded = encode(tokenizer, rows)
    fitting = [row for row in encoded if len(row.input_ids) <= settings.max_length]
    if not fitting:
        why = f"{len(rows)} rows, all of them longer than {settings.max_length} tokens" if rows else "no rows"
        raise InputError(f"{out.name}: nothing to train on: {why}")
    data = list(itertools.islice(cycled(fitting, settings.seed), settings.steps * settings.batch_size))
    course = Course(model_path=model_path, tokenizer=tokenizer, data=data, settings=settings)
    with _scratch_beside(out) as scratch:
        kept = scratch / "best"
        candidates, seconds = _try_rates(course, scratch / "run", kept, score, progress)
        runs = len(settings.learning_rates)
        trained = Trained(
            best=_best_of(candidates),
            candidates=tuple(candidates),
            n_rows=len(fitting),
            n_too_long=len(rows) - len(fitting),
            steps=runs * settings.steps,
            tokens=runs * sum(len(row.input_ids) for row in data),
            seconds=seconds,
        )
        record = json.dumps({"trained": asdict(trained), "settings": asdict(settings)}, indent=2) + "\n"
        (kept / _RECORD).write_text(record, encoding="utf-8")
        _publish(kept, out)
    return trained


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
        return Trained(best=Candidate(**fields.pop("best")), candidates=candidates, **fields)
    except (OSError, ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        raise StorageError(
            f"{path}: is damaged: {str(error).partition(chr(10))[0] or type(error).__name__}\n"
            f"  restore it from a copy, or remove {out} to train this model again"
        ) from error


def _check(out: Path, settings: TrainingSettings, score: Score | None) -> None:
    if min(settings.steps, settings.batch_size, len(settings.learning_rates), settings.checkpoints) < 1:
        raise InputError("finetune: steps, batch_size, learning_rates and checkpoints must each be at least one")
    if score is None and len(settings.learning_rates) * len(settings.checkpoint_steps) > 1:
        raise InputError("finetune: choosing among checkpoints needs a validation score\n  give one, or a single rate and checkpoint")
    if out.exists():
        raise RunDirectoryError(f"{out} exists already\n  remove it to train this model again")
    for package in ("trl", "peft") if settings.method == "lora" else ("trl",):
        if importlib.util.find_spec(package) is None:
            raise MissingExtraError(package, "train")


def _try_rates(course: Course, scratch: Path, kept: Path, score: Score | None, progress: Progress | None) -> tuple[list[Candidate], float]:
    """Train at each rate and move the best checkpoint to `kept`; return all candidates and the seconds of training.

    Raises:
        ModelError: the model cannot be loaded.
        RunError: a score is not a number.
    """
    steps, rates = course.settings.steps, course.settings.learning_rates
    candidates: list[Candidate] = []
    seconds = 0.0
    for run, rate in enumerate(rates):
        started = time.monotonic()
        checkpoints = train(course, rate, scratch, _continued(progress, run * steps, len(rates) * steps))
        seconds += time.monotonic() - started
        for step, folder in checkpoints.items():
            candidates.append(Candidate(learning_rate=rate, step=step, score=_scored(folder, score)))
            if _best_of(candidates) is candidates[-1]:
                shutil.rmtree(kept, ignore_errors=True)
                folder.rename(kept)
        shutil.rmtree(scratch)
    return candidates, seconds


def _best_of(candidates: list[Candidate]) -> Candidate:
    """Return the candidate with the highest score, of equal ones the first."""
    return max(candidates, key=lambda candidate: -math.inf if candidate.score is None else candidate.score)


def _continued(progress: Progress | None, done: int, total: int) -> Report:
    return lambda step, loss: None if progress is None else progress(done + step, total, loss)


def _scored(folder: Path, score: Score | None) -> float | None:
    value = None if score is None else score(folder)
    if value is not None and math.isnan(value):
        raise RunError(f"the validation score of {folder} is not a number")
    return value


@contextmanager
def _scratch_beside(out: Path) -> Iterator[Path]:
    """Yield an empty folder `.NAME.part` beside `out`, on the same file system, and delete it afterwards."""
    scratch = out.with_name(f".{out.name}.part")
    if scratch.is_symlink():
        scratch.unlink()  # nothing is written through it
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _publish(folder: Path, out: Path) -> None:
    """Rename a finished folder to `out`, after all its files are on the disk."""
    for path in (path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            os.fsync(file.fileno())
    for inner in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        sync_folder(inner)
    folder.rename(out)
    sync_folder(out.parent)
