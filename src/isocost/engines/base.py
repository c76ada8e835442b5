"""What every engine offers: batches of requests in, generations out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from isocost.records import FinishReason, SamplingParams


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """`count` solutions of one problem, to be numbered first_index, first_index + 1, ... in the model's pool."""

    problem_id: str
    prompt: str
    first_index: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """One solution as the engine returned it.

    Attributes:
        text: Without the prompt, the end token and the stop string.
        num_prompt_tokens: Tokens of the prompt.
        num_generated_tokens: Tokens generated, the end token included: what is paid for.
        finish_reason: `stop` (end token or stop string), `length` (max_tokens reached) or `error`.
    """

    text: str
    num_prompt_tokens: int
    num_generated_tokens: int
    finish_reason: FinishReason


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSize:
    """How many parameters a token passes through.

    Attributes:
        parameters: Their number, the P of 2P FLOPs a token: total, less an untied input-embedding table.
        description: What is counted, for people: "total, embeddings tied".
    """

    parameters: int
    description: str


class Engine(Protocol):
    """Runs one model.

    Attributes:
        identity: What makes two models the same: a hash of the weights, or name and revision. Part of every sample's id.
    """

    identity: str

    def size(self) -> ModelSize | None:
        """The model's size, or None where it cannot be read (an endpoint, a recorded table)."""

    def batches(self, requests: Sequence[Request]) -> list[tuple[Request, ...]]:
        """Cut requests into batches. A pure function of the requests and the engine's options: a resumed run cuts the same batches."""

    def generate(self, batch: Sequence[Request], params: SamplingParams, seed: int) -> list[list[Generation]]:
        """Answer a batch: for each request its `count` generations, in order.

        The same batch, params and seed give the same generations on the same machine.

        Raises:
            EngineError: the engine could not answer.
        """

    def close(self) -> None:
        """Give back memory and connections. An engine that is asked again opens them again."""
