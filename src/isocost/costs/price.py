"""The US dollar price of a model's tokens: its own price, that of a price file, or that of the GPUs it runs on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from isocost.config import ModelSpec, Price
from isocost.config import models as config
from isocost.costs.pricefile import PriceList
from isocost.errors import BudgetError
from isocost.records import ModelCard, PriceTier

STALE_AFTER = 90  # days; providers change prices a few times a year
_MILLION = 1_000_000
_KEYS = ("input", "output", "input_cache_read", "input_cache_write")
LEAST_PRICE = 1e-3  # US dollars per million tokens; no provider sells any cheaper, and prices per token are all below it


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """The price that is paid for a model's tokens.

    Attributes:
        usd_per_million: US dollars per million tokens by the keys of a price list; None if unknown.
        online_usd_per_million: The same for requests that are sent singly, of a model that is bought in batches.
        usd_per_request: US dollars per request besides.
        tiers: Prices of requests with longer prompts.
        price_is: The source of the price, as text.
        priced_on: The day the price was read.
        tokens_per_second: The measured rate behind a price of GPUs.
        to_know: The key to add to the study if the price is unknown.
    """

    usd_per_million: Mapping[str, float] | None
    online_usd_per_million: Mapping[str, float] | None = None
    usd_per_request: float = 0.0
    tiers: tuple[PriceTier, ...] = ()
    price_is: str = ""
    priced_on: dt.date | None = None
    tokens_per_second: float | None = None
    to_know: str = ""


def priced(name: str, spec: ModelSpec, source: str, prices: PriceList | None) -> Priced:
    """Return a model's price: from its own section, else from the price file, under the engine's name or the study's.

    Args:
        name: The study's name of the model.
        spec: The model's section.
        source: The engine's name of the model.
        prices: The study's price file.

    Raises:
        BudgetError: the model uses a batch API whose prices or discount are unknown.
    """
    price, place = spec.price, "the study file"
    if price is None and prices is not None:
        price, place = prices.of(source, name), prices.shown
    if price is None:
        return Priced(usd_per_million=None, to_know=prices.advice(source) if prices else f"give models.{name}.price")
    if spec.is_batched:
        return _of_batches(spec, price, place)
    if price.gpu_hour is not None:
        return _of_gpus(price, price.gpu_hour)
    paid = 1.0 - _discount(spec, price, place)
    return Priced(
        usd_per_million=_listed(price, paid),
        usd_per_request=(price.request or 0.0) * paid,
        tiers=tuple(PriceTier(above=tier.above, usd_per_million=_listed(tier, paid)) for tier in price.tiers),
        price_is=place if paid == 1 else f"{place}, less {1 - paid:.0%} in the batch API",
        priced_on=price.dated,
    )


def _of_batches(spec: ModelSpec, price: Price, place: str) -> Priced:
    """Return the prices of the provider's batch API."""
    batch = price.batch
    if batch is None:
        missing = "price.batch is missing" if spec.price else f"{place} has no batch prices for it"
        raise BudgetError(f"{missing}, and batch is true\n  give what the provider's batch API charges: batch: {{input: ..., output: ...}}")
    return Priced(
        usd_per_million=_listed(batch),
        online_usd_per_million=_listed(price),
        usd_per_request=batch.request or 0.0,
        tiers=tuple(PriceTier(above=tier.above, usd_per_million=_listed(tier)) for tier in batch.tiers),
        price_is=f"{place}, batch API",
        priced_on=price.dated,
    )


def _listed(price: Price | config.PriceTier | config.BatchPrice, paid: float = 1.0) -> dict[str, float]:
    """Return the prices of a list that are given; `paid` is the share that is paid after a discount."""
    found = {key: value for key in _KEYS if (value := getattr(price, key)) is not None}
    return found if paid == 1 else {key: value * paid for key, value in found.items()}


def question_price(card: ModelCard) -> str:
    """Return a question about a price that looks like dollars per token, "" for a usual one."""
    if card.tokens_per_second is not None:  # made from the price of GPUs
        return ""
    low = {key: value for key, value in (card.usd_per_million or {}).items() if 0 < value < LEAST_PRICE}
    if not low:
        return ""
    key, value = next(iter(low.items()))
    return (
        f"Is the price of {card.name} in US dollars per token? {key} is {value:g}, and prices are per million tokens: "
        f"that would be {value * _MILLION:g}."
    )


def _discount(spec: ModelSpec, price: Price, place: str) -> float:
    if not spec.batch_api:
        return 0.0
    if price.batch_discount is None:
        missing = "price.batch_discount is missing" if spec.price else f"{place} has no batch_discount for it"
        raise BudgetError(f"{missing}, and batch_api is true\n  give the share that the provider takes off in its batch API (0.5 is half)")
    return price.batch_discount


def _of_gpus(price: Price, gpu_hour: float) -> Priced:
    """Return gpu_hour * gpus / 3600 / tokens_per_second per generated token. The measured rate includes reading the prompts."""
    # Never 0: the study file requires a rate above 0 with gpu_hour.
    rate = price.tokens_per_second or 0.0
    token = gpu_hour * price.gpus / 3600 / rate
    gpus = "a GPU" if price.gpus == 1 else f"{price.gpus} GPUs"
    return Priced(
        # A prompt costs nothing beside that, since the measured rate includes the time for reading it.
        usd_per_million={"input": 0.0, "output": token * _MILLION},
        price_is=f"made from {gpus} at ${gpu_hour:g} an hour each and {rate:,g} tokens a second",
        priced_on=price.dated,
        tokens_per_second=rate,
    )


def stale(priced_on: dt.date | None, today: dt.date) -> int | None:
    """Return the age in days of a price that is too old, or None."""
    age = (today - priced_on).days if priced_on else 0
    return age if age > STALE_AFTER else None
