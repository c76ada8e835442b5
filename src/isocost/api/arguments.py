"""Arguments as Python users give them: checked, single values as tuples, and messages in the words of Python."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from isocost.api.runs import Run
from isocost.errors import InputError, IsocostError

if TYPE_CHECKING:
    import polars as pl

    from isocost.costs.given import GivenCosts

    class PandasFrame(Protocol):
        """A frame of pandas, which is not imported here."""

        def to_parquet(self, *arguments: Any, **options: Any) -> Any:
            """Write the frame to a file."""

    Frame = pl.DataFrame | pl.LazyFrame | PandasFrame | Sequence[Mapping[str, Any]]
    Table = str | Path | Run | Frame

Costs = Mapping[str, float]

_ACCEPTED = "a polars or pandas frame, or a list of dicts"


def frame_of(table: Frame, argument: str, accepted: str = _ACCEPTED) -> pl.DataFrame:
    """Return a table that is no path as a polars frame.

    Raises:
        InputError: it is none of the accepted types, or its values do not make columns.
    """
    import polars as pl

    if isinstance(table, pl.DataFrame):
        return table
    try:
        if isinstance(table, pl.LazyFrame):
            return table.collect()
        if isinstance(table, list) and all(isinstance(row, Mapping) for row in table):
            return pl.DataFrame([dict(row) for row in table], infer_schema_length=None)
        if _is_pandas(table):
            return pl.from_pandas(cast("Any", table))
    except (pl.exceptions.PolarsError, TypeError, ValueError, OSError) as error:
        first = str(error).partition("\n")[0]
        raise InputError(f"{argument}: cannot be read as a frame: {first}") from error
    kind = f"a list of {type(table[0]).__name__}" if isinstance(table, list) else type(table).__name__
    raise InputError(f"{argument}: must be {accepted}, not {kind}")


def _is_pandas(table: object) -> bool:
    return type(table).__module__.partition(".")[0] == "pandas" and type(table).__name__ == "DataFrame"


def path_of(path: object, argument: str) -> Path:
    """Return a path.

    Raises:
        InputError: it is none.
    """
    if not isinstance(path, str | Path):
        raise InputError(f"{argument}: must be a path, not {type(path).__name__}")
    return Path(path)


@contextmanager
def table_file(table: Table, argument: str, name: str = "frame.parquet") -> Iterator[Path]:
    """Yield the path of a table: the caller's own file or run directory, or a frame in a temporary file, removed afterwards.

    Raises:
        InputError: it is none of the accepted types.
    """
    with python_words():
        if isinstance(table, str | Path):
            yield Path(table)
        elif isinstance(table, Run):
            yield table.directory
        else:
            frame = frame_of(table, argument, f"a path, a run, {_ACCEPTED}")
            with tempfile.TemporaryDirectory(prefix="isocost-") as folder:
                path = Path(folder) / name
                with python_words({str(path): "the frame"}):
                    frame.write_parquet(path) if path.suffix == ".parquet" else frame.write_ndjson(path)
                    yield path


@contextmanager
def python_words(replaced: Mapping[str, str] | None = None) -> Iterator[None]:
    """Let errors that pass name arguments in place of the options of the command line, and replace the given texts by others."""
    try:
        yield
    except IsocostError as error:
        error.for_python = True
        for old, new in (replaced or {}).items():
            error.rewrite(lambda text, old=old, new=new: text.replace(old, new))  # type: ignore[misc]
        raise


def texts(values: str | Iterable[str], argument: str) -> list[str]:
    """Return texts as a list; one alone is accepted."""
    return _several(values, argument, str, "a text")


def whole_numbers(values: int | Iterable[int], argument: str) -> list[int]:
    """Return whole numbers as a list; one alone is accepted."""
    return [int(each) for each in _several(values, argument, Integral, "a whole number")]


def numbers(values: float | Iterable[float], argument: str) -> list[float]:
    """Return numbers as a list; one alone is accepted."""
    return [float(each) for each in _several(values, argument, Real, "a number")]


def _several(values: Any, argument: str, kind: type, name: str) -> list[Any]:
    """Return values of a kind as a list.

    Raises:
        InputError: they are not.
    """
    if isinstance(values, kind) and not isinstance(values, bool):
        return [values]
    found = list(values) if isinstance(values, Iterable) and not isinstance(values, str | bytes | Mapping) else [values]
    for each in found:
        if not isinstance(each, kind) or isinstance(each, bool):
            raise InputError(f"{argument}: must be {name}, or a list of such, not {str(each)[:80]!r}")
    return found


def pilot_size(pilot: int | None) -> int | None:
    """Return the draws of a pilot.

    Raises:
        InputError: it is no whole number of at least 1.
    """
    if pilot is not None and (isinstance(pilot, bool) or not isinstance(pilot, Integral) or pilot < 1):
        raise InputError(f"pilot: must be a whole number of at least 1, not {str(pilot)[:80]!r}")
    return pilot


def given_costs(cost: Costs | None) -> GivenCosts | None:
    """Return the costs of a token, by model.

    Raises:
        InputError: they are no mapping to numbers above 0.
    """
    from isocost.costs.given import GivenCosts

    return None if cost is None else GivenCosts(amounts=_amounts(cost, "cost"))


def _amounts(values: Mapping[str, float], argument: str) -> dict[str, float]:
    if not isinstance(values, Mapping):
        raise InputError(f"{argument}: must be a dict from models to numbers, not {type(values).__name__}")
    for model, value in values.items():
        if not isinstance(value, Real) or isinstance(value, bool) or not 0 < value < float("inf"):
            raise InputError(f"{argument}: that of {str(model)[:80]} must be a number above 0, per token, not {str(value)[:80]!r}")
    return {model: float(value) for model, value in values.items()}
