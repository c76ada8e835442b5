"""The first draws of a table of samples as pilots, and all of its draws to score forecasts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from isocost.arrays import Bools, Ints
from isocost.costs.given import GivenCosts
from isocost.errors import InputError, Option
from isocost.forecasting import Answers, DistinctLaw, Pilot, Piloted
from isocost.measuring.costs import costs, unit_costs
from isocost.measuring.draws import Draws, load, rows_of
from isocost.measuring.independent import independent_part
from isocost.measuring.models import Model, models
from isocost.measuring.rundirs import RunFacts, facts_of, pilot_of, samples_of
from isocost.measuring.solutions import Classes
from isocost.metrics.diversity import Level
from isocost.metrics.intervals import amount_interval
from isocost.predicting.repeats import Repeats, repeats
from isocost.records import Estimate, Truncation
from isocost.store import PILOT
from isocost.tables import scan_table, table_notes
from isocost.tables.coding import collected

_COLUMNS = ("generation", "num_generated_tokens", "cost", "cost_unit", "finish_reason", "predicted_answer", "expected_answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pilots:
    """The pilots of a table.

    Attributes:
        models: One per model, in order of first appearance.
        draws: Largest number of draws per problem in the pilot.
        unit: Unit of costs, as `measuring.costs` has it.
        together: Law of distinct solutions among the correct ones of all models.
        distinct: Level at which solutions count as the same; None counts each as different.
        answers: Incorrect answers that two models or more give to a problem.
        notes: What is doubtful about the table, one sentence each.
    """

    models: tuple[Piloted, ...]
    draws: int
    unit: str
    together: DistinctLaw
    distinct: Level | None
    answers: tuple[Answers, ...]
    notes: tuple[str, ...]


def read_pilots(
    path: Path,
    pilot: int | None,
    given: GivenCosts | None = None,
    only: pl.Expr | None = None,
    *,
    as_fixed: bool = False,
    distinct: Level | None = "string",
) -> Pilots:
    """Read the first graded draws of each model and problem of a table of samples, or of a run directory.

    Args:
        path: The table or directory.
        pilot: Graded draws per problem in the pilot; None takes all.
        given: Costs that take the place of the table's own; see `measuring.costs.costs`.
        only: True for the rows to read; None reads all.
        as_fixed: Take the pilot as fixed without a look at what was drawn after it, and score nothing on that.
        distinct: Level at which solutions count as the same; None counts each as different.

    Raises:
        TableError: The file is not a table of samples.
        RunDirectoryError: The directory holds no samples.
        InputError: A model has fewer draws than the pilot, shares no problem with the others, or a given cost is missing or wrong.
    """
    run, file = facts_of(path), table_of(path)
    as_fixed = as_fixed or file.name == PILOT  # on the disk before the other samples: nothing decided its number of draws
    table = scan_table(str(file), _COLUMNS)
    if only is not None:
        table = table.filter(only)
    table = _with_cost(table) if run and given is None else table
    every = load(table, run.order if run else ())
    part = independent_part(run.first, every) if run and not as_fixed else None
    if part is not None:
        table = rows_of(table, part.rows)
        every = load(table, every.problems)
    _check_size(every, pilot)
    first = _first(every, pilot)
    rows = table if first.all() else rows_of(table, first)
    draws = load(rows, every.problems)
    cost = costs(draws, given)
    piloted, found = models(rows, draws, (), levels=(), cost=cost.of_group, votes=False), repeats(rows, draws, distinct)
    whole = models(table, every, (), levels=(), votes=False)
    _check_problems(piloted)
    fixed = {model.name: as_fixed or (part is not None and model.name in part.models) or _is_fixed(model, run) for model in whole}
    has_repeats = distinct is not None
    recorded = {} if first.all() or as_fixed else _pilots(whole, every.problems, repeats(table, every, distinct), has_repeats=has_repeats)
    of_model = _pilots(piloted, draws.problems, found, has_repeats=has_repeats)
    return Pilots(
        models=tuple(
            Piloted(
                pilot=of_model[model.name],
                recorded=recorded.get(model.name) if fixed[model.name] else None,
                is_fixed=fixed[model.name],
                cost=unit_costs(model).get("cost_per_draw"),
                tokens=_tokens(draws, m),
            )
            for m, model in enumerate(piloted)
        ),
        draws=int(draws.drawn.max(initial=0)),
        unit=cost.unit,
        together=found.together,
        distinct=distinct,
        answers=tuple(_answers(rows, draws)),
        notes=(
            *_truncation_notes(rows),
            *_notes(table, piloted, fixed, found),
            *(part.notes if part else ()),
            *_run_notes(run, file),
            *(f"{note}." for note in table_notes(str(file))),
        ),
    )


def table_of(path: Path) -> Path:
    """Return a table, or that of a run directory: its samples, or its pilot while it has not finished sampling.

    Raises:
        RunDirectoryError: The directory has neither.
    """
    return (pilot_of(path) or samples_of(path)) if path.is_dir() else path


def _with_cost(table: pl.LazyFrame) -> pl.LazyFrame:
    """Return the samples of a run with a column `cost`, null where they have none: tokens would give every model the same price."""
    return table if "cost" in table.collect_schema() else table.with_columns(cost=pl.lit(None, dtype=pl.Float64))


def _first(draws: Draws, pilot: int | None) -> Bools:
    """Return the rows of the pilot, bool[rows]: those with fewer than `pilot` graded draws before them, ungraded ones included."""
    if pilot is None:
        return np.ones(len(draws.group), np.bool_)
    index = np.zeros(len(draws.group)) if draws.index is None else draws.index
    order = np.lexsort((index, draws.group))
    graded, group = draws.graded[order], draws.group[order]
    before: Ints = np.cumsum(graded) - graded
    starts = np.searchsorted(group, np.arange(len(draws.model)))
    first = np.zeros(len(group), np.bool_)
    first[order] = before - before[starts][group] < pilot
    return first


def _check_size(draws: Draws, pilot: int | None) -> None:
    for m, name in enumerate(draws.models):
        most = int(draws.drawn[draws.model == m].max(initial=0))
        if pilot is not None and most == 0:
            raise InputError(
                f"model {name[:80]} has no graded draw: all of them were refused, failed or could not be graded\n"
                "  isocost status RUN has the reason; ask the model differently, or leave it out"
            )
        if pilot is not None and pilot > most:
            raise InputError(
                f"model {name[:80]} has at most {most:,} graded draws per problem",
                advice="give a smaller pilot",
                option=Option(name="pilot", value=str(pilot)),
            )


def _check_problems(found: Sequence[Model]) -> None:
    for model in found:
        others = [other.problem for other in found if other is not model]
        if others and not np.isin(model.problem, np.concatenate(others)).any():
            raise InputError(
                f"model {model.name[:80]} was drawn for other problems than the rest\n"
                "  pilot all models on the same problems, or forecast each model from a table of its own"
            )


def _is_fixed(model: Model, run: RunFacts | None) -> bool:
    """Return False if the number of draws depends on outcomes, by the run's policies or, without a run, by the draws themselves."""
    known = run.is_fixed.get(model.name) if run else None
    return model.stopped is None if known is None else known


