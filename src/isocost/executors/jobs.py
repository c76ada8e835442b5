"""Records that cross between the driver and its workers, on this machine or another. All of them can be pickled."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from isocost.engines.base import Generation, ModelSize, Request
from isocost.engines.batching import Batching
from isocost.ids import digest
from isocost.pickling import Portable
from isocost.records import FinishReason, ModelCard, SamplingParams


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSpec(Portable):
    """The arguments that open an engine: its name, its options from the study file, and the base folder of relative paths.

    `chat_date` is the date for chat templates that ask for it; None for that of the clock.
    `identity` is the identity under which its draws are stored, so that no other engine answers. None accepts any.
    """

    name: str
    options: tuple[tuple[str, object], ...]
    base: Path
    chat_date: dt.date | None = None
    identity: str | None = None

    @property
    def key(self) -> str:
        """A digest that is equal for specs that open the same engine."""
        dated = () if self.chat_date is None else (self.chat_date.isoformat(),)
        return digest(self.name, sorted((k, repr(v)) for k, v in self.options), str(self.base), *dated)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineFacts:
    """Properties of an engine and its model, known without running it. `engines.base.Engine` defines them.

    An `exclusive` engine takes the whole memory of its device. `added_tokens` are the prompt tokens of a request, beyond one per byte of
    the prompt, that an endpoint may charge for. `batching` is the rule by which it cuts
    requests, None if the engine must be asked.
    """

    identity: str
    size: ModelSize | None
    remote: bool = False
    concurrency: int = 1
    shares_prompts: bool = False
    exclusive: bool = False
    added_tokens: int = 0
    batching: Batching | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Storing(Portable):
    """The place and the price under which a worker commits the draws of a job.

    Attributes:
        stem: Path of the pool's batch log. Each worker appends to a file of its own beside it.
        pool: The pool's id.
        asked: A short description of each request. It is part of the ids of the draws.
        card: The model's prices, from which the cost of each draw follows.
        with_reasoning: True if the driver needs the reasoning of each draw too.
    """

    stem: Path
    pool: str
    asked: tuple[str, ...]
    card: ModelCard
    with_reasoning: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Job(Portable):
    """A batch of requests that an engine answers at once.

    Attributes:
        key: Key of the job's reservation and of its stored batch.
        spec: The engine.
        remote: True if an endpoint runs the model. Such a job waits for a reply, not for a device.
        queue: Name of the queue. Engines on this machine share its devices, so they share one queue (""). Each endpoint has its own.
        concurrency: The number of jobs that the engine answers at once.
        requests: The batch.
        params: Sampling parameters.
        seed: Seed of the batch.
        storing: Destination of the draws, or None if the driver stores the generations itself.
    """

    key: str
    spec: EngineSpec
    remote: bool
    queue: str
    concurrency: int
    requests: tuple[Request, ...]
    params: SamplingParams
    seed: int
    storing: Storing | None = None

    @classmethod
    def template(cls, spec: EngineSpec, facts: EngineFacts, params: SamplingParams) -> Job:
        """Return a job of an engine without key, requests and seed, which `replace` adds for each batch."""
        queue, remote, concurrency = spec.key if facts.remote else "", facts.remote, facts.concurrency
        return cls(key="", spec=spec, remote=remote, queue=queue, concurrency=concurrency, requests=(), params=params, seed=0)


class StoredDraw(NamedTuple):
    """A committed draw, as the driver needs it. It is a tuple because runs send a million of them between processes.

    `reasoning` is empty unless the job asks for it (`Storing.with_reasoning`): it is often longer than the solution.
    """

    id: str
    generation: str
    num_prompt_tokens: int
    num_generated_tokens: int
    finish_reason: FinishReason
    flops: float | None
    usd: float | None
    reported_usd: float | None = None
    num_reasoning_tokens: int = 0
    answered_by: str = ""
    reasoning: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers(Portable):
    """The answers to a job, per request, and the engine time.

    Attributes:
        generations: The engine's output, empty if it was stored.
        stored: The committed draws. An endpoint may return fewer than were requested.
        seconds: Engine time.
        remarks: Unusual but valid properties of an endpoint's replies.
    """

    generations: Sequence[Sequence[Generation]]
    stored: Sequence[Sequence[StoredDraw]]
    seconds: float
    remarks: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome(Portable):
    """The result of a job: its answers, or the error."""

    key: str
    answers: Answers | None = None
    error: BaseException | None = None
