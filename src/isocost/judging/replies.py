"""Replies of a model of the study to prompts, bought on the ledger: what a judge of answers and a judge of reasoning share.

Replies are stored as they come, under what was asked, so that nothing is asked twice: not on resume, and not for a solution that two
models wrote alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from isocost.dispatch.calls import Call
from isocost.dispatch.cutting import cut
from isocost.dispatch.drawn import known_sum, total_cost
from isocost.dispatch.loop import ask
from isocost.engines.base import Generation, Request
from isocost.executors.base import Executor
from isocost.executors.jobs import Answers, Job, queue_of
from isocost.executors.storing import FAILED_GENERATION
from isocost.graders.judge import CUT_OFF
from isocost.ids import digest, seed_of
from isocost.ledger import Answered, Ledger
from isocost.planning import cost_of
from isocost.preparing.prepare import Prepared
from isocost.records import Cost, ModelCard, SamplingParams
from isocost.store import Row, RunDirectory

FOLDER = "judge"  # in the run directory: a folder for each model that ever was the judge
ACCOUNT = "judge"  # in the ledger
MAX_TOKENS = 1024  # of a reply, where the study does not say


class Replies:
    """What one model replies to prompts of one kind; used by one thread at a time.

    Args:
        prepared: The study.
        model: The model that is asked.
        version: What else makes its replies the same: the kind of prompt, the model's identity, how it writes. Its log's name.
        params: How it writes.
        directory: Where replies are stored.
        executor: Where the engine runs.
        chat: Whether prompts are put into the model's chat format.
        check: Asked often; stops the asking by raising.
        tell: Told of how many replies have come, and of their tokens.
        again: Whether calls that failed for good at an earlier start are made once more; what they cost stays on the ledger.
        trouble: Told of an endpoint that cannot be reached, or whose usage is odd.
    """

    def __init__(
        self,
        prepared: Prepared,
        model: str,
        *,
        version: str,
        params: SamplingParams,
        directory: RunDirectory,
        executor: Executor,
        chat: bool = False,
        check: Callable[[], None] = lambda: None,
        tell: Callable[[int, int], None] = lambda replies, tokens: None,
        again: bool = False,
        trouble: Callable[[str], None] = lambda what: None,
    ) -> None:
        self._trouble = trouble
        self._card, self._spec, self._facts = prepared.cards[model], prepared.specs[model], prepared.facts[model]
        self._version, self._params, self._chat = version, params, chat
        self._executor, self._check, self._tell = executor, check, tell
        self._log = directory.batches(FOLDER, model, version)
        self._stored: dict[str, Row] | None = None
        self._again, self._failed = again, dict[str, list[Row]]()
        self._came: list[Row] = []  # since somebody was told

    def seal(self) -> None:
        """Move the stored replies into Parquet."""
        self._log.seal()

    def stored(self, prompts: Sequence[str]) -> list[bool]:
        """Of each prompt, whether its reply is stored, and so not asked for."""
        known = self._known()
        return [_key(prompt) in known and _key(prompt) not in self._failed for prompt in prompts]

    def answer(self, prompts: Sequence[str], ledger: Ledger) -> list[str | None]:
        """The replies in order, None for a call that failed for good; what is not stored is asked, equal prompts once.

        Raises:
            LimitReachedError: the limit on the bill leaves no room for the next call.
            EngineError: the model cannot be asked.
        """
        stored = self._known()
        asked = {_key(prompt): prompt for prompt in prompts}
        if not asked.keys() <= stored.keys() - self._failed.keys():
            source = _Prompts(self, asked)
            ask([source], self._executor, ledger, check=self._check, tell=self._trouble, after=self._tell_of_new)
        rows = [stored[_key(prompt)] for prompt in prompts]
        return [_reply_of(row) for row in rows]

    def _known(self) -> dict[str, Row]:
        if self._stored is None:
            rows: dict[str, list[Row]] = {}
            for row in self._log.rows():
                rows.setdefault(row["id"], []).append(row)
            self._stored = {key: own[-1] for key, own in rows.items()}
            self._failed = {key: own for key, own in rows.items() if self._again and _is_failed(own[-1])}
        return self._stored

    def _store(self, call: Call, answers: Answers | None) -> Answered | None:
        """Store the replies of a call; what one that has failed for good cost stands in the ledger already."""
        rows = self._rows(call, answers)
        self._log.append(call.key, rows)
        paid = None if answers is None else _answered(call.key, rows, answers)
        self._known().update((row["id"], row) for row in rows)
        for row in rows:
            self._failed.pop(row["id"], None)
        self._came += rows
        return paid

    def _tell_of_new(self) -> None:
        if rows := self._came:
            self._came = []
            self._tell(len(rows), sum(row["num_generated_tokens"] for row in rows))

    def _calls(self, asked: Mapping[str, str]) -> list[Call]:
        """What is still to be sent.

        Cut from all that nobody else had asked when these prompts were first submitted, stored since or not: a kill in the middle does
        not change the batches, and so not the replies of an engine whose replies depend on their neighbours.
        """
        stored, whole = self._known(), digest("submitted", sorted(asked))
        own = [key for key in asked if key not in stored or stored[key]["submitted"] == whole]
        owed = [batch for batch in self._cut(own, asked) if any(request.problem_id not in stored for request in batch)]
        failed = self._cut([key for key in asked if key in self._failed], asked)
        return [self._call(batch, whole) for batch in (*owed, *failed)]

    def _cut(self, keys: Sequence[str], asked: Mapping[str, str]) -> Sequence[tuple[Request, ...]]:
        """Prompts in the batches of the engine."""
        if not keys:
            return ()
        requests = [Request(problem_id=key, prompt=asked[key], first_index=0, count=1, chat=self._chat) for key in keys]
        return cut(self._spec, self._facts, requests, self._executor, self._check)

    def _call(self, batch: tuple[Request, ...], whole: str) -> Call:
        failures = sum(len(self._failed.get(request.problem_id, ())) for request in batch)
        key = digest("judge", self._version, [request.problem_id for request in batch], *([failures] if failures else []))
        job = Job(
            key=key,
            spec=self._spec,
            remote=self._facts.remote,
            queue=queue_of(self._spec, self._facts),
            concurrency=self._facts.concurrency,
            requests=batch,
            params=self._params,
            seed=seed_of(key),
        )
        facts = {"account": ACCOUNT, "model": self._card.name, "version": self._version, "submitted": whole, "count": len(batch)}
        worst = total_cost(verdict_cost(self._card, self._most_prompt_tokens(r.prompt), self._params.max_tokens) for r in batch)
        return Call(job=job, worst=worst, facts=facts, card=self._card)

    def _most_prompt_tokens(self, prompt: str) -> int:
        """Bound the tokens of a prompt by its bytes, since no token is shorter than one."""
        return len(prompt.encode("utf-8", "surrogatepass")) + 1 + self._facts.added_tokens

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
            "submitted": self._failed[key][-1]["submitted"] if key in self._failed else call.facts["submitted"],
            "reply": reply.text,
            "finish_reason": reply.finish_reason,
            "num_prompt_tokens": reply.num_prompt_tokens,
            "num_generated_tokens": reply.num_generated_tokens,
            "cost_flops": cost.flops,
            "cost_usd": cost.usd,
            "cost_seconds": seconds,
        }


@dataclass(frozen=True, slots=True)
class _Prompts:
    """Prompts whose replies are wanted, by their keys."""

    replies: Replies
    asked: Mapping[str, str]

    def calls(self) -> list[Call]:
        return self.replies._calls(self.asked)

    def store(self, call: Call, answers: Answers | None) -> Answered | None:
        return self.replies._store(call, answers)


def greedy(max_tokens: int | None) -> SamplingParams:
    """Return how a judge writes: greedily, so that its verdicts can be had again; at most so many tokens, or `MAX_TOKENS`."""
    return SamplingParams(temperature=0.0, max_tokens=max_tokens or MAX_TOKENS)


def verdict_cost(card: ModelCard, prompt_tokens: int, generated_tokens: int) -> Cost:
    """What a verdict costs: 2P FLOPs a token read or written, and its price.

    A draw's prompt tokens are left out, as in the paper (`cost_of`); a judge does little else than read.
    """
    flops = None if card.flops_per_token is None else card.flops_per_token * (prompt_tokens + generated_tokens)
    return Cost(flops=flops, usd=cost_of(card, prompt_tokens=prompt_tokens, generated_tokens=generated_tokens).usd)


def _reply_of(row: Row) -> str | None:
    """Return what the model replied, or None where it did not."""
    if _is_failed(row):
        return None
    # A reply that was cut off may end in a quotation of the solution's own verdict.
    return f"{row['reply']}\n{CUT_OFF}" if row["finish_reason"] == "length" else str(row["reply"])


def _is_failed(row: Row) -> bool:
    return bool(row["finish_reason"] == "error")


def _key(prompt: str) -> str:
    return digest("asked", prompt)


def _answered(batch: str, rows: Sequence[Row], answers: Answers | None = None) -> Answered:
    reported = known_sum(g.reported_usd for of_request in answers.generations for g in of_request) if answers else None
    cost = total_cost(Cost(flops=row["cost_flops"], usd=row["cost_usd"], seconds=row["cost_seconds"]) for row in rows)
    tokens = sum(row["num_generated_tokens"] for row in rows)
    return Answered(request=batch, cost=cost, count=len(rows), tokens=tokens, reported_usd=reported)
