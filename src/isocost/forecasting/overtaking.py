"""The budget at which one model overtakes another, as a forecast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from isocost.arrays import Floats
from isocost.forecasting.curves import ENDS, CurveForecast
from isocost.forecasting.joint import Replicates
from isocost.forecasting.prices import Price
from isocost.passrates.grid import RATES
from isocost.policies.base import Objective

REACH = 25  # times the pilot: the range that simulation has checked
_STEPS = 60
_LEVEL = 1e-9  # curves nearer than this are level


@dataclass(frozen=True, slots=True, kw_only=True)
class Overtaking:
    """The cost per problem from which one model stays ahead of another, up to the reach.

    Attributes:
        ahead: The model that is ahead at the reach.
        behind: The other one.
        cost: The cost at which it takes the lead; 0.0 if it leads from the first draw.
        low: Lower end of the interval; None if it lies beyond the reach.
        high: Upper end of the interval; None if it lies beyond the reach.
        reach: The largest cost that is compared: `REACH` times the pilot of the model whose draws cost less.
        absent: Posterior probability that this model is not ahead at the reach.
    """

    ahead: str
    behind: str
    cost: float
    low: float | None
    high: float | None
    reach: float
    absent: float


def overtaking(
    pair: tuple[CurveForecast, CurveForecast], drawn: Replicates, prices: Mapping[str, Price], objective: Objective
) -> Overtaking | None:
    """Return the budget at which one of two models overtakes the other; None if they are level at the reach.

    The curves are those of the forecasts. The interval comes from the curves of each replicate of the pass rates, moved like the
    forecasts'. It is the posterior distribution of the last crossing: infinite where the leader is not ahead at the reach.

    Args:
        pair: The forecasts of the two models.
        drawn: Replicates of pass rates, which have both models.
        prices: What draws cost, by model.
        objective: What is counted.
    """
    names = [forecast.pilot.model for forecast in pair]
    pilot = max(int(forecast.pilot.draws.max(initial=1)) for forecast in pair)
    reach = min(prices[name].cost(REACH * pilot) for name in names)
    budgets = np.geomspace(min(prices[name].alone for name in names), reach, _STEPS)
    draws = [np.array([prices[name].draws(budget) for budget in budgets.tolist()]) for name in names]
    curves = [_curves(forecast, drawn, ks, objective) for forecast, ks in zip(pair, draws, strict=True)]
    gap = curves[0] - curves[1]
    mean = gap.mean(axis=0)
    if abs(mean[-1]) <= _LEVEL:
        return None
    sign = 1.0 if mean[-1] > 0 else -1.0
    each = np.array([_stays_ahead(budgets, sign * row) for row in gap])
    low, high = np.quantile(each, ENDS, method="inverted_cdf")
    ahead, behind = names if sign > 0 else names[::-1]
    return Overtaking(
        ahead=ahead,
        behind=behind,
        cost=_stays_ahead(budgets, sign * mean),
        low=float(low) if np.isfinite(low) else None,
        high=float(high) if np.isfinite(high) else None,
        reach=reach,
        absent=float(np.isinf(each).mean()),
    )


def _curves(forecast: CurveForecast, drawn: Replicates, ks: Floats, objective: Objective) -> Floats:
    """Return a model's curve in each replicate, float[replicates, ks]."""
    values = forecast.values(objective, ks.tolist())
    cells = drawn.cells[:, :, drawn.models.index(forecast.pilot.model)]
    shares = np.stack([np.bincount(row, minlength=len(RATES)) for row in cells]) / cells.shape[1]
    return np.asarray(shares @ values.T + forecast.moves(objective, ks.tolist()))


def _stays_ahead(budgets: Floats, gap: Floats) -> float:
    """Return the budget after which a gap stays above 0, linear between budgets; 0.0 if it always is, infinite if it ends below."""
    below = np.flatnonzero(gap <= _LEVEL)
    if not len(below):
        return 0.0
    last = int(below[-1])
    if last == len(gap) - 1:
        return float("inf")
    before, after = min(float(gap[last]), 0.0), float(gap[last + 1])
    return float(budgets[last] - before / (after - before) * (budgets[last + 1] - budgets[last]))
