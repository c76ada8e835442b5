"""The costs of the draws of a table, and their unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isocost.arrays import Floats
from isocost.costs.given import COST, GivenCosts
from isocost.errors import InputError
from isocost.measuring.draws import Draws
from isocost.measuring.models import Model
from isocost.metrics.intervals import amount_interval
from isocost.metrics.unitcost import cost_per_correct
from isocost.records import Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Costs of draws.

    Attributes:
        of_group: Cost of all draws of a model and problem, ungraded ones included, float[groups]; nan if one of them is unknown. None if
            the table has no costs.
        unit: tokens; that of given costs; for a column cost, the value of column cost_unit (flops or usd), else cost.
    """

    of_group: Floats | None
    unit: str


def costs(draws: Draws, given: GivenCosts | None = None) -> Costs:
    """Return the cost of the draws of each group.

    A draw costs what is given for its model, per token or per draw; else the value of the column `cost`; else its generated tokens.

    Args:
        draws: The table.
        given: Costs of every model, or None.

    Raises:
        InputError: A cost is missing, or of a model that the table lacks; or the table lacks the tokens that costs are given for.
    """
    if given is not None:
        given.check(draws.models)
        each = np.array([given.amounts[name] for name in draws.models])
        number = _sums(draws, _tokens(draws)) if given.per == "token" else draws.rows
        return Costs(of_group=number * each[draws.model], unit=given.unit)
    # Real costs before token counts: tokens of two models rarely cost the same.
    if draws.cost is not None:
        return Costs(of_group=_sums(draws, draws.cost), unit=draws.cost_unit or "cost")
    if draws.tokens is not None:
        return Costs(of_group=_sums(draws, draws.tokens), unit="tokens")
    return Costs(of_group=None, unit="tokens")


def unit_costs(model: Model) -> dict[str, Estimate]:
    """Return `cost_per_draw` and `cost_per_correct` of a model with known costs: means over problems, in the unit of its costs.

    The cost of ungraded draws is added to the graded ones: a graded draw costs cost / M.
    """
    known = model.drawn > 0
    # A model whose draws all cost nothing has no cost per correct solution to compare.
    if model.cost is None or not known.any() or not model.cost[known].sum() > 0:
        return {}
    each = model.cost[known] / model.drawn[known]
    found = {"cost_per_draw": amount_interval(each)}
    return found | {"cost_per_correct": cost_per_correct(each, model.correct[known] / model.drawn[known])}


def _tokens(draws: Draws) -> Floats:
    if draws.tokens is None:
        raise InputError(
            "the table has no column num_generated_tokens",
            advice="give the cost of a draw: MODEL=AMOUNT/draw for each model",
            option=COST,
        )
    return draws.tokens


def _sums(draws: Draws, cost: Floats) -> Floats:
    return np.bincount(draws.group, weights=cost, minlength=draws.model.size).astype(np.float64)
