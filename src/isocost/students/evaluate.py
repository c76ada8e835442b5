"""Evaluate students, trained and untrained, on the test splits; stored answers are not requested again."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from dataclasses import dataclass, replace
from threading import Event
from typing import Any

from isocost import evaluating
from isocost.dispatch.calls import Call
from isocost.dispatch.loop import cut_batches, null_ledger, run_sources
from isocost.engines.base import Generation, Request
from isocost.evaluating import Outcomes
from isocost.events import Listener, Note, StageWatch
from isocost.executors.base import Executor
from isocost.executors.jobs import Answers, EngineFacts, EngineSpec, Job, queue_of
from isocost.executors.storing import FAILED_GENERATION
from isocost.grading import Grading, Pair
from isocost.ids import digest, seed_of
from isocost.metrics.majority import majority_at_k
from isocost.preparing.prepare import Prepared
from isocost.prompts.base import Template
from isocost.records import Cell, Cost, SamplingParams, Verdict
from isocost.store import BatchLog, RunDirectory
from isocost.students.train import Training

PLAIN = "plain"
SPLITS = ("test", "transfer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """The outcomes of one model on one split, by metric.

    Attributes:
        student: The student's name.
        cell: The cell whose data it was trained on; None for the untrained student.
        seed: The training seed; 0 for the untrained student.
        prompt: The name of the prompt, or `PLAIN`.
        split: The split.
        outcomes: Outcomes of the problems, by metric.
        answers: Answers generated, over every start of the run.
        tokens: Tokens generated, over every start of the run.
        seconds: Seconds of generation, over every start of the run.
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


def evaluate(
    prepared: Prepared,
    directory: RunDirectory,
    trainings: Sequence[Training],
    executor: Executor,
    grading: Grading,
    listener: Listener,
) -> list[Evaluated]:
    """Evaluate every student untrained (with its prompt, and plain) and trained (plain), on every split.

    Answers that an earlier start stored are not generated again.

    Args:
        prepared: The study.
        directory: Its run directory.
        trainings: The trained students.
        executor: Runs the engines.
        grading: Grades answers by the reference grader.
        listener: Called with progress and notes.
    """
    spec = prepared.study.finetune
    if spec is None:
        return []
    splits = [split for split in SPLITS if split in prepared.problems]
    wanted: list[tuple[str, Cell | None, int, str, EngineSpec]] = []
    for student in spec.students:
        if prepared.templates[student].examples:  # without examples, its prompt is the plain one
            wanted.append((student, None, 0, _prompt_name(prepared, student), prepared.specs[student]))
        wanted.append((student, None, 0, PLAIN, prepared.specs[student]))
        wanted += [(student, t.cell, t.seed, PLAIN, _engine_of(prepared, t)) for t in trainings if t.student == student]
    # One greedy answer, and the draws of the largest vote.
    draws = 1 + max(prepared.study.evaluate.maj_at, default=0)
    total = len(wanted) * draws * sum(len(prepared.problems[split]) for split in splits)
    watch = StageWatch(stage="evaluate", total=total, unit="answers", listener=listener)
    stopping = Event()
    # These threads only wait: worker processes answer. One evaluation more than workers keeps every worker busy while one is graded.
    with ThreadPoolExecutor(executor.workers + 1) as threads:
        futures = [
            threads.submit(_evaluate_one, prepared, directory, job, split, executor, grading, watch, stopping)
            for job, split in itertools.product(wanted, splits)
        ]
        try:
            found = [future.result() for future in futures]
        except BaseException:
            stopping.set()
            threads.shutdown(wait=False, cancel_futures=True)
            executor.close(wait=False)  # else the exit of the pool would wait until all sent requests are answered
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
    stopping: Event,
) -> Evaluated:
    student, cell, seed, prompt, engine = job
    study, problems, template = prepared.study, prepared.problems[split], prepared.templates[student]
    label = "+".join(
        (student, cell.name if cell else "untrained", str(seed), prompt, split)
    )  # names hold no plus sign, so a label is unique
    # The name of a trained student's folder has a digest of all that made it. The path of its parent must not change what is drawn.
    identity = prepared.identities[student] if cell is None else engine.base.name
    chat = template if template.chat and prompt != PLAIN else None
    answers = _StoredAnswers(directory, label, engine, prepared.facts[student], identity, study.seed, executor, watch, chat, stopping)

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


