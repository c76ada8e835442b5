"""The functions of isocost on tables of samples, studies and runs, as Python users call them."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from isocost.api.answers import Answer
from isocost.api.arguments import (
    Costs,
    frame_of,
    given_costs,
    numbers,
    path_of,
    pilot_size,
    python_words,
    table_file,
    texts,
    whole_numbers,
)
from isocost.api.progress import listener
from isocost.api.runs import Run
from isocost.errors import InputError, StorageError, TableError
from isocost.events import Note
from isocost.machine import available_cores

if TYPE_CHECKING:
    import polars as pl

    from isocost.api.arguments import Frame, Table
    from isocost.api.studies import Study
    from isocost.backtesting import Backtest
    from isocost.exporting import Exported
    from isocost.exporting.students import ExportedStudent
    from isocost.measuring.survey import Survey
    from isocost.predicting import Prediction
    from isocost.records import CellPlan


def run(
    study: str | Path | Study,
    out: str | Path | None = None,
    *,
    settings: Sequence[str] = (),
    until: str = "report",
    progress: bool = True,
) -> Run:
    """Run a study, or resume it, and return its run. The arguments are those of `Study.run`.

    Raises:
        InputError: the study cannot be used; nothing was spent.
        RunError: the run failed; bought samples are kept, and the same call resumes the run.
    """
    return _study(study).run(out, settings=settings, until=until, progress=progress)


def plan(study: str | Path | Study, *, pilot: str | Path | None = None, out: str | Path | None = None) -> Answer[list[CellPlan]]:
    """Return what each budget buys from each model, before a token is spent, as `isocost plan`.

    Args:
        study: The study, or its file.
        pilot: Samples to forecast from: a table, or a run directory; by default the study's own pilot, if it has run.
        out: The run directory; default `runs/NAME`.

    Raises:
        InputError: the study or the pilot cannot be used.
    """
    if not isinstance(study, str | Path):
        return study.plan(pilot=pilot, out=out)
    from isocost.running import plan_from_pilot
    from isocost.summaries.plans import answer_json, answer_markdown

    with listener(wanted=True) as listening:  # problems that are left out are noted as by the command
        planned = plan_from_pilot(Path(study), table=_path(pilot), out=_path(out), listener=listening)
    return Answer(record=planned[2], data=answer_json(*planned), text=answer_markdown(*planned))


def status(directory: str | Path) -> Answer[dict[str, Any]]:
    """Return the finished stages of a run, and what is planned, spent and left, as `isocost status`.

    Raises:
        RunDirectoryError: the folder is no run directory.
    """
    from isocost.summaries.status import status_of, to_text

    found = status_of(Path(directory))
    return Answer(record=found, data=found, text=to_text(found))


def measure(table: Table, *, k: int | Sequence[int] = (1, 3, 10), by: str | None = None, cost: Costs | None = None) -> Answer[Survey]:
    """Measure the models of a table of samples, as `isocost measure`: coverage, diversity, pass@1, maj@k, costs, crossovers.

    Args:
        table: A table of samples as a file, a polars or pandas frame or a list of dicts, or a run.
        k: The k of coverage@k and diversity@k.
        by: A column by which problems are grouped.
        cost: Cost of a generated token by model; by default the table's own costs.

    Raises:
        InputError: the table or an argument cannot be used.
    """
    from isocost import measuring

    with table_file(table, "table") as path:
        found = measuring.survey_file(path, whole_numbers(k, "k"), given=given_costs(cost), by=by)
    return Answer(record=found, data=measuring.survey_json(found), text=measuring.survey_markdown(found))


def forecast(
    table: Table,
    *,
    pilot: int | None = None,
    at: int | Sequence[int] = (),
    budgets: float | Sequence[float] = (),
    objective: str = "coverage",
    cost: Costs | None = None,
    false_positives: Mapping[str, float] | None = None,
) -> Answer[Prediction]:
    """Forecast from a pilot what more draws bring, and which model to buy from, as `isocost forecast`.

    Args:
        table: A table of samples as a file, a polars or pandas frame or a list of dicts, or a run.
        pilot: Graded draws per problem to predict from; by default all.
        at: Draws per problem to predict; by default 4, 16 and 25 times the pilot.
        budgets: Money per problem at which choices are compared.
        objective: What choices make the most of: coverage, kept:4 or mixed:8.
        cost: As for `measure`.
        false_positives: Share of a model's correct solutions that is unsound, by model; the forecast then counts sound ones.

    Raises:
        InputError: the table or an argument cannot be used.
    """
    from isocost.predicting import forecast_json, forecast_markdown, objective_of, predict, rates_of

    with table_file(table, "table") as path:
        found = predict(
            path,
            pilot=pilot_size(pilot),
            objective=objective_of(objective),
            ks=whole_numbers(at, "at"),
            budgets=numbers(budgets, "budgets"),
            given=given_costs(cost),
            false_positive_rates=rates_of([f"{model}={rate}" for model, rate in (false_positives or {}).items()]),
        )
    return Answer(record=found, data=forecast_json(found), text=forecast_markdown(found))


def backtest(
    table: Table,
    *,
    policies: str | Sequence[str] = ("uniform", "first-hit", "adaptive"),
    targets: float | Sequence[float] = (0.3, 0.5, 0.7),
    objective: str = "coverage",
    cost: Costs | None = None,
    seeds: int = 200,
) -> Answer[Backtest]:
    """Replay policies on recorded draws and compare what they pay to reach targets, as `isocost backtest`.

    Args:
        table: A table of samples as a file, a polars or pandas frame or a list of dicts.
        policies: Names of policies, or `package.module:attribute`.
        targets: Targets of the objective, per problem.
        objective: As for `forecast`.
        cost: As for `measure`.
        seeds: Orders of the recorded draws.

    Raises:
        InputError: the table or an argument cannot be used.
    """
    from isocost import backtesting
    from isocost.predicting import objective_of
    from isocost.summaries import backtests

    with table_file(table, "table") as path:
        aim = objective_of(objective)
        recorded = backtesting.load(path, aim, given=given_costs(cost))
        buyers = backtesting.buyers_of(texts(policies, "policies"), recorded.pool)
        found = backtesting.backtest(recorded.pool, buyers, aim, numbers(targets, "targets"), seeds=seeds)
    data, text = backtests.backtest_json(found, recorded.notes), backtests.backtest_markdown(found, recorded.notes)
    return Answer(record=found, data=data, text=text)


def verify(
    solutions: Table,
    *,
    grader: str = "math",
    options: Mapping[str, object] | None = None,
    references: Mapping[str, str] | None = None,
    jobs: int | None = None,
    time_limit: float = 5.0,
) -> pl.DataFrame:
    """Grade solutions, as `isocost verify`: the same rows with outcome, predicted_answer and reason.

    Args:
        solutions: Lines of JSON, a polars or pandas frame, or a list of dicts: rows with `gold` (or `answer`, `expected_answer`) and
            `prediction` (or `generation`).
        grader: Name of the grader, or `package.module:Class`.
        options: Options of the grader.
        references: Reference answers by `problem_id`, in place of those of the rows.
        jobs: Worker processes; default one per core.
        time_limit: The most seconds per row.

    Raises:
        InputError: the file cannot be read, the grader does not exist, or there would be no worker process.
        RunError: no worker can be started.
    """
    import polars as pl

    from isocost.grading import GradingPool
    from isocost.streams import opened
    from isocost.verifying import lines_of
    from isocost.verifying import verify as grade
    from isocost.verifying.summary import notes_on

    if jobs is not None and jobs < 1:
        raise InputError(f"jobs: must be at least 1, not {jobs}")
    workers, out = jobs or available_cores(), bytearray()
    unusable: list[str] = []
    with (
        table_file(solutions, "solutions", "frame.jsonl") as path,
        GradingPool(grader, workers=workers, time_limit=time_limit, options=dict(options or {})) as pool,
    ):
        lines = lines_of(str(path), has_references=references is not None)
        with opened(lines) as descriptor:
            summary = grade(
                descriptor,
                pool,
                workers=workers,
                answers=references,
                write=out.extend,
                complain=lambda number, why: unusable.append(f"row {number} {why}"),
                name=str(path),
            )
    with listener(wanted=True) as listening:
        for note in notes_on(summary, "solutions", unusable):
            listening(Note(text=note))
    file = io.BytesIO(out)
    return pl.read_ndjson(file, infer_schema_length=None) if out.strip() else pl.DataFrame()


def read_samples(table: str | Path | Run) -> pl.DataFrame:
    """Read and check a table of samples, or files of other tools as `isocost import` reads them.

    Raises:
        TableError: it is no table of samples: the first mistake with its row.
    """
    from isocost.tables import scan_table

    path = path_of(table.directory if isinstance(table, Run) else table, "table")
    samples = path / "samples.parquet"
    return scan_table(str(samples if samples.exists() else path)).collect()


def write_samples(samples: Frame, path: str | Path) -> Path:
    """Write a frame as a table of samples, `.parquet` or `.jsonl`, once it is checked; return its path.

    Raises:
        TableError: the frame is no table of samples, or the name has another ending; nothing is written.
        StorageError: the file cannot be written.
    """
    from isocost.tables import scan_table

    path, frame = path_of(path, "path"), frame_of(samples, "samples")
    if path.suffix not in (".parquet", ".jsonl"):
        raise TableError(f"{path}: a table of samples ends in .parquet or .jsonl")
    try:
        with tempfile.TemporaryDirectory(prefix=".samples-", dir=path.absolute().parent) as folder:
            made = Path(folder) / path.name
            frame.write_parquet(made) if path.suffix == ".parquet" else frame.write_ndjson(made)
            with python_words({str(made): "the frame"}):
                scan_table(str(made)).collect()
            made.replace(path)
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror or error}") from error
    return path


@overload
def export(directory: str | Path, arm: str, out: str | Path, *, format: str = "messages") -> Exported: ...
@overload
def export(directory: str | Path, arm: str, out: str | Path, *, student: str, seed: int | None = None) -> ExportedStudent: ...
def export(
    directory: str | Path, arm: str, out: str | Path, *, format: str = "messages", student: str | None = None, seed: int | None = None
) -> Exported | ExportedStudent:
    """Write the data of a cell, or a student that was trained on it, as a folder with its card, as `isocost export`.

    `datasets.load_dataset` opens the data, transformers the student.

    Args:
        directory: The run directory.
        arm: The cell, `arm@budget`; an arm's name is enough if it has one budget.
        out: The folder to write; it must not exist.
        format: The form of the data: messages, prompt-completion, text, parquet, kto or open-r1.
        student: Write this student instead of the data.
        seed: The student's training seed; may be left out if there is one.

    Raises:
        InputError: the run, the cell, the format or the student does not exist, or the folder does.
        StorageError: the folder cannot be written.
    """
    if student is not None:
        from isocost.exporting.students import export_student

        with python_words():
            return export_student(Path(directory), student, arm, Path(out), seed=seed)
    from isocost.exporting import export as write

    with python_words():
        return write(Path(directory), arm, format, Path(out))


def push_to_hub(folder: str | Path, name: str) -> str:
    """Push a folder that `export` wrote to the Hugging Face hub, as a private data set or model, and return its address.

    Raises:
        InputError: there is no token, the hub refuses it, or the name is taken; nothing is pushed.
        RunError: the hub cannot be reached.
    """
    from isocost.exporting.hub import Hub, kind_of

    with python_words():
        return Hub(name, kind_of(Path(folder))).push(Path(folder))


def _study(study: str | Path | Study) -> Study:
    from isocost.api.studies import Study as Checked

    return study if isinstance(study, Checked) else Checked(study)


def _path(path: str | Path | None) -> Path | None:
    return None if path is None else Path(path)
