"""Comparison of models: curves against cost, crossovers, and the problems that only one of them solves."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from isocost.arrays import Ints
from isocost.measuring.columns import estimates
from isocost.measuring.models import Model, all_true, common_places, coverage, diversity, draw_cost, levels_of, reach_of
from isocost.metrics.coverage import covered
from isocost.metrics.curves import Crossover, Curve, coverage_at, crossover, curve_ks
from isocost.metrics.overlap import Overlap, overlap
from isocost.records import Estimate

MOST_PAIRED = 5  # models of which every pair is compared: ten pairs


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One point of a model's curves: k draws, their cost per problem, and `coverage` and `diversity` there."""

    k: int
    cost: float
    values: Mapping[str, Estimate]


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """The crossover of two models' curves of one measure. `found` says left and right for the models in this order."""

    measure: str
    left: str
    right: str
    found: Crossover


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """The overlap of some models, on the problems that all of them drew for.

    Attributes:
        models: Two models, or all.
        draws: Draws of each model that `cost` buys, fractional as planned; None for all draws in hand.
        cost: Cost per problem, the same for each model; None for all draws.
        found: Shares of the problems.
    """

    models: tuple[str, ...]
    draws: tuple[float, ...] | None
    cost: float | None
    found: Overlap


def curve_points(model: Model) -> list[Point]:
    """Return coverage@k and diversity@k of a model against k times the mean cost of a draw, each with its interval.

    The curve ends at the draws that 95% of the problems have. Problems with fewer are left out of the whole curve, so that every point
    uses the same problems. Empty if costs are unknown.
    """
    kept, most = reach_of(model.drawn)
    ks = [int(k) for k in curve_ks(most)] if most else []
    if model.cost is None or not ks:
        return []
    each = draw_cost(model, kept)
    columns = [coverage(model, ks), *(diversity(model, kind, ks) for kind in levels_of(model))]
    found = estimates(columns, model.n_ungraded, kept)
    names = ["coverage", *levels_of(model)]
    return [Point(k=k, cost=k * float(each.mean()), values={name: found[f"{name}@{k}"] for name in names}) for k in ks]


def crossings(models: Sequence[Model]) -> list[Crossing]:
    """Return the crossovers of each pair of models, for coverage and the first level of diversity of both; for at most five models."""
    found: list[Crossing] = []
    if len(models) > MOST_PAIRED:
        return found
    for pair in combinations(models, 2):
        places = common_places(pair)
        reached = [reach_of(model.drawn[at]) for model, at in zip(pair, places, strict=True)]
        # Both curves must rest on the same problems, or a difference between problems would look like one between models.
        kept = reached[0][0] & reached[1][0]
        if not kept.any() or any(model.cost is None for model in pair):
            continue
        kinds = [kind for kind in levels_of(pair[0]) if kind in levels_of(pair[1])][:1]
        for name in ["coverage", *kinds]:
            curves = [_curve(model, name, at[kept], most) for model, at, (_, most) in zip(pair, places, reached, strict=True)]
            if all(curve.cost.mean() > 0 for curve in curves):
                crossing = crossover(curves[0], curves[1], seed=0)
                found.append(Crossing(measure=name, left=pair[0].name, right=pair[1].name, found=crossing))
    return found


def shared(models: Sequence[Model], held_back: Collection[str] = ()) -> list[Shared]:
    """Return the overlap of all models, and of each pair of at most five: in all draws, and at the largest cost that each reaches.

    Models that are `held_back` (`Measured.held_back`) are not compared at a cost, because coverage@k is biased for them.
    """
    sets = [tuple(models)] if len(models) > 1 else []
    if 2 < len(models) <= MOST_PAIRED:
        sets += list(combinations(models, 2))
    found: list[Shared] = []
    for some in sets:
        places = common_places(some)
        drawn_by_all = all_true([model.drawn[at] > 0 for model, at in zip(some, places, strict=True)])
        if not drawn_by_all.any():
            continue
        names = tuple(model.name for model in some)
        solved = [covered(model.correct[at][drawn_by_all]) for model, at in zip(some, places, strict=True)]
        found.append(Shared(models=names, draws=None, cost=None, found=overlap(solved)))
        found += [] if set(names) & set(held_back) else _at_matched_cost(some, places)
    return found


def _at_matched_cost(models: Sequence[Model], places: Sequence[Ints]) -> list[Shared]:
    reached = [reach_of(model.drawn[at]) for model, at in zip(models, places, strict=True)]
    kept = all_true([mask for mask, _ in reached])
    if not kept.any() or any(model.cost is None for model in models):
        return []
    each = [float(draw_cost(model, at[kept]).mean()) for model, at in zip(models, places, strict=True)]
    if min(each) <= 0:
        return []
    # The largest budget that all of them can spend with the draws in hand.
    budget = min(cost * most for cost, (_, most) in zip(each, reached, strict=True))
    draws = tuple(min(budget / cost, float(most)) for cost, (_, most) in zip(each, reached, strict=True))
    chances = [coverage_at(model.drawn[at[kept]], model.correct[at[kept]], k) for model, at, k in zip(models, places, draws, strict=True)]
    return [Shared(models=tuple(model.name for model in models), draws=draws, cost=budget, found=overlap(chances))]


def _curve(model: Model, name: str, at: Ints, most: int) -> Curve:
    ks = curve_ks(most)
    columns = coverage(model, ks.tolist()) if name == "coverage" else diversity(model, name, ks.tolist())
    return Curve(ks=ks, values=columns.values[at], cost=draw_cost(model, at))
