"""Draw the next token of every row, from logits and uniform random numbers."""

from __future__ import annotations

import torch

from isocost.records import SamplingParams


def draw(logits: torch.Tensor, params: SamplingParams, uniforms: torch.Tensor) -> torch.Tensor:
    """Return the next token of every row, int64[rows].

    Each row turns one uniform number into a token by inverting its cumulative distribution. So a draw depends only on the row's own logits
    and number, and rows that leave the batch do not affect the others.

    Args:
        logits: float[rows, vocabulary].
        params: Temperature, top_k and top_p; temperature 0 takes the most likely token.
        uniforms: float64[rows] in [0, 1).
    """
    if params.temperature == 0:
        return logits.argmax(dim=-1)
    logits = logits.float() / params.temperature
    # top_k before top_p, the order of transformers and vLLM.
    if 0 < params.top_k < logits.shape[-1]:
        least = logits.topk(params.top_k).values[:, -1:]
        logits = logits.masked_fill(logits < least, -torch.inf)
    if params.top_p < 1:
        logits = _nucleus(logits, params.top_p)
    # float64: summed in float32, the tail of a large vocabulary would round away.
    cumulative = logits.softmax(dim=-1).cumsum(dim=-1, dtype=torch.float64)
    # Scaled by the last sum, which rounding leaves beside 1.
    target = uniforms.unsqueeze(1) * cumulative[:, -1:]
    return torch.searchsorted(cumulative, target, right=True).squeeze(1).clamp(max=logits.shape[-1] - 1)


def _nucleus(logits: torch.Tensor, top_p: float) -> torch.Tensor:
    """Keep the smallest set of most likely tokens whose probabilities reach `top_p` (Holtzman et al. 2020, arXiv 1904.09751)."""
    ordered, order = logits.sort(dim=-1, descending=True)
    probabilities = ordered.softmax(dim=-1)
    before = probabilities.cumsum(dim=-1) - probabilities
    return torch.full_like(logits, -torch.inf).scatter(-1, order, ordered.masked_fill(before >= top_p, -torch.inf))
