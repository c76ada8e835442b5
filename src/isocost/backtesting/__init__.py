"""Stage: replay policies on a recorded pool, and compare the costs at which they first reach given targets."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from isocost.backtesting.buyers import Buyer, Task, buyers_of
from isocost.backtesting.comparing import Compared, target_result
from isocost.backtesting.files import Recorded, load
from isocost.backtesting.objectives import describe, needed, progress_of, refuse_impossible
from isocost.backtesting.pool import Pool
from isocost.backtesting.replays import Replays
from isocost.backtesting.results import Backtest, Line, TargetResult
from isocost.errors import InputError
from isocost.policies.base import Objective

__all__ = ["Backtest", "Line", "Recorded", "TargetResult", "backtest", "buyers_of", "describe", "load"]


def backtest(
    pool: Pool,
    buyers: Sequence[Buyer],
    objective: Objective,
    targets: Sequence[float],
    *,
    seeds: int = 200,
    resamples: int = 100,
    budget: float | None = None,
    tick: Callable[[int], None] = lambda done: None,
) -> Backtest:
    """Replay buyers on a pool.

    A seed gives the draws of each pair a random order, the same for all buyers. A resample gives the pool other problems as well, drawn
    with replacement, and has a seed of its own. Intervals come from both (`comparing`).

    Args:
        pool: The recorded pool.
        buyers: Policies, `uniform` among them, and bounds.
        objective: What is to be reached.
        targets: Targets per problem; each above 0, and at most 1 where it is a share of the problems.
        seeds: Number of seeds; at least 2.
        resamples: Number of resamples; at least 2.
        budget: The amount that policies are given; None for enough to buy the whole pool.
        tick: Called with the number of finished replays.

    Raises:
        InputError: a number is out of its range.
    """
    targets = sorted(set(targets))
    refuse_impossible(objective, targets)
    for name, number in (("seeds", seeds), ("resamples", resamples)):
        if number < 2:
            raise InputError(f"{name}: must be at least 2, not {number}")
    possible = _possible(pool, objective)
    needs = [needed(target, len(pool.problems)) for target in targets]
    # No order of draws reaches what all of them together do not reach, so such targets need no replay.
    task = Task(objective=objective, needs=tuple(need for need in needs if need <= possible), budget=budget)
    replays = Replays(pool=pool, buyers=buyers, task=task, targets=len(targets))
    once = replays.over_seeds(seeds, tick)
    resampled = replays.over_resamples(resamples, lambda done: tick(seeds + done))
    compared = Compared(pool=pool, buyers=buyers, once=once, resampled=resampled)
    return Backtest(
        objective=objective,
        problems=len(pool.problems),
        models=pool.models,
        draws=int(pool.drawn.sum()),
        unit=pool.unit,
        distinct=pool.distinct,
        seeds=seeds,
        resamples=resamples,
        targets=tuple(target_result(compared, t, target, needs[t], possible) for t, target in enumerate(targets)),
    )


def _possible(pool: Pool, objective: Objective) -> int:
    """Return the sum over problems that all recorded draws reach."""
    progress = progress_of(objective, pool)
    drawn = pool.drawn.tolist()
    return sum(progress.add(i, m, j) for i, row in enumerate(drawn) for m, count in enumerate(row) for j in range(count))
