"""`isocost measure` on a file, or on the samples of a run directory."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError

from isocost.errors import InputError, RunDirectoryError, TableError
from isocost.measuring.survey import ALL_LEVELS, Survey, survey
from isocost.metrics.diversity import Level
from isocost.tables import scan_table

_COLUMNS = ("generation", "num_generated_tokens", "cost", "predicted_answer")


def survey_file(
    path: Path,
    ks: Sequence[int],
    *,
    levels: Sequence[Level] = ALL_LEVELS,
    prices: Mapping[str, float] | None = None,
    by: str | None = None,
    as_fixed: bool = False,
    stopped_at: int | None = None,
    mixes: Sequence[str | Mapping[str, float]] = (),
) -> Survey:
    """`survey` of a table of samples, or of every pool of a run directory; texts are read only where a level asks for them.

    `by` is a column of the table; of a run directory, what its problems' source says of each, such as `level`.

    Raises:
        TableError: The file is not a table of samples, or `by` cannot group its problems.
        RunDirectoryError: The directory holds no samples of a finished sampling stage.
        InputError: A price is missing or wrong, a mixture cannot be made of these models, or draws did not stop as is said.
    """
    groups: str | Mapping[str, str] | None = by
    columns = [name for name in _COLUMNS if levels or name != "generation"]
    if path.is_dir():
        groups = None if by is None else _groups_of_run(path, by)
        path = _samples_of_run(path)
    elif by is not None:
        columns.append(by)
    table = scan_table(str(path), columns)
    return survey(table, ks, levels=levels, prices=prices, by=groups, as_fixed=as_fixed, stopped_at=stopped_at, mixes=mixes)


def _samples_of_run(path: Path) -> Path:
    samples = path / "samples.parquet"
    if samples.exists():
        return samples
    if (path / "study.yaml").exists():
        raise RunDirectoryError(f"{path}: sampling is not finished\n  finish it: isocost sample {path}")
    raise RunDirectoryError(f"{path}: no samples.parquet and no study.yaml; is it a run directory?\n  name one, or a table of samples")


def _groups_of_run(path: Path, by: str) -> dict[str, str]:
    """The group of each training problem by what its source says of it, such as `level`.

    Raises:
        TableError: No problem has it, or the file of the problems is damaged.
    """
    file = path / "problems" / "train.parquet"
    try:
        problems = pl.read_parquet(file, columns=["id", "metadata"]).iter_rows() if file.exists() else ()
        known = {problem: dict(json.loads(metadata)) for problem, metadata in problems}
    except (OSError, PolarsError, ValueError, TypeError) as error:
        why = str(error).partition("\n")[0][:200]
        raise TableError(f"{file}: cannot be read: {why}\n  make it again: isocost report {path}") from error
    groups = {problem: str(metadata[by]) for problem, metadata in known.items() if metadata.get(by) is not None}
    if known and not groups:
        names = ", ".join(sorted({name for metadata in known.values() for name in metadata})) or "nothing else"
        raise TableError(f'--by: the problems of {path} have no "{by[:80]}"\n  they have: {names}')
    return groups


def level_list(text: str) -> tuple[Level, ...]:
    """Levels of diversity as they are written on the command line: string,normalised; none.

    Raises:
        InputError: A name that is none of them.
    """
    names = [] if text.strip() == "none" else [name.strip() for name in text.split(",")]
    if any(name not in ALL_LEVELS for name in names):
        raise InputError(f'--levels: "{text[:80]}" is not a list of levels\n  write it as --levels {",".join(ALL_LEVELS)}; or none')
    return tuple(level for level in ALL_LEVELS if level in names)


def price_list(texts: Sequence[str]) -> dict[str, float]:
    """Prices of tokens as they are written on the command line, MODEL=NUMBER each; the last = parts them.

    Raises:
        InputError: One is written otherwise, or a model is priced twice.
    """
    prices: dict[str, float] = {}
    for text in texts:
        model, _, number = text.rpartition("=")
        try:
            price = float(number)
        except ValueError:
            model, price = "", 0.0
        if not model or model in prices:
            why = "is priced twice" if model else "is not MODEL=NUMBER"
            raise InputError(
                f'--cost: "{text[:80]}" {why}\n  write the price of a token of each model once, such as --cost weak=1 --cost strong=3'
            )
        prices[model] = price
    return prices
