"""Bounds: the greedy index of a buyer who knows more than a policy can.

A buyer who knows the law of the pass rates, but not which problem has which, has the best index that verdicts alone allow. One who knows
every pass rate shows what knowledge of difficulty would be worth. Both buy one purchase at a time.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from isocost.arrays import Floats
from isocost.backtesting.objectives import progress_of
from isocost.backtesting.pool import Pool
from isocost.backtesting.replay import Reach
from isocost.passrates import States
from isocost.policies.base import Coverage, KeptPerProblem, MixedGroups, Objective

State = tuple[int, ...]  # successes and failures of each model
Power = tuple[int, int]


class Rates(Protocol):
    """Pass rates as far as they are known."""

    def moment(self, problem: int, state: State, model: int, power: Power) -> float:
        """Return E[p^a (1 - p)^b] of a model's rate p for a problem in a state."""


class KnownRates:
    """Know the pass rate of every problem.

    Args:
        rates: float[problems, models].
    """

    def __init__(self, rates: Floats) -> None:
        self._rates = rates.tolist()

    def moment(self, problem: int, state: State, model: int, power: Power) -> float:
        """Return p^a (1 - p)^b."""
        rate = self._rates[problem][model]
        return float(rate ** power[0] * (1.0 - rate) ** power[1])


class KnownLaw:
    """Know the rates of all problems, but not which problem has which: each is as likely beforehand.

    Args:
        rates: float[problems, models].
    """

    def __init__(self, rates: Floats) -> None:
        self._rates = rates
        # Only their products with counts of 0 meet the logarithms of 0, and those are left out.
        self._log_rates, self._log_failures = np.log(np.maximum(rates, 1e-300)), np.log(np.maximum(1.0 - rates, 1e-300))
        self._weights: dict[State, Floats] = {}
        self._moments: dict[tuple[State, int, Power], float] = {}

    def moment(self, problem: int, state: State, model: int, power: Power) -> float:
        """Return the mean of p^a (1 - p)^b over the problems, weighted by the likelihood of the state's counts."""
        key = (state, model, power)
        if key not in self._moments:
            rates = self._rates[:, model]
            self._moments[key] = float(self._weight(state) @ (rates ** power[0] * (1.0 - rates) ** power[1]))
        return self._moments[key]

    def _weight(self, state: State) -> Floats:
        if state not in self._weights:
            counts = np.array(state, np.float64).reshape(-1, 2)
            logs = self._log_rates @ counts[:, 0] + self._log_failures @ counts[:, 1]
            weights = np.exp(logs - logs.max())
            self._weights[state] = weights / weights.sum()
        return self._weights[state]


class Moments(Protocol):
    """The part of `passrates.Posterior` that `Learned` needs."""

    def moments(self, states: States, model: int, powers: Sequence[Power]) -> Floats:
        """Return E[p^a (1 - p)^b | data], float[powers, states]."""


class Learned:
    """Moments of a posterior, kept for the states that were met; every problem has the same law.

    Args:
        posterior: The posterior.
    """

    def __init__(self, posterior: Moments) -> None:
        self._posterior = posterior
        self._moments: dict[tuple[State, int, Power], float] = {}

    def moment(self, problem: int, state: State, model: int, power: Power) -> float:
        """Return E[p^a (1 - p)^b | counts]."""
        key = (state, model, power)
        if key not in self._moments:
            counts = np.array(state, np.int64).reshape(1, -1, 2)
            states = States(counts=counts, bins=np.array([-1]), problems=np.array([1]))
            self._moments[key] = float(self._posterior.moments(states, model, [power])[0, 0])
        return self._moments[key]


