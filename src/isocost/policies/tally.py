"""Counts and money of a policy that observes: the draws of each (problem, model) pair, their outcomes, and what is left to spend."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from isocost.amounts import format_distinct
from isocost.arrays import Bools, Floats, Ints
from isocost.errors import BudgetError
from isocost.policies.base import Observation, Terms
from isocost.records import Allocation

# A budget that is a multiple of the cost must not lose a draw to the rounding of sums. Far below one draw for any budget under 10^8 draws.
_ROUNDING = 1.0 + 1e-9
# A problem's own cost per draw, relative to the model's mean, counts like that many draws at the mean: answers to one problem have similar
# lengths, and a first answer is one sample of them.
_PRIOR_DRAWS = 4.0


class Tally:
    """Count the draws of a cell and its money.

    Under the basis `planned` a draw costs what the terms expect, without the prompt if another draw pays the one that it shares: another of
    its request, or of its problem if the terms bound no request. The draws of a pair in a round are requested together. Under `realised` a
    draw costs what is observed, and a round may take no more draws than the money pays for at their worst case.

    Args:
        terms: The terms of the cell.

    Attributes:
        drawn: Observed draws of each pair, int[problems, models]. Proposed draws do not count: a resumed run may replay other ones.
        counts: Observed successes and failures of each pair, int[problems, models, 2]. Draws without a verdict are failures: they gain
            nothing, and a problem that an endpoint refuses to answer would otherwise keep the index that it had before its first draw.
        available: Draws that there are of each pair, int[problems, models].
        amount: The budget.
        spent_on: The part of it that is spent on each model, float[models].

    Raises:
        BudgetError: the terms have no amount.
    """

    def __init__(self, terms: Terms) -> None:
        if terms.amount is None:
            raise BudgetError("a policy that observes outcomes spends a budget; samples_per_problem is for the policy uniform")
        self.terms = terms
        shape = (len(terms.problem_ids), len(terms.models))
        self.drawn = np.zeros(shape, np.int64)
        self.counts = np.zeros((*shape, 2), np.int64)
        self.available = np.full(shape, np.iinfo(np.int64).max)
        self.amount = terms.amount
        self.spent_on = np.zeros(shape[1])
        self.expected = np.array([terms.expected[m] for m in terms.models])
        self._worst = np.array([terms.worst[m] for m in terms.models])
        self._prompt = np.array([terms.prompt.get(m, 0.0) for m in terms.models])
        self._per_request = np.array([terms.per_request.get(m, 0) for m in terms.models], np.int64)  # 0: no bound
        self._problem = {p: i for i, p in enumerate(terms.problem_ids)}
        self._model = {m: i for i, m in enumerate(terms.models)}
        for (problem, model), count in terms.available.items():
            self.available[self._problem[problem], self._model[model]] = count
        self._paid = np.zeros(shape[1])
        self._observed = np.zeros(shape[1], np.int64)
        self._relative = np.zeros(shape[0])  # sum of cost over the model's expected cost, per problem

    @property
    def spent(self) -> float:
        """Return the part of the amount that is spent."""
        return float(self.spent_on.sum())

    @property
    def left(self) -> float:
        """Return the part of the amount that is not spent; negative if draws cost more than their worst case."""
        return self.amount - self.spent

    def observe(self, observations: Iterable[Observation]) -> list[tuple[int, int, Observation]]:
        """Count observations, and return each with the indices of its problem and model."""
        seen, costs = [], np.zeros(len(self.spent_on))
        begun: dict[tuple[int, int], int] = {}  # the draws of a pair before this round
        for o in observations:
            i, m = self._problem[o.problem_id], self._model[o.model]
            costs[m] += self._price(m, o, begun.setdefault((i, m), int(self.drawn[i, m])))
            self._paid[m] += o.cost
            self._observed[m] += 1
            self._relative[i] += o.cost / self.expected[m]
            self.drawn[i, m] = max(self.drawn[i, m], o.sample_index + 1)
            self.counts[i, m, 0 if o.verdict.correct else 1] += 1
            seen.append((i, m, o))
        if not costs.any():
            # A model that answers nothing costs nothing. A policy would ask it forever, so such a round costs what was expected.
            np.add.at(costs, [m for _, m, _ in seen], [self.expected[m] for _, m, _ in seen])
        self.spent_on += costs
        return seen

    def _price(self, model: int, observation: Observation, begun: int) -> float:
        if self.terms.basis == "realised":
            return observation.cost
        index, size = observation.sample_index, int(self._per_request[model])
        shares = (index - begun) % size > 0 if size else index > 0
        return float(self.expected[model] - (self._prompt[model] if shares else 0.0))

    def prompts(self, problems: Ints, models: Ints, counts: Ints, before: Ints) -> Floats:
        """Return the cost of the shared prompts that draws read; 0 where none are shared.

        Args:
            problems: Indices of problems; all arguments broadcast.
            models: Indices of models.
            counts: Draws of the pair.
            before: Draws of the pair that the same round asks for before them.
        """
        if self.terms.basis == "realised":
            # Observed and worst costs are those of a draw with its prompt.
            return np.zeros(np.broadcast_shapes(problems.shape, models.shape, counts.shape, before.shape))
        size = np.maximum(self._per_request[models], 1)
        requests = -(-(before + counts) // size) + -before // size
        once = self.drawn[problems, models] + before == 0
        return np.asarray(np.where(self._per_request[models] > 0, requests, once) * self._prompt[models], np.float64)

    def expected_costs(self) -> Floats:
        """Return the expected cost of a draw of each pair, beside `prompts`, float[problems, models].

        Under `realised` it is the model's mean cost so far, times the problem's mean relative to the models' (both shrunk to what was
        expected): long questions have long answers from every model.
        """
        if self.terms.basis == "planned":
            return np.broadcast_to(self.expected - self._prompt, self.drawn.shape)
        means = (_PRIOR_DRAWS * self.expected + self._paid) / (_PRIOR_DRAWS + self._observed)
        usual = np.array(self.drawn @ (means / self.expected))
        relative = (_PRIOR_DRAWS + self._relative) / (_PRIOR_DRAWS + usual)
        return np.asarray(relative[:, None] * means, np.float64)

    def affords(self, counts: Ints, limit: float = math.inf) -> Bools:
        """Return whether so many more draws of each pair, alone, fit into what is left, bool[problems, models].

        Args:
            counts: Draws that broadcast to [problems, models].
            limit: Money to spend, if that is less than what is left.
        """
        problems, models = np.indices(self.drawn.shape, sparse=True)
        prompts = self.prompts(problems, models, counts, np.zeros(1, np.int64))
        return np.asarray(counts * self._most() + prompts <= self._money(limit), np.bool_)

    def fits(self, problems: Ints, models: Ints, counts: Ints, limit: float = math.inf) -> Bools:
        """Return which of the purchases, in their order, fit into what is left, bool[purchases].

        One that does not fit is passed over with the later ones of its pair; cheaper ones of other pairs may still fit.
        """
        pair = problems * self.drawn.shape[1] + models
        price = counts * self._most()[models] + self.prompts(problems, models, counts, _before(pair, counts))
        taken = np.zeros(len(price), np.bool_)
        left = self._money(limit)
        candidates = np.arange(len(price))
        while len(candidates):
            fitting = int(np.searchsorted(np.cumsum(price[candidates]), left, side="right"))
            taken[candidates[:fitting]] = True
            left -= float(price[candidates[:fitting]].sum())
            rest = candidates[fitting:]
            # A draw of a pair that reads a prompt costs more than its later ones, which are not to be had without it.
            passed = pair[rest[price[rest] > left]]
            candidates = rest[~np.isin(pair[rest], passed)]
        return taken

    def _most(self) -> Floats:
        """Return the most that a draw of each model may cost, beside `prompts`, float[models]."""
        return self._worst if self.terms.basis == "realised" else self.expected - self._prompt

    def _money(self, limit: float) -> float:
        return max(min(self.left, limit), 0.0) + (_ROUNDING - 1.0) * self.amount

    def allocate(self, problems: Ints, models: Ints, counts: Ints) -> list[Allocation]:
        """Return allocations for purchases, one per pair."""
        bought = np.zeros_like(self.drawn)
        np.add.at(bought, (problems, models), counts)
        names, ids = self.terms.models, self.terms.problem_ids
        return [
            Allocation(problem_id=ids[i], model=names[m], first_index=int(self.drawn[i, m]), count=int(bought[i, m]))
            for m in range(len(names))
            for i in np.flatnonzero(bought[:, m]).tolist()
        ]

    def check_first(self) -> None:
        """Reject a budget that the pilot has overspent, or that does not pay for one draw of the cheapest model.

        Raises:
            BudgetError: it is one of these.
        """
        unit = self.terms.unit or "flops"
        if self.spent:
            if self.spent > self.amount * _ROUNDING:
                # Per problem: a forecast simulates a part of the study's problems, and shares of its totals.
                budget, cost = format_distinct(unit, self.amount / len(self.drawn), self.spent / len(self.drawn))
                raise BudgetError(
                    f"a budget of {budget} per problem does not pay for the pilot, which cost {cost} per problem\n"
                    "  raise the budget, or lower pilot.samples_per_problem or pilot.problems"
                )
            return
        price = self._worst if self.terms.basis == "realised" else self.expected
        cheapest = int(price.argmin())
        if price[cheapest] > self.amount * _ROUNDING:
            budget, each = format_distinct(unit, self.amount, float(price[cheapest]))
            at = " at its worst case" if self.terms.basis == "realised" else ""
            raise BudgetError(
                f"a budget of {budget} does not pay for one draw of model {self.terms.models[cheapest]}{at}, {each}\n"
                "  raise the budget, or choose a cheaper model"
            )


def _before(pairs: Ints, counts: Ints) -> Ints:
    """Return the sum of the counts of the same pair before each purchase, int[purchases]."""
    order = np.argsort(pairs, kind="stable")
    sums = np.cumsum(counts[order]) - counts[order]
    _, first, sizes = np.unique(pairs[order], return_index=True, return_counts=True)
    found = np.empty_like(sums)
    found[order] = sums - np.repeat(sums[first], sizes)
    return found