class _StoredAnswers:
    """The `answer` callable of an evaluation: generates and stores the answers that are not stored yet.

    Args:
        directory: The run directory.
        label: Student, cell, seed, prompt and split: the folder of its answers.
        engine: The engine that runs the student.
        facts: The engine's facts about the untrained student.
        identity: A digest or name; students with the same one give the same answers.
        seed: The seed of the study.
        executor: Runs the engine.
        watch: Counts answers as they arrive.
        chat: The student's prompt template for chat requests, else None.
        stopping: Set when no caller waits for answers any more.
    """

    def __init__(
        self,
        directory: RunDirectory,
        label: str,
        engine: EngineSpec,
        facts: EngineFacts,
        identity: str,
        seed: int,
        executor: Executor,
        watch: StageWatch,
        chat: Template | None,
        stopping: Event,
    ) -> None:
        self._chat, self._stopping = chat, stopping
        self._directory, self._label, self._engine, self._facts, self._identity = directory, label, engine, facts, identity
        self._seed, self._executor, self._watch = seed, executor, watch
        self.count = self.tokens = 0
        self.seconds = 0.0

    def __call__(self, requests: Sequence[Request], params: SamplingParams) -> list[list[Generation]]:
        """Answer requests in order, from the store where possible."""
        if self._chat:
            requests = [replace(r, chat=True, system=self._chat.system) for r in requests]
        # Any change of model, prompts, settings or seed opens another log, so no stale answer is read.
        stamp = digest("answers", self._identity, params, self._seed, [[r.problem_id, r.prompt, r.count, r.system] for r in requests])
        log = self._directory.batches("evaluations", self._label, stamp)
        stored = {(row["problem_id"], row["index"]): row for row in log.rows()}
        self._watch.resume(len(stored))
        order: Callable[[str], int] | None = None
        # The answers of a request are stored in one batch, so the last one stands for all of them.
        if any((r.problem_id, r.count - 1) not in stored for r in requests):
            batches = cut_batches(self._engine, self._facts, requests, self._executor, self._check)
            source = _Batches(stamp, self._label, batches, stored.keys(), self._job(params), log, self._watch)
            run_sources(
                [source], self._executor, null_ledger(), check=self._check, notify=lambda what: self._watch.listener(Note(text=what))
            )
            stored = {(row["problem_id"], row["index"]): row for row in log.rows()}
            order = source.number_of
        # Sorted by batch, so that the file does not depend on which worker answered first.
        log.seal(order)
        self.count += len(stored)
        self.tokens += sum(row["num_generated_tokens"] for row in stored.values())
        self.seconds += sum(row["seconds"] for row in stored.values())
        return [[_to_generation(stored[r.problem_id, i]) for i in range(r.count)] for r in requests]

    def _check(self) -> None:
        if self._stopping.is_set():
            raise CancelledError

    def _job(self, params: SamplingParams) -> Job:
        """Return a job with the fields that all batches share."""
        return Job(
            key="",
            spec=self._engine,
            remote=self._facts.remote,
            queue=queue_of(self._engine, self._facts),
            concurrency=self._facts.concurrency,
            requests=(),
            params=params,
            seed=0,
        )


class _Batches:
    """The batches of one sampling setting of an evaluation, and the log of their answers."""

    def __init__(
        self,
        stamp: str,
        label: str,
        batches: Sequence[tuple[Request, ...]],
        stored: Collection[tuple[str, int]],
        job: Job,
        log: BatchLog,
        watch: StageWatch,
    ) -> None:
        self._stamp, self._label, self._batches, self._job, self._log, self._watch = stamp, label, batches, job, log, watch
        self._missing = [n for n, batch in enumerate(batches) if any((r.problem_id, r.first_index) not in stored for r in batch)]
        self._numbers = {self._key(batch): number for number, batch in enumerate(batches)}

    def _key(self, batch: tuple[Request, ...]) -> str:
        """Return the name of a batch in the log; its job's key and its seed come from its number."""
        return digest(self._stamp, [[r.problem_id, r.first_index] for r in batch])

    def number_of(self, key: str) -> int:
        """Return the number of a batch by its name in the log; -1 for a batch of an earlier start that was cut differently."""
        return self._numbers.get(key, -1)

    def calls(self) -> Iterator[Call]:
        """Yield a call for each batch that is not stored."""
        for n in self._missing:
            job = replace(self._job, key=digest(self._stamp, n), requests=self._batches[n], seed=seed_of(self._stamp, n))
            yield Call(job=job, worst=Cost(), facts={"account": "evaluation", "model": self._label})

    def store(self, call: Call, answers: Answers | None) -> None:
        """Store the answers of a batch; without answers, store failed ones, so that the batch is not requested again."""
        batch = call.job.requests
        came = answers.generations if answers else [()] * len(batch)
        # The engine times a batch as a whole; its requests share the seconds equally.
        seconds = answers.seconds / len(batch) if answers else 0.0
        rows = [_to_row(r, i, g, seconds) for r, gs in zip(batch, came, strict=True) for i, g in enumerate(_pad_failed(gs, r.count))]
        self._log.append(self._key(batch), rows)
        self._watch.advance(len(rows), tokens=sum(row["num_generated_tokens"] for row in rows))


def _pad_failed(generations: Sequence[Generation], count: int) -> list[Generation]:
    """Return `count` generations, padded with failed ones."""
    return [*generations, *[FAILED_GENERATION] * (count - len(generations))]


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
    untrained = prepared.specs[training.student]
    # Only options of the hardware carry over; others may name the untrained weights.
    options = {k: v for k, v in untrained.options if k in ("device", "dtype", "batch_size")}
    model = str(training.folder.resolve())  # the engine would resolve a relative path against `base`
    return EngineSpec(name=untrained.name, options=tuple(sorted({**options, "model": model}.items())), base=training.folder)


def _prompt_name(prepared: Prepared, student: str) -> str:
    return prepared.study.prompt_of(student).name


def average(seeds: Sequence[Outcomes]) -> Outcomes:
    """Return the mean score of each problem over training seeds; a problem that is ungraded for one seed is ungraded."""
    if len(seeds) == 1:
        return seeds[0]
    return tuple(_average_problem(same) for same in zip(*seeds, strict=True))


def _average_problem(same: Sequence[evaluating.ProblemOutcome]) -> evaluating.ProblemOutcome:
    scores = [outcome.score for outcome in same]
    graded = [score for score in scores if score is not None]
    # A mean over fewer seeds would weigh them differently from problem to problem.
    mean = sum(graded) / len(graded) if len(graded) == len(scores) else None
    return evaluating.ProblemOutcome(problem_id=same[0].problem_id, score=mean, predicted_answer=None)
