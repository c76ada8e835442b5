"""The training half of a run: students are trained on cells' data and evaluated beside their untrained selves."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from isocost import evaluating
from isocost.curating import Curated
from isocost.engines.base import Generation, Request
from isocost.evaluating import Outcomes
from isocost.events import Listener, Note, StageWatch
from isocost.executors.base import Executor
from isocost.executors.engineworker import cut
from isocost.executors.jobs import EngineSpec, Job
from isocost.executors.training import Scoring, TrainingJob, train
from isocost.finetuning import Trained, TrainingSettings, recorded
from isocost.grading import Grading, Pair
from isocost.ids import digest, seed_of
from isocost.metrics.majority import majority_at_k
from isocost.preparing.prepare import Prepared
from isocost.prompts.base import Template
from isocost.records import Cell, SamplingParams, Verdict
from isocost.store import RunDirectory

PLAIN = "plain"
SPLITS = ("test", "transfer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """A student trained on a cell's data with one seed."""

    student: str
    cell: Cell
    seed: int
    folder: Path
    trained: Trained


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """What one model did on one split, by metric. `cell` is None for the untrained student.

    `answers`, `tokens` and `seconds` are what it took, over every start of the run.
    """

    student: str
    cell: Cell | None
    seed: int
    prompt: str
    split: str
    outcomes: Mapping[str, Outcomes]
    answers: int
    tokens: int
    seconds: float


def trained_cells(prepared: Prepared, cells: Sequence[Cell]) -> list[Cell]:
    """The cells that the study trains on, in its order."""
    finetune = prepared.study.finetune
    if finetune is None:
        return []
    return [c for c in cells if c.arm in finetune.arms and (not finetune.budgets or c.budget in finetune.budgets)]


