"""Measures of the samples of a model, of a cell, or of several models side by side."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from isocost.measuring.asjson import survey_json, to_json
from isocost.measuring.columns import Measures, cell_estimates
from isocost.measuring.files import level_list, price_list, survey_file
from isocost.measuring.markdown import survey_markdown, to_markdown
from isocost.measuring.survey import Survey, measured, survey, values
from isocost.metrics.diversity import Level
from isocost.records import Estimate

__all__ = [
    "Measures",
    "Survey",
    "cell_estimates",
    "level_list",
    "measure",
    "price_list",
    "survey",
    "survey_file",
    "survey_json",
    "survey_markdown",
    "to_json",
    "to_markdown",
    "values",
]


def measure(
    table: pl.DataFrame | pl.LazyFrame,
    ks: Sequence[int],
    *,
    levels: Sequence[Level] = ("string", "normalised", "equations"),
    as_fixed: bool = False,
) -> dict[str, dict[str, Estimate]]:
    """Return coverage and diversity at each k, pass@1 and covered, of every model in a table of samples.

    All samples of a model and problem count as M equal draws, whatever their pool. Ungraded samples are left out of M and counted in
    n_ungraded. A problem is left out of a measure that it does not define (k > M, or nothing graded). n is the number of remaining
    problems; without any the estimate is None. Intervals are over problems.

    If the number of draws seems to depend on their outcomes (`metrics.stopped.looks_stopped`), all measures but `covered` are None.

    Args:
        table: A table from `tables.scan_table` or `read_table`. Diversity needs `generation`.
        ks: Numbers of draws to measure at.
        levels: Levels of diversity: the keys that make two solutions equal.
        as_fixed: Take the number of draws as independent of outcomes, whatever the test says.

    Returns:
        By model in order of appearance, then by name: `coverage@K`, `diversity@K` (exact strings), `diversity_normalised@K` and
        `diversity_equations@K` for each K, `pass@1`, `covered`.

    Raises:
        ValueError: A k below 1.
        TableError: The file behind the table cannot be read to its end.
    """
    return measured(table.lazy(), ks, levels=levels, as_fixed=as_fixed)
