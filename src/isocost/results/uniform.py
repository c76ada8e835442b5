"""The cost at which equal draws of every problem from one model reach what a policy reached."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isocost.arrays import Bools, Floats, Ints
from isocost.forecasting import CurveForecast, Pilot
from isocost.measuring.models import reach_of
from isocost.metrics.bootstrap import bootstrap_means
from isocost.metrics.curves import curve_ks
from isocost.policies.base import KeptPerProblem
from isocost.records import Estimate, UniformMatch, Unit
from isocost.results.reached import Reached

_NUMBERS = 1 << 22  # most numbers in the table that is resampled: 32 MB
_CHECKED = 25  # times the draws in hand: as far as intervals of forecasts were checked (docs/forecasting.md)
_POINTS = 40  # most numbers of draws that the posterior is evaluated at


@dataclass(frozen=True, slots=True, kw_only=True)
class Bought:
    """Purchases of a policy, by problem.

    Attributes:
        values: What it reached, float[problems].
        costs: What its draws cost, float[problems]; nan where unknown.
        unit: Unit of the costs.
    """

    values: Floats
    costs: Floats
    unit: Unit


def match_first_draws(reached: Reached, bought: Bought, model: str, fixed: Bools) -> UniformMatch | None:
    """Compare a policy with the first k draws of every problem, paired by problem; None if less than 95% of the problems have any.

    Draws that do not depend on outcomes are exchangeable, so the first k of them are what a uniform arm with k draws would have bought.
    Value and cost are means over the problems that have as many draws as 95% have, linear between whole k: a fraction of a draw is a share
    of problems with one more. The interval is the percentile bootstrap over problems, of the policy's value and cost too.

    Args:
        reached: The objective, over every draw.
        bought: What the policy bought.
        model: The model that uniform draws from.
        fixed: The draws of all models that do not depend on outcomes, bool[draws].
    """
    table = reached.table
    own = fixed & table.is_of(model)
    drawn = table.count(own)
    kept, most = reach_of(drawn)
    if most == 0 or (drawn > 0).mean() < 0.95:
        return None
    ks = _thinned(curve_ks(most), _NUMBERS // (2 * max(1, int(kept.sum()))))
    index = table.draws["sample_index"].to_numpy()
    first = [own & (index < k) for k in ks]
    values = np.column_stack([reached.values(which)[kept] for which in first])
    costs = np.column_stack([table.amounts(model, bought.unit, which)[kept] for which in first])
    rows = np.column_stack([bought.values[kept], bought.costs[kept], values, costs])
    if np.isnan(rows).any():
        return None
    mean = rows.mean(axis=0)
    found = _crossing(mean, ks)
    resampled = np.array([_crossing(row, ks)[1:] for row in bootstrap_means(rows)])
    # inverted_cdf picks one of the resamples: interpolating between a finite and an infinite cost has no meaning.
    low, high = np.quantile(resampled, [0.025, 0.975], axis=0, method="inverted_cdf")
    cost, times = (_estimate(found[1 + i], low[i], high[i], n=int(kept.sum())) for i in range(2))
    return UniformMatch(
        model=model,
        estimator="first draws",
        reached=float(mean[0]),
        unit=bought.unit,
        draws=_finite(found[0]),
        cost=cost,
        times=times,
        reach=most,
        at_reach=float(mean[1 + ks.size]),
    )


def match_posterior(reached: Reached, bought: Bought, model: str) -> UniformMatch | None:
    """Compare a policy with the posterior mean of equal draws from a model, given all of its draws; None if these say nothing.

    The likelihood of draws that were stopped by their own outcomes is that of fixed draws, so the posterior holds for both. A draw costs
    the mean over problems of what the draws of a problem cost. Draws are predicted up to 25 times the mean number in hand.
    """
    table = reached.table
    own = table.is_of(model)
    graded, drawn = table.count(own & table.graded), table.count(own)
    some = np.flatnonzero(graded)
    each = table.amounts(model, bought.unit, own)[some] / drawn[some]
    total = float(bought.costs.mean())
    pilot = _pilot(reached, model, own, graded, some)
    if pilot.says_nothing or np.isnan(each).any() or not total > 0:
        return None
    curve = CurveForecast(pilot, len(table.problem_ids) - some.size, power_law=False)
    ks = _thinned(curve_ks(_CHECKED * max(1, round(float(graded.sum()) / some.size))), _POINTS)
    found = curve.of(reached.objective, ks.tolist())
    value, unit_cost, n = float(bought.values.mean()), float(each.mean()), len(table.problem_ids)
    lines = [[one.value or 0.0, one.low or 0.0, one.high or 0.0] for one in found]
    # The highest curve reaches the value first, so it gives the lower end.
    draws = [_reaching(line, ks.astype(np.float64), value)[0] for line in np.array(lines).T[[0, 2, 1]]]
    cost, times = (_estimate(*(k * scale for k in draws), n=n) for scale in (unit_cost, unit_cost / total))
    return UniformMatch(
        model=model,
        estimator="posterior",
        reached=value,
        unit=bought.unit,
        draws=_finite(draws[0]),
        cost=cost,
        times=times,
        reach=int(ks[-1]),
        at_reach=lines[-1][0],
    )


def _crossing(row: Floats, ks: Ints) -> tuple[float, float, float]:
    """Return the draws, the cost and the cost over the policy's at which uniform reaches the policy; infinite beyond the reach.

    Args:
        row: Means of the policy's value and cost, of uniform's values at `ks`, and of its costs there.
        ks: Draws per problem.
    """
    values, costs = row[2 : 2 + ks.size], row[2 + ks.size :]
    draws, at = _reaching(values, ks.astype(np.float64), float(row[0]))
    if not np.isfinite(draws):
        return draws, draws, draws
    cost = float(np.interp(at, np.arange(ks.size + 1), np.append(0.0, costs)))
    return draws, cost, cost / row[1] if row[1] > 0 else float("inf")


def _reaching(values: Floats, ks: Floats, value: float) -> tuple[float, float]:
    """Return where a line from 0 through ascending values first reaches `value`, in draws and in places; infinite if it never does."""
    line, at = np.append(0.0, values), np.append(0.0, ks)
    above = np.flatnonzero(line >= value - 1e-12)
    if above.size == 0:
        return float("inf"), float("inf")
    i = int(above[0])
    if i == 0:
        return 0.0, 0.0
    part = min(1.0, (value - line[i - 1]) / (line[i] - line[i - 1])) if line[i] > line[i - 1] else 1.0
    return float(at[i - 1] + part * (at[i] - at[i - 1])), i - 1 + part


def _pilot(reached: Reached, model: str, own: Bools, graded: Ints, some: Ints) -> Pilot:
    table = reached.table
    owner, count = np.zeros(0, np.int64), np.zeros(0, np.int64)
    if isinstance(reached.objective, KeptPerProblem) and reached.solutions is not None:
        fit = own & (reached.solutions >= 0)
        _, first, count = np.unique(reached.solutions[fit], return_index=True, return_counts=True)
        place = np.full(len(table.problem_ids), -1, np.int64)
        place[some] = np.arange(some.size)
        owner = place[table.problem[fit][first]]
    return Pilot(
        model=model,
        problem_ids=tuple(table.problem_ids[i] for i in some),
        successes=table.count(own & table.correct)[some],
        draws=graded[some],
        solution_problem=owner,
        solution_count=count.astype(np.int64),
    )


def _thinned(ks: Ints, most: int) -> Ints:
    """Return at most `most` of the numbers, at least two, closer together where they are small, both ends among them."""
    if ks.size <= max(2, most):
        return ks
    wanted = np.geomspace(ks[0], ks[-1], max(2, most))
    return np.unique(ks[np.abs(ks[:, None] - wanted).argmin(axis=0)])


def _estimate(value: float, low: float, high: float, *, n: int) -> Estimate:
    return Estimate(value=_finite(value), low=_finite(low), high=_finite(high), n=n)


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