def finetune(
    prepared: Prepared,
    directory: RunDirectory,
    curated: Mapping[Cell, Curated],
    rows_of: Callable[[Curated, str], Sequence[Mapping[str, str]]],
    executor: Executor,
    listener: Listener,
) -> list[Training]:
    """Train every student on every cell's data; those that are trained already are not trained again.

    Args:
        prepared: The study.
        directory: Its run directory.
        curated: The training sets.
        rows_of: A training set as prompt-completion rows in the form that a student sees.
        executor: Where trainings run.
        listener: Told of progress.

    Raises:
        RunError: a training failed.
    """
    spec = prepared.study.finetune
    if spec is None:
        return []
    for cell in (cell for cell, data in curated.items() if not data.samples):
        listener(Note(text=f"{cell.name} has no correct solution to train on; no student is trained on it"))
    filled = [cell for cell, data in curated.items() if data.samples]
    wanted = [(student, cell, seed) for student in spec.students for cell in filled for seed in spec.seeds]
    jobs = {key: _job(prepared, directory, *key, rows_of(curated[key[1]], key[0])) for key in wanted}
    done = {key: trained for key, job in jobs.items() if (trained := recorded(job.out)) is not None}
    steps = spec.steps * len(spec.learning_rates)
    watch = StageWatch(stage="finetune", total=len(wanted) * steps, unit="steps", listener=listener, done_before=len(done) * steps)
    # The dearest first, so that no worker is left with a long training at the end.
    todo = sorted((key for key in wanted if key not in done), key=lambda key: -(prepared.cards[key[0]].parameters or 0))
    for key in todo:
        directory.remove("logs", jobs[key].progress.name)
    futures = {executor.submit(train, jobs[key]): key for key in todo}
    waiting = set(futures)
    while waiting:
        finished, waiting = wait_for(waiting, timeout=0.5)
        steps_now = sum(_steps_done(directory, jobs[key]) for key in todo)
        watch.advance(max(0, steps_now - (watch.done - watch.done_before)), detail=f"{len(wanted) - len(waiting)}/{len(wanted)} models")
        for future in finished:
            done[futures[future]] = future.result()
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
    settings = TrainingSettings(
        steps=spec.steps,
        batch_size=spec.batch_size,
        learning_rates=spec.learning_rates,
        checkpoints=spec.checkpoints,
        seed=seed,
        method=spec.method,
    )
    options = dict(engine.options)
    source = engine.base / str(options["model"])
    scoring = None
    if spec.checkpoints * len(spec.learning_rates) > 1 and "validation" in prepared.problems:
        template = prepared.templates[student]
        scoring = Scoring(
            problems=tuple(prepared.problems["validation"]),
            template=template,
            params=study.sampling_of(student).params(template.stop),
            engine_options={k: v for k, v in options.items() if k in ("device", "dtype", "batch_size")},
            grader=study.reference_grader.name,
            grader_options=study.reference_grader.options,
            time_limit=study.reference_grader.time_limit,
        )
    stamp = digest(
        "training",
        prepared.identities[student],
        settings,
        [sorted(r.items()) for r in rows],
        scoring and [scoring.problems, scoring.template, scoring.params, scoring.grader, *sorted(scoring.grader_options.items())],
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


def evaluate(
    prepared: Prepared,
    directory: RunDirectory,
    trainings: Sequence[Training],
    executor: Executor,
    grading: Grading,
    listener: Listener,
) -> list[Evaluated]:
    """Evaluate every student untrained (with its prompt, and plain) and trained (plain), on every split; what is stored is not redone."""
    spec = prepared.study.finetune
    if spec is None:
        return []
    splits = [split for split in SPLITS if split in prepared.problems]
    wanted: list[tuple[str, Cell | None, int, str, EngineSpec]] = []
    for student in spec.students:
        if prepared.templates[student].examples:
            wanted.append((student, None, 0, _prompt_name(prepared, student), prepared.specs[student]))
        wanted.append((student, None, 0, PLAIN, prepared.specs[student]))
        wanted += [(student, t.cell, t.seed, PLAIN, _engine_of(prepared, t)) for t in trainings if t.student == student]
    draws = 1 + max(prepared.study.evaluate.maj_at, default=0)
    total = len(wanted) * draws * sum(len(prepared.problems[split]) for split in splits)
    watch = StageWatch(stage="evaluate", total=total, unit="answers", listener=listener)
    # Threads only wait here: workers answer, and several evaluations at once keep all of them busy.
    with ThreadPoolExecutor(executor.workers + 1) as threads:
        futures = [
            threads.submit(_evaluate_one, prepared, directory, job, split, executor, grading, watch)
            for job, split in itertools.product(wanted, splits)
        ]
        try:
            found = [future.result() for future in futures]
        except BaseException:
            threads.shutdown(wait=False, cancel_futures=True)
            executor.close(wait=False)  # or these threads would be waited for, until all that they have sent is answered
            raise
    watch.finish()
    return found


def _evaluate_one(
    prepared: Prepared,
    directory: RunDirectory,
    job: tuple[str, Cell | None, int, str, EngineSpec],
    split: str,
    executor: Executor,
    grading: Grading,
    watch: StageWatch,
) -> Evaluated:
    student, cell, seed, prompt, engine = job
    study, problems, template = prepared.study, prepared.problems[split], prepared.templates[student]
    label = "+".join((student, cell.name if cell else "untrained", str(seed), prompt, split))  # no name has a plus
    # A trained student's folder is named for all that made it; the path before it must not decide what is drawn.
    identity = prepared.identities[student] if cell is None else engine.base.name
    chat = template if template.chat and prompt != PLAIN else None
    answers = _Answers(directory, label, engine, identity, study.seed, executor, watch, chat)

    def grade(pairs: Sequence[tuple[str, str]]) -> list[Verdict]:
        return grading.submit([Pair(key=str(i), reference=a, generation=g) for i, (a, g) in enumerate(pairs)]).result()

    outcomes = evaluating.evaluate(
        problems,
        template.plain if prompt == PLAIN else template.render,
        answers,
        grade,
        params=study.sampling_of(student).params(template.stop if prompt == PLAIN else template.reply_stop),
        maj_at=study.evaluate.maj_at,
        majority=lambda draws, k: majority_at_k(draws, k).value,
    )
    for metric, lines in outcomes.items():
        directory.write_text("".join(evaluating.to_lines(lines)), "evaluations", label, f"{metric}.jsonl")
    return Evaluated(
        student=student,
        cell=cell,
        seed=seed,
        prompt=prompt,
        split=split,
        outcomes=outcomes,
        answers=answers.count,
        tokens=answers.tokens,
        seconds=answers.seconds,
    )


class _Answers:
    """The `answer` that an evaluation is given: batches go to the workers, and each is stored as it comes."""

    def __init__(
        self,
        directory: RunDirectory,
        label: str,
        engine: EngineSpec,
        identity: str,
        seed: int,
        executor: Executor,
        watch: StageWatch,
        chat: Template | None,
    ) -> None:
        self._chat = chat
        self._directory, self._label, self._engine, self._identity = directory, label, engine, identity
        self._seed, self._executor, self._watch = seed, executor, watch
        self.count = self.tokens = 0
        self.seconds = 0.0

    def __call__(self, requests: Sequence[Request], params: SamplingParams) -> list[list[Generation]]:
        if self._chat:
            requests = [replace(r, chat=True, system=self._chat.system) for r in requests]
        stamp = digest("answers", self._identity, params, self._seed, [[r.problem_id, r.prompt, r.count, r.system] for r in requests])
        log = self._directory.batches("evaluations", self._label, stamp)
        stored = {(row["problem_id"], row["index"]): row for row in log.rows()}
        self._watch.resume(len(stored))
        missing = [r for r in requests if (r.problem_id, r.count - 1) not in stored]
        if missing:
            batches = self._executor.submit(cut, self._engine, requests).result()
            owed = [batch for batch in batches if any((r.problem_id, r.first_index) not in stored for r in batch)]
            futures = [self._executor.send(self._job(stamp, i, b, params)) for i, b in enumerate(batches) if b in owed]
            for batch, future in zip(owed, futures, strict=True):
                answers = future.result()
                rows = [
                    _to_row(r, i, g, answers.seconds / len(batch))
                    for r, gs in zip(batch, answers.generations, strict=True)
                    for i, g in enumerate(gs)
                ]
                log.append(digest(stamp, [[r.problem_id, r.first_index] for r in batch]), rows)
                self._watch.advance(len(rows), tokens=sum(row["num_generated_tokens"] for row in rows))
            stored = {(row["problem_id"], row["index"]): row for row in log.rows()}
        log.seal()
        self.count += len(stored)
        self.tokens += sum(row["num_generated_tokens"] for row in stored.values())
        self.seconds += sum(row["seconds"] for row in stored.values())
        return [[_to_generation(stored[r.problem_id, i]) for i in range(r.count)] for r in requests]

    def _job(self, stamp: str, number: int, batch: tuple[Request, ...], params: SamplingParams) -> Job:
        return Job(
            key=digest(stamp, number),
            spec=self._engine,
            remote=False,
            queue="",
            concurrency=1,
            requests=batch,
            params=params,
            seed=seed_of(stamp, number),
        )


def _to_row(request: Request, offset: int, g: Generation, seconds: float) -> dict[str, Any]:
    return {
        "problem_id": request.problem_id,
        "index": request.first_index + offset,
        "generation": g.text,
        "num_prompt_tokens": g.num_prompt_tokens,
        "num_generated_tokens": g.num_generated_tokens,
        "finish_reason": g.finish_reason,
        "seconds": seconds / request.count,
    }


def _to_generation(row: Mapping[str, object]) -> Generation:
    return Generation(
        text=str(row["generation"]),
        num_prompt_tokens=int(str(row["num_prompt_tokens"])),
        num_generated_tokens=int(str(row["num_generated_tokens"])),
        finish_reason=row["finish_reason"],  # type: ignore[arg-type]  # written by _to_row
    )


def _engine_of(prepared: Prepared, training: Training) -> EngineSpec:
    options = {k: v for k, v in prepared.specs[training.student].options if k in ("device", "dtype", "batch_size")}
    model = str(training.folder.resolve())  # a relative one would be looked for under `base`
    return EngineSpec(name="transformers", options=tuple(sorted({**options, "model": model}.items())), base=training.folder)


def _prompt_name(prepared: Prepared, student: str) -> str:
    return prepared.study.prompt_of(student).name


def average(seeds: Sequence[Outcomes]) -> Outcomes:
    """The mean score of each problem over training seeds; a problem that one of them could not grade is not graded."""
    if len(seeds) == 1:
        return seeds[0]
    by_problem = zip(*seeds, strict=True)
    return tuple(
        evaluating.ProblemOutcome(
            problem_id=same[0].problem_id,
            score=None if any(o.score is None for o in same) else sum(o.score or 0.0 for o in same) / len(same),
            predicted_answer=None,
        )
        for same in by_problem
    )
