"""Evaluate students, trained and untrained, on the test splits; stored answers are not requested again."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from threading import Event
from typing import Any

from isocost import evaluating
from isocost.amounts import quantity
from isocost.dispatch.calls import Abandoned, Call
from isocost.dispatch.loop import cut_batches, null_ledger, run_sources
from isocost.engines import CARRIED
from isocost.engines.base import Generation, Request
from isocost.evaluating import Outcomes
from isocost.events import Listener, Note, StageWatch
from isocost.executors.base import Executor
from isocost.executors.jobs import Answers, EngineSpec, Job
from isocost.executors.storing import FAILED_GENERATION
from isocost.graders.replies import after_delimiters
from isocost.grading import Grading
from isocost.ids import digest, seed_of
from isocost.metrics.majority import majority_at_k
from isocost.preparing.prepare import Prepared
from isocost.records import Cell, Cost, Pair, SamplingParams, Verdict
from isocost.store import BatchLog, RunDirectory
from isocost.students.train import Training

PLAIN = "plain"
SPLITS = ("validation", "test", "transfer")


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
        template = prepared.templates[student]
        # Else its prompt is the plain one: the form in which trained students are asked.
        if template.examples or template.chat != prepared.study.trains_chat(student):
            wanted.append((student, None, 0, prepared.study.prompt_of(student).name, prepared.specs[student]))
        wanted.append((student, None, 0, PLAIN, prepared.specs[student]))
        wanted += [(student, t.cell, t.seed, PLAIN, _engine_of(prepared, t)) for t in trainings if t.student == student]
    total = len(wanted) * sum(_draws(prepared, split) * len(prepared.problems[split]) for split in splits)
    watch = StageWatch(stage="evaluate", total=total, unit="answers", listener=listener)
    stopping = Event()
    each = partial(_Evaluation, prepared=prepared, directory=directory, executor=executor, grading=grading, watch=watch, stopping=stopping)
    # These threads only wait: worker processes answer. One evaluation more than workers keeps every worker busy while one is graded.
    with ThreadPoolExecutor(executor.workers + 1) as threads:
        futures = [
            threads.submit(each(student=student, cell=cell, seed=seed, prompt=prompt, engine=engine, split=split).run)
            for (student, cell, seed, prompt, engine), split in itertools.product(wanted, splits)
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


def _sampled(prepared: Prepared, split: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the k of maj@k and of pass@k. On validation, where prompts are chosen, the greedy answer is enough."""
    spec = prepared.study.evaluate
    return ((), ()) if split == "validation" else (spec.maj_at, spec.pass_at)


def _draws(prepared: Prepared, split: str) -> int:
    """Return the answers to a problem: a greedy one, and the draws of the largest k."""
    return 1 + max((k for ks in _sampled(prepared, split) for k in ks), default=0)


@dataclass(slots=True, kw_only=True)
class _Evaluation:
    """The evaluation of one model on one split: generates and stores the answers that are not stored yet.

    Attributes:
        prepared: The study.
        directory: Its run directory.
        executor: Runs the engine.
        grading: Grades answers by the reference grader.
        watch: Counts answers as they arrive.
        stopping: Set when no caller waits for answers any more.
        student, cell, seed, prompt, split: As in `Evaluated`.
        engine: The engine that runs the model.
        answers, tokens, seconds: As in `Evaluated`.
    """

    prepared: Prepared
    directory: RunDirectory
    executor: Executor
    grading: Grading
    watch: StageWatch
    stopping: Event
    student: str
    cell: Cell | None
    seed: int
    prompt: str
    split: str
    engine: EngineSpec
    answers: int = 0
    tokens: int = 0
    seconds: float = 0.0

    def run(self) -> Evaluated:
        """Answer and grade all problems, and write the outcomes."""
        study, template, is_plain = self.prepared.study, self.prepared.templates[self.student], self.prompt == PLAIN
        maj_at, pass_at = _sampled(self.prepared, self.split)
        outcomes = evaluating.evaluate(
            self.prepared.problems[self.split],
            template.plain if is_plain else template.render,
            self._answer,
            self._grade,
            params=self.prepared.trained_params(self.student) if is_plain else study.sampling_of(self.student).params(template.reply_stop),
            maj_at=maj_at,
            majority=lambda draws, k: majority_at_k(draws, k).value,
            pass_at=pass_at,
        )
        for metric, lines in outcomes.items():
            if "@" in metric:
                self.directory.write_text("".join(evaluating.to_lines(lines)), "evaluations", self._label, f"{metric}.jsonl")
        self.directory.write_text("".join(evaluating.to_reply_lines(outcomes)), "evaluations", self._label, "replies.jsonl")
        own = {name: getattr(self, name) for name in ("student", "cell", "seed", "prompt", "split", "answers", "tokens", "seconds")}
        return Evaluated(outcomes=outcomes, **own)

    @property
    def _label(self) -> str:
        return label_of(self.student, self.cell.name if self.cell else None, self.seed, self.prompt, self.split)

    def _grade(self, pairs: Sequence[Pair]) -> list[Verdict]:
        if own := self.prepared.study.models[self.student].reasoning:
            pairs = [replace(pair, generation=after_delimiters(pair.generation, own.delimiters())) for pair in pairs]
        return self.grading.submit(pairs).result()

    def _answer(self, requests: Sequence[Request], params: SamplingParams) -> list[list[Generation]]:
        """Answer requests in order, from the store where possible."""
        template, facts = self.prepared.templates[self.student], self.prepared.facts[self.student]
        if self.prepared.study.trains_chat(self.student) if self.prompt == PLAIN else template.chat:
            requests = [replace(r, chat=True, system=template.system) for r in requests]
        # The name of a trained student's folder has a digest of all that made it. The path of its parent must not change what is drawn.
        identity = self.prepared.identities[self.student] if self.cell is None else self.engine.base.name
        # Any change of model, prompts, settings or seed opens another log, so no stale answer is read.
        asked = [[r.problem_id, r.prompt, r.count, r.system] for r in requests]
        special = [value for key, value in self.engine.options if key == "special_tokens"]  # absent, as in runs of earlier versions
        stamp = digest("answers", identity, params, self.prepared.study.seed, asked, *special)
        log = self.directory.batches("evaluations", self._label, stamp)
        stored = {(row["problem_id"], row["index"]): row for row in log.rows()}
        self.watch.resume(len(stored))
        order: Callable[[str], int] | None = None
        # The answers of a request are stored in one batch, so the last one stands for all of them.
        if any((r.problem_id, r.count - 1) not in stored for r in requests):
            batches = cut_batches(self.engine, facts, requests, self.executor, self._check)
            source = _Batches(stamp, self._label, batches, stored.keys(), Job.template(self.engine, facts, params), log, self.watch)
            run_sources([source], self.executor, null_ledger(), check=self._check, notify=self._note)
            stored = {(row["problem_id"], row["index"]): row for row in log.rows()}
            numbers = {source.name_of(batch): number for number, batch in enumerate(batches)}
            order = lambda name: numbers.get(name, -1)  # noqa: E731 - -1 for a batch of an earlier start that was cut differently
        # Sorted by batch, so that the file does not depend on which worker answered first.
        log.seal(order)
        self.answers += len(stored)
        self.tokens += sum(row["num_generated_tokens"] for row in stored.values())
        self.seconds += sum(row["seconds"] for row in stored.values())
        if failed := sum(row["finish_reason"] == "error" for row in stored.values()):
            self._note(_failure(self, failed, len(stored)), loud=True)
        return [[_to_generation(stored[r.problem_id, i]) for i in range(r.count)] for r in requests]

    def _check(self) -> None:
        if self.stopping.is_set():
            raise CancelledError

    def _note(self, what: str, *, loud: bool = False) -> None:
        self.watch.listener(Note(text=what, loud=loud))


