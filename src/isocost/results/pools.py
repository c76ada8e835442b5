"""Measure the pools of a run's models from the table of samples, in one pass per level of diversity."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np
import polars as pl

from isocost.arrays import Bools
from isocost.measuring.draws import Draws
from isocost.measuring.equationcache import FILE, EquationCache
from isocost.measuring.measured import Measured
from isocost.measuring.models import Model, models
from isocost.passrates.binning import binned
from isocost.records import Estimate
from isocost.results.drawtable import DrawTable, Places

KS = (1, 2, 3, 5, 10, 20, 30, 50, 100)  # each is measured where all problems have as many draws


def measured_models(table: DrawTable, measured: Bools) -> list[Model]:
    """Return every model that drew, in the order of the table of samples, its problems numbered as in the study.

    Args:
        table: Every draw.
        measured: A mask of the draws to measure, bool[draws].
    """
    if table.draws.is_empty():
        return []
    samples, places = table.scan().select("generation", "correct"), table.places
    if not measured.all():
        rows = np.flatnonzero(measured[places])
        samples = samples.with_row_index().filter(pl.col("index").is_in(pl.Series(rows, dtype=pl.UInt32).implode())).drop("index")
        places = places[rows]
    draws = _draws(table, places)

    def texts() -> Iterator[pl.Series]:
        yield from (part for _, part in table.texts(table.correct & measured))

    known = EquationCache(table.path.with_name(FILE))
    # Solutions need identities across models only if there are several models to compare.
    found = models(samples, draws, (), votes=False, identified=len(draws.models) > 1, known=known, texts=texts)
    known.save()
    return found


def _draws(table: DrawTable, of_file: Places) -> Draws:
    """Return the draws at some places, in the order of the file, in which their texts are read."""
    code = table.draws["model"].to_physical().to_numpy()[of_file]
    first = np.sort(np.unique(code, return_index=True)[1])
    names = [table.models[each] for each in code[first]]
    # int32 throughout: arrays with a number per draw are most of the memory of measuring.
    place = np.zeros(len(table.models), dtype=np.int32)
    place[code[first]] = np.arange(first.size)
    n_problems = len(table.problem_ids)
    # Groups are (model, problem) pairs, numbered without gaps: `measuring` has one row per pair that was drawn.
    group = place[code]
    group *= n_problems
    group += table.problem[of_file].astype(np.int32)
    present = np.flatnonzero(np.bincount(group, minlength=len(names) * n_problems))
    dense = np.zeros(len(names) * n_problems, dtype=np.int32)
    dense[present] = np.arange(present.size)
    return Draws(
        models=names,
        problems=table.problem_ids,
        group=dense[group],
        model=present // n_problems,
        problem=present % n_problems,
        graded=table.graded[of_file],
        correct=table.correct[of_file],
        index=table.draws["sample_index"].to_numpy()[of_file],
        tokens=None,
        cost=None,
    )


def pool_measures(measured: Sequence[Model], n_problems: int, by_outcomes: Collection[str] = ()) -> dict[str, dict[str, Estimate]]:
    """Return coverage@k, diversity@k and the other measures of every pool, at every k of `KS` that all problems have draws for.

    Of the models in `by_outcomes`, whose draws may depend on outcomes, `covered` alone has a value.
    """
    found: dict[str, dict[str, Estimate]] = {}
    for model in measured:
        # A problem without draws has no row; then no k is reached by all problems.
        least = int(model.rows.min()) if model.rows.size == n_problems else 0
        ks = [k for k in KS if k <= least]
        # k = 1 is defined for every problem that has a draw.
        fixed = model.name not in by_outcomes
        found[model.name] = Measured.of(model, ks or [1], as_fixed=fixed, is_fixed=fixed, with_votes=False).estimates()
    return found


def pass_rates(measured: Sequence[Model], by_outcomes: Collection[str] = ()) -> dict[str, tuple[int, ...]]:
    """Count the problems of each model by pass rate, as `passrates.binning.binned` does.

    Models in `by_outcomes` are left out: the share of correct draws is no pass rate where outcomes decide how many are drawn. So are models
    with one graded draw of each problem, whose problems are never or always solved.
    """
    found: dict[str, tuple[int, ...]] = {}
    for model in measured:
        graded = model.drawn > 0
        if model.name not in by_outcomes and model.drawn.max(initial=0) > 1:
            found[model.name] = tuple(binned((model.correct[graded] / model.drawn[graded]).tolist()))
    return found
