"""Counts and money of a policy that observes: the draws of each (problem, model) pair, their outcomes, and what is left to spend."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from isocost.amounts import format_distinct
from isocost.errors import BudgetError
from isocost.policies.base import Observation, Terms
from isocost.records import Allocation

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

# A budget that is a multiple of the cost must not lose a draw to the rounding of sums. Far below one draw for any budget under 10^8 draws.
_ROUNDING = 1.0 + 1e-9
# A problem's own cost per draw, relative to the model's mean, counts like that many draws at the mean: answers to one problem have similar
# lengths, and a first answer is one sample of them.
_PRIOR_DRAWS = 4.0


class Tally:
    """Count the draws of a cell and its money.

    Under the basis `planned` a draw costs what the terms expect, without the prompt if its problem's draws share one that is paid. Under
    `realised` it costs what is observed, and a round may take no more draws than the money pays for at their worst case.

    Args:
        terms: The terms of the cell.

    Attributes:
        drawn: Draws of each pair, proposed ones included, int[problems, models].
        counts: Observed successes and failures of each pair, int[problems, models, 2]. Ungraded draws are neither.
        left: The part of the amount that is not spent.
        spent: The part that is.

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
        self._amount = terms.amount
        self.left, self.spent = terms.amount, 0.0
        self.expected = np.array([terms.expected[m] for m in terms.models])
        self._worst = np.array([terms.worst[m] for m in terms.models])
        self._prompt = np.array([terms.prompt.get(m, 0.0) for m in terms.models])
        self._problem = {p: i for i, p in enumerate(terms.problem_ids)}
        self._model = {m: i for i, m in enumerate(terms.models)}
        for (problem, model), count in terms.available.items():
            self.available[self._problem[problem], self._model[model]] = count
        self._paid = np.zeros(shape[1])
        self._observed = np.zeros(shape[1], np.int64)
        self._relative = np.zeros(shape[0])  # sum of cost over the model's expected cost, per problem

    def observe(self, observations: Iterable[Observation]) -> list[tuple[int, int, Observation]]:
        """Count observations, and return each with the indices of its problem and model."""
        seen = []
        for o in observations:
            i, m = self._problem[o.problem_id], self._model[o.model]
            cost = self._price(i, m, o)
            self.left -= cost
            self.spent += cost
            self._paid[m] += o.cost
            self._observed[m] += 1
            self._relative[i] += o.cost / self.expected[m]
            self.drawn[i, m] = max(self.drawn[i, m], o.sample_index + 1)
            if o.verdict.correct is not None:
                self.counts[i, m, 0 if o.verdict.correct else 1] += 1
            seen.append((i, m, o))
        return seen

    def _price(self, problem: int, model: int, observation: Observation) -> float:
        if self.terms.basis == "realised":
            return observation.cost
        return float(self.expected[model] - (self._prompt[model] if observation.sample_index else 0.0))

    def expected_costs(self) -> Floats:
        """Return the expected cost of the next draw of each pair, float[problems, models].

        Under `realised` it is the model's mean cost so far, times the problem's mean relative to the models' (both shrunk to what was
        expected): long questions have long answers from every model.
        """
        if self.terms.basis == "planned":
            return self.expected - np.where(self.drawn > 0, self._prompt, 0.0)
        means = (_PRIOR_DRAWS * self.expected + self._paid) / (_PRIOR_DRAWS + self._observed)
        usual = np.array(self.drawn @ (means / self.expected))
        relative = (_PRIOR_DRAWS + self._relative) / (_PRIOR_DRAWS + usual)
        return np.asarray(relative[:, None] * means, np.float64)

    def fits(self, problems: Ints, models: Ints, counts: Ints) -> Bools:
        """Return which of the purchases, in their order, fit into what is left, bool[purchases].

        One that does not fit is passed over, and cheaper ones after it may still fit.
        """
        draw = self._worst[models] if self.terms.basis == "realised" else self.expected[models] - self._prompt[models]
        first = np.zeros(len(models))
        if self.terms.basis == "planned":
            # Purchases of a pair are in order, so only the first of a pair without draws reads the prompt.
            pair = problems * self.drawn.shape[1] + models
            _, once = np.unique(pair, return_index=True)
            first[once] = np.where(self.drawn[problems[once], models[once]] == 0, self._prompt[models[once]], 0.0)
        price = counts * draw + first
        taken = np.zeros(len(price), np.bool_)
        left = max(self.left, 0.0) + (_ROUNDING - 1.0) * self._amount
        candidates = np.arange(len(price))
        while len(candidates):
            fitting = int(np.searchsorted(np.cumsum(price[candidates]), left, side="right"))
            taken[candidates[:fitting]] = True
            left -= float(price[candidates[:fitting]].sum())
            rest = candidates[fitting:]
            candidates = rest[price[rest] <= left]
        return taken

    def allocate(self, problems: Ints, models: Ints, counts: Ints) -> list[Allocation]:
        """Return allocations for purchases, one per pair, and count them as drawn."""
        bought = np.zeros_like(self.drawn)
        np.add.at(bought, (problems, models), counts)
        names, ids = self.terms.models, self.terms.problem_ids
        allocations = [
            Allocation(problem_id=ids[i], model=names[m], first_index=int(self.drawn[i, m]), count=int(bought[i, m]))
            for m in range(len(names))
            for i in np.flatnonzero(bought[:, m]).tolist()
        ]
        self.drawn += bought
        return allocations

    def check_first(self) -> None:
        """Reject a budget that does not pay for one draw of the cheapest model.

        Raises:
            BudgetError: it does not.
        """
        price = self._worst if self.terms.basis == "realised" else self.expected
        cheapest = int(price.argmin())
        if price[cheapest] > self.left * _ROUNDING:
            left, each = format_distinct(self.terms.unit or "flops", self.left, float(price[cheapest]))
            at = " at its worst case" if self.terms.basis == "realised" else ""
            spent = ", after the pilot," if self.spent else ""
            raise BudgetError(
                f"the budget's {left}{spent} does not pay for one draw of model {self.terms.models[cheapest]}{at}, {each}\n"
                "  raise the budget, or choose a cheaper model"
            )
