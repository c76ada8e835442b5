"""A model of the study as the grader of its training solutions: in the shape of a GradingPool, with its calls on the ledger.

Replies are stored as they come, under what was asked, so that nothing is asked twice: not on resume, and not for a solution that two
models wrote alike.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from contextlib import closing
from threading import Event
from types import TracebackType
from typing import Self

from isocost.config import Study
from isocost.engines.base import Generation, Request
from isocost.errors import IsocostError
from isocost.executors.base import Executor
from isocost.executors.desk import cut
from isocost.executors.jobs import Answers, Job, lane_of
from isocost.executors.storing import FAILED_GENERATION
from isocost.graders.judge import Judge, JudgeRequest
from isocost.grading import Pair
from isocost.ids import digest, seed_of
from isocost.ledger import Answered, Ledger
from isocost.planning import cost_of
from isocost.records import Cost, ModelCard, SamplingParams, Verdict
from isocost.running.buying.asking import LISTENING, answered
from isocost.running.buying.calls import Call
from isocost.running.buying.drawn import total_cost
from isocost.running.preparing import Prepared, judge_of
from isocost.store import Row, RunDirectory

FOLDER = "judge"  # in the run directory: a folder for each model that ever was the judge
MAX_TOKENS = 1024


class JudgingPool:
    """Judges solutions in the background, in one thread that has the study's engine asked; a context manager.

    Leaving the `with` block waits for what was submitted; with an exception on its way nothing more is sent, and what is in flight is
    left to the next start.

    Args:
        prepared: A study whose grader is a model.
        directory: Where replies are stored.
        executor: Where the engine runs.
    """

    def __init__(self, prepared: Prepared, directory: RunDirectory, executor: Executor) -> None:
        model = judge_of(prepared.study) or ""
        self._card, self._spec, self._facts = prepared.cards[model], prepared.specs[model], prepared.facts[model]
        self._executor = executor
        self._params = judging_params(prepared.study)
        self.grader = Judge(self._answer, digest(prepared.identities[model], self._params))
        self._log = directory.batches(FOLDER, model, self.grader.version)
        self._thread = ThreadPoolExecutor(1)  # alone touches the log, once there is something to judge
        self._ended = Event()
        self._stored: dict[str, Row] | None = None
        self._failure: IsocostError | None = None
        self.ledger: Ledger | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is not None:
            self._ended.set()
        # Waited for in any case: a thread that outlived the run would start its workers anew.
        self._thread.shutdown(wait=True, cancel_futures=kind is not None)
        if kind is None:
            self._log.seal()

    def load(self, unanswered: Collection[str]) -> dict[str, Answered]:
        """What the calls that the ledger does not know answered cost, of those whose replies are stored."""
        rows: dict[str, list[Row]] = {}
        for row in self._log.rows() if unanswered else ():
            if row["batch"] in unanswered:
                rows.setdefault(row["batch"], []).append(row)
        return {batch: _answered(batch, own) for batch, own in rows.items()}

    def submit(self, pairs: Sequence[Pair]) -> Future[list[Verdict]]:
        """Judge solutions; the future holds their verdicts in order. Reference answers are not shown to the judge.

        The future raises LimitReachedError or EngineError where the model cannot be asked; so does every later one that would ask it.
        """
        requests = [JudgeRequest(question=pair.question, generation=pair.generation) for pair in pairs]
        return self._thread.submit(self.grader.grade, requests)

    def _answer(self, prompts: Sequence[str]) -> list[str | None]:
        """The `answer` of the judge."""
        if self._stored is None:
            self._stored = {row["id"]: row for row in self._log.rows()}
        asked = {digest("asked", prompt): prompt for prompt in prompts}
        if not asked.keys() <= self._stored.keys():
            self._ask(asked, self._stored)
        rows = [self._stored[key] for key in asked]
        return [None if row["finish_reason"] == "error" else row["reply"] for row in rows]

    def _ask(self, asked: Mapping[str, str], stored: dict[str, Row]) -> None:
        """Have the engine answer what is not stored yet, and store it as it comes."""
        if self._failure:
            raise self._failure
        if self.ledger is None:
            raise AssertionError("unreachable: sampling opens the ledger before it has anything judged")
        try:
            with closing(answered([self._calls(asked, stored)], self._executor, self.ledger, self._check)) as found:
                for call, answers in itertools.chain.from_iterable(found):
                    rows = self._rows(call, answers)
                    self._log.append(call.key, rows)
                    if answers is not None:
                        self.ledger.release([_answered(call.key, rows)])
                    stored.update((row["id"], row) for row in rows)
        except IsocostError as error:
            self._failure = error
            raise

    def _calls(self, asked: Mapping[str, str], stored: Mapping[str, Row]) -> list[Call]:
        """What is still to be sent.

        Cut from all that nobody else had asked when these solutions were first submitted, stored since or not: a kill in the middle does
        not change the batches, and so not the replies of an engine whose replies depend on their neighbours.
        """
        whole = digest("submitted", sorted(asked))
        own = [key for key in asked if key not in stored or stored[key]["submitted"] == whole]
        requests = [Request(problem_id=key, prompt=asked[key], first_index=0, count=1) for key in own]
        cutting = self._executor.submit(cut, self._spec, requests)
        while not wait([cutting], timeout=LISTENING).done:  # it waits its turn among calls that take minutes
            self._check()
        batches = cutting.result()
        owed = [batch for batch in batches if any(request.problem_id not in stored for request in batch)]
        return [self._call(batch, whole) for batch in owed]

    def _call(self, batch: tuple[Request, ...], whole: str) -> Call:
        key = digest("judge", self.grader.version, [request.problem_id for request in batch])
        job = Job(
            key=key,
            spec=self._spec,
            remote=self._facts.remote,
            lane=lane_of(self._spec, self._facts),
            concurrency=self._facts.concurrency,
            requests=batch,
            params=self._params,
            seed=seed_of(key),
        )
        facts = {"account": "judge", "model": self._card.name, "submitted": whole, "count": len(batch)}
        worst = total_cost(
            verdict_cost(self._card, len(r.prompt.encode("utf-8", "surrogatepass")) + 1, self._params.max_tokens) for r in batch
        )
        return Call(job=job, worst=worst, facts=facts)

    def _check(self) -> None:
        if self._ended.is_set():
            raise CancelledError

    def _rows(self, call: Call, answers: Answers | None) -> list[Row]:
        """Replies as they are stored; of a call that has failed for good, empty ones that cost what the ledger has already."""
        if answers is None:
            return [self._row(call, FAILED_GENERATION, request.problem_id, 0.0) for request in call.job.requests]
        each = answers.seconds / len(call.job.requests)
        return [
            self._row(call, replies[0] if replies else FAILED_GENERATION, request.problem_id, each)
            for request, replies in zip(call.job.requests, answers.generations, strict=True)
        ]

    def _row(self, call: Call, reply: Generation, key: str, seconds: float) -> Row:
        cost = verdict_cost(self._card, reply.num_prompt_tokens, reply.num_generated_tokens)
        return {
            "id": key,
            "submitted": call.facts["submitted"],
            "reply": reply.text,
            "finish_reason": reply.finish_reason,
            "num_prompt_tokens": reply.num_prompt_tokens,
            "num_generated_tokens": reply.num_generated_tokens,
            "cost_flops": cost.flops,
            "cost_usd": cost.usd,
            "cost_seconds": seconds,
        }


def judging_params(study: Study) -> SamplingParams:
    """How the judge writes: greedily, so that its verdicts can be had again."""
    return SamplingParams(temperature=0.0, max_tokens=int(str(study.grader.options.get("max_tokens", MAX_TOKENS))))


def verdict_cost(card: ModelCard, prompt_tokens: int, generated_tokens: int) -> Cost:
    """What a verdict costs: 2P FLOPs a token read or written, and its price.

    A draw's prompt tokens are left out, as in the paper (`cost_of`); a judge does little else than read.
    """
    flops = None if card.flops_per_token is None else card.flops_per_token * (prompt_tokens + generated_tokens)
    return Cost(flops=flops, usd=cost_of(card, prompt_tokens=prompt_tokens, generated_tokens=generated_tokens).usd)


def _answered(batch: str, rows: Sequence[Row]) -> Answered:
    cost = total_cost(Cost(flops=row["cost_flops"], usd=row["cost_usd"], seconds=row["cost_seconds"]) for row in rows)
    return Answered(request=batch, cost=cost, count=len(rows), tokens=sum(row["num_generated_tokens"] for row in rows))
