"""What every engine offers: batches of requests in, generations out."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from isocost.records import FinishReason, SamplingParams


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """`count` solutions of one problem, to be numbered first_index, first_index + 1, ... in the model's pool.

    Attributes:
        problem_id: The problem.
        prompt: What the model is asked: text to go on from, or, with `chat`, what the user says.
        first_index: The first solution's number.
        count: How many solutions.
        chat: Whether the prompt is put into the model's chat format as the user's message.
        system: The system message before it; only with `chat`.
    """

    problem_id: str
    prompt: str
    first_index: int
    count: int
    chat: bool = False
    system: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """One solution as the engine returned it.

    Attributes:
        text: Without the prompt, the end token and the stop string.
        num_prompt_tokens: Tokens of the prompt.
        num_generated_tokens: Tokens generated, the end token included: what is paid for.
        finish_reason: `stop` (end token or stop string), `length` (max_tokens reached) or `error`.
        num_cached_tokens: Of the prompt's tokens, those that an endpoint says it read from its cache.
        sharing: How many solutions go on from the same reading of the prompt, and so share what it cost.
        seed: What its own request was seeded with; None where the batch's seed decided it.
        reported_usd: What an endpoint itself says that it cost; None where it does not say.
        remark: What is odd, but possible, about an endpoint's reply; "" as a rule.
    """

    text: str
    num_prompt_tokens: int
    num_generated_tokens: int
    finish_reason: FinishReason
    num_cached_tokens: int = 0
    sharing: int = 1
    seed: int | None = None
    reported_usd: float | None = None
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSize:
    """How many parameters a token passes through, and the shape of its attention.

    Attributes:
        parameters: Their number, the P of 2P FLOPs a token: total, less an untied input-embedding table; of experts those that are used.
        description: What is counted, for people: "total, tied embeddings".
        attention: layers * attention width (heads * size of a head), the n_layers * d_attn of 4 * n_layers * d_attn * context FLOPs a
            token; None where it is not known.
    """

    parameters: int
    description: str
    attention: int | None = None


class Engine(Protocol):
    """Runs one model.

    Attributes:
        identity: What makes two models the same: a hash of the weights, or name and revision. Part of every sample's id.
        remote: Whether somebody else runs the model: a request whose answer never came may have been charged.
        concurrency: How many batches it answers at once. `generate` is called from so many threads; 1 for what uses a device whole.
            One that need not be waited for in a thread is a `StartingEngine` besides.
        shares_prompts: Whether the solutions of a request share one reading of the prompt.

    A remote engine may have `added_tokens` besides: prompt tokens that it accepts of a request beyond one for each byte of the prompt. They
    are reserved under the limit before the request is sent. An engine that cuts batches by a rule of `batching` inherits `Batched`: then
    batches are cut without it.
    """

    identity: str
    remote: bool
    concurrency: int
    shares_prompts: bool

    def size(self) -> ModelSize | None:
        """The model's size, or None where it cannot be read (an endpoint, a recorded table)."""

    def render(self, request: Request) -> str:
        """What the model reads for a request: the chat template applied; for an endpoint, the messages that are sent."""

    def batches(self, requests: Sequence[Request]) -> list[tuple[Request, ...]]:
        """Cut requests into batches. A pure function of the requests and the engine's options: a resumed run cuts the same batches."""

    def generate(self, batch: Sequence[Request], params: SamplingParams, seed: int) -> list[list[Generation]]:
        """Answer a batch: for each request its `count` generations, in order; an endpoint may return fewer, the first of them.

        For an engine that is not remote, the same batch, params and seed give the same generations on the same machine.

        Raises:
            EngineError: the engine could not answer, and asking again would not help.
            TryAgainError: it could not answer now. Only remote engines raise it; nothing of the batch was stored or will be.
            RefusedPromptError: an endpoint refuses what the batch says, and may answer others. Its draws have failed.
        """

    def close(self) -> None:
        """Give back memory and connections. An engine that is asked again opens them again."""


@runtime_checkable
class StartingEngine(Protocol):
    """An engine that begins to answer a batch and goes on: many are under way without a thread for each."""

    def start(self, batch: Sequence[Request], params: SamplingParams, seed: int) -> Future[list[list[Generation]]]:
        """Begin to answer a batch as `generate` does; the future holds what that would return or raise."""