def _failure(of: _Evaluation, failed: int, total: int) -> str:
    """Return a note on failed answers: comparisons leave out their problems, which may be the hard ones."""
    trained = "untrained" if of.cell is None else f"trained on {of.cell.name}"
    return (
        f"evaluate: {of.student}, {trained}, prompt {of.prompt}, {of.split}: {failed:,} of {quantity(total, 'answer')} failed "
        "and are not graded. If the prompt is longer than the model's context, give fewer examples"
    )


@dataclass(slots=True)
class _Batches:
    """The batches of one sampling setting of an evaluation, and the log of their answers; `job` has the fields that all share."""

    stamp: str
    label: str
    batches: Sequence[tuple[Request, ...]]
    stored: Collection[tuple[str, int]]
    job: Job
    log: BatchLog
    watch: StageWatch

    def name_of(self, batch: tuple[Request, ...]) -> str:
        """Return the name of a batch in the log; its job's key and its seed come from its number."""
        return digest(self.stamp, [[r.problem_id, r.first_index] for r in batch])

    def calls(self) -> Iterator[Call]:
        """Yield a call for each batch that is not stored."""
        for n, batch in enumerate(self.batches):
            if any((r.problem_id, r.first_index) not in self.stored for r in batch):
                job = replace(self.job, key=digest(self.stamp, n), requests=batch, seed=seed_of(self.stamp, n))
                yield Call(job=job, worst=Cost(), facts={"account": "evaluation", "model": self.label})

    def store(self, call: Call, answers: Answers | Abandoned) -> None:
        """Store the answers of a batch; of an abandoned one, store failed ones, so that the batch is not requested again."""
        batch = call.job.requests
        came: Sequence[Sequence[Generation]] = [()] * len(batch)
        seconds = 0.0
        if isinstance(answers, Answers):
            # The engine times a batch as a whole; its requests share the seconds equally.
            came, seconds = answers.generations, answers.seconds / len(batch)
        rows = [_to_row(r, i, g, seconds) for r, gs in zip(batch, came, strict=True) for i, g in enumerate(_pad_failed(gs, r.count))]
        self.log.append(self.name_of(batch), rows)
        self.watch.advance(len(rows), tokens=sum(row["num_generated_tokens"] for row in rows))


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
    options = {k: v for k, v in untrained.options if k in CARRIED}
    model = str(training.folder.resolve())  # the engine would resolve a relative path against `base`
    return replace(untrained, options=tuple(sorted({**options, "model": model}.items())), base=training.folder, identity=None)


def label_of(student: str, cell: str | None, seed: int, prompt: str, split: str) -> str:
    """Return the folder's name of an evaluation below `evaluations/`; the arguments are those of `Evaluated`, the cell by name."""
    # Names hold no plus sign, so a label is unique.
    return "+".join((student, cell or "untrained", str(seed), prompt, split))
