"""Compare the models of a run: coverage and diversity against cost and draws, crossovers, and problems that only one model solves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from isocost.arrays import Bools, Floats, Ints
from isocost.config import Arm, Study
from isocost.measuring.comparing import MOST_PAIRED, crossings, curve_points
from isocost.measuring.mixtures import mixture
from isocost.measuring.models import Model, diversity
from isocost.metrics.curves import coverage_at
from isocost.metrics.intervals import count_interval, mean_interval, paired_count_difference, paired_difference
from isocost.metrics.overlap import overlap
from isocost.policies import FIXED
from isocost.preparing.prepare import Prepared, generators
from isocost.records import UNITS, CellPlan, Cost, ModelCrossover, ModelCurve, ModelPair, Results, Unit
from isocost.results.drawtable import DrawTable
from isocost.results.independence import Independence
from isocost.sampling.data import SamplingOutcome
from isocost.sampling.pools import Pool

_EACH = {2: "half the money each", 3: "a third of the money each"}
_KIND = "diversity"  # of exact solutions; models are compared at this level only
_WHOLE = 1e-9  # relative; cost divided by cost per draw misses a whole number by less, and ceil would then add a draw


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pool:
    """A model's draws with its curve, and the cost of all draws of each problem, float[problems], by unit where it is known."""

    model: Model
    curve: ModelCurve
    costs: Mapping[Unit, Floats]


def compare_models(
    found: Results, prepared: Prepared, bought: SamplingOutcome, table: DrawTable, measured: Sequence[Model], independence: Independence
) -> Results:
    """Add the comparison of the models to a run's results: their curves, crossovers, pairs and mixtures.

    Every model that was drawn by a fixed plan has a curve, which reaches as far as the graded draws of 95% of the problems. At most five
    models are compared in pairs. A curve needs draws that do not depend on outcomes: a policy that observes may draw more where nothing was
    solved. Mixtures are computed from the draws of models with a curve.

    Args:
        found: The results so far.
        prepared: The study.
        bought: The plans of the cells, and the problems.
        table: Every draw.
        measured: The models that drew; if there are several, with their exact solutions `identified`.
        independence: The draws that `measured` rests on.
    """
    left_out = _left_out(prepared, measured, independence)
    names = [name for name in generators(prepared.study) if name not in left_out]
    pools = _pools([model for model in measured if model.name in names], table, independence.measured)
    reached = {pool.model.name for pool in pools}
    left_out |= {name: "no draw could be graded" for name in names if name not in reached}
    budgets: dict[str, tuple[Unit, float]] = {}
    for plan in bought.plans:
        if plan.cell.budget and plan.unit and plan.amount:  # a number-matched cell has none of them
            budgets[plan.cell.budget] = plan.unit, plan.amount / len(bought.problems)
    # Without budgets one unit is enough; FLOPs come first in UNITS.
    units = _budget_units(bought.plans) or _known(pools)[:1]
    return replace(
        found,
        curves=tuple(pool.curve for pool in pools),
        crossovers=tuple(each for unit in units for each in _crossovers(pools, unit)),
        model_pairs=tuple(_pairs(pools, budgets)) if len(pools) <= MOST_PAIRED else (),
        without_curve=left_out,
        mixtures=tuple(each for unit in units for each in _mixtures(prepared.study, pools, unit)),
    )


def unit_of_costs(prepared: Prepared, bought: SamplingOutcome, pools: Mapping[str, Pool]) -> Unit | None:
    """Return the unit of costs in the report's first figure, or None where no unit qualifies.

    That is the first unit of a budget in which some model's draws have known costs. Without budgets it is the first unit in which all
    draws have known costs.
    """
    drawn = [pools[name] for name in generators(prepared.study) if next(pools[name].draws(), None)]
    wanted = _budget_units(bought.plans)
    enough = any if wanted else all
    return next((unit for unit in wanted or UNITS if enough(pool.stored.knows_costs(unit) for pool in drawn)), None)


def _budget_units(plans: Sequence[CellPlan]) -> list[Unit]:
    return list(dict.fromkeys(plan.unit for plan in plans if plan.cell.budget and plan.unit and plan.amount))


def _left_out(prepared: Prepared, measured: Sequence[Model], independence: Independence) -> dict[str, str]:
    drew = {model.name for model in measured}
    found = {}
    for name in generators(prepared.study):
        if name in independence.by_outcomes:
            found[name] = "how often it drew may depend on outcomes"
        elif name not in drew:
            found[name] = "nothing was drawn"
    return found


