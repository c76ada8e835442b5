"""Samples, and the parameters of sampling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from isocost.records.costs import Cost

FinishReason = Literal["stop", "length", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingParams:
    """Sampling parameters, under vLLM's names. `top_k=0` and `top_p=1.0` cut nothing off. `temperature=0` is greedy."""

    temperature: float = 0.7
    top_p: float = 1.0
    top_k: int = 0
    max_tokens: int = 512
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """Draws of one problem from one model: indices first_index .. first_index + count - 1 of the model's pool."""

    problem_id: str
    model: str
    first_index: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One solution drawn from a model.

    Attributes:
        id: Hash of model, prompt, sampling setting, problem and index.
        problem_id: The problem.
        model: The study's name of the model.
        pool: Its pool: one model under one prompt and sampling setting.
        sample_index: Its number in the pool for this problem: 0, 1, 2, ...
        generation: The text, without the prompt.
        num_prompt_tokens: Tokens of the prompt.
        num_generated_tokens: Generated tokens, the end token included.
        finish_reason: `stop`, `length` (cut off at max_tokens) or `error`.
        cost: Cost of this sample alone.
        seed: Seed of its batch.
    """

    id: str
    problem_id: str
    model: str
    pool: str
    sample_index: int
    generation: str
    num_prompt_tokens: int
    num_generated_tokens: int
    finish_reason: FinishReason
    cost: Cost
    seed: int
