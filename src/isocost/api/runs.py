"""A run directory in Python: samples, verdicts, training sets and measures as polars frames."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isocost.errors import RunDirectoryError
from isocost.paths import read_parquet, shell_word
from isocost.store import RunDirectory
from isocost.store.rounds import later_rounds
from isocost.store.unstudied import no_study

if TYPE_CHECKING:
    import polars as pl

    from isocost.api.answers import Answer
    from isocost.records import Results


class _Cells(dict[str, "pl.DataFrame"]):
    """Frames by `arm@budget`, found by an arm's name too if it has one cell."""

    def __missing__(self, name: str) -> pl.DataFrame:
        own = [cell for cell in self if cell.partition("@")[0] == name]
        if len(own) != 1:
            raise KeyError(f"no one cell is named {str(name)[:80]!r}; cells: {', '.join(own or self) or 'none'}")
        return self[own[0]]


class Run:
    """A run directory, opened to read. Nothing of it is kept in memory, so that it shows a run that is under way too.

    Args:
        directory: The run directory.

    Raises:
        RunDirectoryError: the folder is no run directory.
    """

    def __init__(self, directory: str | Path) -> None:
        self.directory = Path(directory)
        if not (self.directory / "study.yaml").exists():
            raise no_study(self.directory, f"start one: isocost run STUDY.yaml -o {shell_word(self.directory)}")

    @property
    def samples(self) -> pl.DataFrame:
        """Return every sample with its verdict, a row each; docs/formats.md has the columns."""
        return read_parquet(self._made("samples.parquet", "sample"))

    @property
    def problems(self) -> pl.DataFrame:
        """Return the training problems: id, question, answer, metadata."""
        return read_parquet(self._made("problems/train.parquet", "sample"))

    @property
    def verdicts(self) -> pl.DataFrame:
        """Return the verdict of every sample without its text: which problem, model and draw, the answer that was read, the reference."""
        wanted = ("problem_id", "model", "sample_index", "correct", "predicted_answer", "expected_answer")
        samples = self.samples
        return samples.select(name for name in wanted if name in samples.columns)

    @property
    def measures(self) -> dict[str, Any]:
        """Return `measures.json`: every number of the report, with intervals."""
        path = self._made("measures.json", "report")
        found: dict[str, Any] = RunDirectory(self.directory).read_json(path.name, remedy="remove it, and write the report again")
        return found

    @property
    def arms(self) -> pl.DataFrame:
        """Return a row per cell: covered, kept per problem, cost per problem in each known unit, with intervals as columns."""
        import polars as pl

        from isocost.reporting.csvtables import table_csv
        from isocost.reporting.overview import overview

        table = overview(self.results)
        if table is None:
            return pl.DataFrame()
        file = io.BytesIO(table_csv(table).encode())
        return pl.read_csv(file)

    @property
    def training_sets(self) -> dict[str, pl.DataFrame]:
        """Return the training set of each cell, by `arm@budget`; an arm's name is enough if it has one cell."""
        folder = self.directory / "trainsets"
        files = {path.stem: path for path in folder.glob("*.parquet")}  # as earlier versions named them
        files |= {path.parent.name: path for path in folder.glob("*/train.parquet")}
        return _Cells((cell, read_parquet(path)) for cell, path in sorted(files.items()))

    @property
    def results(self) -> Results:
        """Return everything that the report is made from, as typed records.

        Raises:
            RunDirectoryError: the run has no report yet.
        """
        from isocost.results.stored import read_results

        return read_results(self.directory)

    @property
    def rounds(self) -> tuple[Run, ...]:
        """Return the runs of the rounds of an iterated study that have begun, in order; of another study this run alone."""
        return (self, *(Run(folder) for folder in later_rounds(self.directory).values()))

    @property
    def headline(self) -> str:
        """Return the verdict of the report."""
        from isocost.reporting.headline import headline

        return headline(self.results)

    @property
    def report(self) -> Path:
        """Return the path of the report as HTML; `report.md` lies beside it."""
        return self._made("report.html", "report")

    def status(self) -> Answer[dict[str, Any]]:
        """Return the finished stages, and what is planned, spent and left, as the function `status` does."""
        from isocost.api.functions import status

        return status(self.directory)

    def _made(self, name: str, stage: str) -> Path:
        path = self.directory / name
        if not path.exists():
            raise RunDirectoryError(f"{self.directory}: no {name} yet", advice=f"make it: isocost {stage} {shell_word(self.directory)}")
        return path

    def __repr__(self) -> str:
        return f"Run({str(self.directory)!r})"

    def _repr_markdown_(self) -> str:
        return (self.directory / "report.md").read_text(encoding="utf-8") if (self.directory / "report.md").exists() else repr(self)
