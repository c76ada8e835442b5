"""Spend where the expected gain per cost is highest, over all pairs of a problem and a model."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import NormalDist

import numpy as np

from isocost.arrays import Bools, Floats, Ints
from isocost.errors import BudgetError
from isocost.passrates import HIERARCHICAL, Posterior, Prior, States
from isocost.policies.base import Observation, Policy, Terms
from isocost.policies.gains import gains_of
from isocost.policies.rounds import GROWTH, LARGE_GROWTH
from isocost.policies.tally import Tally
from isocost.records import Allocation

SMALLEST = 0.1  # draws of the cheapest model per problem in the smallest round
_DEPTHS = (4, 16, 64)  # purchases for one problem in a round
_BINS = 16  # of difficulty labels
_LOWEST_GAIN = 1e-12


def build(terms: Terms) -> Policy:
    """Return the adaptive policy, with the prior that is learned online.

    Raises:
        BudgetError: the terms have no amount.
    """
    return Adaptive(terms)


class Adaptive:
    """Buy in rounds the draws with the largest index: expected gain under the posterior, over expected cost.

    For one model, and for several whose abilities go together, an outcome that does not gain lowers every index of its problem, so that
    this greedy index is the Gittins index (docs/method.md). Within a round each problem gets draws of one model.

    Args:
        terms: The terms of the cell.
        prior: The laws of pass rates that are possible.
        growth: Cost of a round as a share of what was spent before it.
        smallest: Cost of the smallest round, in draws of the cheapest model per problem; 0 buys one purchase at a time at first.
    """

    def __init__(self, terms: Terms, prior: Prior = HIERARCHICAL, growth: float = GROWTH, smallest: float = SMALLEST) -> None:
        self.tally = Tally(terms)
        self._gains = gains_of(terms, self.tally)
        if terms.large_rounds:
            growth, smallest = max(growth, LARGE_GROWTH), max(smallest, 1.0)
        self._growth, self._smallest = growth, smallest
        self._bins, scores = label_bins([terms.labels.get(p) for p in terms.problem_ids])
        self._posterior = Posterior(prior, len(terms.models), scores)
        # Equal indices are common. A seeded order settles them, so that no problem is favoured for its place in the file.
        self._order = np.random.default_rng(terms.seed).permutation(len(terms.problem_ids))
        self._begun = False

    def observe(self, observations: Iterable[Observation]) -> None:
        """Count outcomes and costs."""
        self._gains.observe(self.tally.observe(observations))

    def propose(self) -> list[Allocation]:
        """Return the next round, or nothing if no draw is affordable or gains anything.

        Raises:
            BudgetError: the amount does not pay for the pilot or for a first draw.
        """
        if not self._begun:
            self.tally.check_first()
            self._begun = True
        if not self._gains.open().any():
            return []
        self._posterior.fit(_states(self.tally.counts, self._bins)[0])
        money = max(self._growth * self.tally.spent, self._smallest * len(self._order) * float(self.tally.expected.min()))
        for depth in _DEPTHS:
            problems, models, counts, costs = self._candidates(depth)
            if costs.sum() >= money:
                break
        # At least one purchase, however large.
        wanted = 1 + int(np.searchsorted(np.cumsum(costs), money))
        taken = np.flatnonzero(self.tally.fits(problems, models, counts))[:wanted]
        if not len(taken) and not self.tally.drawn.any():
            raise BudgetError(
                "the objective needs more draws of one model for a problem than the budget pays for, or than are recorded\n"
                "  raise the budget, or choose another objective"
            )
        return self.tally.allocate(problems[taken], models[taken], counts[taken])

    def _candidates(self, depth: int) -> tuple[Ints, Ints, Ints, Floats]:
        """Return purchases by falling index: problem, model, draws, expected cost."""
        order = self._order[self._gains.open()[self._order]]
        states, progress, state_of = _states(self.tally.counts[order], self._bins[order], self._gains.progress()[order])
        chosen = np.zeros(len(order), np.int64)
        index = np.full((depth, len(order)), -1.0)
        draws, costs = np.zeros(index.shape, np.int64), np.zeros(index.shape)
        for model in range(len(self.tally.expected)):
            gains = self._gains.expected(self._posterior, states, progress, model, depth)[:, state_of]
            its_draws, its_costs, offered = self._purchases(order, model, depth)
            # A later purchase is not to be had before an earlier one, which may be the more expensive for its prompt.
            its_index = np.minimum.accumulate(np.where(offered, gains / its_costs, 0.0))
            better = its_index[0] > index[0]
            chosen[better] = model
            for best, its in ((index, its_index), (draws, its_draws), (costs, its_costs)):
                best[:, better] = its[:, better]
        row, column = np.nonzero(index > _LOWEST_GAIN / self.tally.expected.max())
        sequence = np.argsort(-index[row, column], kind="stable")
        row, column = row[sequence], column[sequence]
        return order[column], chosen[column], draws[row, column], costs[row, column]

    def _purchases(self, problems: Ints, model: int, depth: int) -> tuple[Ints, Floats, Bools]:
        """Return `depth` purchases of a model for each problem: draws, expected cost, and whether they are offered."""
        first = self._gains.purchase(model)
        draws = np.ones((depth, len(problems)), np.int64)
        draws[0] = first[problems]
        before = np.cumsum(draws, axis=0) - draws
        costs = draws * self.tally.expected_costs()[problems, model] + self.tally.prompts(problems, np.array(model), draws, before)
        # Offered beyond the money that is left, an expensive model would hide a cheaper one.
        affordable = self.tally.affords(first[:, None])[problems, model]
        offered = affordable & (self.tally.drawn[problems, model] + np.cumsum(draws, axis=0) <= self.tally.available[problems, model])
        return draws, costs, offered


def label_bins(labels: list[float | None]) -> tuple[Ints, Floats | None]:
    """Return the bin of each problem's label, int[problems], -1 for none, and the normal score of each bin.

    Only the ranks of labels count. A bin's score is the normal quantile of its mean rank.
    """
    known = np.array([i for i, value in enumerate(labels) if value is not None], np.int64)
    bins = np.full(len(labels), -1, np.int64)
    if len(known) == 0:
        return bins, None
    values = np.array([value for value in labels if value is not None], np.float64)
    distinct, index, counts = np.unique(values, return_inverse=True, return_counts=True)
    middle = (np.cumsum(counts) - counts / 2) / len(values)  # mean rank of equal labels, as a quantile
    if len(distinct) < 2:
        return bins, None
    binned = np.minimum((middle * _BINS).astype(np.int64), _BINS - 1)[index]
    used, bins[known] = np.unique(binned, return_inverse=True)
    scores = np.array([NormalDist().inv_cdf(float(middle[index][binned == b].mean())) for b in used])
    return bins, scores


def _states(counts: Ints, bins: Ints, progress: Ints | None = None) -> tuple[States, Ints, Ints]:
    """Return the distinct states of problems, their progress, and the state of each problem."""
    columns = [counts.reshape(len(counts), -1), bins[:, None]]
    if progress is not None:
        columns.append(progress)
    rows = np.concatenate(columns, axis=1)
    # Numbered column by column: numpy sorts numbers far faster than rows.
    index, first, problems = np.zeros(len(rows), np.int64), np.zeros(min(1, len(rows)), np.int64), np.array([len(rows)])
    for column in rows.T:
        if len(column):
            low = int(column.min())
            key = index * (int(column.max()) - low + 1) + column - low
            _, first, index, problems = np.unique(key, return_index=True, return_inverse=True, return_counts=True)
    distinct, width = rows[first], counts.shape[1] * 2
    states = States(counts=distinct[:, :width].reshape(-1, counts.shape[1], 2), bins=distinct[:, width], problems=problems)
    return states, distinct[:, width + 1 :], index
