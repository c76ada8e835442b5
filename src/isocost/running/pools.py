"""A model's pool: rounds, batches, verdicts, and what a resumed run still owes; `buying.py` buys it.

A round is written down before anything of it is bought. Its batches are a pure function of it, each is seeded by what it asks for and is
committed whole, so a resumed run redoes exactly the batches that are missing and gets the same draws.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from isocost.engines.base import Request
from isocost.executors.local import LocalExecutor
from isocost.executors.work import Answers, EngineSpec, cut
from isocost.grading import Pair
from isocost.ids import digest, sample_id, seed_of
from isocost.planning import cost_of
from isocost.prompts.base import Template
from isocost.records import Allocation, Cost, ModelCard, Outcome, Problem, Sample, SamplingParams, Verdict
from isocost.running.asking import Call
from isocost.store import BatchLog, Log, RunDirectory

FAILED = Verdict(outcome=Outcome.UNGRADED, predicted_answer=None, reason="engine_error")
DrawKey = tuple[str, str, int]  # model, problem id, sample index


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Requests that one call of an engine answers."""

    key: str
    requests: tuple[Request, ...]
    seed: int

    @property
    def size(self) -> int:
        """Draws in it."""
        return sum(r.count for r in self.requests)


@dataclass(slots=True, kw_only=True)
class Pool:
    """One model under one prompt and sampling setting, with all draws bought so far."""

    card: ModelCard
    identity: str
    spec: EngineSpec
    params: SamplingParams
    template: Template
    study_seed: int
    directory: RunDirectory
    problems: Mapping[str, Problem]
    grader: str
    id: str = field(init=False)
    _samples: BatchLog = field(init=False)
    _verdicts: BatchLog = field(init=False)
    _rounds: Log = field(init=False)
    _known: dict[str, str] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.id = digest("pool", self.identity, self.template, self.params, self.study_seed)
        self._samples = self.directory.batches("pools", self.card.name, self.id)
        self._verdicts = self.directory.batches("verdicts", self.grader, self.id)
        self._rounds = self.directory.log("pools", self.card.name, "rounds.jsonl")

    def bought(self) -> dict[tuple[str, str], int]:
        """(model, problem id) -> draws bought or on order."""
        counts: dict[tuple[str, str], int] = {}
        for _, order in self._orders():
            for problem_id, _, first_index, count in filter(self._is_current, order):
                key = (self.card.name, problem_id)
                counts[key] = max(counts.get(key, 0), first_index + count)
        return counts

    def order(self, allocations: list[Allocation], executor: LocalExecutor) -> None:
        """Write a round down, cut into the batches in which the engine will answer it."""
        requests = [self._request(a.problem_id, a.first_index, a.count) for a in allocations]
        batches = executor.submit(cut, self.spec, requests).result()
        orders = [[[r.problem_id, self._asked(r.problem_id), r.first_index, r.count] for r in batch] for batch in batches]
        self._rounds.append({"pool": self.id, "batches": orders})

    def stored_batches(self) -> set[str]:
        """The keys of the batches that are in the store."""
        return self._samples.batches()

    def missing(self, wanted: Mapping[tuple[str, str], int]) -> list[Batch]:
        """The batches of all rounds that are not, in order, without what nobody wants any more.

        A batch whose problems come and go is bought in parts; each part counts as a batch of its own.

        Args:
            wanted: (model, problem id) -> how many draws the study's cells ask for.
        """
        stored, found = {sample.id for _, sample in self._current()}, []
        for number, order in self._orders():
            owed = [draws for line in filter(self._is_current, order) if (draws := self._owed(line, wanted, stored))]
            if owed:
                requests = tuple(self._request(p, first, count) for p, _, first, count in owed)
                found.append(Batch(key=digest("batch", self.id, number, owed), requests=requests, seed=seed_of("batch", self.id, owed)))
        return found

    def _owed(self, draws: list[Any], wanted: Mapping[tuple[str, str], int], stored: Container[str]) -> list[Any] | None:
        """The part of a line of an order that is wanted and not stored, or None."""
        problem_id, asked, first, count = draws
        end = min(first + count, wanted.get((self.card.name, problem_id), 0))
        start = next((i for i in range(first, end) if self._sample_id(problem_id, i) not in stored), end)
        return [problem_id, asked, start, end - start] if start < end else None

    def ungraded(self) -> dict[str, list[Sample]]:
        """By batch, stored samples without a verdict of this grader on today's reference answer."""
        judged = {(row["sample_id"], row["reference"]) for row in self._verdicts.rows()}
        waiting: dict[str, list[Sample]] = {}
        for batch, sample in self._current():
            if (sample.id, self.problems[sample.problem_id].answer) not in judged:
                waiting.setdefault(batch, []).append(sample)
        return waiting

    def stored(self) -> tuple[int, Cost]:
        """How many draws are stored, and what they cost."""
        samples = [to_sample(row, self.card.name, self.id) for row in self._samples.rows()]
        return len(samples), total_cost(s.cost for s in samples)

    def worst(self, batch: Batch) -> Cost:
        """What a batch costs if every draw goes to max_tokens; the prompts' length is bounded by their bytes."""
        total = Cost(flops=0.0, usd=0.0)
        for r in batch.requests:
            bound = len(r.prompt.encode()) + 1
            total = total + _times(cost_of(self.card, prompt_tokens=bound, generated_tokens=self.params.max_tokens), r.count)
        return total

    def call(self, batch: Batch) -> Call:
        """What is sent for a batch."""
        facts = {"account": "data", "model": self.card.name, "pool": self.id, "count": batch.size}
        return Call(
            key=batch.key,
            spec=self.spec,
            requests=batch.requests,
            params=self.params,
            seed=batch.seed,
            worst=self.worst(batch),
            facts=facts,
        )

    def store(self, batch: Batch, answers: Answers) -> list[Sample]:
        """Commit an answered batch."""
        samples = list(self._to_samples(batch, answers))
        self._samples.append(batch.key, [to_row(s) for s in samples])
        return samples

    def store_verdicts(self, batch: str, samples: list[Sample], verdicts: list[Verdict]) -> None:
        """Commit verdicts on samples of a batch, each with the reference that it was judged by.

        Where the engine failed there was no answer to judge: not graded, never wrong.
        """
        rows = [
            {"sample_id": s.id, "reference": self.problems[s.problem_id].answer, **asdict(FAILED if s.finish_reason == "error" else v)}
            for s, v in zip(samples, verdicts, strict=True)
        ]
        self._verdicts.append(digest(batch, [[row["sample_id"], row["reference"]] for row in rows]), rows)

    def pairs(self, samples: list[Sample]) -> list[Pair]:
        """What the grader has to judge; a failed draw has an empty text."""
        asked = [self.problems[s.problem_id] for s in samples]
        return [
            Pair(key=s.id, reference=problem.answer, generation=s.generation, question=problem.question)
            for s, problem in zip(samples, asked, strict=True)
        ]

    def draws(self) -> dict[DrawKey, tuple[Sample, Verdict]]:
        """Every draw of the study's problems, with its verdict."""
        verdicts = {
            (row["sample_id"], row["reference"]): Verdict(
                outcome=Outcome(row["outcome"]), predicted_answer=row["predicted_answer"], reason=row["reason"]
            )
            for row in self._verdicts.rows()
        }
        return {
            (self.card.name, s.problem_id, s.sample_index): (s, verdicts[s.id, self.problems[s.problem_id].answer])
            for _, s in self._current()
        }

    def seal(self) -> None:
        """Move what is stored into Parquet."""
        self._samples.seal()
        self._verdicts.seal()

    def _orders(self) -> Iterator[tuple[int, list[list[Any]]]]:
        """Every batch that was written down, numbered: lists of [problem id, what was asked, first index, count]."""
        entries = (entry for entry in self._rounds.entries() if entry["pool"] == self.id)
        yield from enumerate(batch for entry in entries for batch in entry["batches"])

    def _is_current(self, draws: list[Any]) -> bool:
        """Whether the study still has the problem, with the question it had."""
        return draws[0] in self.problems and draws[1] == self._asked(draws[0])

    def _current(self) -> Iterator[tuple[str, Sample]]:
        """(batch, sample) of what is stored for problems as the study has them today."""
        for row in self._samples.rows():
            sample = to_sample(row, self.card.name, self.id)
            if sample.problem_id in self.problems and sample.id == self._sample_id(sample.problem_id, sample.sample_index):
                yield row["batch"], sample

    def _asked(self, problem_id: str) -> str:
        """What is asked, in short: a problem that keeps its id and changes its question is another one."""
        if problem_id not in self._known:
            self._known[problem_id] = digest(self.template.render(self.problems[problem_id].question))
        return self._known[problem_id]

    def _sample_id(self, problem_id: str, sample_index: int) -> str:
        return sample_id(self.id, problem_id, self._asked(problem_id), sample_index)

    def _request(self, problem_id: str, first_index: int, count: int) -> Request:
        prompt = self.template.render(self.problems[problem_id].question)
        return Request(problem_id=problem_id, prompt=prompt, first_index=first_index, count=count)

    def _to_samples(self, batch: Batch, answers: Answers) -> Iterator[Sample]:
        seconds = answers.seconds / batch.size
        for request, generations in zip(batch.requests, answers.generations, strict=True):
            for offset, g in enumerate(generations):
                index = request.first_index + offset
                cost = cost_of(self.card, prompt_tokens=g.num_prompt_tokens, generated_tokens=g.num_generated_tokens)
                yield Sample(
                    id=self._sample_id(request.problem_id, index),
                    problem_id=request.problem_id,
                    model=self.card.name,
                    pool=self.id,
                    sample_index=index,
                    generation=g.text,
                    num_prompt_tokens=g.num_prompt_tokens,
                    num_generated_tokens=g.num_generated_tokens,
                    finish_reason=g.finish_reason,
                    cost=Cost(flops=cost.flops, usd=cost.usd, seconds=seconds),
                    seed=batch.seed,
                )


def total_cost(costs: Iterable[Cost]) -> Cost:
    """The sum of costs, each unit where all of them know it."""
    return sum(costs, start=Cost(flops=0.0, usd=0.0, seconds=0.0))


def _times(cost: Cost, n: int) -> Cost:
    return Cost(flops=None if cost.flops is None else cost.flops * n, usd=None if cost.usd is None else cost.usd * n)


def to_row(sample: Sample) -> dict[str, Any]:
    """A sample as it is stored; model and pool stand in the path."""
    row = {**asdict(sample), **{f"cost_{unit}": value for unit, value in asdict(sample.cost).items()}}
    for key in ("cost", "model", "pool"):
        del row[key]
    return row


def to_sample(row: Mapping[str, Any], model: str, pool: str) -> Sample:
    """A stored sample."""
    cost = Cost(flops=row["cost_flops"], usd=row["cost_usd"], seconds=row["cost_seconds"])
    own = {k: v for k, v in row.items() if k != "batch" and not k.startswith("cost_")}
    return Sample(**own, model=model, pool=pool, cost=cost)
