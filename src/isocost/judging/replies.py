"""Replies of a judge model to prompts, paid through the ledger; shared by the judge of answers and the judge of reasoning.

Each reply is stored under a digest of its prompt. So no prompt is sent twice: not on resume, and not for equal solutions of two models.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from isocost.config.models import Sampling
from isocost.costs.draws import cost_of, max_cost_of
from isocost.dispatch.calls import Abandoned, Call, EndpointHealth
from isocost.dispatch.draws import known_sum, total_cost
from isocost.dispatch.loop import cut_batches, run_sources
from isocost.engines.base import Generation, Request
from isocost.executors.base import Executor
from isocost.executors.jobs import Answers, Job
from isocost.executors.storing import FAILED_GENERATION
from isocost.graders.judge import CUT_OFF
from isocost.ids import digest, seed_of
from isocost.ledger import Answered, Ledger
from isocost.preparing.prepare import Prepared
from isocost.prompts.base import most_prompt_tokens
from isocost.records import Cost, ModelCard, SamplingParams
from isocost.store import Row, RunDirectory

FOLDER = "judge"  # in the run directory, with one folder for each model that was ever the judge
ACCOUNT = "judge"  # in the ledger
MAX_TOKENS = 1024  # of a reply, if the study sets none


class Replies:
    """Stored replies of one model to prompts of one kind, which sends the prompts that lack one. Use it from one thread at a time.

    Args:
        prepared: The study.
        model: The model's name in the study.
        version: Name of its log: replies under one version have the same kind of prompt, model identity and sampling parameters.
        params: The sampling parameters.
        system: The system message before each prompt, as `asked_system` returns it.
        directory: The run directory, which stores the replies.
        executor: Executor that runs the engine.
        check: Called often. It stops sending by raising.
        report: Called with the number of new replies and the number of their tokens.
        again: True to repeat calls that failed for good at an earlier start. Their cost stays in the ledger.
        notify: Called with a message on an endpoint that cannot be reached, or whose usage is odd.
    """

    def __init__(
        self,
        prepared: Prepared,
        model: str,
        *,
        version: str,
        params: SamplingParams,
        system: str | None = None,
        directory: RunDirectory,
        executor: Executor,
        check: Callable[[], None] = lambda: None,
        report: Callable[[int, int], None] = lambda replies, tokens: None,
        again: bool = False,
        notify: Callable[[str], None] = lambda what: None,
    ) -> None:
        self._notify = notify
        self._card, self._spec, self._facts = prepared.cards[model], prepared.specs[model], prepared.facts[model]
        self._version, self._params, self._chat, self._system = version, params, prepared.templates[model].chat, system
        self._job = Job.template(self._spec, self._facts, params)
        self._executor, self._check, self._report = executor, check, report
        self._log = directory.batches(FOLDER, model, version)
        # Kept between calls of `answer`, which may send a single prompt: other prompts show if the endpoint is up.
        self._health = EndpointHealth()
        self._stored: dict[str, Row] | None = None
        self._again, self._failed = again, dict[str, list[Row]]()
        self._asked: Mapping[str, str] = {}  # the prompts to be answered, by key
        self._unreported: list[Row] = []  # replies that `report` was not called for yet

    def seal(self) -> None:
        """Move the stored replies into Parquet."""
        self._log.seal()

    @property
    def is_untested(self) -> bool:
        """True if the endpoint has never answered a prompt, and did not answer the last one in time."""
        return self._health.exhausted and not self._health.answered

    def stored(self, prompts: Sequence[str]) -> list[bool]:
        """Return, per prompt, True if its reply is stored, so that `answer` does not send it."""
        known = self._known()
        return [_key(prompt) in known and _key(prompt) not in self._failed for prompt in prompts]

    def answer(self, prompts: Sequence[str], ledger: Ledger) -> list[str | None]:
        """Return the replies in order, None for a call that failed for good. Prompts without a stored reply are sent, equal ones once.

        Raises:
            LimitReachedError: the next call does not fit under the limit.
            EngineError: the model cannot be called.
        """
        stored = self._known()
        prompts_by_key = {_key(prompt): prompt for prompt in prompts}
        if not prompts_by_key.keys() <= stored.keys() - self._failed.keys():
            self._asked = prompts_by_key  # equal prompts have one key, and so one call
            run_sources([self], self._executor, ledger, check=self._check, notify=self._notify, after=self._report_new, health=self._health)
        return [_reply_of(stored[_key(prompt)]) for prompt in prompts]

    def _known(self) -> dict[str, Row]:
        if self._stored is None:  # read at first use: sampling may end without anything to judge
            rows: dict[str, list[Row]] = {}
            for row in self._log.rows():
                rows.setdefault(row["id"], []).append(row)
            self._stored = {key: own[-1] for key, own in rows.items()}  # a repeated call adds a row; the last one holds
            self._health.answered = not all(map(_is_failed, self._stored.values()))
            self._failed = {key: own for key, own in rows.items() if self._again and _is_failed(own[-1])}
        return self._stored

    def store(self, call: Call, answers: Answers | Abandoned) -> Answered | None:
        """Store the replies of a call; return their cost, or None for a call that failed for good, whose cost is in the ledger already."""
        rows = self._rows(call, answers)
        self._log.append(call.key, rows)
        paid = None if isinstance(answers, Abandoned) else _answered(call.key, rows, answers)
        self._known().update((row["id"], row) for row in rows)
        for row in rows:
            self._failed.pop(row["id"], None)
        self._unreported += rows
        return paid

    def _report_new(self) -> None:
        if rows := self._unreported:
            self._unreported = []
            self._report(len(rows), sum(row["num_generated_tokens"] for row in rows))

    def calls(self) -> list[Call]:
        """Return the calls that are still to be sent.

        Batches are cut from all prompts that were new when this set was first submitted, including those stored since. So a kill does
        not change the batches, nor the replies of an engine whose replies depend on the other prompts in a batch.
        """
        stored, whole = self._known(), digest("submitted", sorted(self._asked))
        own = [key for key in self._asked if key not in stored or stored[key]["submitted"] == whole]
        missing = [batch for batch in self._cut(own) if any(request.problem_id not in stored for request in batch)]
        failed = self._cut([key for key in self._asked if key in self._failed])
        return [self._call(batch, whole) for batch in (*missing, *failed)]

    def _cut(self, keys: Sequence[str]) -> Sequence[tuple[Request, ...]]:
        """Cut prompts into the batches of the engine."""
        if not keys:
            return ()
        requests = [
            Request(problem_id=key, prompt=self._asked[key], first_index=0, count=1, chat=self._chat, system=self._system) for key in keys
        ]
        return cut_batches(self._spec, self._facts, requests, self._executor, self._check)

    def _call(self, batch: tuple[Request, ...], whole: str) -> Call:
        failures = sum(len(self._failed.get(request.problem_id, ())) for request in batch)
        # The number of failures is part of the key: a repeated call must not be taken for the one in the ledger.
        key = digest("judge", self._version, [request.problem_id for request in batch], *([failures] if failures else []))
        job = replace(self._job, key=key, requests=batch, seed=seed_of(key))
        facts = {"account": ACCOUNT, "model": self._card.name, "version": self._version, "submitted": whole, "count": len(batch)}
        worst = total_cost(self._worst(r.prompt) for r in batch)
        return Call(job=job, worst=worst, facts=facts, card=self._card)

    def _worst(self, prompt: str) -> Cost:
        most = most_prompt_tokens(prompt, self._system, chat=self._chat) + self._facts.added_tokens
        longest = self._params.max_tokens
        usd = max_cost_of(self._card, prompt_tokens=most, generated_tokens=longest).usd
        return replace(verdict_cost(self._card, most, longest), usd=usd)

    def _rows(self, call: Call, answers: Answers | Abandoned) -> list[Row]:
        """Return the rows of replies; for a call that failed for good, empty replies without a cost, since the ledger has it."""
        if isinstance(answers, Abandoned):
            return [self._row(call, FAILED_GENERATION, request.problem_id, 0.0) for request in call.job.requests]
        each = answers.seconds / len(call.job.requests)  # an equal share, as an engine measures a batch only as a whole
        return [
            self._row(call, replies[0] if replies else FAILED_GENERATION, request.problem_id, each)
            for request, replies in zip(call.job.requests, answers.generations, strict=True)
        ]

    def _row(self, call: Call, reply: Generation, key: str, seconds: float) -> Row:
        cost = verdict_cost(
            self._card,
            reply.num_prompt_tokens,
            reply.num_generated_tokens,
            cached_tokens=reply.num_cached_tokens,
            cache_write_tokens=reply.num_cache_write_tokens,
        )
        return {
            "id": key,
            # A repeated call keeps the set that its first row was submitted in, or the batches of that set would change.
            "submitted": self._failed[key][-1]["submitted"] if key in self._failed else call.facts["submitted"],
            "reply": reply.text,
            "finish_reason": reply.finish_reason,
            "num_prompt_tokens": reply.num_prompt_tokens,
            "num_generated_tokens": reply.num_generated_tokens,
            "cost_flops": cost.flops,
            "cost_usd": cost.usd,
            "cost_seconds": seconds,
        }


def own_system(prepared: Prepared, model: str) -> str | None:
    """Return the system message of a judge: that of its own `prompt`, in a chat. The study's is for models that solve the problems."""
    own = prepared.study.models[model].prompt
    return own.system if own is not None and prepared.templates[model].chat else None


