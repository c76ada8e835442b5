"""Replay all buyers: over orders of the recorded draws, and over resampled problems."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from isocost.arrays import Bools, Floats
from isocost.backtesting.buyers import Buyer, Run, Task
from isocost.backtesting.pool import Pool

# Orders of resampled draws that choose the model of a policy of one model, apart from the one that its cost is taken from.
_CHOOSING = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Costs of one buyer.

    Attributes:
        cost: Cost at which each target is first reached; where it is not, the cost of the whole table, float[replays, targets].
        reached: bool[replays, targets].
    """

    cost: Floats
    reached: Bools

    @classmethod
    def of(cls, found: Sequence[Floats], totals: ArrayLike, targets: int) -> Costs:
        """Return the costs of replays.

        Args:
            found: Cost of each target of each replay, nan where it is not reached. The last targets are left out if no replay can reach
                them.
            totals: Cost of the whole table of each replay, or of all.
            targets: Number of targets.
        """
        costs = np.full((len(found), targets), np.nan)
        for row, values in zip(costs, found, strict=True):
            row[: len(values)] = values
        reached = np.isfinite(costs)
        return cls(cost=np.where(reached, costs, np.reshape(totals, (-1, 1))), reached=reached)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replays:
    """Replay buyers on a pool.

    Attributes:
        pool: The pool.
        buyers: The buyers.
        task: What they are to reach.
        targets: Number of targets; the task has those that can be reached.
    """

    pool: Pool
    buyers: Sequence[Buyer]
    task: Task
    targets: int

    def over_seeds(self, seeds: int, tick: Callable[[int], None]) -> list[Costs]:
        """Return the costs of each buyer over orders of the draws. All buyers get the same orders."""
        runs = [buyer.prepare(self.pool.of_models(buyer.models), self.task) for buyer in self.buyers]
        found: list[list[Floats]] = [[] for _ in self.buyers]
        for seed in range(seeds):
            shuffled = self.pool.shuffled(np.random.default_rng([seed, 0]))
            for buyer, run, costs in zip(self.buyers, runs, found, strict=True):
                costs.append(run(shuffled.of_models(buyer.models), seed))
            tick(seed + 1)
        return [Costs.of(costs, self.pool.total, self.targets) for costs in found]

    def over_resamples(self, resamples: int, tick: Callable[[int], None]) -> dict[str, Costs]:
        """Return the costs of each name over resampled problems, each with one order of the draws.

        The model of a policy of one model is chosen anew for each resample and target, by other orders of the draws.
        """
        found: dict[str, list[Costs]] = {buyer.name: [] for buyer in self.buyers}
        for k in range(resamples):
            generator = np.random.default_rng([k, 1])
            part = self.pool.of_problems(generator.integers(0, len(self.pool.problems), len(self.pool.problems)))
            orders = [part.shuffled(generator) for _ in range(1 + _CHOOSING)]
            for name, costs in found.items():
                costs.append(self._resampled([buyer for buyer in self.buyers if buyer.name == name], part, orders, k))
            tick(k + 1)
        return {
            name: Costs(cost=np.concatenate([each.cost for each in costs]), reached=np.concatenate([each.reached for each in costs]))
            for name, costs in found.items()
        }

    def _resampled(self, buyers: Sequence[Buyer], part: Pool, orders: Sequence[Pool], seed: int) -> Costs:
        """Return the costs of the best of some buyers for the first order, [1, targets]."""
        if len(buyers) == 1:
            orders = orders[:1]
        each = [self._in_orders(buyer, part, orders, seed) for buyer in buyers]
        best = np.argmin([costs.cost[1:].mean(axis=0) for costs in each], axis=0) if len(buyers) > 1 else np.zeros(self.targets, np.int64)
        columns = np.arange(self.targets)
        return Costs(
            cost=np.stack([costs.cost[0] for costs in each])[best, columns][None],
            reached=np.stack([costs.reached[0] for costs in each])[best, columns][None],
        )

    def _in_orders(self, buyer: Buyer, part: Pool, orders: Sequence[Pool], seed: int) -> Costs:
        run: Run = buyer.prepare(part.of_models(buyer.models), self.task)
        costs = [run(order.of_models(buyer.models), seed + i) for i, order in enumerate(orders)]
        return Costs.of(costs, part.total, self.targets)