def greedy(rates: Rates, pool: Pool, objective: Objective, needs: Sequence[int], generator: np.random.Generator) -> Floats:
    """Return the cost at which the greedy index first reaches each target; nan where no purchase gains anything. float[targets].

    Args:
        rates: What is known of the pass rates.
        pool: The shuffled pool.
        objective: What is to be reached. For distinct solutions, the chance that a correct one is new is that of the whole pool.
        needs: Sums over problems that reach the targets, ascending.
        generator: Settles ties.
    """
    buyer = _Buyer(rates, pool, objective, novelty(pool, objective))
    progress, reach = progress_of(objective, pool), Reach(needs)
    # One entry per problem, for its best purchase. Equal indices go by a random order.
    ties = generator.permutation(len(pool.problems)).tolist()
    heap = [(-best[0], ties[i], i, best[1]) for i in range(len(pool.problems)) if (best := buyer.best(i))]
    heapq.heapify(heap)
    cost, correct, graded = pool.cost.tolist(), pool.correct.tolist(), pool.graded.tolist()
    while heap and not reach.done:
        _, tie, problem, model = heapq.heappop(heap)
        for _ in range(buyer.size):
            draw = buyer.drawn[problem][model]
            gain = progress.add(problem, model, draw)
            reach.add(gain, cost[problem][model][draw])
            buyer.observe(problem, model, gain, correct[problem][model][draw] if graded[problem][model][draw] else None)
        reach.check()
        if best := buyer.best(problem):
            heapq.heappush(heap, (-best[0], tie, problem, best[1]))
    return reach.costs()


@dataclass(slots=True)
class _Buyer:
    """State of each problem, and the index of its best purchase."""

    rates: Rates
    pool: Pool
    objective: Objective
    novelty: Floats
    size: int = field(init=False)
    drawn: list[list[int]] = field(init=False)
    _available: list[list[int]] = field(init=False)
    _prices: list[float] = field(init=False)
    _counts: list[list[int]] = field(init=False)
    _gained: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self.size = self.objective.size if isinstance(self.objective, MixedGroups) else 1
        self._available = self.pool.drawn.tolist()
        self._prices = (self.pool.mean_costs * self.size).tolist()
        models = len(self.pool.models)
        self.drawn = [[0] * models for _ in self.pool.problems]
        self._counts = [[0] * (2 * models) for _ in self.pool.problems]
        self._gained = [0] * len(self.pool.problems)

    def observe(self, problem: int, model: int, gain: int, correct: bool | None) -> None:
        self.drawn[problem][model] += 1
        self._gained[problem] += gain
        if correct is not None:
            self._counts[problem][2 * model + (not correct)] += 1

    def best(self, problem: int) -> tuple[float, int] | None:
        """Return the highest gain per cost and its model, or None if no purchase gains anything."""
        offers = [
            (self._gain(problem, model) / price, -model)
            for model, price in enumerate(self._prices)
            if self.drawn[problem][model] + self.size <= self._available[problem][model]
        ]
        index, model = max(offers, default=(0.0, 0))
        return (index, -model) if index > 0 else None

    def _gain(self, problem: int, model: int) -> float:
        state, gained = tuple(self._counts[problem]), self._gained[problem]
        match self.objective:
            case Coverage():
                return 0.0 if gained else self.rates.moment(problem, state, model, (1, 0))
            case KeptPerProblem(most=most):
                return 0.0 if gained >= most else self.novelty[gained] * self.rates.moment(problem, state, model, (1, 0))
            case MixedGroups(size=size):
                if gained:
                    return 0.0
                same = (self.rates.moment(problem, state, model, power) for power in ((size, 0), (0, size)))
                return max(0.0, 1.0 - sum(same))


def novelty(pool: Pool, objective: Objective) -> Floats:
    """Return the chance that a correct draw of the pool is new, for problems with 0, 1, ... distinct solutions, float[most]."""
    if not isinstance(objective, KeptPerProblem):
        return np.ones(1)
    correct, new = np.zeros(objective.most), np.zeros(objective.most)
    for right, solutions in zip(pool.correct, pool.solution, strict=True):
        held: set[int] = set()
        for solution in solutions.T[right.T].tolist():  # the models' draws in turns
            if len(held) >= objective.most:
                break
            correct[len(held)] += 1
            if solution < 0 or solution in held:
                continue
            new[len(held)] += 1
            held.add(solution)
    return np.asarray(np.where(correct > 0, new / np.maximum(correct, 1), 1.0), np.float64)
