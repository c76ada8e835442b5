"""What the draws of a table cost, and in which unit."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from isocost.errors import InputError
from isocost.measuring.draws import Draws
from isocost.measuring.models import Model
from isocost.metrics.coverage import Floats
from isocost.metrics.intervals import count_interval
from isocost.metrics.unitcost import cost_per_correct
from isocost.records import Estimate

_MOST = 1e100


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Costs of draws.

    Attributes:
        of_group: Of all draws of a model and problem, ungraded ones included, float[groups]; nan where one of them is not known. None where
            the table says nothing of costs.
        unit: tokens; priced tokens, where prices were given; or, where the table has a column cost, what its column cost_unit says (flops
            or usd), else cost.
    """

    of_group: Floats | None
    unit: str


def costs(draws: Draws, prices: Mapping[str, float] | None = None) -> Costs:
    """A draw costs its generated tokens at the price of its model's token, where prices are given; else what the column `cost` says; else
    its generated tokens.

    Args:
        draws: The table.
        prices: Of a token, by model; for every model, or for none: an unknown price is an error, never zero or one.

    Raises:
        InputError: A price is missing, not above 0, or of a model that the table does not have; or tokens are priced and not there.
    """
    if prices:
        _check(draws, prices)
        price = np.array([prices[name] for name in draws.models])
        return Costs(of_group=_bounded(_sums(draws, _tokens(draws)) * price[draws.model]), unit="priced tokens")
    if draws.cost is not None:
        return Costs(of_group=_bounded(_sums(draws, draws.cost)), unit=draws.cost_unit or "cost")
    if draws.tokens is not None:
        return Costs(of_group=_sums(draws, draws.tokens), unit="tokens")
    return Costs(of_group=None, unit="tokens")


def _bounded(costs: Floats) -> Floats:
    """Refuse costs whose sums and squares no float holds."""
    if (costs > _MOST).any():
        raise InputError(f"the draws of one problem cost {costs.max():.3g}: more than {_MOST:g}\n  correct the column cost, or --cost")
    return costs


def unit_costs(model: Model) -> dict[str, Estimate]:
    """`cost_per_draw` and `cost_per_correct` of a model whose costs are known: means over problems, in the unit of its costs.

    What ungraded draws cost is laid on the graded ones: a draw that counts costs cost / M.
    """
    known = model.drawn > 0
    if model.cost is None or not known.any() or not model.cost[known].sum() > 0:
        return {}
    each = model.cost[known] / model.drawn[known]
    found = {"cost_per_draw": count_interval(each)}
    return found | {"cost_per_correct": cost_per_correct(each, model.correct[known] / model.drawn[known])}


def _check(draws: Draws, prices: Mapping[str, float]) -> None:
    for name, price in prices.items():
        if name not in draws.models:
            near = difflib.get_close_matches(name, draws.models, n=1)
            hint = f'did you mean "{near[0]}"? ' if near else ""
            raise InputError(f'--cost: the table has no model "{name[:80]}"\n  {hint}it has {", ".join(draws.models[:5])[:200]}')
        if not 0 < price < float("inf"):
            raise InputError(f"--cost: the price of {name[:80]} must be a number above 0, found {price}")
    missing = [name for name in draws.models if name not in prices]
    if missing:
        raise InputError(f'--cost: no price for model "{missing[0][:80]}"\n  price every model of the table, or none')


def _tokens(draws: Draws) -> Floats:
    if draws.tokens is None:
        raise InputError("--cost: the table has no column num_generated_tokens, which prices are for")
    return draws.tokens


def _sums(draws: Draws, cost: Floats) -> Floats:
    return np.bincount(draws.group, weights=cost, minlength=draws.model.size).astype(np.float64)
