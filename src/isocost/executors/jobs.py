"""What is sent to workers and what comes back: plain records that can cross to another process or machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from isocost.engines.base import Generation, ModelSize, Request
from isocost.ids import digest
from isocost.records import FinishReason, ModelCard, SamplingParams


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSpec:
    """How to open an engine: its name, its options from the study file, and the folder that relative paths start from."""

    name: str
    options: tuple[tuple[str, object], ...]
    base: Path

    @property
    def key(self) -> str:
        """The same for specs that open the same engine."""
        return digest(self.name, sorted((k, repr(v)) for k, v in self.options), str(self.base))


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineFacts:
    """What an engine says of its model without running it; `engines.base.Engine` has the words.

    An `exclusive` engine takes the memory of its device whole. `added_tokens` are prompt tokens of a request, beyond one for each byte of
    the prompt, that an endpoint may charge for.
    """

    identity: str
    size: ModelSize | None
    remote: bool = False
    concurrency: int = 1
    shares_prompts: bool = False
    exclusive: bool = False
    added_tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Storing:
    """Where the worker that has answered commits the draws.

    Attributes:
        stem: The pool's batch log; the worker appends to a file of its own beside it.
        pool: The pool's id.
        asked: For each request, what was asked in short: part of the ids of its draws.
        card: What the draws cost.
    """

    stem: Path
    pool: str
    asked: tuple[str, ...]
    card: ModelCard


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A batch of requests that an engine answers at once.

    Attributes:
        key: What it is reserved and stored under.
        spec: The engine.
        remote: Whether somebody else runs the model; then a job waits for an answer, not for a device.
        queue: Jobs of one queue wait for each other: all engines on this machine share its devices (""), an endpoint is by itself.
        concurrency: How many jobs the engine answers at once.
        requests: The batch.
        params: How the model writes.
        seed: What it is seeded with.
        storing: Where the draws are committed; None where the driver wants the generations and stores them itself.
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


def queue_of(spec: EngineSpec, facts: EngineFacts) -> str:
    """The queue of an engine's jobs."""
    return spec.key if facts.remote else ""


class StoredDraw(NamedTuple):
    """A draw that the worker has committed, as the driver needs it. A tuple, because a million of them cross process borders."""

    id: str
    generation: str
    num_prompt_tokens: int
    num_generated_tokens: int
    finish_reason: FinishReason
    flops: float | None
    usd: float | None
    reported_usd: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What a job brought, for each of its requests, and how long the engine took.

    Attributes:
        generations: What the engine returned; empty where it was stored.
        stored: The draws that were committed; an endpoint may have returned fewer than were asked for.
        seconds: Engine time.
        remarks: What was odd, but possible, about an endpoint's replies.
    """

    generations: Sequence[Sequence[Generation]]
    stored: Sequence[Sequence[StoredDraw]]
    seconds: float
    remarks: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a job: its answers, or why there are none."""

    key: str
    answers: Answers | None = None
    error: BaseException | None = None
