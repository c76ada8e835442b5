"""The pools of a run's models, measured from the table of samples in one pass for each level of diversity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from isocost.measuring.draws import load
from isocost.measuring.measured import Measured
from isocost.measuring.models import Model, models
from isocost.records import Estimate
from isocost.results.drawtable import DrawTable

KS = (1, 2, 3, 5, 10, 20, 30, 50, 100)  # the k that pools are measured at, as far as they reach


def measured_models(table: DrawTable, problem_ids: Sequence[str]) -> list[Model]:
    """Return every model that drew, in the study's order.

    Args:
        table: Every draw.
        problem_ids: In the study's order, by which the problems of each model are numbered.
    """
    if table.draws.is_empty():
        return []
    samples = table.scan()
    draws = load(samples, problem_ids)
    place = {problem: i for i, problem in enumerate(problem_ids)}
    places = np.array([place[problem] for problem in draws.problems], dtype=np.int64)
    found = models(samples, draws, (), votes=False, identified=len(draws.models) > 1)
    return [replace(model, problem=places[model.problem]) for model in found]


def pool_measures(measured: Sequence[Model], n_problems: int) -> dict[str, dict[str, Estimate]]:
    """coverage@k, diversity@k and the rest of every pool, at every k for which all problems have as many draws."""
    found: dict[str, dict[str, Estimate]] = {}
    for model in measured:
        least = int(model.rows.min()) if model.rows.size == n_problems else 0
        ks = [k for k in KS if k <= least]
        found[model.name] = Measured.of(model, ks or [1], as_fixed=True, all_of_it=False).estimates()
    return found
