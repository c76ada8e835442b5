"""Draws the next token of every row, from logits and uniform random numbers."""

from __future__ import annotations

import torch

from isocost.records import SamplingParams


def draw(logits: torch.Tensor, params: SamplingParams, uniforms: torch.Tensor) -> torch.Tensor:
    """The next token of every row, int64[rows].

    Each row turns one uniform number into a token by inverting its cumulative distribution. So a draw depends on the row's own logits
    and number only, and rows that leave the batch change nothing for those that stay.

    Args:
        logits: float[rows, vocabulary].
        params: Temperature, top_k and top_p; temperature 0 takes the likeliest token.
        uniforms: float64[rows] in [0, 1).
    """
    if params.temperature == 0:
        return logits.argmax(dim=-1)
    logits = logits.float() / params.temperature
    if 0 < params.top_k < logits.shape[-1]:
        least = logits.topk(params.top_k).values[:, -1:]
        logits = logits.masked_fill(logits < least, -torch.inf)
    if params.top_p < 1:
        logits = _nucleus(logits, params.top_p)
    # float64: summed in float32, the tail of a large vocabulary would round away.
    cumulative = logits.softmax(dim=-1).cumsum(dim=-1, dtype=torch.float64)
    target = uniforms.unsqueeze(1) * cumulative[:, -1:]
    return torch.searchsorted(cumulative, target, right=True).squeeze(1).clamp(max=logits.shape[-1] - 1)


def _nucleus(logits: torch.Tensor, top_p: float) -> torch.Tensor:
    """Keep the smallest set of likeliest tokens whose probabilities reach `top_p` (Holtzman et al. 2020, arXiv 1904.09751)."""
    ordered, order = logits.sort(dim=-1, descending=True)
    probabilities = ordered.softmax(dim=-1)
    before = probabilities.cumsum(dim=-1) - probabilities
    return torch.full_like(logits, -torch.inf).scatter(-1, order, ordered.masked_fill(before >= top_p, -torch.inf))
