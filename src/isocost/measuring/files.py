"""The survey of `isocost measure`, on a file or on the samples of a run directory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from isocost.costs.given import GivenCosts
from isocost.errors import InputError, Option, TableError
from isocost.measuring.rundirs import facts_of, groups_of, samples_of
from isocost.measuring.survey import ALL_LEVELS, Survey, survey
from isocost.metrics.diversity import Level
from isocost.tables import scan_table, table_notes

_COLUMNS = ("generation", "num_generated_tokens", "cost", "cost_unit", "predicted_answer")


def survey_file(
    path: Path,
    ks: Sequence[int],
    *,
    levels: Sequence[Level] = ALL_LEVELS,
    given: GivenCosts | None = None,
    by: str | None = None,
    as_fixed: bool = False,
    stopped_at: int | None = None,
    mixes: Sequence[str | Mapping[str, float]] = (),
) -> Survey:
    """Return `survey` of a table of samples, of files of samples, or of every pool of a run directory.

    Texts are read only if a level needs them. `by` is a column of the table, or for a run directory a key of its problems' metadata, such
    as `level`. Of a run's samples, a model whose arms all have a fixed policy is taken as fixed; one with another policy is measured on
    its draws that do not depend on outcomes, as in the run's report.

    Raises:
        TableError: The file is not a table of samples, or `by` cannot group its problems.
        RunDirectoryError: The directory holds no samples of a finished sampling stage.
        InputError: A given cost is missing or wrong, a mixture cannot be made of these models, or `stopped_at` contradicts the draws.
    """
    if by == "":
        raise TableError("is empty", advice="name a column, such as level", option=Option(name="by"))
    groups: str | Mapping[str, str] | None = by
    columns = [name for name in _COLUMNS if levels or name != "generation"]
    run = facts_of(path)
    table_path = samples_of(path) if path.is_dir() else path
    if table_path != path:
        groups = None if by is None else groups_of(path, by)
    elif by is not None:
        columns.append(by)
    # Only the columns that this survey needs: texts are most of a large table.
    try:
        table = scan_table(str(table_path), columns)
    except TableError as error:
        if run is None or error.advice or error.option:  # not the run's own table, or the command was wrong
            raise
        raise TableError(error.happened, advice=f"{run.report_again} writes it again") from error
    warnings = [f"{note}." for note in table_notes(str(table_path))]
    warnings += [said] if run and (said := run.doubt()) else []
    if run and given is None and "cost" not in table.collect_schema():
        # Counting tokens would give every model the same price per token, which contradicts the run's report.
        table = table.with_columns(cost=pl.lit(None, dtype=pl.Float64))
        warnings += [f"{table_path.name} of this run does not have the costs of its draws; {run.report_again} writes them."]
    try:
        found = survey(table, ks, levels=levels, given=given, by=groups, as_fixed=as_fixed, stopped_at=stopped_at, mixes=mixes, run=run)
    except TableError as error:  # raised from a frame, which knows no file
        raise error.placed_in(str(table_path)) from error
    return replace(found, warnings=[*found.warnings, *warnings])


def level_list(text: str) -> tuple[Level, ...]:
    """Parse the levels of diversity of the command line: string,normalised; none.

    Raises:
        InputError: A name is not a level.
    """
    names = [] if text.strip() == "none" else [name.strip() for name in text.split(",")]
    if any(name not in ALL_LEVELS for name in names):
        raise InputError(f'--levels: "{text[:80]}" is not a list of levels\n  write it as --levels {",".join(ALL_LEVELS)}; or none')
    return tuple(level for level in ALL_LEVELS if level in names)
