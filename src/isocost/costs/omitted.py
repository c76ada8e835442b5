"""The size of the FLOPs that a study leaves out, to be reported beside those that it counts."""

from __future__ import annotations

from isocost.costs.draws import prompt_flops, reading_flops, writing_flops
from isocost.costs.flops import reading_attention, writing_attention
from isocost.records import ModelCard


def omitted_attention(card: ModelCard, *, prompt_tokens: float, generated_tokens: float, draws: float) -> float | None:
    """Return the FLOPs of attention as a share of the counted FLOPs of a model's draws, or 0 if attention is counted.

    Args:
        card: The model.
        prompt_tokens: Expected tokens of a prompt.
        generated_tokens: Expected tokens of a draw.
        draws: Draws per problem. They share its prompt if the study says so.

    Returns:
        The share, or None if the model's size or attention width is unknown.
    """
    if card.counts_attention:
        return 0.0
    counted = _counted(card, prompt_tokens, generated_tokens, draws)
    if not counted or card.attention is None:
        return None
    # Attention within the prompt is counted as often as the prompt itself.
    readings = {"none": 0.0, "shared": 1 / draws, "each": 1.0}[card.prompt_reading]
    added = writing_attention(card.attention, prompt_tokens, generated_tokens) + readings * reading_attention(card.attention, prompt_tokens)
    return added / counted


def omitted_prompts(card: ModelCard, *, prompt_tokens: float, generated_tokens: float, draws: float) -> float | None:
    """Return the FLOPs of reading each problem's prompt once, as a share of the counted FLOPs, or 0 if prompts are counted.

    Args and Returns: as of `omitted_attention`.
    """
    if card.prompt_reading != "none":
        return 0.0
    counted, added = _counted(card, prompt_tokens, generated_tokens, draws), prompt_flops(card, prompt_tokens)
    if not counted or added is None:
        return None
    if card.counts_attention:
        added += reading_attention(card.attention or 0, prompt_tokens)  # a known width, else `counted` would be None
    return added / draws / counted


def _counted(card: ModelCard, prompt_tokens: float, generated_tokens: float, draws: float) -> float | None:
    """Return the counted FLOPs of one draw out of `draws` of a problem."""
    reading, writing = reading_flops(card, prompt_tokens), writing_flops(card, prompt_tokens, generated_tokens)
    if reading is None or writing is None:
        return None
    return writing + (reading / draws if card.prompt_reading == "shared" else reading)
