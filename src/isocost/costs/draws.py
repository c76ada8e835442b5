"""The cost of a draw, and its parts: reading the prompt, and generating tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from isocost.costs.flops import reading_attention, writing_attention
from isocost.errors import BudgetError
from isocost.records import Cost, ModelCard

_MILLION = 1_000_000


def cost_of(
    card: ModelCard,
    *,
    prompt_tokens: float,
    generated_tokens: float,
    cached_tokens: float = 0,
    cache_write_tokens: float = 0,
    sharing: float = 1,
) -> Cost:
    """Return the cost of one draw with g generated tokens, after a prompt of p tokens that s draws share.

    In FLOPs, by the study's `costs` section, where L d is layers * attention width:

    - 2P g (the default, and the paper's);
    - prompt_tokens shared: 2P p / s more. prompt_tokens each: 2P p more, whatever was shared.
    - attention: 4 L d (g p + g (g + 1) / 2) more. If the prompt counts, 4 L d p (p + 1) / 2 more, divided by s like the prompt.

    In US dollars, with c of the p tokens read from the cache and w written to it:
    (input (p - c - w) / s + input_cache_read c / s + input_cache_write w / s + output g) / 10^6 + request / s. Without a price for cached
    tokens they cost the input price. The prices are those of the highest tier that p is above. Where c + w is above p, they are no part
    of p, as in Anthropic's usage: p in place of p - c - w pays the input price, and the tier is that of p + c + w.

    Args:
        card: The model.
        prompt_tokens: p.
        generated_tokens: g.
        cached_tokens: c, as the endpoint reports it.
        cache_write_tokens: w, as the endpoint reports it.
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
    if card.usd_per_million is None:
        return Cost(flops=flops)
    cached, written = max(cached_tokens, 0), max(cache_write_tokens, 0)
    apart = cached + written
    fresh = prompt_tokens - apart if apart <= prompt_tokens else prompt_tokens
    prices = prices_at(card, fresh + apart)
    try:
        usd = prices["output"] * generated_tokens
        if fresh or apart:
            usd += _prompt_price(prices, fresh, cached, written) / sharing
    # Looked up lazily: a price list without an input price is fine for a draw without a prompt.
    except KeyError as missing:
        raise BudgetError(missing_price(card.name, missing.args[0])) from None
    usd /= _MILLION
    if card.usd_per_request and (fresh or apart or generated_tokens):  # a request that was refused has neither
        usd += card.usd_per_request / sharing
    return Cost(flops=flops, usd=usd)


def missing_price(model: str, key: str) -> str:
    """Return the message on a price that is needed and not given; `key` is that of the price."""
    paid = "prompts are paid too" if key == "input" else "its tokens are paid"
    return f"models.{model}.price.{key} is missing: {paid}\n  give it, in USD per million tokens; 0 if they are free"


def _prompt_price(prices: Mapping[str, float], fresh: float, cached: float, written: float) -> float:
    """Return the price of reading a prompt once, in US dollars per million prompts, by its tokens that have nothing to do with a cache."""
    price = prices["input"]
    if not cached and not written:  # the common case
        return price * fresh
    return price * fresh + prices.get("input_cache_read", price) * cached + prices.get("input_cache_write", price) * written


def prices_at(card: ModelCard, prompt_tokens: float) -> Mapping[str, float]:
    """Return the prices of a request by the length of its prompt: those of the highest tier that it is above."""
    prices = card.usd_per_million or {}
    for tier in card.price_tiers:
        if prompt_tokens > tier.above:
            prices = tier.usd_per_million
    return prices


def max_cost_of(card: ModelCard, *, prompt_tokens: float, generated_tokens: float) -> Cost:
    """Return the largest cost of a draw of at most these token counts: an unshared prompt, cached only if cached tokens cost more.

    Tiers of shorter prompts count too, since the prompt may turn out shorter, and some cost more.

    Raises:
        BudgetError: As `cost_of`.
    """
    cost = cost_of(card, prompt_tokens=prompt_tokens, generated_tokens=generated_tokens)
    if cost.usd is None:
        return cost
    lists = [card.usd_per_million or {}, *(tier.usd_per_million for tier in card.price_tiers if tier.above < prompt_tokens)]
    return replace(cost, usd=card.usd_per_request + max(_dearest(prices, prompt_tokens, generated_tokens) for prices in lists))


def _dearest(prices: Mapping[str, float], prompt_tokens: float, generated_tokens: float) -> float:
    """Return the US dollars of a draw whose prompt tokens are all at the highest of their prices."""
    reading = max((prices[key] for key in ("input", "input_cache_read", "input_cache_write") if key in prices), default=0.0)
    return (reading * prompt_tokens + prices["output"] * generated_tokens) / _MILLION


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
