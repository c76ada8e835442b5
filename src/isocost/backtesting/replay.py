"""One replay: the cost at which a policy first reaches each target on a pool whose draws have been shuffled.

A policy buys through the interface that it has in a run, and sees only the draws that it has bought. Its cost is counted to the end of
the round that reaches the target. Policies whose draws do not depend on outcomes have no rounds: their cost is counted to the draw.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from isocost.arrays import Floats
from isocost.backtesting.objectives import Progress, progress_of
from isocost.backtesting.pool import Pool
from isocost.policies.base import KeptPerProblem, Objective, Observation, Policy, Terms
from isocost.records import Allocation, Outcome, Verdict

Draw = tuple[int, int, int]  # indices of problem and model, and of the draw

_CORRECT, _INCORRECT, _UNGRADED = (
    Verdict(outcome=outcome, predicted_answer=None, reason="recorded") for outcome in (Outcome.CORRECT, Outcome.INCORRECT, Outcome.UNGRADED)
)


class Reach:
    """Record the costs at which targets are first reached.

    Args:
        needs: Sums over problems that reach the targets, ascending.

    Attributes:
        spent: Cost of all draws so far.
    """

    def __init__(self, needs: Sequence[int]) -> None:
        self._needs = needs
        self._costs: list[float] = []
        self._sum = 0
        self.spent = 0.0

    @property
    def done(self) -> bool:
        """True if every target is reached."""
        return len(self._costs) == len(self._needs)

    def add(self, gain: int, cost: float) -> None:
        """Take a draw."""
        self._sum += gain
        self.spent += cost

    def check(self) -> None:
        """Record the cost so far for the targets that are reached."""
        while not self.done and self._sum >= self._needs[len(self._costs)]:
            self._costs.append(self.spent)

    def costs(self) -> Floats:
        """Return the cost of each target, nan where it is not reached, float[targets]."""
        return np.array(self._costs + [np.nan] * (len(self._needs) - len(self._costs)))


def replay(
    make: Callable[[Terms], Policy], pool: Pool, objective: Objective, needs: Sequence[int], seed: int, budget: float | None = None
) -> Floats:
    """Return the cost at which a policy first reaches each target; nan where it stops before.

    Args:
        make: Makes the policy from its terms.
        pool: The shuffled pool.
        objective: What the policy is to reach.
        needs: Sums over problems that reach the targets, ascending.
        seed: Seed of the policy.
        budget: The amount that the policy is given; None for enough to buy the whole pool.

    Returns:
        float[targets].
    """
    policy = make(terms_of(pool, objective, seed, budget))
    progress, reach = progress_of(objective, pool), Reach(needs)
    seller = _Seller(pool)
    while not reach.done and (allocations := policy.propose()):
        policy.observe(seller.buy(allocations, progress, reach))
        reach.check()
    return reach.costs()


def terms_of(pool: Pool, objective: Objective, seed: int, budget: float | None) -> Terms:
    """Return the terms of a replay: the budget, or else money for every recorded draw, and each model's mean and highest cost of a draw."""
    means = dict(zip(pool.models, pool.mean_costs.tolist(), strict=True))
    highest = dict(zip(pool.models, pool.cost.max(axis=(0, 2)).tolist(), strict=True))
    # A round must fit at its worst case, so the amount pays for every draw at that.
    amount = sum(highest[model] * count for model, count in zip(pool.models, pool.drawn.sum(axis=0).tolist(), strict=True))
    terms = Terms(
        problem_ids=pool.problems,
        models=pool.models,
        amount=amount * (1.0 + 1e-6) if budget is None else budget,
        unit="flops",
        basis="realised",
        expected=means,
        worst=highest,
        samples_per_problem=None,
        seed=seed,
        piloted={},
        available={(p, m): int(pool.drawn[i, k]) for i, p in enumerate(pool.problems) for k, m in enumerate(pool.models)},
        objective=objective,
        labels={p: label for p, label in zip(pool.problems, pool.labels, strict=True) if label is not None},
    )
    # dart aims at a number of correct draws, and fewer than are counted would end it too early.
    return replace(terms, target=objective.most) if isinstance(objective, KeptPerProblem) else terms


class _Seller:
    """Hand out recorded draws."""

    def __init__(self, pool: Pool) -> None:
        self._problem = {name: i for i, name in enumerate(pool.problems)}
        self._model = {name: i for i, name in enumerate(pool.models)}
        self._cost = pool.cost.tolist()
        self._verdict = [
            [[_CORRECT if right else _INCORRECT if graded else _UNGRADED for right, graded in zip(*pair, strict=True)] for pair in rows]
            for rows in (list(zip(*both, strict=True)) for both in zip(pool.correct.tolist(), pool.graded.tolist(), strict=True))
        ]

    def buy(self, allocations: Sequence[Allocation], progress: Progress, reach: Reach) -> list[Observation]:
        observations = []
        for a in allocations:
            problem, model = self._problem[a.problem_id], self._model[a.model]
            for draw in range(a.first_index, a.first_index + a.count):
                verdict, cost = self._verdict[problem][model][draw], self._cost[problem][model][draw]
                new = not verdict.correct or progress.is_new(problem, model, draw)
                reach.add(progress.add(problem, model, draw), cost)
                observations.append(
                    Observation(problem_id=a.problem_id, model=a.model, sample_index=draw, verdict=verdict, cost=cost, new=new)
                )
        return observations


def replay_fixed(pool: Pool, objective: Objective, needs: Sequence[int], generator: np.random.Generator) -> Floats:
    """Return the cost at which draws in a fixed order first reach each target; nan where they end before. float[targets].

    Each model draws once for every problem in a random order, then a second time, and so on: the policy `uniform`. Several models take
    turns so that each has spent the same: the policy `mixed` with equal shares.
    """
    progress, reach = progress_of(objective, pool), Reach(needs)
    cost = pool.cost.tolist()
    for problem, model, draw in _in_turns(pool, cost, generator):
        reach.add(progress.add(problem, model, draw), cost[problem][model][draw])
        reach.check()
        if reach.done:
            break
    return reach.costs()


def _in_turns(pool: Pool, cost: list[list[list[float]]], generator: np.random.Generator) -> Iterator[Draw]:
    """Yield draws; the next one is that of the model that has spent least."""
    waiting = {model: _rounds(pool, model, generator.permutation(len(pool.problems)).tolist()) for model in range(len(pool.models))}
    spent = dict.fromkeys(waiting, 0.0)
    while waiting:
        model = min(waiting, key=lambda m: spent[m])
        draw = next(waiting[model], None)
        if draw is None:
            del waiting[model]
            continue
        spent[model] += cost[draw[0]][model][draw[2]]
        yield draw


def _rounds(pool: Pool, model: int, order: Sequence[int]) -> Iterator[Draw]:
    """Yield one draw of the model for every problem, then a second, and so on."""
    drawn = pool.drawn[:, model].tolist()
    for draw in range(max(drawn)):
        for problem in order:
            if draw < drawn[problem]:
                yield problem, model, draw
