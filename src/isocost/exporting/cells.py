"""One cell of a run: its draws, its training set and what is known of them, read from the run directory without the lock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from polars.exceptions import PolarsError

from isocost.amounts import quantity
from isocost.auditing.labelfile import read_labels
from isocost.auditing.labels import verdicts
from isocost.config import Study
from isocost.errors import InputError, Option, RunDirectoryError
from isocost.measuring.rundirs import facts_of, unreadable
from isocost.nearest import did_you_mean
from isocost.paths import open_file, read_bytes, read_parquet, scan_parquet, shell_word
from isocost.preparing.parts import known_parts
from isocost.results.trainsets import find
from isocost.store import RunDirectory
from isocost.store.unstudied import no_study
from isocost.studyfile import load_study
from isocost.tables.coding import collected

# Beside samples.parquet and the files of the training set. `manifest.json` has the identities of models for the card.
_PUBLISHED = (
    ("measures.json",), ("plan.json",), ("manifest.json",), ("problems", "train.parquet"), ("audits", "rates.json"),
    ("trainsets", "contaminated.json"), ("pilot.parquet",),
)  # fmt: skip
PART = 5_000  # rows in memory at once


@dataclass(frozen=True, kw_only=True)
class CellData:
    """A cell of a finished run.

    Attributes:
        name: `arm@budget`.
        run: The run directory.
        study: The study.
        measures: What measures.json has of the cell.
        allocations: The cell's draws: columns `problem_id`, `model`, `sample_index`.
    """

    name: str
    run: Path
    study: Study
    measures: Mapping[str, Any]
    allocations: pl.DataFrame

    @property
    def models(self) -> tuple[str, ...]:
        """The models of the cell's arm."""
        return self.study.arms[self.name.partition("@")[0]].models

    @property
    def reader(self) -> str:
        """The model in whose form the cell's training set is written."""
        return self.study.reader(self.name.partition("@")[0])

    @cached_property
    def problems(self) -> pl.DataFrame:
        """The training problems: columns `problem_id`, `question`, `answer`, in the study's order."""
        path = self.run / "problems" / "train.parquet"
        with readable(path):
            frame = read_parquet(path, ["id", "question", "answer"])
        return frame.rename({"id": "problem_id"})

    @property
    def is_older_than_labels(self) -> bool:
        """True if the cell's training set follows people's labels, and people have labelled since the last report."""
        labels = self.run / "audits" / "labels.jsonl"
        if "labels" not in (self.study.curate_of(self.name.partition("@")[0]).audit or ()) or not labels.exists():
            return False
        report = self.run / "report.md"
        return not report.exists() or report.stat().st_mtime_ns < labels.stat().st_mtime_ns

    @property
    def labelled_unsound(self) -> frozenset[str]:
        """The ids of the samples that all people who were sure labelled unsound.

        Raises:
            StorageError: The file of labels is damaged.
        """
        sound = verdicts(read_labels(self.run / "audits" / "labels.jsonl")).sound
        return frozenset(sample_id for sample_id, is_sound in sound.items() if not is_sound)

    @property
    def draw_columns(self) -> list[str]:
        """The columns of the run's samples."""
        path = self.run / "samples.parquet"
        with readable(path):
            return scan_parquet(path).collect_schema().names()

    @property
    def training_columns(self) -> list[str]:
        """The columns of the cell's training set."""
        path = find(self.run, self.name)[0]
        with readable(path):
            return scan_parquet(path).collect_schema().names()

    def draws(self) -> pl.LazyFrame:
        """Return the cell's rows of samples.parquet, with the texts, in the file's order."""
        return _cell_rows(scan_parquet(self.run / "samples.parquet"), self.allocations)

    def draw_parts(self) -> Iterator[pl.DataFrame]:
        """Yield the rows of `draws` in parts. The texts of a large run need not fit into memory."""
        for part in _parts(self.run / "samples.parquet"):
            own = collected(_cell_rows(part.lazy(), self.allocations))
            if own.height:
                yield own

    def training_parts(self) -> Iterator[pl.DataFrame]:
        """Yield the rows of the cell's training set in parts.

        Columns are `problem_id`, `model`, `sample_id`, and `prompt` and `completion`, or `messages`.
        """
        yield from _parts(find(self.run, self.name)[0])

    def read_json(self, *names: str) -> Mapping[str, Any]:
        """Return a JSON file of the run; empty where it is missing or damaged."""
        return RunDirectory(self.run).read_derived(*names) or {}

    def near_duplicates(self) -> int:
        """Return the number of training problems that nearly repeat a problem of the sets of `curate.decontaminate`.

        Raises:
            RunDirectoryError: The run has no list of them.
            StorageError: The list is damaged.
        """
        again = f"make it again: isocost report {shell_word(self.run)}"
        found = RunDirectory(self.run).read_list("trainsets", "contaminated.json", remedy=again)
        if found is None:
            raise RunDirectoryError(f"{self.run}: has no trainsets/contaminated.json", advice=again)
        return len(found)

    @property
    def data_card(self) -> str:
        """The card that the run wrote beside the training set."""
        path = find(self.run, self.name)[1]
        with readable(path):
            return read_bytes(path).decode("utf-8", "replace")


