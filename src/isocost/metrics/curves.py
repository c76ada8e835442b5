"""Curves against cost, and the crossover: the cost from which another model gives more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from isocost.arrays import Floats, Ints
from isocost.metrics.bootstrap import bootstrap_means
from isocost.metrics.coverage import coverage_at_k, coverage_curve

Side = Literal["left", "right"]
_LEVEL = 1e-12  # curves that differ by less are level: another order of summation changes this much


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A measure of one model at k draws.

    Attributes:
        ks: Draws, int[ks], ascending from 1; between two of them, and from 0 draws to the first, the curve is linear.
        values: float[problems, ks], defined everywhere.
        cost: Mean cost per draw of each problem, float[problems].
    """

    ks: Ints
    values: Floats
    cost: Floats

    @property
    def reach(self) -> float:
        """The cost per problem of the largest number of draws."""
        return float(self.ks[-1] * self.cost.mean())


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossover:
    """The cost per problem from which one model stays ahead of the other.

    Attributes:
        ahead: The side that is ahead at the end of the shorter curve; None if both are level there.
        value: The cost; 0.0 if that side leads from the first draw, None if `ahead` is None.
        low: Lower end of the 95% interval; None if it lies beyond the reach.
        high: Upper end; None if it lies beyond the reach, where nothing is known.
        reach: The cost at the end of the shorter curve.
        absent: Share of the resamples in which that side is not ahead at the end, so that no crossover is within reach.
        n: Number of problems.
    """

    ahead: Side | None
    value: float | None
    low: float | None
    high: float | None
    reach: float
    absent: float
    n: int


def curve_ks(most: int) -> Ints:
    """Return the k at which a curve is computed, int[ks]: every k up to 100, then steps of at most 2%, and `most`."""
    # Geometric steps: beyond 100 draws a curve bends too slowly to need every k.
    steps = np.arange(1, 1 + max(0.0, np.log(max(most, 1) / 100) / np.log(1.02)))
    wide = np.minimum(100 * 1.02**steps, most).astype(np.int64)
    return np.unique(np.concatenate([np.arange(1, min(most, 100) + 1), wide, [most]]))


def coverage_at(drawn: ArrayLike, correct: ArrayLike, k: float) -> Floats:
    """Return coverage@k at a fractional k, linear between whole k: float[problems].

    Planning buys exactly this: floor(k) draws for every problem, and one more for a random share k - floor(k) of them.

    Args:
        drawn: M, int[problems].
        correct: c, int[problems].
        k: Number of draws, at least 0.

    Raises:
        ValueError: As `coverage_curve`.
    """
    whole, part = int(k), k - int(k)
    if part == 0:
        return coverage_at_k(drawn, correct, whole)
    ends = coverage_curve(drawn, correct, [whole, whole + 1])
    between: Floats = (1 - part) * ends[:, 0] + part * ends[:, 1]
    return between


def crossover(left: Curve, right: Curve, *, draws: int = 1000, seed: int = 0) -> Crossover:
    """Return the cost per problem from which one model's curve stays above the other's, with an interval.

    Both curves are means over the same problems, start at 0 for no cost, and are linear between whole k, as planning buys (see
    `coverage_at`). The leader is the model that is ahead at the largest cost that both curves reach. The crossover is the last cost at
    which it is not ahead. The interval is the percentile bootstrap over problems, resampled for both models at once, costs included. If
    the leader is not ahead at the end of a resample, its crossover there counts as infinite and is reported in `absent`. The same data
    choose the leader, so only a finite interval shows that it leads. Read this way, intervals hold 92 to 100% of the time
    (benchmarks/crossovers.py).

    Args:
        left: One model.
        right: The other model, with the same problems in the same order.
        draws: Resamples.
        seed: Seed of the resampling.

    Raises:
        ValueError: The curves differ in problems, there is no problem or no draw, or draws cost nothing.
    """
    n = left.cost.size
    if n == 0 or any(x.values.shape != (n, x.ks.size) for x in (left, right)) or right.cost.shape != left.cost.shape:
        raise ValueError(f"curves must be of the same problems, got {left.values.shape} and {right.values.shape}")
    if left.ks.size == 0 or right.ks.size == 0:
        raise ValueError("a curve needs at least one draw")
    if left.cost.mean() <= 0 or right.cost.mean() <= 0:
        raise ValueError("a draw must cost something")
    pair = _Pair(left_ks=np.append(0, left.ks), right_ks=np.append(0, right.ks))
    table = np.column_stack([left.cost, right.cost, left.values, right.values])
    mean = pair.from_zero(table.mean(axis=0))
    reach = pair.reach(mean)
    gap = float(pair.gap(mean, reach))
    if abs(gap) <= _LEVEL:
        return Crossover(ahead=None, value=None, low=None, high=None, reach=reach, absent=1.0, n=n)
    sign = 1 if gap > 0 else -1
    resampled = pair.from_zero(bootstrap_means(table, draws=draws, seed=seed))
    found = np.array([pair.stays_ahead(row, sign) for row in resampled])
    # inverted_cdf picks one of the resamples: interpolating between a finite and an infinite cost has no meaning.
    low, high = np.quantile(found, [0.025, 0.975], method="inverted_cdf")
    ahead: Side = "left" if gap > 0 else "right"
    return Crossover(
        ahead=ahead,
        value=pair.stays_ahead(mean, sign),
        low=float(low) if np.isfinite(low) else None,
        high=float(high) if np.isfinite(high) else None,
        reach=reach,
        absent=float(np.isinf(found).mean()),
        n=n,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """The layout of a row of means for two curves: cost left, cost right, left at its ks, right at its ks; the ks start at 0."""

    left_ks: Ints
    right_ks: Ints

    def from_zero(self, means: Floats) -> Floats:
        """Insert the value 0 at 0 draws into both curves of a row, or of each row."""
        return np.insert(means, [2, 1 + self.left_ks.size], 0.0, axis=-1)

    def reach(self, row: Floats) -> float:
        """Return the cost at the end of the shorter curve."""
        return float(min(row[0] * self.left_ks[-1], row[1] * self.right_ks[-1]))

    def gap(self, row: Floats, cost: ArrayLike) -> Floats:
        """Return left minus right at these costs."""
        split = 2 + self.left_ks.size
        left, right = row[2:split], row[split:]
        asked = np.asarray(cost, dtype=np.float64)
        gap: Floats = np.interp(asked / row[0], self.left_ks, left) - np.interp(asked / row[1], self.right_ks, right)
        return gap

    def stays_ahead(self, row: Floats, sign: int) -> float:
        """Return the cost from which left (sign 1) or right (-1) stays ahead; infinite if it is behind at the end of the shorter."""
        if min(row[0], row[1]) <= 0:
            return float("inf")
        reach = self.reach(row)
        # Between these costs both curves are linear, so the gap changes its sign at most once in each step.
        grid = np.minimum(np.sort(np.concatenate([row[0] * self.left_ks, row[1] * self.right_ks])), reach)
        gaps = sign * self.gap(row, grid)
        if gaps[-1] <= _LEVEL:
            return float("inf")
        last = int(np.flatnonzero(gaps <= _LEVEL)[-1])  # never empty: at cost 0 both curves are 0
        if grid[last] == 0:
            return 0.0
        before, after = min(gaps[last], 0.0), gaps[last + 1]
        return float(grid[last] - before / (after - before) * (grid[last + 1] - grid[last]))
