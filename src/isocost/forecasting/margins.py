"""The gain of the next draw, against that of a first draw on a new problem."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isocost.arrays import Floats
from isocost.forecasting.curves import ENDS, CurveForecast
from isocost.forecasting.joint import Replicates
from isocost.forecasting.prices import Price
from isocost.policies.base import MixedGroups, Objective
from isocost.records import Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Margin:
    """Gains at a budget. All gains are per problem.

    Attributes:
        model: Name of the model.
        budget: Money per problem.
        draws: Draws per problem that it pays for.
        per_cost: Gain per unit of cost of the next draw for these problems; of mixed groups, of the next group.
        fresh_per_cost: Gain per unit of cost of a first draw for a new problem of the same kind.
        worth: The largest price of a new problem at which buying problems, and `draws` draws for each, gains as much per unit of cost as
            more draws for these. None if more draws gain nothing, so that any price is worth it; its upper end is None if that may be so.
    """

    model: str
    budget: float
    draws: float
    per_cost: Estimate
    fresh_per_cost: Estimate
    worth: Estimate | None


def margin(forecast: CurveForecast, drawn: Replicates, price: Price, budget: float, objective: Objective) -> Margin:
    """Return the gains of one model at a budget.

    V(k) is the value of k draws, and C(k) their cost. A new problem at the price q, with k draws, gains V(k) for q + C(k); more draws gain
    V'(k) / C'(k). So new problems win below q = V(k) C'(k) / V'(k) - C(k).

    Args:
        forecast: The model's forecast.
        drawn: Replicates of pass rates.
        price: What draws cost.
        budget: Money per problem.
        objective: What is counted.
    """
    k, step = price.draws(budget), objective.size if isinstance(objective, MixedGroups) else 1
    values = forecast.values(objective, [k, k + step])
    first = forecast.values(objective, [step])[0]
    cells = drawn.cells[:, :, drawn.models.index(forecast.pilot.model)]
    gained = values[0][cells].mean(axis=1)
    more = (values[1] - values[0])[cells].mean(axis=1)
    cost = price.cost(k + step) - price.cost(k)
    if cost > 0:  # at 1e16 draws one more is none: floats are further apart
        more = more / cost
    law = forecast.posterior
    fresh = law.rates(None) @ first / price.cost(step)
    n = cells.shape[1]
    return Margin(
        model=forecast.pilot.model,
        budget=budget,
        draws=k,
        per_cost=_estimate(more, None, n),
        fresh_per_cost=_estimate(fresh, law.weights, n),
        worth=_worth(gained, more, price.cost(k), n),
    )


def _worth(gained: Floats, more: Floats, cost: float, n: int) -> Estimate | None:
    """Return V / (V' / C') - C at the means, with its interval over replicates; an end is None, or all, where more draws gain nothing.

    The mean of the ratios would be that of the few replicates in which more draws gain almost nothing.
    """
    if more.mean() <= 0.0:
        return None
    ratios = np.divide(gained, more, out=np.full(len(more), np.inf), where=more > 0.0) - cost
    low, high = np.quantile(ratios, ENDS, method="inverted_cdf").tolist()
    value = float(gained.mean() / more.mean()) - cost
    return Estimate(value=value, low=min(value, low), high=max(value, high) if np.isfinite(high) else None, n=n)


def _estimate(values: Floats, weights: Floats | None, n: int) -> Estimate:
    """Return the mean and the interval of a distribution."""
    order = np.argsort(values)
    each = np.full(len(values), 1.0 / len(values)) if weights is None else weights
    low, high = np.interp(ENDS, np.cumsum(each[order]), values[order])
    return Estimate(value=float(values @ each), low=float(low), high=float(high), n=n)
