"""The job that trains one student on one cell's data in a worker."""

from __future__ import annotations

import contextlib
import datetime as dt
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from isocost import evaluating, finetuning
from isocost.config import GraderSpec
from isocost.engines import load_engine
from isocost.engines.base import Generation, Request
from isocost.errors import ModelError
from isocost.executors.jobs import EngineSpec
from isocost.graders.replies import after_delimiters
from isocost.grading import GradingPool
from isocost.ids import seed_of
from isocost.prompts.base import Template
from isocost.records import Delimiters, Pair, Problem, SamplingParams, Verdict
from isocost.store import Log, disk_full

_LAUNCHER = ("WORLD_SIZE", "RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoring:
    """The way a checkpoint is scored: greedy pass@1 on the validation problems.

    Attributes:
        problems: The validation set.
        template: The prompt template. Trained students see its plain form.
        params: Sampling parameters. The greedy answer differs in temperature only.
        engine: Name of the engine that runs the checkpoint.
        engine_options: Options of the checkpoint's engine besides `model`.
        grader: The grader's section of the study.
        chat: True if trained students are asked in their chat format.
        reasoning: The delimiters of the student's reasoning, if it has its own: what is between them is no answer.
        chat_date: The date for a chat template that asks for it; None for that of the clock.
    """

    problems: tuple[Problem, ...]
    template: Template
    params: SamplingParams
    engine: str
    engine_options: Mapping[str, object]
    grader: GraderSpec
    chat: bool = False
    reasoning: Delimiters | None = None
    chat_date: dt.date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingJob:
    """One training: the base model, its data, its settings, and where the result and the progress are written.

    Attributes:
        model: The folder of the base model, or its name on the hub.
        rows: Rows with `prompt` and `completion`, or with `messages`.
        out: The folder to make.
        settings: How to train.
        scoring: How checkpoints are scored; None for a single one.
        progress: The log of steps.
        stop: Stop strings of the student. A row that contains one is left out.
        report_to: Trackers, as in the study.
        launch: A configuration file of accelerate; None trains in the worker.
        chat_date: As in `Scoring`, for rows.
        revision: Commit of a base model that is a name on the hub.
    """

    model: str
    rows: tuple[Mapping[str, Any], ...]
    out: Path
    settings: finetuning.TrainingSettings
    scoring: Scoring | None
    progress: Path
    stop: tuple[str, ...] = ()
    report_to: tuple[str, ...] = ()
    launch: Path | None = None
    chat_date: dt.date | None = None
    revision: str | None = None


def train(job: TrainingJob) -> finetuning.Trained:
    """Train and save a student. Its progress is appended to a log that the driver reads.

    Raises:
        IsocostError: as `finetuning.finetune`, or the disk is full.
    """
    # Of a launcher around the run, such as torchrun: this training would wait for its processes, or divide the batch among them.
    for variable in _LAUNCHER:
        os.environ.pop(variable, None)
    log = Log(job.progress)
    steps = job.settings.steps * len(job.settings.learning_rates)

    def progress(logged: finetuning.Logged) -> None:
        loss = logged.loss if math.isfinite(logged.loss) else None  # JSON has no nan
        rate, speed = logged.learning_rate, round(logged.tokens_per_second, 1)
        log.append({"step": logged.step, "steps": steps, "loss": loss, "learning_rate": rate, "tokens_per_second": speed})

    try:
        return finetuning.finetune(
            _folder_of(job.model, job.revision),
            job.rows,
            job.out,
            job.settings,
            # Without validation problems there is a single checkpoint, and nothing to choose.
            score=_scorer(job.scoring, log) if job.scoring else None,
            progress=progress,
            stop=job.stop,
            report_to=job.report_to,
            tracked_in=job.progress.parent / "trackers" / job.out.name,
            launch=job.launch,
            chat_date=job.chat_date,
        )
    # Several libraries write the weights, and each has its own exception for a full disk: only the text is common.
    except Exception as error:
        if "No space left" in str(error):
            raise disk_full(job.out) from error
        raise


def source_of(student: EngineSpec) -> str:
    """Return the folder of an untrained student, or its name on the hub."""
    model = str(dict(student.options)["model"])
    folder = student.base / model
    return str(folder) if folder.is_dir() else model


def _folder_of(model: str, revision: str | None) -> Path:
    """Return the folder of a base model. Of one on the hub it is the download of the commit that was sampled: a branch may have moved.

    Raises:
        ModelError: this machine does not have the commit whole, and it cannot be downloaded.
    """
    from huggingface_hub import snapshot_download

    from isocost.engines.checkpoints import snapshot  # not in the driver: they take a second to import
    from isocost.engines.checkpoints.weights import check_weights

    if revision is None or Path(model).is_dir():
        return Path(model)
    try:
        found = snapshot(model, revision, "config.json")
        if found is not None:
            with contextlib.suppress(ModelError):  # a worker on another machine has looked at the configuration alone
                check_weights(found)
                return found
        return Path(snapshot_download(model, revision=revision))
    except Exception as error:  # the hub's HTTP library, and with it the errors of a connection, changes between its versions
        why = str(error).partition("\n")[0][:200]
        raise ModelError(f"{model}: commit {revision} is not on this machine, and the hub does not give it: {why}") from error


def try_student(student: EngineSpec, request: Request, params: SamplingParams) -> None:
    """Load an untrained student and ask it a request, then load its tokenizer as training does. No memory stays in use.

    Raises:
        IsocostError: it cannot be loaded, does not take the request, or could not learn to stop.
    """
    engine = load_engine(student.name, dict(student.options), base=student.base, chat_date=student.chat_date)
    try:
        engine.generate([request], params, 0)
    finally:
        engine.close()
    revision = dict(student.options).get("revision")
    finetuning.load_tokenizer(_folder_of(source_of(student), None if revision is None else str(revision)))


def _scorer(scoring: Scoring, log: Log) -> Callable[[Path], float]:
    import torch

    def score(folder: Path) -> float:
        options = {**scoring.engine_options, "model": str(folder.resolve())}
        engine = load_engine(scoring.engine, options, base=folder, chat_date=scoring.chat_date)

        def answer(requests: Sequence[Request], params: SamplingParams) -> list[list[Generation]]:
            if scoring.chat:
                requests = [replace(request, chat=True, system=scoring.template.system) for request in requests]
            found: dict[str, list[Generation]] = {}
            for batch in engine.batches(requests):
                generations = engine.generate(batch, params, seed_of("validation", len(found)))
                found.update(zip((r.problem_id for r in batch), generations, strict=True))
            return [found[r.problem_id] for r in requests]

        spec = scoring.grader
        with GradingPool(spec.name, workers=1, time_limit=spec.time_limit, options=spec.options) as pool:

            def grade(pairs: Sequence[Pair]) -> list[Verdict]:
                if own := scoring.reasoning:
                    pairs = [replace(pair, generation=after_delimiters(pair.generation, own)) for pair in pairs]
                return pool.submit(pairs).result()

            outcomes = evaluating.evaluate(
                scoring.problems, scoring.template.plain, answer, grade, params=scoring.params, maj_at=(), majority=lambda draws, k: None
            )
        if torch.cuda.is_available():
            engine.close()  # collects garbage, which takes as long as a small model's answers, and frees a CPU of little
        # An answer without a verdict counts as wrong: left out, it would favour the checkpoint that writes what cannot be graded.
        solved = [outcome.score or 0.0 for outcome in outcomes[evaluating.GREEDY]]
        value = sum(solved) / max(len(solved), 1)
        log.append({"checkpoint": folder.name, "validation": value})
        return value

    return score
