"""Train at each learning rate, and choose among the checkpoints."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from isocost.errors import RunError
from isocost.finetuning.records import Candidate
from isocost.finetuning.trainer import Course, Report, train

Progress = Callable[[int, int, float], None]  # given steps done, steps in all and the mean loss since the last call
Score = Callable[[Path], float]  # of a model's folder, higher is better


def try_rates(course: Course, scratch: Path, kept: Path, score: Score | None, progress: Progress | None) -> tuple[list[Candidate], float]:
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
            if best_of(candidates) is candidates[-1]:
                shutil.rmtree(kept, ignore_errors=True)
                folder.rename(kept)
        shutil.rmtree(scratch)
    return candidates, seconds


def best_of(candidates: list[Candidate]) -> Candidate:
    """Return the candidate with the highest score, of equal ones the first."""
    return max(candidates, key=lambda candidate: -math.inf if candidate.score is None else candidate.score)


def _continued(progress: Progress | None, done: int, total: int) -> Report:
    return lambda step, loss: None if progress is None else progress(done + step, total, loss)


def _scored(folder: Path, score: Score | None) -> float | None:
    value = None if score is None else score(folder)
    if value is not None and math.isnan(value):
        raise RunError(f"the validation score of {folder} is not a number")
    return value
