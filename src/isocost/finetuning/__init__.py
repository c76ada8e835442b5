"""Train a student on a cell's kept solutions with TRL, and keep the checkpoint with the best validation score.

Every arm gets the same number of steps and the same batch size, whatever the size of its data (the paper, arXiv 2408.16737): a larger
set is seen fewer times, never longer. The loss is on the completion alone, and the end token is part of it, or the student would never
learn to stop.
"""

from __future__ import annotations

import importlib.util
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from isocost.errors import InputError, MissingExtraError, RunDirectoryError, StorageError
from isocost.finetuning.choosing import Progress, Score, best_of, try_rates
from isocost.finetuning.models import load_tokenizer
from isocost.finetuning.records import Candidate, Trained, TrainingSettings
from isocost.finetuning.rows import IGNORED, Encoded, cycled, encode
from isocost.finetuning.scratch import publish, scratch_beside
from isocost.finetuning.trainer import Course

__all__ = [
    "IGNORED",
    "Candidate",
    "Encoded",
    "Progress",
    "Score",
    "Trained",
    "TrainingSettings",
    "cycled",
    "encode",
    "finetune",
    "recorded",
]

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
    with scratch_beside(out) as scratch:
        kept = scratch / "best"
        candidates, seconds = try_rates(course, scratch / "run", kept, score, progress)
        runs = len(settings.learning_rates)
        trained = Trained(
            best=best_of(candidates),
            candidates=tuple(candidates),
            n_rows=len(fitting),
            n_too_long=len(rows) - len(fitting),
            steps=runs * settings.steps,
            tokens=runs * sum(len(row.input_ids) for row in data),
            seconds=seconds,
        )
        record = json.dumps({"trained": asdict(trained), "settings": asdict(settings)}, indent=2) + "\n"
        (kept / _RECORD).write_text(record, encoding="utf-8")
        publish(kept, out)
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