def _pilots(found: Sequence[Model], problems: Sequence[str], repeats: Repeats, *, has_repeats: bool) -> dict[str, Pilot]:
    classes: Sequence[Classes | None] = repeats.classes or [None] * len(found)
    return {model.name: _pilot(model, problems, own, has_repeats=has_repeats) for model, own in zip(found, classes, strict=True)}


def _pilot(model: Model, problems: Sequence[str], classes: Classes | None, *, has_repeats: bool) -> Pilot:
    kept = np.flatnonzero(model.drawn > 0)
    place = np.full(len(model.drawn), -1, np.int64)
    place[kept] = np.arange(len(kept))
    nothing = np.zeros(0, np.int64)
    return Pilot(
        model=model.name,
        problem_ids=tuple(problems[i] for i in model.problem[kept]),
        successes=model.correct[kept],
        draws=model.drawn[kept],
        solution_problem=nothing if classes is None else place[classes.group],
        solution_count=nothing if classes is None else classes.count.astype(np.int64),
        repeats=has_repeats,
    )


def _tokens(draws: Draws, model: int) -> Estimate | None:
    """Return the generated tokens per graded draw of a model, those of ungraded draws added; None if one is unknown."""
    if draws.tokens is None:
        return None
    sums = np.bincount(draws.group, weights=draws.tokens, minlength=len(draws.model))
    mine = (draws.model == model) & (draws.drawn > 0)
    return None if np.isnan(sums[mine]).any() or not mine.any() else amount_interval(sums[mine] / draws.drawn[mine])


