"""The pilot of a run, from its pools, in the form that forecasts take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from isocost.arrays import Ints
from isocost.dispatch.draws import Draw
from isocost.forecasting import DistinctLaw, NoRepeats, Pilot, Piloted
from isocost.policies.base import Terms
from isocost.records import Allocation, Estimate
from isocost.sampling.pools import Pool
from isocost.sampling.solutions import Solutions


def read_pilot(model: str, pool: Pool, pilot: Sequence[Allocation]) -> Pilot:
    """Return the graded draws of a model's pilot.

    Args:
        model: The model.
        pool: Its pool, which holds the pilot, graded.
        pilot: Its draws of the pilot, one allocation per problem.
    """
    ids = tuple(a.problem_id for a in pilot)
    correct, graded = _outcomes({model: pool}, pilot)
    owner, count = _classes({} if pool.solutions is None else {model: pool.solutions}, pilot)
    return Pilot(
        model=model,
        problem_ids=ids,
        successes=correct,
        draws=graded,
        solution_problem=owner,
        solution_count=count,
        repeats=pool.solutions is None or pool.solutions.repeats,
    )


def read_piloted(pools: Mapping[str, Pool], pilot: Sequence[Allocation], terms: Terms) -> list[Piloted]:
    """Return the pilots of models, for a forecast at the expected costs of a cell's terms."""
    found = []
    for model, pool in pools.items():
        own = read_pilot(model, pool, [a for a in pilot if a.model == model])
        cost = Estimate(value=terms.expected[model], low=terms.expected[model], high=terms.expected[model], n=len(own.problem_ids))
        prompt, bound = terms.prompt.get(model, 0.0), terms.per_request.get(model)
        found.append(Piloted(pilot=own, recorded=None, is_fixed=True, cost=cost, tokens=None, prompt=prompt, per_request=bound))
    return found


def law_of_all(pools: Mapping[str, Pool], pilot: Sequence[Allocation]) -> DistinctLaw:
    """Return the law of distinct solutions among the correct ones of all models."""
    solutions = {model: pool.solutions for model, pool in pools.items() if pool.solutions is not None}
    if solutions and not any(each.repeats for each in solutions.values()):
        return NoRepeats()
    known = [a for a in pilot if a.model in solutions]
    return DistinctLaw(*_classes(solutions, known), *_outcomes(pools, known))


def draws_of(pool: Pool, allocation: Allocation) -> Iterator[Draw]:
    """Yield the draws of an allocation that were delivered."""
    for index in range(allocation.first_index, allocation.first_index + allocation.count):
        if draw := pool.get(allocation.problem_id, index):
            yield draw


def _outcomes(pools: Mapping[str, Pool], pilot: Sequence[Allocation]) -> tuple[Ints, Ints]:
    """Return the correct and the graded draws of each problem, int[problems], in the order in which the pilot first has them."""
    place = _places(pilot)
    correct, graded = np.zeros(len(place), np.int64), np.zeros(len(place), np.int64)
    for allocation in pilot:
        for draw in draws_of(pools[allocation.model], allocation):
            outcome = draw.verdict.correct if draw.verdict is not None else None
            graded[place[allocation.problem_id]] += outcome is not None
            correct[place[allocation.problem_id]] += outcome is True
    return correct, graded


def _places(pilot: Sequence[Allocation]) -> dict[str, int]:
    return {problem: i for i, problem in enumerate(dict.fromkeys(a.problem_id for a in pilot))}


def _classes(solutions: Mapping[str, Solutions], pilot: Sequence[Allocation]) -> tuple[Ints, Ints]:
    """Return the problem and the number of draws of each distinct correct solution, int[solutions]; empty without solutions."""
    place = _places(pilot)
    found = [
        (place[a.problem_id], digest)
        for a in pilot
        if a.model in solutions
        for index in range(a.first_index, a.first_index + a.count)
        if (digest := solutions[a.model].get(a.problem_id, index))
    ]
    distinct, count = np.unique(np.array(found, np.uint64).reshape(-1, 2), axis=0, return_counts=True)
    return distinct[:, 0].astype(np.int64), count.astype(np.int64)