def _pools(measured: Sequence[Model], table: DrawTable, which: Bools) -> list[_Pool]:
    found = []
    for each in measured:
        model = replace(each, solutions={_KIND: each.solutions[_KIND]})
        amounts = {unit: table.amounts(model.name, unit, which)[model.problem] for unit in UNITS}
        costs = {unit: cost for unit, cost in amounts.items() if not np.isnan(cost).any()}
        if curve := _model_curve(model, costs):
            found.append(_Pool(model=model, curve=curve, costs=costs))
    return found


def _model_curve(model: Model, costs: Mapping[Unit, Floats]) -> ModelCurve | None:
    # With a cost of one per draw, the points of the cost curve are whole k.
    points = curve_points(replace(model, cost=model.drawn.astype(np.float64)))
    if not points:
        return None
    # The mean cost is over the problems that reach the last point, which are those of the curve.
    at = np.flatnonzero(model.drawn >= points[-1].k)
    each = {unit: float((cost[at] / model.drawn[at]).mean()) for unit, cost in costs.items()}
    return ModelCurve(
        model=model.name,
        cost=Cost(flops=each.get("flops"), usd=each.get("usd")),
        ks=tuple(point.k for point in points),
        measures={name: tuple(point.values[name] for point in points) for name in points[0].values},
    )


def _mixtures(study: Study, pools: Sequence[_Pool], unit: Unit) -> Iterator[ModelCurve]:
    priced = {pool.model.name: replace(pool.model, cost=pool.costs[unit]) for pool in pools if unit in pool.costs}
    trained_on = study.finetune.arms if study.finetune else ()
    return mixture_curves(wanted_mixtures(study.arms, [pool.model.name for pool in pools], trained_on), priced, unit)


def _known(pools: Sequence[_Pool]) -> list[Unit]:
    if not pools:  # all() of nothing would call every unit known
        return []
    return [unit for unit in UNITS if all(unit in pool.costs for pool in pools)]


def _crossovers(pools: Sequence[_Pool], unit: Unit) -> Iterator[ModelCrossover]:
    for found in crossings([replace(pool.model, cost=pool.costs.get(unit)) for pool in pools]):
        names, crossing = (found.left, found.right), found.found
        ahead = {"left": found.left, "right": found.right, None: None}[crossing.ahead]
        yield ModelCrossover(
            measure=found.measure,
            models=names,
            unit=unit,
            ahead=ahead,
            cost=crossing.value,
            low=crossing.low,
            high=crossing.high,
            reach=crossing.reach,
            absent=crossing.absent,
            n=crossing.n,
        )


def _pairs(pools: Sequence[_Pool], budgets: Mapping[str, tuple[Unit, float]]) -> Iterator[ModelPair]:
    for left, right in combinations(pools, 2):
        common = np.intersect1d(left.model.problem, right.model.problem)
        places = [np.searchsorted(pool.model.problem, common) for pool in (left, right)]
        # The comparison is paired: it uses the problems that have enough draws of both models.
        enough = [pool.model.drawn[at] >= pool.curve.ks[-1] for pool, at in zip((left, right), places, strict=True)]
        at = places[0][enough[0] & enough[1]], places[1][enough[0] & enough[1]]
        if not at[0].size:
            continue
        seen: set[tuple[Unit, float]] = set()
        for budget, (unit, amount) in budgets.items():
            each = [_mean_cost(pool, unit, here) for pool, here in zip((left, right), at, strict=True)]
            if min(each) > 0:  # 0.0 is unknown or free: no number of draws follows from it
                # No further than the shorter curve: beyond it one model has too few draws.
                cost = min(amount, *(c * pool.curve.ks[-1] for c, pool in zip(each, (left, right), strict=True)))
                if (unit, cost) in seen:  # budgets beyond the curves are all cut to the end of the shorter curve
                    continue
                seen.add((unit, cost))
                draws = (_rounded(cost / each[0]), _rounded(cost / each[1]))
                yield replace(_side_by_side((left, right), at, draws), budget=budget, unit=unit, cost=cost)
        most = float(min(left.curve.ks[-1], right.curve.ks[-1]))
        yield _side_by_side((left, right), at, (most, most))


def _mean_cost(pool: _Pool, unit: Unit, at: Ints) -> float:
    """Return the mean cost per draw; 0.0 where it is unknown."""
    return float((pool.costs[unit][at] / pool.model.drawn[at]).mean()) if unit in pool.costs else 0.0


def _rounded(draws: float) -> float:
    return float(round(draws)) if abs(draws - round(draws)) < _WHOLE * max(1.0, draws) else draws


