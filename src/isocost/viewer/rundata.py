"""What a run directory holds, for its pages: counts of all problems in memory, texts read when they are shown."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError

from isocost.errors import RunDirectoryError, StudyError
from isocost.paths import scan_parquet, shell_word
from isocost.viewer.audited import Audited, read_audited
from isocost.yamlfile import read_yaml

KINDS = ("kept", "wrong", "cut off", "failed")
# In this order: a solution that was cut off after its right answer is kept, and a request that failed says nothing about the model.
KIND = (
    pl.when(pl.col("correct"))
    .then(pl.lit("kept"))
    .when((pl.col("finish_reason") == "error") | pl.col("correct").is_null())
    .then(pl.lit("failed"))
    .when(pl.col("finish_reason") == "length")
    .then(pl.lit("cut off"))
    .otherwise(pl.lit("wrong"))
)
_COUNTED = {"problem_id": pl.String, "model": pl.String, "n": pl.UInt32, **dict.fromkeys(KINDS, pl.UInt32)}
_QUESTION = {"id": pl.String, "question": pl.String, "answer": pl.String, "metadata": pl.String}


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """All problems at one moment.

    Attributes:
        problems: A row a problem, in the study's order: place, id, level, n, kept, disagree (one model solves it more often than not,
            another less often).
        by_model: A row a problem and model that was asked: problem_id, model, n and a count for each of `KINDS`.
        models: The models that were asked, in the order of their first sample.
    """

    problems: pl.DataFrame
    by_model: pl.DataFrame
    models: tuple[str, ...]


class RunData:
    """Reads a run directory without its lock; what a run that is under way writes anew is read anew."""

    def __init__(self, path: Path) -> None:
        """Look whether there is anything to show.

        Raises:
            RunDirectoryError: It is no run directory, or nothing has been sampled.
        """
        self.path = path
        if not (path / "study.yaml").exists():
            raise RunDirectoryError(f"{path}: no study.yaml; is it a run directory?")
        if not (path / "samples.parquet").exists():
            raise RunDirectoryError(
                f"{path}: no samples.parquet: nothing to show yet\n  finish sampling first: isocost sample {shell_word(path)}"
            )
        self.name = _study_name(path)
        self._one = threading.Lock()  # pages are made in several threads
        self._stamp: tuple[object, ...] = ()
        self._counts: Counts | None = None
        self._audited: Audited | None = None

    def counts(self) -> Counts:
        """The counts, read again where the run has written since.

        Raises:
            RunDirectoryError: A file cannot be read.
        """
        return self._fresh()[0]

    def audited(self) -> Audited:
        """What was chosen to be audited and what was found, read again where somebody has written since.

        Raises:
            RunDirectoryError: A file cannot be read.
        """
        return self._fresh()[1]

    def problem(self, problem_id: str) -> dict[str, str] | None:
        """id, question, answer and level of a problem, or None where there is none of that id."""
        with reading(self.path):
            rows = _questions(self.path).filter(pl.col("id") == problem_id).collect().to_dicts()
        return {**rows[0], "level": _level(rows[0]["metadata"])} if rows else None

    def questions(self, problem_ids: Sequence[str], most: int) -> dict[str, str]:
        """The beginning of some problems' questions, `most` characters each."""
        with reading(self.path):
            found = _questions(self.path).filter(pl.col("id").is_in(list(problem_ids)))
            rows = found.select("id", pl.col("question").str.slice(0, most)).collect()
        return dict(rows.iter_rows())

    def distinct(self, problem_ids: Sequence[str]) -> dict[str, int]:
        """How many different correct solutions some problems have."""
        with reading(self.path):
            wanted = self._scan().filter(pl.col("problem_id").is_in(list(problem_ids)) & pl.col("correct"))
            rows = wanted.group_by("problem_id").agg(pl.col("generation").n_unique()).collect(engine="streaming")
        return dict(rows.iter_rows())

    def samples(self, problem_id: str) -> pl.DataFrame:
        """All samples of a problem, with their texts and a column kind."""
        with reading(self.path):
            return self._scan().filter(pl.col("problem_id") == problem_id).with_columns(kind=KIND).collect(engine="streaming")

    def text(self, *, model: str, problem_id: str, sample_index: int) -> str | None:
        """The text of one sample, or None where there is no such sample."""
        this = (pl.col("problem_id") == problem_id) & (pl.col("model") == model) & (pl.col("sample_index") == sample_index)
        with reading(self.path):
            found = self._scan().filter(this).select("generation").collect(engine="streaming")["generation"]
        return None if found.is_empty() else found[0] or ""

    def _scan(self) -> pl.LazyFrame:
        return scan_parquet(self.path / "samples.parquet")

    def _fresh(self) -> tuple[Counts, Audited]:
        with self._one:
            watched = (self.path / "samples.parquet", *sorted(self.path.glob("problems/*")), *sorted(self.path.glob("audits/**/*.parquet")))
            stamp = tuple((str(p), p.stat().st_mtime_ns, p.stat().st_size) for p in watched if p.exists())
            if self._counts is None or self._audited is None or stamp != self._stamp:
                with reading(self.path):
                    self._counts, self._audited = _count(self._scan(), _questions(self.path)), read_audited(self.path)
                self._stamp = stamp
            return self._counts, self._audited


