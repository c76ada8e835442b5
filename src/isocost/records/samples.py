"""Samples, and the parameters of sampling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

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
