"""`isocost export`: the data of one cell of a run as a folder that `datasets.load_dataset` opens, with its card. `students` does models."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from isocost.errors import InputError, Option
from isocost.exporting.card import card
from isocost.exporting.cells import CellData, open_cell
from isocost.exporting.folders import check_new, write_folder
from isocost.exporting.shapes import SHAPES, Shape
from isocost.nearest import did_you_mean
from isocost.paths import shell_word
from isocost.store import digest_of_file

__all__ = ["SHAPES", "Exported", "export"]

_FOLDER, _SPLIT = "data", "train-00000-of-00001"  # the names by which the datasets library finds a split
_DIGITS = 16  # of the content's digest in the file's name: the library's cache knows a folder by the names of it and of its files alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A folder that was written.

    Attributes:
        folder: The folder.
        rows: Rows of the data set.
        of_problems: Training problems that have a row.
        problems: All training problems.
        cell: The cell's name.
        note: What is doubtful about the data; "" if nothing is.
    """

    folder: Path
    rows: int
    of_problems: int
    problems: int
    cell: str
    note: str = ""


def export(run: Path, arm: str | None, shape: str, folder: Path) -> Exported:
    """Write the data of a cell, with a card that names the command for it. The folder appears only once it is complete.

    Args:
        run: The run directory.
        arm: The cell, `arm@budget`; an arm's name is enough if it has one cell; None where the run has one.
        shape: A key of `SHAPES`.
        folder: The folder to write; it must not exist.

    Raises:
        InputError: The run, the cell or the shape does not exist, or the folder does.
        StorageError: The folder cannot be written.
    """
    if shape not in SHAPES:
        hint = did_you_mean(shape, SHAPES) or f"known: {', '.join(SHAPES)}"
        raise InputError(f'unknown format "{shape[:80]}"', advice=hint, option=Option(name="format"))
    check_new(folder)
    cell = open_cell(run, arm)

    unsound = cell.labelled_unsound if SHAPES[shape].is_training_set else frozenset()

    def fill(made: Path) -> tuple[int, int, int]:
        (made / _FOLDER).mkdir(parents=True)
        written = made / _FOLDER / "new.parquet"
        rows, of_problems, of_unsound = _write(SHAPES[shape], cell, written, unsound)
        file = written.rename(written.with_name(f"{_SPLIT}-{digest_of_file(written)[:_DIGITS]}.parquet"))
        command = _command(run, arm or cell.name, shape, folder)
        text = card(cell, SHAPES[shape], rows, file.relative_to(made).as_posix(), command)
        (made / "README.md").write_text(text, encoding="utf-8")
        return rows, of_problems, of_unsound

    rows, of_problems, of_unsound = write_folder(folder, fill)
    note = ""
    if SHAPES[shape].is_training_set and cell.is_older_than_labels:
        note = f"people have labelled since {cell.name} was made; isocost report {shell_word(run)} makes it again"
    elif of_unsound:
        rows_are = "1 row is a solution" if of_unsound == 1 else f"{of_unsound:,} rows are solutions"
        leave_out = f"isocost run STUDY.yaml -o {shell_word(run)} --set curate.audit=labels"
        note = f"{rows_are} that people labelled unsound; to leave such out and buy nothing: {leave_out}"
    return Exported(folder=folder, rows=rows, of_problems=of_problems, problems=cell.problems.height, cell=cell.name, note=note)


def _command(run: Path, arm: str, shape: str, folder: Path) -> str:
    """Return the commands that make a data set again. The card is published, so it has names of folders and no paths of this machine."""
    run_name, folder_name = (shell_word(Path(path.name or ".")) for path in (run, folder))
    export = f"isocost export {run_name} --arm {shell_word(Path(arm))} --format {shape} -o {folder_name}"
    return f"isocost run STUDY.yaml -o {run_name}\n{export}"


def _write(shape: Shape, cell: CellData, path: Path, unsound: frozenset[str]) -> tuple[int, int, int]:
    """Write the rows of a data set, and return their number, that of their problems, and that of the rows with an unsound solution."""
    rows, of_problems, of_unsound = 0, set[str](), 0
    # An empty data set keeps its columns, so that it loads.
    columns = shape.columns(cell)
    schema = pa.schema([field.with_type(_plain(field.type)) for field in pl.DataFrame(schema=columns).to_arrow().schema])
    with path.open("wb") as file, pq.ParquetWriter(file, schema, compression="zstd") as writer:
        parts: Iterator[pl.DataFrame] = shape.rows(cell)
        for part in parts:
            writer.write_table(part.select(columns.names()).cast(columns).to_arrow().cast(schema))
            rows += part.height
            of_problems.update(part["problem_id"].unique())
            of_unsound += len(unsound.intersection(part["sample_id"])) if unsound else 0  # draws have no such column
    return rows, len(of_problems), of_unsound


def _plain(kind: pa.DataType) -> pa.DataType:
    """Return a type without the large offsets of polars, which trainers do not expect."""
    if pa.types.is_large_string(kind):
        return pa.string()
    if pa.types.is_large_list(kind):
        return pa.list_(_plain(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([kind.field(i).with_type(_plain(kind.field(i).type)) for i in range(kind.num_fields)])
    return kind