class reading:  # noqa: N801 - used as a function
    """Turns what polars and the disk say of a file into a RunDirectoryError."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (OSError, PolarsError)):
            why = str(error).partition("\n")[0][:200]
            raise RunDirectoryError(f"{self._path}: cannot be read: {why}\n  is the run directory whole?") from error


def _count(samples: pl.LazyFrame, questions: pl.LazyFrame) -> Counts:
    kinds = [KIND.eq(kind).sum().alias(kind) for kind in KINDS]
    # No text is read: 10 million samples are counted from their flags.
    by_model = samples.group_by("problem_id", "model").agg(pl.len().alias("n"), *kinds).collect(engine="streaming").cast(_COUNTED)  # type: ignore[arg-type]
    models = samples.select(pl.col("model").unique(maintain_order=True)).collect()["model"].to_list()
    mostly, seldom = (2 * pl.col("kept") > pl.col("n")).any(), (2 * pl.col("kept") < pl.col("n")).any()
    per_problem = by_model.group_by("problem_id").agg(pl.col("n", "kept").sum(), disagree=mostly & seldom)
    known = questions.select("id", "metadata").collect()
    levels = pl.Series("level", [_level(text) for text in known["metadata"]], dtype=pl.String)
    problems = known.select("id").with_columns(levels).with_row_index("place")
    joined = problems.join(per_problem, left_on="id", right_on="problem_id", how="left", maintain_order="left")
    filled = joined.with_columns(pl.col("n", "kept").fill_null(0), pl.col("disagree").fill_null(value=False))
    return Counts(problems=filled, by_model=by_model, models=tuple(models))


def _questions(path: Path) -> pl.LazyFrame:
    """The training problems, which samples are drawn for; of a run that has not written them yet, only their ids."""
    file = path / "problems" / "train.parquet"
    if file.exists():
        return scan_parquet(file).select(_QUESTION.keys()).cast(_QUESTION)  # type: ignore[arg-type]
    ids = scan_parquet(path / "samples.parquet").select(id=pl.col("problem_id").unique(maintain_order=True))
    return ids.with_columns(question=pl.lit(""), answer=pl.lit(""), metadata=pl.lit("{}"))


def _level(metadata: str) -> str:
    try:
        found = json.loads(metadata or "{}")
    except ValueError:
        return ""
    return str(found.get("level", "")) if isinstance(found, dict) else ""


def _study_name(path: Path) -> str:
    try:
        return str(read_yaml(path / "study.yaml", "study.yaml", "study file").data["name"])
    except (StudyError, KeyError, TypeError):
        return path.resolve().name  # the pages need a title, not a study
