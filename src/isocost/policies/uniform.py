"""The paper's policy: the same number of draws for every problem, from one model."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction

from isocost.amounts import format_distinct
from isocost.errors import BudgetError
from isocost.policies.base import Observation, Policy, Terms
from isocost.policies.requests import Levels
from isocost.records import Allocation


def build(terms: Terms) -> Policy:
    """Return the uniform policy for these terms.

    Raises:
        BudgetError: the arm has several models, or the budget does not pay for a draw.
    """
    if len(terms.models) != 1:
        raise BudgetError(f"the policy uniform takes one model, got {len(terms.models)}: {', '.join(terms.models)}")
    (model,) = terms.models
    terms = replace(terms, problem_ids=tuple(p for p in terms.problem_ids if terms.available.get((p, model)) != 0))
    return Realised(terms) if terms.basis == "realised" and terms.amount is not None else Planned(terms)


# A budget that is a multiple of the cost must not lose a draw to the rounding of floats. One part in 10^9 is far below one draw for any
# budget under a billion draws.
_ROUNDING = 1 + Fraction(1, 10**9)


def affordable(amount: float, cost: float) -> int:
    """Return the number of draws of `cost` that an amount pays for: floor(amount / cost)."""
    return math.floor(Fraction(amount) * _ROUNDING / Fraction(cost))


def affordable_draws(terms: Terms, model: str) -> tuple[int, int]:
    """Return how many draws of one model a budget pays for at their expected cost, and how many readings, a pilot's included.

    Draws go first to problems that have fewest. With n problems, p for one reading of a prompt, d for the generated part of a draw and r
    draws in a request, k draws of a problem cost ceil(k / r) p + k d. The number of draws is the largest within the amount. Where terms do
    not bound a request, K draws over n problems cost min(K, n) p + K d. If draws do not share a prompt, p is 0 and d is the whole cost of
    a draw.

    Raises:
        BudgetError: draws cost nothing beside their prompt, so that no amount bounds them.
    """
    if model in terms.per_request:
        return _levels(terms, model).mean_total()
    # A pilot's draws are paid already, prompts included, so they come off the amount first.
    taken = [count for (_, drawn), count in terms.piloted.items() if drawn == model and count]
    fresh = len(terms.problem_ids) - len(taken)
    prompt, each = _prices(terms, model)
    alone = prompt + each
    # Fractions, because floor of a float quotient can be one draw off.
    money = Fraction(terms.amount or 0.0) * _ROUNDING - len(taken) * prompt
    draws = min(math.floor((money - sum(taken) * each) / alone), fresh)
    if draws < 0:  # the pilot has taken more draws than the budget pays for
        return max(0, math.floor(money / each)), len(taken)
    if draws == fresh:
        draws = math.floor((money - fresh * prompt) / each) - sum(taken)
    return sum(taken) + draws, len(taken) + min(draws, fresh)


def _prices(terms: Terms, model: str) -> tuple[Fraction, Fraction]:
    """Return the cost of a shared prompt, and of a draw beside it."""
    prompt, alone = Fraction(terms.prompt.get(model, 0.0)), Fraction(terms.expected[model])
    if alone <= prompt:
        raise BudgetError(
            f"a draw of model {model} costs nothing beside its prompt, so no budget in {terms.unit} bounds it\n"
            "  give the arm samples_per_problem instead"
        )
    return prompt, alone - prompt


def _levels(terms: Terms, model: str) -> Levels:
    return Levels(terms, model, *_prices(terms, model), Fraction(terms.amount or 0.0) * _ROUNDING)


class Planned:
    """One round: floor(k) draws for every problem and one more for a seeded random subset.

    The amount pays for K draws over n problems (`affordable_draws`). Every problem gets K // n, and K mod n of them get one more, so that
    planned spending misses the budget by less than the cost of one draw. Draws of a pilot count, and are not proposed again. Where the
    draws of a request share a prompt, `Levels` has the counts.

    Raises:
        BudgetError: the budget does not pay for one draw.
    """

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.done = False

    def propose(self) -> list[Allocation]:
        """Return all draws in one round."""
        if self.done:
            return []
        self.done = True
        terms, model = self.terms, self.terms.models[0]
        counts = self._counts()
        taken = {p: terms.piloted.get((p, model), 0) for p in terms.problem_ids}
        return [
            Allocation(problem_id=p, model=model, first_index=taken[p], count=counts[p] - taken[p])
            for p in terms.problem_ids
            if counts[p] > taken[p]
        ]

    def observe(self, observations: Iterable[Observation]) -> None:
        """Do nothing: the plan does not depend on outcomes."""

    def _counts(self) -> dict[str, int]:
        terms, model = self.terms, self.terms.models[0]
        taken = {p: terms.piloted.get((p, model), 0) for p in terms.problem_ids}
        if terms.samples_per_problem is not None:
            return {p: max(terms.samples_per_problem, taken[p]) for p in terms.problem_ids}
        total, _ = affordable_draws(terms, model)
        if total < max(1, sum(taken.values())):
            budget, each = format_distinct(terms.unit or "flops", terms.amount or 0.0, terms.expected[model])
            raise BudgetError(
                f"a budget of {budget} does not pay for {_draws(max(1, sum(taken.values())))} of model {model} at {each} each\n"
                "  raise the budget, or choose a cheaper model"
            )
        if model in terms.per_request:
            return _levels(terms, model).counts(terms.seed)
        most = {p: terms.available.get((p, model), total) for p in terms.problem_ids}
        return _level(taken, most, total, terms.seed)


def _draws(count: int) -> str:
    return "one draw" if count == 1 else f"{count:,} draws"


def _level(taken: dict[str, int], most: dict[str, int], total: int, seed: int) -> dict[str, int]:
    """Return counts as equal as the draws taken already, and those that there are at most, allow.

    They sum to `total`, or to all draws that there are.
    """
    counts, left = dict(taken), total - sum(taken.values())
    # Between two of these levels the same problems rise, in one step.
    for level, above in itertools.pairwise(sorted({*taken.values(), *most.values()})):
        rising = [p for p in taken if taken[p] <= level < most[p]]
        if not rising:
            continue
        step = min(above - level, left // len(rising))
        for p in rising:
            counts[p] += step
        left -= step * len(rising)
        if step < above - level:
            # Seeded by text, so that the choice does not depend on the state of other generators and a resumed run makes it again.
            for p in random.Random(f"uniform/{seed}").sample(rising, left):
                counts[p] += 1
            break
    return counts


class Realised:
    """Buys until the next draw, at its worst case of max_tokens, does not fit any more.

    Draws are taken in a canonical order (one for every problem in a seeded order, then a second, ...). A round has as many draws as the
    remaining money certainly pays for, each with a prompt of its own. So the rounds together take exactly the draws that buying one at a
    time would. If draws share a prompt they take more, because buying one at a time would read it again.
    """

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.left = terms.amount or 0.0
        order = list(terms.problem_ids)
        random.Random(f"uniform/{terms.seed}").shuffle(order)
        self._next = self._canonical(order)
        self._begun = False

    def propose(self) -> list[Allocation]:
        """Return as many draws as certainly fit."""
        terms, model = self.terms, self.terms.models[0]
        # A recorded draw may have cost more than its worst case, so the remainder can be zero or negative.
        count = affordable(max(self.left, 0.0), terms.worst[model])
        if not self._begun:
            self._check(count)
        self._begun = True
        spans: dict[str, list[int]] = {}
        for problem, index in itertools.islice(self._next, count):
            spans.setdefault(problem, []).append(index)
        return [Allocation(problem_id=p, model=model, first_index=i[0], count=len(i)) for p, i in spans.items()]

    def _check(self, count: int) -> None:
        """Reject a budget that buys nothing, or that the pilot has overspent."""
        terms, model = self.terms, self.terms.models[0]
        unit, amount = terms.unit or "flops", terms.amount or 0.0
        if self.left < 0:
            budget, cost = format_distinct(unit, amount, amount - self.left)
            raise BudgetError(
                f"{budget} does not pay for the pilot of model {model}, which cost {cost}\n"
                "  raise the budget, or lower pilot.samples_per_problem or pilot.problems"
            )
        if count == 0 and not any(terms.piloted.values()):
            left, worst = format_distinct(unit, self.left, terms.worst[model])
            raise BudgetError(
                f"{left} does not pay for one draw of model {model} at its worst case of {worst}\n"
                "  raise the budget, or lower sampling.max_tokens"
            )

    def _canonical(self, order: list[str]) -> Iterator[tuple[str, int]]:
        model = self.terms.models[0]
        begin = {p: self.terms.piloted.get((p, model), 0) for p in order}
        end = {p: self.terms.available.get((p, model), math.inf) for p in order}
        for index in itertools.takewhile(lambda index: index < max(end.values(), default=0), itertools.count()):
            for problem in order:
                if begin[problem] <= index < end[problem]:
                    yield problem, index

    def observe(self, observations: Iterable[Observation]) -> None:
        """Subtract the cost of the draws."""
        costs = [o.cost for o in observations]
        # A model that answers nothing costs nothing, and would be asked forever. So a round without an answer costs what was expected.
        self.left -= sum(costs) or len(costs) * self.terms.expected[self.terms.models[0]]
