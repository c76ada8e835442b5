"""Compare what targets cost different buyers, with intervals over problems and seeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from isocost.arrays import Floats
from isocost.backtesting.buyers import Buyer
from isocost.backtesting.pool import Pool
from isocost.backtesting.replays import Costs
from isocost.backtesting.results import Line, TargetResult
from isocost.records import Estimate

_Z = 1.959964  # 97.5% quantile of the normal distribution


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Costs of all buyers, to be compared.

    Attributes:
        pool: The pool.
        buyers: The buyers.
        once: Costs of each buyer over seeds.
        resampled: Costs of each name over resampled problems; of a policy of one model, with the model that is best for these problems.
    """

    pool: Pool
    buyers: Sequence[Buyer]
    once: Sequence[Costs]
    resampled: Mapping[str, Costs]

    def best(self, t: int, wanted: Callable[[Buyer], bool]) -> int | None:
        """Return the buyer that reaches a target at the lowest mean cost; None if none ever reaches it."""
        able = [b for b, buyer in enumerate(self.buyers) if wanted(buyer) and self.once[b].reached[:, t].any()]
        return min(able, key=lambda b: float(self.once[b].cost[:, t].mean()), default=None)

    def difference(self, t: int, left: int, right: int | None) -> Estimate:
        """Return the mean cost of one buyer minus that of another."""
        if right is None:
            return self.undefined()
        seeds = self.once[left].cost[:, t] - self.once[right].cost[:, t]
        half = _half_width(seeds, self.again(left, t) - self.again(right, t), float(seeds.std(ddof=1)))
        value = float(seeds.mean())
        return Estimate(value=value, low=value - half, high=value + half, n=len(self.pool.problems))

    def ratio(self, t: int, above: int | None, below: int) -> Estimate:
        """Return the mean cost of one buyer over that of another, with its interval on the logarithmic scale."""
        if above is None or not self.once[below].reached[:, t].any():
            return self.undefined()
        if above == below:
            return Estimate(value=1.0, low=1.0, high=1.0, n=len(self.pool.problems))
        left, right = self.once[above].cost[:, t], self.once[below].cost[:, t]
        deviation = float((left / left.mean() - right / right.mean()).std(ddof=1))  # of the ratio of means, by the delta method
        half = _half_width(np.log(left / right), np.log(self.again(above, t) / self.again(below, t)), deviation)
        return self._around(float(left.mean() / right.mean()), half)

    def cost(self, t: int, b: int) -> Estimate:
        """Return the mean cost of a buyer, with its interval on the logarithmic scale."""
        cost = self.once[b].cost[:, t]
        half = _half_width(np.log(cost), np.log(self.again(b, t)), float(cost.std(ddof=1) / cost.mean()))
        return self._around(float(cost.mean()), half)

    def _around(self, value: float, half: float) -> Estimate:
        factor = float(np.exp(half))
        return Estimate(value=value, low=value / factor, high=value * factor, n=len(self.pool.problems))

    def again(self, b: int, t: int) -> Floats:
        """Return the costs of a buyer's name over resampled problems, float[resamples]."""
        return self.resampled[self.buyers[b].name].cost[:, t]

    def undefined(self) -> Estimate:
        """Return an estimate without a value."""
        return Estimate(value=None, low=None, high=None, n=len(self.pool.problems))


def _half_width(seeds: Floats, resamples: Floats, deviation: float) -> float:
    """Return half the width of the interval of a mean over seeds, for new problems and new seeds.

    Each resample has other problems and one seed, so its variance is that over problems plus that of one seed. The latter is known from the
    seeds, and only a part of it is left in their mean:

        var = max(0, var(resamples) - var(seeds)) + deviation^2 / number of seeds

    Args:
        seeds: A value per seed, float[seeds].
        resamples: The same value per resample, float[resamples].
        deviation: Standard deviation of one seed in the mean; that of `seeds`, unless these are logarithms.
    """
    of_problems = max(0.0, float(resamples.var(ddof=1) - seeds.var(ddof=1)))
    return _Z * float(np.sqrt(of_problems + deviation**2 / len(seeds)))


def target_result(of: Compared, t: int, target: float, need: int, possible: int) -> TargetResult:
    """Compare the buyers at the target with index t."""
    uniform = of.best(t, lambda buyer: buyer.name == "uniform")
    names = dict.fromkeys(buyer.name for buyer in of.buyers)
    lines = tuple(_line(of, t, name, uniform) for name in names)
    model = None if uniform is None else of.pool.models[of.buyers[uniform].models[0]]
    return TargetResult(target=target, needed=need, possible=possible, best_uniform=model, lines=lines)


def _line(of: Compared, t: int, name: str, uniform: int | None) -> Line:
    chosen = of.best(t, lambda buyer: buyer.name == name)
    if chosen is None:  # it never reaches the target
        chosen = next(b for b, buyer in enumerate(of.buyers) if buyer.name == name)
    buyer = of.buyers[chosen]
    other = None if buyer.is_bound else of.best(t, lambda each: not each.is_bound and each.name not in {"uniform", name})
    return Line(
        name=name,
        models=tuple(of.pool.models[m] for m in buyer.models),
        is_bound=buyer.is_bound,
        unreached=float(1.0 - of.once[chosen].reached[:, t].mean()),
        cost=of.cost(t, chosen),
        ratio=of.ratio(t, uniform, chosen),
        minus_uniform=of.difference(t, chosen, uniform),
        minus_other=of.difference(t, chosen, other),
        other=None if other is None else of.buyers[other].name,
    )
