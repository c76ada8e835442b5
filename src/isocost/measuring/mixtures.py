"""Mixtures of models against cost, computed from each model's own draws, and compared with its models at equal money."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from isocost.arrays import Floats
from isocost.measuring.comparing import Point
from isocost.measuring.joined import Joined, Values
from isocost.measuring.models import Model, all_true, common_places, draw_cost, reach_of
from isocost.metrics.curves import curve_ks
from isocost.metrics.intervals import paired_count_difference, paired_difference
from isocost.records import Estimate

_WHOLE = 1e-9  # draws this close to a whole number are rounded, so that floating point does not add a draw
_APART = "its models share no problem for which each of them has as many draws as for most others"


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """A mixture and its single models at the same cost per problem, on the same problems.

    Attributes:
        k: Draws of the mixture, over all its models.
        cost: Cost per problem of each side.
        mixture: `coverage` and the first level of diversity.
        draws: Draws that the cost buys from each model alone. Here and below, models with too few draws are left out.
        alone: The measures of each model.
        minus: Mixture minus model, paired.
    """

    k: int
    cost: float
    mixture: Mapping[str, Estimate]
    draws: Mapping[str, float]
    alone: Mapping[str, Mapping[str, Estimate]]
    minus: Mapping[str, Mapping[str, Estimate]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixture:
    """The measures of a mixture of models.

    Attributes:
        shares: Share of the money, by model; they add up to 1.
        draws: Share of the draws, by model; they add up to 1.
        points: Its curves; k counts the draws of all its models.
        beside: Comparisons at equal money, at 1, 2, 5, 10, ... draws and at the ends of models and mixture.
        why: The reason why there are no points, or None.
    """

    shares: Mapping[str, float]
    draws: Mapping[str, float] = field(default_factory=dict)
    points: Sequence[Point] = ()
    beside: Sequence[Beside] = ()
    why: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """A model alone at the first costs: the draws that they buy, float[points], and their values."""

    name: str
    draws: Floats
    values: Values
    estimates: Mapping[str, Sequence[Estimate]]


def mixture(models: Sequence[Model], shares: Sequence[float]) -> Mixture:
    """Return curves of a mixture that gives each model its share of the money: C per problem buys k_m = w_m C / c_m draws of model m.

    c_m is the mean cost of a draw of model m. Nobody drew the mixture. It is computed from the models' own draws, independent of each other
    given the problem, as fixed plans are (`metrics.mixtures`). All points use the problems for which every model has as many draws as for
    95% of the shared problems, and end at the draws of the first model that runs out.

    Args:
        models: Different models of one table, with known costs above 0 and `identified` solutions.
        shares: w, shares of the money, each above 0; they add up to 1.
    """
    of_money = {model.name: share for model, share in zip(models, shares, strict=True)}
    places = common_places(models)
    reached = [reach_of(model.drawn[at]) for model, at in zip(models, places, strict=True)]
    kept, most = all_true([mask for mask, _ in reached]), np.array([float(m) for _, m in reached])
    if not kept.any():
        return Mixture(shares=of_money, why=_APART)
    costs = np.array([draw_cost(model, at[kept]).mean() for model, at in zip(models, places, strict=True)])
    if not costs.min() > 0:
        return Mixture(shares=of_money, why="the draws of one of its models cost nothing for the problems that they share")
    pools = Joined.of(models, [at[kept] for at in places])
    # Shares of the money become shares of the draws: a cheap model gives more draws for its share.
    parts = shares / costs / (shares / costs).sum()
    # The first model that runs out of draws ends the curve.
    ks = curve_ks(int((most / parts).min() * (1 + _WHOLE)))
    draws = _whole(parts[:, None] * ks)
    values = pools.values(draws)
    found = pools.estimates(values, draws)
    each = float(parts @ costs)
    points = [Point(k=int(k), cost=int(k) * each, values={name: e[i] for name, e in found.items()}) for i, k in enumerate(ks)]
    marked = _marked(points, most * costs)
    single = [_alone(pools, i, _whole(each * ks[marked] / costs[i]), most[i]) for i in range(len(models))]
    beside = [
        _beside(points[i], {name: of[:, i] for name, of in values.items()}, at, float(np.ceil(draws[:, i]).sum()), single)
        for at, i in enumerate(marked)
    ]
    return Mixture(shares=of_money, draws=dict(zip(of_money, parts.tolist(), strict=True)), points=points, beside=beside)


def _alone(pools: Joined, model: int, draws: Floats, most: float) -> _Side:
    one, within = pools.alone(model), draws[draws <= most]
    values = one.values(within[None, :])
    return _Side(name=one.names[0], draws=within, values=values, estimates=one.estimates(values, within[None, :]))


def _beside(point: Point, values: Values, at: int, most: float, single: Sequence[_Side]) -> Beside:
    """Return the mixture at a point of its curve, values float[problems] by measure, with the models that have an entry `at`."""
    sides = [side for side in single if at < side.draws.size]
    names = list(single[0].values)

    def minus(name: str, side: _Side) -> Estimate:
        if name == "coverage":
            return paired_difference(values[name], side.values[name][:, at])
        return paired_count_difference(values[name], side.values[name][:, at], most=max(most, float(np.ceil(side.draws[at]))))

    return Beside(
        k=point.k,
        cost=point.cost,
        mixture={name: point.values[name] for name in names},
        draws={side.name: float(side.draws[at]) for side in sides},
        alone={side.name: {name: side.estimates[name][at] for name in names} for side in sides},
        minus={side.name: {name: minus(name, side) for name in names} for side in sides},
    )


def _whole(draws: Floats) -> Floats:
    near = np.round(draws)
    return np.where(np.abs(draws - near) <= _WHOLE * np.maximum(1.0, near), near, draws)


def _marked(points: Sequence[Point], reaches: Floats) -> list[int]:
    """Return the points that are compared with the models: 1, 2, 5, 10, ... draws, the last, and the last that each model reaches."""
    costs = [point.cost for point in points]
    ends = np.searchsorted(costs, reaches * (1 + _WHOLE), side="right") - 1
    round_ones = [i for i, point in enumerate(points) if str(point.k).rstrip("0") in ("1", "2", "5")]
    return sorted({int(i) for i in [*round_ones, *ends, len(points) - 1] if i >= 0})