def open_cell(run: Path, arm: str | None) -> CellData:
    """Find a cell of a run.

    Args:
        run: The run directory.
        arm: `arm@budget`, or an arm that has one cell; None where the run has one.

    Raises:
        RunDirectoryError: The folder is no run directory, or its training sets are not built.
        InputError: There is no such cell, or there are several.
    """
    if not (run / "study.yaml").exists():
        raise no_study(run)
    again = f"finish it: isocost report {shell_word(run)}"
    measured = (RunDirectory(run).read_derived("measures.json") or {}).get("cells") or {}
    name = _named(arm, measured, run, again)
    needed = [run / "samples.parquet", run / "problems" / "train.parquet", *find(run, name)]
    if missing := [path.relative_to(run) for path in needed if not path.exists()]:
        raise RunDirectoryError(f"{run}: has no {missing[0]}", advice=again)
    _refuse_changed(run, name)
    study = load_study(run / "study.yaml", (), known_parts())
    if name.partition("@")[0] not in study.arms:
        raise RunDirectoryError(f"{run}: study.yaml has no arm {name.partition('@')[0]}, and measures.json has", advice=again)
    drawn, models = int(measured[name].get("n_samples", -1)), study.arms[name.partition("@")[0]].models
    with readable(run / "samples.parquet"):
        allocations = _allocations(run, name, models, drawn, again)
    return CellData(name=name, run=run, study=study, measures=measured[name], allocations=allocations)


def _refuse_changed(run: Path, name: str) -> None:
    """Refuse files that are not those that the run wrote: what is published would be another run's, or changed by hand.

    Raises:
        RunDirectoryError: A file was changed or cannot be read.
    """
    again = f"isocost report {shell_word(run)} writes it again"
    with readable(run / "samples.parquet"):
        if (facts := facts_of(run)) and (flaw := facts.flaw_of_table()):
            raise RunDirectoryError(f"{run}: {flaw}", advice=again)
    directory = RunDirectory(run)
    for path in (*(run.joinpath(*each) for each in _PUBLISHED), *find(run, name)):
        with readable(path):
            if flaw := directory.flaw_of(*path.relative_to(run).parts):
                raise RunDirectoryError(f"{run}: {flaw}", advice=again)


def _named(arm: str | None, measured: Mapping[str, Mapping[str, Any]], run: Path, again: str) -> str:
    cells = list(measured)
    if not cells:
        raise RunDirectoryError(f"{run}: has no measures of its cells", advice=again)
    if arm is None:
        if len(cells) == 1:
            return cells[0]
        each = ", ".join(f"{name} ({quantity(int(own.get('n_kept', 0)), 'solution')})" for name, own in measured.items())
        raise InputError("the run has several cells", advice=("choose one: ", Option(name="arm"), f" with one of {each}"))
    if arm in cells:
        return arm
    own = [cell for cell in cells if cell.partition("@")[0] == arm]
    if len(own) == 1:
        return own[0]
    if own:
        raise InputError("has several budgets", advice=f"give one of {', '.join(own)}", option=Option(name="arm", value=arm))
    hint = did_you_mean(arm, cells) or f"it has {', '.join(cells)}"
    raise InputError(f'the run has no cell "{arm[:80]}"', advice=hint, option=Option(name="arm"))


def _pilot_draws(run: Path, models: Sequence[str]) -> pl.DataFrame:
    path, keys = run / "pilot.parquet", ["problem_id", "model", "sample_index"]
    if not path.exists():
        return _each([])
    with readable(path):
        drawn = scan_parquet(path).select(keys).filter(pl.col("model").is_in(list(models))).collect(engine="streaming")
        return drawn.cast({"sample_index": pl.Int64})


def _allocations(run: Path, name: str, models: Sequence[str], drawn: int, again: str) -> pl.DataFrame:
    """Return the draws of a cell. A log of rounds keeps those of earlier terms; of these, the ones that were measured count.

    Draws of the pilot from the cell's models are among them, and in a file of their own.

    Raises:
        RunDirectoryError: No terms of the log have as many draws as were measured.
    """
    by_terms: dict[str, list[tuple[str, str, int, int]]] = {}
    for line in RunDirectory(run).log("arms", name, "rounds.jsonl").peek():
        by_terms.setdefault(str(line["terms"]), []).extend(tuple(each) for each in line["allocations"])
    samples = scan_parquet(run / "samples.parquet").select("problem_id", "model", "sample_index")
    pilot = _pilot_draws(run, models)
    # A pilot may use up the budget, so that nothing else is drawn.
    for allocations in reversed(list(by_terms.values()) or [[]]):
        wanted = _each(allocations)
        for every in (wanted, pl.concat([wanted, pilot]).unique()):
            # Draws that were ordered and not delivered have no row.
            found = collected(_cell_rows(samples, every))
            if found.height == drawn:
                return found
    raise RunDirectoryError(f"{run}: the draws of {name} are not those that were measured", advice=again)


def _each(allocations: list[tuple[str, str, int, int]]) -> pl.DataFrame:
    columns = {"problem_id": pl.String, "model": pl.String, "first": pl.Int64, "count": pl.Int64}
    frame = pl.DataFrame(allocations, schema=columns, orient="row")
    indices = pl.int_ranges(pl.col("first"), pl.col("first") + pl.col("count"))
    return frame.select("problem_id", "model", sample_index=indices).explode("sample_index").unique()


def _cell_rows(samples: pl.LazyFrame, allocations: pl.DataFrame) -> pl.LazyFrame:
    keys = ["problem_id", "model", "sample_index"]
    return samples.join(allocations.select(keys).lazy(), on=keys, how="semi", maintain_order="left")


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn errors of a damaged file of a run into a RunDirectoryError, whose remedy is to write the file again."""
    try:
        yield
    except (OSError, PolarsError, pa.ArrowException) as error:
        raise unreadable(path, error) from error


def _parts(path: Path) -> Iterator[pl.DataFrame]:
    with readable(path), open_file(path) as file, pq.ParquetFile(file, pre_buffer=False) as parquet:
        for batch in parquet.iter_batches(batch_size=PART):
            yield pl.DataFrame(batch)