def _side_by_side(pools: tuple[_Pool, _Pool], at: tuple[Ints, Ints], draws: tuple[float, float]) -> ModelPair:
    """Compare both models at `draws` per problem.

    Args:
        pools: The two models.
        at: Places of the common problems in each pool, int[problems].
        draws: Draws per problem of each model; need not be whole.
    """
    each = list(zip(pools, at, draws, strict=True))
    chances = [coverage_at(pool.model.drawn[here], pool.model.correct[here], k) for pool, here, k in each]
    distinct = [_diversity_at(pool.model, here, k) for pool, here, k in each]
    # A problem has at most as many distinct solutions as draws, which bounds the interval.
    most = [np.ceil(k) for k in draws]
    ungraded = [pool.model.n_ungraded for pool in pools]
    coverage = [replace(mean_interval(values), n_ungraded=n) for values, n in zip(chances, ungraded, strict=True)]
    solutions = [replace(count_interval(v, m), n_ungraded=n) for v, m, n in zip(distinct, most, ungraded, strict=True)]
    shared = overlap(chances)
    return ModelPair(
        models=(pools[0].model.name, pools[1].model.name),
        budget=None,
        unit=None,
        cost=None,
        draws=draws,
        measures={"coverage": (coverage[0], coverage[1]), "diversity": (solutions[0], solutions[1])},
        differences={
            "coverage": paired_difference(chances[0], chances[1]),
            "diversity": paired_count_difference(distinct[0], distinct[1], most=max(most)),
        },
        only=(shared.only[0], shared.only[1]),
        both=shared.all,
        neither=shared.none,
    )


def _diversity_at(model: Model, at: Ints, k: float) -> Floats:
    """Return diversity@k at a fractional k, interpolated linearly between whole k as in `coverage_at`, float[problems]."""
    whole, part = int(k), k - int(k)
    ends = diversity(model, "diversity", [whole, whole + 1] if part else [whole]).values[at]
    between: Floats = (1 - part) * ends[:, 0] + part * ends[:, -1]
    return between


def wanted_mixtures(arms: Mapping[str, Arm], curved: Sequence[str], trained_on: Sequence[str] = ()) -> list[dict[str, float]]:
    """Return the mixtures that a report shows, each as the share of the money by model.

    These are the models of each arm that has several, with the arm's shares, and the two that the study compares, with equal money. Those
    two are the models of the arms that students are trained on or, failing that, of all curves, if these are exactly two.

    Args:
        arms: The arms of the study, by name.
        curved: The models with a curve.
        trained_on: The arms that students are trained on.
    """
    has_curve = set(curved)
    mixed = [arm for arm in arms.values() if len(arm.models) > 1]
    # Under another policy the shares of the models depend on outcomes, so no mixture of fixed shares describes the arm.
    found = [_shares(arm.models, arm.shares) for arm in mixed if arm.policy in FIXED and set(arm.models) <= has_curve]
    trained = [arms[arm] for arm in trained_on if arm in arms]
    compared = [name for name in curved if any(name in arm.models for arm in trained)]
    found += [_shares(names, {}) for names in (compared, curved) if len(names) == 2][:1]
    # Reversed twice: of equal mixtures the first keeps its order of names and its place.
    return list({frozenset(shares.items()): shares for shares in reversed(found)}.values())[::-1]


def _shares(models: Sequence[str], given: Mapping[str, float]) -> dict[str, float]:
    total = sum(given.values())
    return {model: given[model] / total if given else 1 / len(models) for model in models}


def _name_mixture(shares: Mapping[str, float]) -> str:
    if len(set(shares.values())) == 1:
        return f"{' + '.join(shares)}, {_EACH.get(len(shares), 'equal money each')}"
    return f"{' + '.join(f'{name} {100 * share:.0f}%' for name, share in shares.items())} of the money"


def mixture_curves(wanted: Sequence[Mapping[str, float]], models: Mapping[str, Model], unit: Unit) -> Iterator[ModelCurve]:
    """Yield the curve of each mixture; one with a model of unknown cost is left out.

    Args:
        wanted: As `wanted_mixtures` returns it.
        models: The models by name, with their solutions `identified` and their cost in `unit`.
        unit: The unit of the money that is shared.
    """
    for shares in wanted:
        if not all(name in models for name in shares):
            continue
        found = mixture([models[name] for name in shares], list(shares.values()))
        if found.points:
            each = found.points[0].cost / found.points[0].k
            yield ModelCurve(
                model=_name_mixture(shares),
                cost=Cost(flops=each) if unit == "flops" else Cost(usd=each),
                ks=tuple(point.k for point in found.points),
                measures={name: tuple(point.values[name] for point in found.points) for name in found.points[0].values},
                mix=found.draws,
            )
