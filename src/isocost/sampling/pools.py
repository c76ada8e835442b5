"""A model's pool: its rounds, batches and verdicts, and the batches that are missing, which `loop.py` buys.

A round is recorded before any of it is bought, with the batches that it is cut into. Each batch is seeded by its requests and committed
as a whole by the worker that answered it. So a resumed run repeats exactly the missing batches and gets the same draws. Texts stay on the
disk. In memory a pool holds the tokens, cost and verdict of each draw.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import polars as pl

from isocost.dispatch.calls import Call
from isocost.dispatch.draws import (
    STORED_COLUMNS,
    Draw,
    DrawKey,
    ProblemDraws,
    iter_batches,
    known_sum,
    summarise_batch,
)
from isocost.dispatch.loop import cut_batches
from isocost.engines.base import Request
from isocost.errors import StorageError
from isocost.executors.base import Executor
from isocost.executors.jobs import Answers, EngineFacts, EngineSpec, Job, StoredDraw
from isocost.executors.storing import EXTRAS, FAILED_GENERATION, SampleIds, rows_of, to_stored
from isocost.ids import digest, seed_of
from isocost.ledger import Answered
from isocost.preparing.prepare import pool_id
from isocost.prompts.base import Template
from isocost.records import Allocation, Cost, Delimiters, ModelCard, Pair, Problem, SamplingParams, Verdict
from isocost.sampling.orders import Batch, Line, OrderIndex, Orders
from isocost.sampling.poolcalls import PoolCalls
from isocost.sampling.pooldraws import PoolDraws, StoredTwiceError
from isocost.sampling.solutions import Solutions
from isocost.sampling.verdicts import Verdicts, final_verdict, log_name, to_pairs, verdict_columns
from isocost.store import BatchLog, Log, RunDirectory

DRAW = ("id", "problem_id", "sample_index")
TOKENS = ("num_prompt_tokens", "num_generated_tokens")
COSTS = ("cost_flops", "cost_usd", "cost_seconds")


@dataclass(slots=True, kw_only=True)
class Pool:
    """The draws of one model under one prompt and one set of sampling parameters, with the rounds that ordered them.

    Attributes:
        problems: The training problems by id.
        grader: Folder name of the grader (`grader_key`).
        solutions: Digests of correct solutions; None if no cell needs them.
        reasoning: Delimiters of the model's reasoning, if the study gives any.
        is_batched: True if its draws are bought through the batch API of the endpoint.
        id: Digest of model, prompt, sampling parameters and seed.
        stored: Its draws.
    """

    card: ModelCard
    facts: EngineFacts
    spec: EngineSpec
    params: SamplingParams
    template: Template
    study_seed: int
    directory: RunDirectory
    problems: Mapping[str, Problem]
    grader: str
    solutions: Solutions | None = None
    reasoning: Delimiters | None = None
    is_batched: bool = False
    id: str = field(init=False)
    _log: BatchLog = field(init=False)
    _calls: PoolCalls = field(init=False)
    _verdicts: Verdicts = field(init=False)
    _rounds: Log = field(init=False)
    _orders: Orders = field(init=False)
    stored: PoolDraws = field(init=False)
    _prompt_digests: dict[str, str] = field(init=False, default_factory=dict)
    _ids: dict[str, SampleIds] = field(init=False, default_factory=dict)
    _numbers: dict[str, int] = field(init=False, default_factory=dict)
    _prompt: str = field(init=False, default="")  # of the last request
    _named: str = field(init=False, default="")  # the name under which the endpoint answered at the last start

    def __post_init__(self) -> None:
        self.id = pool_id(self.facts.identity, self.template, self.params, self.study_seed)
        self._log = self.directory.batches("pools", self.card.name, self.id)
        # Absolute, because workers write there and may have another working directory.
        job = Job.template(self.spec, self.facts, self.params)
        stem, with_reasoning = self._log.stem.resolve(), self.solutions is not None and self.solutions.reasoning is not None
        self._calls = PoolCalls(job, stem, self.id, self.card, self._most_tokens, self._prompt_digest, with_reasoning=with_reasoning)
        self._verdicts = Verdicts(self.directory.batches("verdicts", self.grader, log_name(self.id, self.reasoning)))
        self._rounds = self.directory.log("pools", self.card.name, "rounds.jsonl")
        self._orders = Orders(self._is_current)
        self.stored = PoolDraws(list(self.problems), self._ids_of)

    def load(
        self, unanswered: Collection[str], found: Callable[[Answered, bool], None] = lambda stored, failed: None
    ) -> dict[str, Answered]:
        """Read the draws and verdicts that earlier starts stored. Call it once, before any other method.

        Args:
            unanswered: Keys of batches that are open in the ledger.
            found: Called after each stored batch, with its answers and cost, and True if all its draws failed.

        Returns:
            The stored batches among the unanswered ones, by key.

        Raises:
            StorageError: a file is damaged, or a draw is stored twice.
        """
        recorded = [batch for entry in self._rounds.entries() if entry["pool"] == self.id for batch in entry["batches"]]
        self._orders.add(recorded)
        numbers = OrderIndex(recorded)
        still_open: dict[str, Answered] = {}

        def keep(stored: Answered, failed: bool) -> None:
            if stored.request in unanswered:
                still_open[stored.request] = stored
            found(stored, failed)

        parts = iter_batches(self._log.tables(STORED_COLUMNS, ("text_hash", *(("answered_by",) if self.facts.remote else ()))), keep)
        try:
            places = self.stored.read(self._note_batches(part, numbers) for part in parts)
        except StoredTwiceError as error:
            problem_id, index, batch = error.args
            raise StorageError(
                f"{self._log.place()}: draw {index} of problem {problem_id} is stored twice, the second time in batch {batch}",
                advice="a row was doubled or changed by hand, or a file was put back after its draws were bought again: move that file "
                "away, or restore the pool's files from a copy",
            ) from None
        answers = pl.Series([problem.answer for problem in self.problems.values()], dtype=pl.String)
        for rows, verdicts in self._verdicts.stored():
            self.stored.judge(places, rows, verdicts, answers)
        if self.solutions is not None:
            self.solutions.read((key, draw, self.stored.by_problem[key[0]].verdict(key[1])) for _, key, draw in self._texts())
        return still_open

    def _note_batches(self, part: pl.DataFrame, numbers: OrderIndex) -> pl.DataFrame:
        """Keep the number of each batch's order, and the last name under which the endpoint answered; return the part."""
        # Of stale draws too, because `seal` orders them.
        for batch, problem_id, index in part.group_by("batch", maintain_order=True).first().select("batch", *DRAW[1:]).iter_rows():
            if batch not in self._numbers:
                self._numbers[batch] = numbers.of(problem_id, index)
        if "answered_by" in part.columns:
            names = part["answered_by"].cast(pl.String)
            self._named = next(iter(names.filter(names != "").tail(1)), self._named)
        return part

    def bought(self, problem_id: str) -> int:
        """Return the number of draws of a problem that are bought or ordered."""
        return self._orders.counts.get(problem_id, 0)

    def order(self, allocations: Sequence[Allocation], executor: Executor, *, spread: bool = False) -> None:
        """Record a round, cut into the batches that the engine will answer at once.

        Args:
            allocations: The draws of the round.
            executor: Executor that will run the engine.
            spread: Cut a small round into a batch for each of the executor's workers. The draws then depend on their number, as a batch
                is seeded by its contents.
        """
        # The batches are recorded too: a resumed run needs no engine to cut them, and a changed batch size does not change them.
        requests = [self._request(a.problem_id, a.first_index, a.count) for a in allocations]
        facts = self.facts
        if spread and facts.batching is not None and not facts.remote:
            facts = replace(facts, batching=facts.batching.spread(requests, executor.workers))
        batches = cut_batches(self.spec, facts, requests, executor)
        orders = [[[r.problem_id, self._prompt_digest(r.problem_id), r.first_index, r.count] for r in batch] for batch in batches]
        self._rounds.append({"pool": self.id, "batches": orders})
        self._orders.add(orders)

    def missing(self, wanted: Mapping[tuple[str, str], int] | None) -> Iterator[Batch]:
        """Yield the batches of all rounds that are not stored, in order, without draws that no cell asks for any more.

        If problems leave the study and return, a batch is bought in parts. Each part is then a batch with a key of its own.

        Args:
            wanted: Number of draws that the study's cells ask for, by (model, problem id); None for all that were ever ordered.
        """
        for number, order in self._orders.open(lambda line: self._missing_part(line, None) is None):
            if owed := [part for line in order if (part := self._missing_part(line, wanted))]:
                requests = tuple(self._request(p, first, count) for p, _, first, count in owed)
                # The seed leaves the number out: the same draws have the same seed in whatever round they are ordered.
                key = digest("batch", self.id, number, owed)
                yield Batch(key=key, number=number, requests=requests, seed=seed_of("batch", self.id, owed))

    def _missing_part(self, line: Line, wanted: Mapping[tuple[str, str], int] | None) -> Line | None:
        """Return the part of an order's line that is wanted and not stored, or None."""
        problem_id, asked, first, count = line
        end = first + count if wanted is None else min(first + count, wanted.get((self.card.name, problem_id), 0))
        # The draws of a line are stored in order, so none after the first missing one is stored.
        start = self.stored.of(problem_id).first_missing(first, end)
        return [problem_id, asked, start, end - start] if start < end else None

    def is_short(self, wanted: Mapping[tuple[str, str], int]) -> bool:
        """Return True if wanted draws are missing: an endpoint may have returned fewer solutions than requested."""
        return next(self.missing(wanted), None) is not None

    def calls(self, wanted: Mapping[tuple[str, str], int] | None) -> Iterator[tuple[Call, Batch]]:
        """Yield the call of each missing batch, with the batch."""
        for batch in self.missing(wanted):
            yield self._calls.call(batch), batch

    @property
    def job(self) -> Job:
        """A job of the model, without requests."""
        return self._calls.job

    def worst(self, batch: Batch) -> Cost:
        """Return the largest cost of a batch, as `PoolCalls.worst`."""
        return self._calls.worst(batch.requests)

    def add_answers(self, batch: Batch, answers: Answers) -> tuple[Answered, list[tuple[DrawKey, StoredDraw]]]:
        """Add the draws that a worker has stored for a batch; return the answers' cost, and the draws by key."""
        found: list[tuple[DrawKey, StoredDraw]] = []
        own_draws: list[Draw] = []
        for request, draws in zip(batch.requests, answers.stored, strict=True):
            own = self.stored.by_problem.setdefault(request.problem_id, ProblemDraws())
            own.reserve(request.first_index + len(draws))
            for index, stored in enumerate(draws, request.first_index):
                draw = Draw(*stored[2:7])
                own.put(index, draw)
                own_draws.append(draw)
                found.append(((request.problem_id, index), stored))
        if own_draws:
            self._numbers[batch.key] = batch.number
        answered = summarise_batch(batch.key, own_draws, answers.seconds)
        reasoning = sum(stored.num_reasoning_tokens for _, stored in found)
        reported = known_sum(stored.reported_usd for _, stored in found)
        if reported is None and not reasoning:
            return answered, found
        return replace(answered, reported_usd=reported, reasoning_tokens=reasoning), found

    def give_up(self, batch: Batch, reason: str) -> tuple[Answered, list[tuple[DrawKey, StoredDraw]]]:
        """Store the draws of a batch as failed; return them without a cost, because the ledger has that of the attempts already."""
        failed = [[replace(FAILED_GENERATION, failure=reason)] * request.count for request in batch.requests]
        rows, stored = rows_of(batch.requests, batch.seed, self._calls.storing(batch), failed, 0.0)
        self._log.append(batch.key, rows)
        cost, draws = self.add_answers(batch, Answers(generations=(), stored=stored, seconds=0.0))
        return replace(cost, facts={"account": "data", "model": self.card.name}), draws

    def ungraded(self) -> Iterator[tuple[str, list[tuple[DrawKey, StoredDraw]]]]:
        """Yield, by batch, the stored draws that have no verdict of this grader on the present reference answer."""
        if all(draws.all_judged() for draws in self.stored.by_problem.values()):
            return  # a finished run then reads no texts
        for batch, own in itertools.groupby(self._texts(), key=lambda each: each[0]):
            if unjudged := [(key, draw) for _, key, draw in own if self.stored.by_problem[key[0]].verdict(key[1]) is None]:
                yield batch, unjudged

    def texts(self, keys: Collection[DrawKey]) -> Iterator[tuple[DrawKey, str]]:
        """Yield the keys and texts of some stored draws."""
        return ((key, draw.generation) for _, key, draw in self._texts() if key in keys)

    def _texts(self) -> Iterator[tuple[str, DrawKey, StoredDraw]]:
        """Yield the stored draws of the study's problems with their texts: batch, key, draw."""
        for row in self._log.rows():
            key = row["problem_id"], row["sample_index"]
            if self.get(*key) and row["id"] == self._sample_id(*key):
                yield row["batch"], key, to_stored(row, with_reasoning=True)

    def judged(self, batches: Sequence[tuple[str, Sequence[tuple[DrawKey, StoredDraw]], Sequence[Verdict]]]) -> None:
        """Commit the verdicts on batches of draws.

        A draw without an answer from the engine is `ungraded`, never incorrect.
        """
        entries = []
        for batch, draws, verdicts in batches:
            lines = []
            for ((problem_id, index), draw), verdict in zip(draws, verdicts, strict=True):
                found = self._verdicts.share(final_verdict(draw, verdict))
                self.stored.by_problem[problem_id].judge(index, found)
                if self.solutions is not None:
                    self.solutions.add((problem_id, index), draw, found)
                lines.append((draw, self.problems[problem_id].answer, found))
            entries.append((batch, lines))
        self._verdicts.append(entries)

    def pairs(self, draws: Sequence[tuple[DrawKey, StoredDraw]]) -> list[Pair]:
        """Return the grader's input for draws; a failed draw has an empty text."""
        return to_pairs((self.problems[key[0]] for key, _ in draws), (draw for _, draw in draws), self.reasoning)

    def draws(self) -> Iterator[tuple[DrawKey, Draw]]:
        """Yield every draw of the study's problems, with its key."""
        return self.stored.all()

    def get(self, problem_id: str, index: int) -> Draw | None:
        """Return a draw, or None if it is not stored."""
        return self.stored.of(problem_id).get(index)

    def failures(self) -> Iterator[tuple[str, str, bool]]:
        """Yield problem, reason and True if it has tokens, of each failed draw; the reason is "" for those of earlier versions."""
        failed = {key for key, _ in self.stored.ended("error")}
        rows = self._log.rows((*DRAW, *TOKENS), ("failure",)) if failed else ()
        for row in rows:
            if (row["problem_id"], row["sample_index"]) in failed and row["id"] == self._sample_id(row["problem_id"], row["sample_index"]):
                yield row["problem_id"], row.get("failure") or "", row["num_generated_tokens"] > 0

    def extras(self) -> set[str]:
        """Return which of `EXTRAS` the sealed draws have."""
        return self._log.sealed_columns() & set(EXTRAS)

    def renamed(self, draws: Sequence[tuple[DrawKey, StoredDraw]]) -> str:
        """Return a note if another model answers now than when the last start ended, the first time."""
        name = next((draw.answered_by for _, draw in draws if draw.answered_by), "")
        before, self._named = self._named, ""
        return f"the endpoint answers as {name!r}, at the last start as {before!r}" if name and before and name != before else ""

    def frames(self) -> Iterator[pl.DataFrame]:
        """Yield the sealed draws of the study's problems as tables of samples, part by part, since all texts may not fit in memory."""
        answers = pl.DataFrame(
            [(p.id, p.answer or None) for p in self.problems.values()],
            schema={"problem_id": pl.String, "expected_answer": pl.String},
            orient="row",
        )
        for part in self._log.frames((*DRAW, "generation", *TOKENS, "finish_reason", *COSTS), tuple(EXTRAS)):
            # Filtered before the join, which would match stale draws of a changed question by the problem's id.
            if self.stored.stale:
                own = [row[0] == self._sample_id(*row[1:]) for row in part.select(DRAW).iter_rows() if row[1] in self.problems]
                part = part.filter(pl.col("problem_id").is_in(list(self.problems))).filter(pl.Series(own, dtype=pl.Boolean))
            yield part.join(answers, on="problem_id", how="inner", maintain_order="left").with_columns(
                *verdict_columns(self.stored.verdicts_at(part)),
                model=pl.lit(self.card.name),
                pool=pl.lit(self.id),
            )

    def seal(self) -> None:
        """Move the stored draws into Parquet, with batches in the order of the rounds, so that timing does not change the file.

        Raises:
            StorageError: stored batches cannot be read back.
        """
        # Batches of no known order sort first (-1), by key.
        sealed = self._log.seal(lambda batch: (self._numbers.get(batch, -1), batch))
        if gone := self._numbers.keys() - sealed:
            batches = "a batch" if len(gone) == 1 else f"{len(gone):,} batches"
            raise StorageError(
                f"{self._log.place()}: the draws of {batches} were stored and cannot be read back: files were moved or removed meanwhile",
                advice="put them back and run the same command again",
            )
        self._verdicts.seal()

    def _is_current(self, line: Line) -> bool:
        """Return True if the study still has the problem, with the same question."""
        return line[0] in self.problems and line[1] == self._prompt_digest(line[0])

    def _prompt_digest(self, problem_id: str) -> str:
        """Return the digest of a problem's prompt: a problem that keeps its id and changes its question is another problem."""
        if problem_id not in self._prompt_digests:
            self._prompt_digests[problem_id] = digest(self.template.render(self.problems[problem_id].question))
        return self._prompt_digests[problem_id]

    def _sample_id(self, problem_id: str, index: int) -> str:
        return self._ids_of(problem_id).at(index)

    def _ids_of(self, problem_id: str) -> SampleIds:
        if problem_id not in self._ids:
            self._ids[problem_id] = SampleIds(self.id, problem_id, self._prompt_digest(problem_id))
        return self._ids[problem_id]

    def _most_tokens(self, problem_id: str) -> int:
        return self.template.most_tokens(self.problems[problem_id].question) + self.facts.added_tokens

    def _request(self, problem_id: str, first_index: int, count: int) -> Request:
        prompt = self.template.render(self.problems[problem_id].question)
        if prompt == self._prompt:  # requests of one problem come in a row, and 50,000 may wait for one batch
            prompt = self._prompt
        self._prompt = prompt
        return Request(
            problem_id=problem_id,
            prompt=prompt,
            first_index=first_index,
            count=count,
            chat=self.template.chat,
            system=self.template.system if self.template.chat else None,
        )
