"""The protocol of engines: batches of requests in, generations out."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

from isocost.pickling import Portable
from isocost.records import FinishReason, SamplingParams


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Portable):
    """A request for `count` solutions of one problem, numbered first_index, first_index + 1, ... in the model's pool.

    Attributes:
        problem_id: The problem.
        prompt: The text to continue, or, with `chat`, the user's message.
        first_index: The number of the first solution.
        count: The number of solutions.
        chat: If True, the prompt is put into the model's chat format as the user's message.
        system: The system message before it; only with `chat`.
    """

    problem_id: str
    prompt: str
    first_index: int
    count: int
    chat: bool = False
    system: str | None = None


class Remark(NamedTuple):
    """A remark on an endpoint's replies that are unusual but possible; of each kind, a run prints the first."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation(Portable):
    """One solution as the engine returned it.

    Attributes:
        text: Without the prompt, the end token and the stop string.
        num_prompt_tokens: Tokens of the prompt.
        num_generated_tokens: Tokens generated, including the end token, because it is charged.
        finish_reason: `stop` (end token or stop string), `length` (max_tokens reached) or `error`.
        num_cached_tokens: Tokens that an endpoint reports as read from its cache; more than the prompt's where it counts them apart.
        num_cache_write_tokens: Tokens that an endpoint reports as written to its cache.
        sharing: The number of solutions that share one prefill of the prompt, and so its cost.
        seed: The seed of its own request; None where the batch's seed decided it.
        reported_usd: The cost that an endpoint itself reports; None without a report.
        remarks: Remarks on the reply.
        reasoning: What an endpoint returned as the model's reasoning beside the text; its tokens are among those generated.
        num_reasoning_tokens: Tokens of the reasoning, hidden reasoning included: as reported, else by the lengths of both texts.
        answered_by: The model's name as the endpoint gives it; "" where it gives none.
        failure: Why there is no solution, in the endpoint's words, where finish_reason is `error`.
    """

    text: str
    num_prompt_tokens: int
    num_generated_tokens: int
    finish_reason: FinishReason
    num_cached_tokens: int = 0
    num_cache_write_tokens: int = 0
    sharing: int = 1
    seed: int | None = None
    reported_usd: float | None = None
    remarks: tuple[Remark, ...] = ()
    reasoning: str = ""
    num_reasoning_tokens: int = 0
    answered_by: str = ""
    failure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSize:
    """The parameters that a token passes through, and the shape of the attention.

    Attributes:
        parameters: Their number, the P of 2P FLOPs per token: total, less an untied input-embedding table; of experts only the active ones.
        description: The parameters that are counted, for people: "total, tied embeddings".
        attention: layers * attention width (heads * size of a head), the n_layers * d_attn of 4 * n_layers * d_attn * context FLOPs per
            token; None where it is unknown.
    """

    parameters: int
    description: str
    attention: int | None = None


class Engine(Protocol):
    """An engine that runs one model.

    Attributes:
        identity: The identity of the model: a hash of the weights, or name and revision. Part of every sample's id.
        remote: True if somebody else runs the model: a request without an answer may have been charged.
        concurrency: The number of batches that it answers at once. `generate` is called from as many threads; 1 for an engine that
            uses a whole device. An engine that needs no thread to wait for it is also a `StartingEngine`.
        shares_prompts: True if the solutions of a request share one prefill of the prompt.

    A remote engine may have `added_tokens` besides: prompt tokens that it accepts of a request beyond one for each byte of the prompt. They
    are reserved under the limit before the request is sent. It may have `timeout`, the seconds after which it gives a request up; a slow
    endpoint then has fewer requests in flight than `concurrency`. An engine that replays samples may have `available()`: their number by
    problem id, so that policies ask for no more. An engine that cuts batches by a rule of `batching` inherits `Batched`: then batches are
    cut without it.
    """

    identity: str
    remote: bool
    concurrency: int
    shares_prompts: bool

    def size(self) -> ModelSize | None:
        """Return the model's size, or None where it cannot be read (an endpoint, a recorded table)."""

    def render(self, request: Request) -> str:
        """Return the model's input for a request: the chat template applied; for an endpoint, the messages that are sent."""

    def batches(self, requests: Sequence[Request]) -> list[tuple[Request, ...]]:
        """Cut requests into batches. It depends only on the requests and the engine's options, so a resumed run cuts the same batches."""

    def generate(self, batch: Sequence[Request], params: SamplingParams, seed: int) -> list[list[Generation]]:
        """Answer a batch: for each request its `count` generations, in order; an endpoint may return fewer, the first of them.

        For an engine that is not remote, the same batch, params and seed give the same generations on the same machine.

        Raises:
            EngineError: the engine could not answer, and a retry would not help.
            TryAgainError: it could not answer now. Only remote engines raise it; nothing of the batch was stored or will be.
            RefusedPromptError: an endpoint refuses what the batch says, or its length, and may answer others. Its draws have failed.
        """

    def close(self) -> None:
        """Release memory and connections. The next request opens them again."""


@runtime_checkable
class StartingEngine(Protocol):
    """An engine that answers batches in the background, so that many are in flight without a thread for each."""

    def start(self, batch: Sequence[Request], params: SamplingParams, seed: int) -> Future[list[list[Generation]]]:
        """Begin to answer a batch as `generate` does. Return a future of its result or exception."""


def sound(text: str) -> str:
    """Return a text that encodes as UTF-8: lone surrogates become question marks."""
    return text if text.isascii() else text.encode(errors="replace").decode()
