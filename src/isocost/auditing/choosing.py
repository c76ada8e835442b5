"""Choose the solutions to audit: a few answer-correct ones per model, spread over levels, and the order in which people label them."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import groupby, islice

import polars as pl

from isocost.auditing.lots import lot
from isocost.auditing.steps import one_a_problem
from isocost.records import Chosen, Problem

LEVEL = "level"  # the key of the problem's metadata that defines strata
MOST_STRATA = 20  # more values than these are numbers, not levels, and a stratum of one or two problems carries no information


def choose(
    draws: pl.DataFrame,
    problems: Iterable[Problem],
    *,
    per_model: int | None,
    seed: int,
) -> list[Chosen]:
    """Choose solutions to audit: of each model at most one a problem, spread over the levels of the problems that it solved.

    Levels are sampled in proportion to the solved problems in them, each with one at least where `per_model` reaches. Proportion is what
    keeps few labels informative: weights are nearly equal, so n labels are worth n, where equal numbers per level would make those of a
    level with few solved problems count for little. Solutions are allocated one by one to the level with the largest
    N_h / sqrt(n_h (n_h + 1)) (the method of Huntington and Hill). Unlike rounded shares, it never takes one back when the total grows.

    What is chosen depends on the seed and on what there is to choose from, never on the order of the draws. More per model adds to the
    choice and keeps the former in it, in the same order; more draws may choose anew.

    Args:
        draws: As `one_a_problem`, with `sample_id` and `sample_index`.
        problems: What they solve; metadata `level`, where all have few values of it, makes strata.
        per_model: Solutions of each model; None for one of every solved problem.
        seed: Of the choice.

    Returns:
        By model, stratum and the order drawn. Weights of a model sum to the problems that it solved; `place` numbers all of them, of all
        models, in a random order that is not that of the choice.
    """
    rows = one_a_problem(draws).select("model", "problem_id", "sample_id", "sample_index").iter_rows()
    drawn = {(str(model), str(problem)): (str(sample_id), int(index)) for model, problem, sample_id, index in rows}
    strata = _strata(problems)
    keys = sorted(drawn, key=lambda key: (key[0], strata.get(key[1], ""), lot(seed, *key)))
    found: list[Chosen] = []
    for _, own in groupby(keys, key=lambda key: key[0]):
        solved = {stratum: list(group) for stratum, group in groupby(own, key=lambda key: strata.get(key[1], ""))}
        seats = _seats({stratum: len(group) for stratum, group in solved.items()}, per_model)
        reached = sum(len(solved[stratum]) for stratum, many in seats.items() if many)
        # The other levels also represent those of which nothing is chosen.
        share = sum(map(len, solved.values())) / reached
        for stratum, group in solved.items():
            found += [_chosen(key, *drawn[key], stratum, share * len(group) / seats[stratum]) for key in group[: seats[stratum]]]
    order = sorted(range(len(found)), key=lambda i: lot(seed, "place", found[i].sample_id, found[i].model))
    places = {i: place for place, i in enumerate(order)}
    return [replace(chosen, place=places[i]) for i, chosen in enumerate(found)]


def _strata(problems: Iterable[Problem]) -> dict[str, str]:
    """Return the stratum of each problem; empty where there are no levels, or too many."""
    levels = {problem.id: str(problem.metadata[LEVEL]) if LEVEL in problem.metadata else "" for problem in problems}
    return levels if len(set(levels.values())) <= MOST_STRATA else {}


def _seats(sizes: Mapping[str, int], wanted: int | None) -> dict[str, int]:
    """Return the number to choose of each stratum: all, or `wanted` divided by the method of Huntington and Hill."""
    seats = dict.fromkeys(sizes, 0)
    for stratum in _calls(sizes) if wanted is None else islice(_calls(sizes), wanted):
        seats[stratum] += 1
    return seats


def _calls(sizes: Mapping[str, int]) -> Iterator[str]:
    """Yield strata in the order of allocation, each as often as it has problems. In the first round, the largest stratum comes first."""
    heap = [(0, -float(size), stratum, 0) for stratum, size in sizes.items()]
    heapq.heapify(heap)
    while heap:
        _, _, stratum, seats = heapq.heappop(heap)
        yield stratum
        seats += 1
        if seats < sizes[stratum]:
            heapq.heappush(heap, (1, -sizes[stratum] / (seats * (seats + 1)) ** 0.5, stratum, seats))


def _chosen(key: tuple[str, str], sample_id: str, index: int, stratum: str, weight: float) -> Chosen:
    model, problem_id = key
    return Chosen(sample_id=sample_id, model=model, problem_id=problem_id, sample_index=index, stratum=stratum, weight=weight, place=0)