def _answers(rows: pl.LazyFrame, draws: Draws) -> list[Answers]:
    """Return the incorrect answers that two models or more give to a problem."""
    if "predicted_answer" not in rows.collect_schema().names():
        return []
    reference = pl.col("expected_answer").first() if "expected_answer" in rows.collect_schema().names() else pl.lit(None, pl.String)
    wrong = rows.filter(pl.col("correct").not_() & pl.col("predicted_answer").is_not_null())
    counted = wrong.group_by("problem_id", "predicted_answer", "model").agg(pl.len().alias("count"), reference.alias("reference"))
    shared = counted.filter(pl.col("model").n_unique().over("problem_id", "predicted_answer") > 1)
    found = collected(shared).sort("problem_id", "predicted_answer", "model")
    drawn: dict[str, dict[str, int]] = {}
    for m, p, n in zip(draws.model.tolist(), draws.problem.tolist(), draws.drawn.tolist(), strict=True):
        drawn.setdefault(draws.problems[p], {})[draws.models[m]] = n
    answers = []
    for (problem,), part in found.group_by("problem_id", maintain_order=True):
        counts: dict[str, dict[str, int]] = {}
        for answer, model, count in part.select("predicted_answer", "model", "count").iter_rows():
            counts.setdefault(answer, {})[model] = count
        id_ = str(problem)
        answers.append(Answers(problem_id=id_, reference=part["reference"][0], drawn=drawn[id_], counts=counts))
    return answers


def _notes(table: pl.LazyFrame, found: Sequence[Model], fixed: Mapping[str, bool], repeats: Repeats) -> list[str]:
    present = table.collect_schema().names()
    notes = []
    if "sample_index" not in present:
        notes.append("The table has no sample_index: its rows count as draws in their order.")
    if repeats.classes is None:
        notes.append("The table has no texts, so the forecast knows no repeated solution: kept counts are those of a wide prior.")
    if repeats.cut_off:
        notes.append(
            f"{repeats.cut_off:,} correct draws of the pilot were cut off, so training sets leave them out. The law of repeats does too; "
            "kept solutions are predicted as if no draw were cut off."
        )
    if any(not np.array_equal(model.problem, found[0].problem) for model in found):
        notes.append(
            "The models were piloted on different problems. The law of each is learned from its own problems, as if these were chosen at "
            "random: if outcomes chose them, as a cascade does, its forecasts are wrong."
        )
    for model in found:
        drawn = model.drawn[model.drawn > 0]
        if not fixed[model.name]:
            notes.append(
                f"{model.name}: its number of draws depends on outcomes, or appears to. The posterior allows for its own outcomes; where "
                "another model's decided, the forecast is wrong. The power law and scores are left out."
            )
        elif len(drawn) and drawn.min() < drawn.max():
            notes.append(f"{model.name}: {drawn.min():,} to {drawn.max():,} draws per problem, so the power law is left out.")
    return notes


def _truncation_notes(rows: pl.LazyFrame) -> list[str]:
    """Return the models of which so many draws were cut off that they look worse than they are, a sentence each."""
    if "finish_reason" not in rows.collect_schema().names():
        return []
    cut = pl.col("finish_reason").cast(pl.String) == "length"
    counts = collected(rows.group_by("model").agg(cut.sum(), pl.len().alias("n"))).sort("model")
    found = {model: Truncation(cut=cut, n=n, max_tokens=0) for model, cut, n in counts.iter_rows()}
    return [
        f"{model}: {100 * each.share:.0f}% of these samples were cut off at max_tokens, so it looks worse than it is: raise max_tokens and "
        "draw a new pilot before you believe this."
        for model, each in found.items()
        if each.matters
    ]


def _run_notes(run: RunFacts | None, file: Path) -> list[str]:
    if run and file.name == PILOT:
        return ["The run has not finished sampling: the forecast is from its pilot alone."]
    return [doubt] if run and (doubt := run.doubt()) else []
