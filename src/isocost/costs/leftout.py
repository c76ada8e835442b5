"""The size of what a study's FLOPs leave out, so that it can be said beside them."""

from __future__ import annotations

from isocost.costs.draws import prompt_flops, reading_flops, writing_flops
from isocost.costs.flops import reading_attention, writing_attention
from isocost.records import ModelCard


def attention_left_out(card: ModelCard, *, prompt_tokens: float, generated_tokens: float, draws: float) -> float | None:
    """What attention would add to the FLOPs of a model's draws, as a share of what is counted; 0 where it counts already.

    Args:
        card: The model.
        prompt_tokens: Expected tokens of a prompt.
        generated_tokens: Expected tokens of a draw.
        draws: Draws of a problem, which share its prompt where the study says so.

    Returns:
        The share; None where the model's size or its attention's width is not known.
    """
    if card.counts_attention:
        return 0.0
    counted = _counted(card, prompt_tokens, generated_tokens, draws)
    if not counted or card.attention is None:
        return None
    readings = {"none": 0.0, "shared": 1 / draws, "each": 1.0}[card.prompt_reading]
    added = writing_attention(card.attention, prompt_tokens, generated_tokens) + readings * reading_attention(card.attention, prompt_tokens)
    return added / counted


def prompts_left_out(card: ModelCard, *, prompt_tokens: float, generated_tokens: float, draws: float) -> float | None:
    """What reading every problem's prompt once would add to the FLOPs of a model's draws; 0 where prompts count already.

    Args and Returns: as of `attention_left_out`.
    """
    if card.prompt_reading != "none":
        return 0.0
    counted, added = _counted(card, prompt_tokens, generated_tokens, draws), prompt_flops(card, prompt_tokens)
    if not counted or added is None:
        return None
    if card.counts_attention:
        added += reading_attention(card.attention or 0, prompt_tokens)
    return added / draws / counted


def _counted(card: ModelCard, prompt_tokens: float, generated_tokens: float, draws: float) -> float | None:
    """The FLOPs of one draw of `draws`, as the study counts them."""
    reading, writing = reading_flops(card, prompt_tokens), writing_flops(card, prompt_tokens, generated_tokens)
    if reading is None or writing is None:
        return None
    return writing + (reading / draws if card.prompt_reading == "shared" else reading)
