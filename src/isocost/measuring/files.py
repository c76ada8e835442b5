"""`isocost measure` on a file, or on the samples of a run directory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from isocost.errors import InputError, RunDirectoryError
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

    Raises:
        TableError: The file is not a table of samples, or `by` cannot group its problems.
        RunDirectoryError: The directory holds no samples of a finished sampling stage.
        InputError: A price is missing or wrong, a mixture cannot be made of these models, or draws did not stop as is said.
    """
    if path.is_dir():
        samples = path / "samples.parquet"
        if not samples.exists():
            raise RunDirectoryError(f"{path}: no samples.parquet; is it a run directory?\n  finish sampling first: isocost sample {path}")
        path = samples
    columns = [name for name in _COLUMNS if levels or name != "generation"]
    if by is not None:
        columns.append(by)
    table = scan_table(str(path), columns)
    return survey(table, ks, levels=levels, prices=prices, by=by, as_fixed=as_fixed, stopped_at=stopped_at, mixes=mixes)


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
