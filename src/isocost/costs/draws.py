"""The cost of a draw, and its parts: reading the prompt, and generating tokens."""

from __future__ import annotations

from isocost.costs.flops import reading_attention, writing_attention
from isocost.errors import BudgetError
from isocost.records import Cost, ModelCard

_MILLION = 1_000_000


def cost_of(card: ModelCard, *, prompt_tokens: float, generated_tokens: float, cached_tokens: float = 0, sharing: float = 1) -> Cost:
    """Return the cost of one draw with g generated tokens, after a prompt of p tokens that s draws share.

    In FLOPs, by the study's `costs` section, where L d is layers * attention width:

    - 2P g (the default, and the paper's);
    - prompt_tokens shared: 2P p / s more. prompt_tokens each: 2P p more, whatever was shared.
    - attention: 4 L d (g p + g (g + 1) / 2) more. If the prompt counts, 4 L d p (p + 1) / 2 more, divided by s like the prompt.

    In US dollars, with c of the p tokens cached: (input (p - c) / s + input_cache_read c / s + output g) / 10^6. Without a price for
    cached tokens they cost the input price.

    Args:
        card: The model.
        prompt_tokens: p.
        generated_tokens: g.
        cached_tokens: c, as the endpoint reports it. A value above p is no part of p: p is charged at the higher price.
        sharing: s, the number of draws that share one reading of the prompt.

    Raises:
        BudgetError: prompts cost money and their price is unknown. An unknown price never counts as zero.
    """
    flops = card.flops_per_token
    if flops is not None:
        # The common case stays one multiplication: this runs once per draw.
        if card.counts_attention or card.prompt_reading != "none":
            flops = _counted_flops(card, prompt_tokens, generated_tokens, sharing)
        else:
            flops *= generated_tokens
    prices = card.usd_per_million
    if prices is None:
        return Cost(flops=flops)
    try:
        usd = prices["output"] * generated_tokens
        if prompt_tokens:
            price = prices["input"]
            cache_price = prices.get("input_cache_read", price)
            if cached_tokens > prompt_tokens:  # how many of these are the prompt's is not known: no report may take a cost below its worst
                usd += max(price, cache_price) * prompt_tokens / sharing
            elif cached_tokens > 0:
                usd += (price * (prompt_tokens - cached_tokens) + cache_price * cached_tokens) / sharing
            else:
                usd += price * prompt_tokens / sharing
    # Looked up lazily: a price list without an input price is fine for a draw without a prompt.
    except KeyError as missing:
        key = missing.args[0]
        raise BudgetError(
            f"models.{card.name}.price.{key} is missing: its tokens are paid\n  give it, in USD per million tokens; 0 if they are free"
        ) from None
    return Cost(flops=flops, usd=usd / _MILLION)


def max_cost_of(card: ModelCard, *, prompt_tokens: float, generated_tokens: float) -> Cost:
    """Return the largest cost of a draw of these token counts: an unshared prompt, cached only if cached tokens cost more.

    Raises:
        BudgetError: As `cost_of`.
    """
    cost = cost_of(card, prompt_tokens=prompt_tokens, generated_tokens=generated_tokens)
    cached = cost_of(card, prompt_tokens=prompt_tokens, generated_tokens=generated_tokens, cached_tokens=prompt_tokens)
    return cost if cost.usd is None or cached.usd is None or cost.usd >= cached.usd else cached


def reading_flops(card: ModelCard, prompt_tokens: float) -> float | None:
    """Return the FLOPs of one reading of a prompt that the study counts, or None if the model's size is unknown."""
    if card.prompt_reading == "none":
        return None if card.flops_per_token is None else 0.0
    whole = prompt_flops(card, prompt_tokens)
    if whole is None or not card.counts_attention:
        return whole
    return None if card.attention is None else whole + reading_attention(card.attention, prompt_tokens)


def writing_flops(card: ModelCard, prompt_tokens: float, generated_tokens: float) -> float | None:
    """Return the FLOPs of a draw's generated tokens that the study counts, or None if the model's size is unknown."""
    if card.flops_per_token is None:
        return None
    flops = card.flops_per_token * generated_tokens
    if not card.counts_attention:
        return flops
    return None if card.attention is None else flops + writing_attention(card.attention, prompt_tokens, generated_tokens)


def prompt_flops(card: ModelCard, prompt_tokens: float) -> float | None:
    """Return 2P FLOPs per prompt token, whether the study counts them or not."""
    return None if card.flops_per_token is None else card.flops_per_token * prompt_tokens


def _counted_flops(card: ModelCard, prompt_tokens: float, generated_tokens: float, sharing: float) -> float | None:
    reading, writing = reading_flops(card, prompt_tokens), writing_flops(card, prompt_tokens, generated_tokens)
    if reading is None or writing is None:
        return None
    return writing + (reading / sharing if card.prompt_reading == "shared" else reading)


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
