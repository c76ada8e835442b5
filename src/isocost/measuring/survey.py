"""The survey of a table: everything that `isocost measure` reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from isocost.arrays import Ints
from isocost.costs.given import GivenCosts
from isocost.errors import InputError
from isocost.measuring.columns import Measures
from isocost.measuring.comparing import Crossing, Point, Shared, crossings, curve_points, shared
from isocost.measuring.costs import costs
from isocost.measuring.draws import load, rows_of
from isocost.measuring.equationcache import FILE, EquationCache
from isocost.measuring.groups import problem_groups
from isocost.measuring.independent import independent_part
from isocost.measuring.measured import Measured, Shape
from isocost.measuring.mixing import Shares, check_costs, shares_of
from isocost.measuring.mixtures import Mixture, mixture
from isocost.measuring.models import Model, models
from isocost.measuring.rundirs import RunFacts
from isocost.measuring.stopping import stopped_pass
from isocost.metrics.diversity import Level

ALL_LEVELS: tuple[Level, ...] = ("string", "normalised", "equations")


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """The results of `isocost measure`.

    Attributes:
        measures: By model, then by name.
        undefined: Reasons for estimates that are None, by model and name.
        shapes: Size of the table's part, by model.
        unit: Unit of every cost.
        curves: By model; empty if costs are unknown or draws look stopped.
        crossings: Crossovers of each pair of models, for at most five models.
        shared: Overlap of models.
        by: Measures of each group of problems, by group and model.
        warnings: Warnings, one sentence each.
        mixtures: The requested mixtures, in that order.
    """

    measures: Measures
    undefined: Mapping[str, Mapping[str, str]]
    shapes: Mapping[str, Shape]
    unit: str
    curves: Mapping[str, Sequence[Point]]
    crossings: Sequence[Crossing]
    shared: Sequence[Shared]
    by: Mapping[str, Measures]
    warnings: Sequence[str]
    mixtures: Sequence[Mixture] = ()

    @property
    def at_one_price(self) -> bool:
        """True if tokens of different models count alike because no costs were given."""
        return self.unit == "tokens" and len(self.measures) > 1


def survey(
    table: pl.DataFrame | pl.LazyFrame,
    ks: Sequence[int],
    *,
    levels: Sequence[Level] = ALL_LEVELS,
    given: GivenCosts | None = None,
    by: str | Mapping[str, str] | None = None,
    as_fixed: bool = False,
    stopped_at: int | None = None,
    mixes: Sequence[str | Mapping[str, float]] = (),
    run: RunFacts | None = None,
) -> Survey:
    """Measure every model of a table, against its costs and against the other models.

    The measures, by model in order of appearance: `coverage@K`, `diversity@K` (exact strings), `diversity_normalised@K` and
    `diversity_equations@K` for each K, `pass@1`, `covered`; `pass@1[avg-of-K]`, the mean over problems of the share correct of the first K
    graded draws by sample_index; `maj@K` if the table has predicted answers.

    All samples of a model and problem count as M equal draws, whatever their pool. Ungraded samples are left out of M and counted in
    n_ungraded. A problem is left out of a measure that it does not define (k > M, or nothing graded). n is the number of remaining
    problems; without any the estimate is None. Intervals are over problems. If the number of draws seems to depend on their outcomes
    (`metrics.stopped.looks_stopped`), all measures but `covered` are None.

    Args:
        table: The table from `tables.scan_table`. Diversity needs `generation`.
        ks: Numbers of draws to measure at.
        levels: Levels of diversity: the keys that make two solutions equal.
        given: Costs that take the place of the table's own; see `measuring.costs.costs`.
        by: A column, or a group for each problem id, by which the measures are also broken down.
        as_fixed: Take the number of draws as independent of outcomes, whatever the test says.
        stopped_at: The number of correct draws at which each problem's draws stopped, unless they met the largest number of any problem
            of the model. pass@1 is then unbiased, and measures that need a fixed number of draws are None.
        mixes: Mixtures of models, in the form that `mixing.shares_of` reads.
        run: The facts of the run that the samples come from.

    Raises:
        ValueError: `stopped_at` is below 1.
        TableError: The file behind the table cannot be read to its end; or `by` is no column, or puts a problem in two groups.
        InputError: A k is below 1, a given cost is missing or wrong, a mixture cannot be made of these models, or `stopped_at` contradicts
            the draws.
    """
    wanted, lazy = _checked(ks), table.lazy()
    draws = load(lazy, run.order if run else ())
    part = independent_part(run.first, draws) if run and not as_fixed and stopped_at is None else None
    if part is not None:
        lazy = rows_of(lazy, part.rows)
        draws = load(lazy, draws.problems)
    cost = costs(draws, given)
    asked = [shares_of(mix, draws.models) for mix in mixes]
    # Before the slow part: a mixture without costs is the user's mistake.
    for shares in asked:
        check_costs(shares, draws, cost.of_group)
    # It is read and never written: another process may have the run directory open.
    known = EquationCache(run.path / FILE if run else None)
    found = models(lazy, draws, wanted, levels=levels, cost=cost.of_group, identified=bool(asked), known=known)
    stopped = {} if stopped_at is None else {model.name: stopped_pass(model, stopped_at, draws) for model in found}
    is_fixed = {**(run.is_fixed if run else {}), **dict.fromkeys(part.models if part else (), True)}
    measured = [
        Measured.of(model, wanted, as_fixed=as_fixed, is_fixed=is_fixed.get(model.name), unbiased=stopped.get(model.name))
        for model in found
    ]
    groups = {} if by is None else problem_groups(lazy, draws, by)
    return _surveyed(measured, cost.unit, groups, asked, [f"{note} --as-fixed takes all." for note in part.notes] if part else ())


def _surveyed(
    measured: Sequence[Measured],
    unit: str,
    groups: Mapping[str, Ints],
    mixes: Sequence[Shares],
    notes: Sequence[str],
) -> Survey:
    """Compare the measured models with each other and their costs.

    Args:
        measured: The models, measured.
        unit: Unit of every cost.
        groups: Problems of each group, by index.
        mixes: The requested mixtures.
        notes: Sentences on what was left out of the table.
    """
    found = [m.model for m in measured]
    fixed = [m.model for m in measured if not m.held_back]
    return Survey(
        measures={m.model.name: m.estimates() for m in measured},
        undefined={m.model.name: m.reasons() for m in measured},
        shapes={m.model.name: m.shape() for m in measured},
        unit=unit,
        curves={model.name: curve_points(model) for model in fixed},
        crossings=crossings(fixed),
        shared=shared(found, [m.model.name for m in measured if m.held_back]),
        by={name: {m.model.name: m.estimates(members) for m in measured} for name, members in groups.items()},
        warnings=[*(line for m in measured for line in m.warnings()), *notes, *_unmatched(found), *_unpriced(found, unit)],
        mixtures=[_mixture(shares, measured) for shares in mixes],
    )


def _mixture(shares: Shares, found: Sequence[Measured]) -> Mixture:
    by_name = {m.model.name: m for m in found}
    some = [by_name[name] for name in shares]
    if any(m.held_back for m in some):
        return Mixture(
            shares=shares, why="the draws of one of its models look stopped by their outcomes; --as-fixed takes them as they are"
        )
    return mixture([m.model for m in some], list(shares.values()))


def _unmatched(found: Sequence[Model]) -> list[str]:
    """Return a warning if the models did not draw for the same problems."""
    if len(found) < 2 or all(np.array_equal(model.problem, found[0].problem) for model in found):
        return []
    return ["The models drew for different problems; overlap and crossovers are over those that they share."]


def _unpriced(found: Sequence[Model], unit: str) -> list[str]:
    """Return a warning if tokens of different models count alike."""
    if len(found) < 2 or unit != "tokens" or all(model.cost is None for model in found):
        return []
    return ["A token costs the same here whichever model wrote it; --cost MODEL=AMOUNT for each model says otherwise."]


def _checked(ks: Sequence[int]) -> list[int]:
    if any(k < 1 for k in ks):
        raise InputError(f"k: must be at least 1, not {min(ks)}")
    # Without duplicates, which would give two columns one name.
    return list(dict.fromkeys(ks))