def asked_system(prepared: Prepared, model: str, directory: RunDirectory, version: Callable[[str | None], str]) -> str | None:
    """Return the system message with which a judge is asked: its own, unless the run has replies without it from earlier versions.

    Args:
        prepared: The study.
        model: The judge.
        directory: The run directory.
        version: Returns the version of replies to prompts after a system message.
    """
    system = own_system(prepared, model)
    return None if system is None or directory.batches(FOLDER, model, version(None)).batches() else system


def greedy_params(max_tokens: int | None, own: Sampling | None = None) -> SamplingParams:
    """Return a judge's sampling parameters: greedy, so that its verdicts are reproducible; `MAX_TOKENS` tokens unless given.

    What the model's own `sampling` sets to null is left out: some endpoints refuse it.
    """
    given = own.model_dump(include=own.model_fields_set) if own else {}
    return SamplingParams(
        temperature=None if given.get("temperature", 0.0) is None else 0.0,
        top_p=None if given.get("top_p", 1.0) is None else 1.0,
        max_tokens=max_tokens or MAX_TOKENS,
    )


def verdict_cost(
    card: ModelCard, prompt_tokens: int, generated_tokens: int, *, cached_tokens: int = 0, cache_write_tokens: int = 0
) -> Cost:
    """Return the cost of a verdict: 2P FLOPs per token read or written, for P parameters, and its price in US dollars (`cost_of`).

    The FLOPs of a draw leave prompt tokens out, as in the paper. A judge's include them, because it mostly reads.
    """
    flops = None if card.flops_per_token is None else card.flops_per_token * (prompt_tokens + generated_tokens)
    paid = cost_of(
        card,
        prompt_tokens=prompt_tokens,
        generated_tokens=generated_tokens,
        cached_tokens=cached_tokens,
        cache_write_tokens=cache_write_tokens,
    )
    return Cost(flops=flops, usd=paid.usd)


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


def _answered(batch: str, rows: Sequence[Row], answers: Answers) -> Answered:
    reported = known_sum(g.reported_usd for of_request in answers.generations for g in of_request)
    cost = total_cost(Cost(flops=row["cost_flops"], usd=row["cost_usd"], seconds=row["cost_seconds"]) for row in rows)
    tokens = sum(row["num_generated_tokens"] for row in rows)
    reasoning = sum(g.num_reasoning_tokens for of_request in answers.generations for g in of_request)
    return Answered(request=batch, cost=cost, count=len(rows), tokens=tokens, reported_usd=reported, reasoning_tokens=reasoning)
