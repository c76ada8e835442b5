"""The pilot of a study, read from a table of samples or from a run directory."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from isocost.errors import InputError
from isocost.metrics.diversity import Level
from isocost.predicting.pilots import Pilots, read_pilots, table_of
from isocost.tables import scan_table


@dataclass(frozen=True, slots=True, kw_only=True)
class Length:
    """Mean tokens of a draw in a pilot.

    Attributes:
        prompt: Tokens of the prompt; None if the table does not have them.
        value: Generated tokens.
        low: Lower end of their 95% interval.
        high: Upper end.
    """

    prompt: float | None
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyPilot:
    """The pilot of a study's models.

    Attributes:
        source: The table or run directory.
        pilots: The pilots of the models.
        lengths: Lengths of a draw, by model.
        tokens_per_second: Generated tokens per second by the clock while a run bought the pilot; None if that is not known.
    """

    source: Path
    pilots: Pilots
    lengths: Mapping[str, Length]
    tokens_per_second: float | None = None


def read_study_pilot(
    path: Path,
    models: Sequence[str],
    problems: Collection[str],
    pilot: int | None,
    *,
    as_fixed: bool = False,
    distinct: Level | None = "string",
) -> StudyPilot:
    """Read the draws of a study's models for its problems.

    Args:
        path: A table of samples, or a run directory.
        models: The models, each of which must have draws. The pilots are in their order.
        problems: Ids of the problems; draws for others are left out.
        pilot: Graded draws per problem in the pilot; None takes all.
        as_fixed: As in `read_pilots`.
        distinct: As in `read_pilots`.

    Raises:
        TableError: The file is not a table of samples.
        RunDirectoryError: The directory holds no samples.
        InputError: A model has no graded draw for these problems, or lacks the numbers of tokens.
    """
    only = pl.col("problem_id").is_in(list(problems)) & pl.col("model").is_in(list(models))
    table = scan_table(str(table_of(path)), ("num_prompt_tokens",)).filter(only)
    prompts = pl.col("num_prompt_tokens").mean() if "num_prompt_tokens" in table.collect_schema() else pl.lit(None, pl.Float64)
    prompt = dict(table.group_by("model").agg(prompts.alias("prompt")).collect().iter_rows())
    lacking = [name for name in models if name not in prompt]
    if lacking:
        raise InputError(
            f"{path}: has no draw of model {lacking[0]} for the training problems of the study\n"
            "  pilot every model that an arm draws from, under its name in the study and with its problem ids"
        )
    read = read_pilots(path, pilot, None, only, as_fixed=as_fixed, distinct=distinct)
    pilots = replace(read, models=tuple(sorted(read.models, key=lambda each: models.index(each.pilot.model))))
    lengths = {}
    for each in pilots.models:
        name, tokens = each.pilot.model, each.tokens
        if tokens is None or tokens.value is None:
            raise InputError(
                f"{path}: the tokens of draws of model {name} are unknown\n  give the table num_generated_tokens for every draw"
            )
        low, high = tokens.value if tokens.low is None else tokens.low, tokens.value if tokens.high is None else tokens.high
        lengths[name] = Length(prompt=prompt[name], value=tokens.value, low=low, high=high)
    return StudyPilot(source=path, pilots=pilots, lengths=lengths)
