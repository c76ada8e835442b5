"""The data of a run directory for its pages: counts of all problems are in memory, texts are read on demand."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import polars as pl
from polars.exceptions import PolarsError

from isocost.errors import RunDirectoryError, StudyError
from isocost.measuring.rundirs import unreadable
from isocost.paths import read_parquet, scan_parquet, shell_word, stamp_of
from isocost.records import Audit, AuditedBy, Chosen
from isocost.store.unstudied import no_study
from isocost.viewer.evidence import Doubts, is_chosen
from isocost.yamlfile import read_yaml

KINDS = ("correct", "wrong", "cut off", "failed")
# The order matters: a solution that was cut off after its right answer is correct. A request that failed is not a wrong answer.
KIND = (
    pl.when(pl.col("correct"))
    .then(pl.lit("correct"))
    .when((pl.col("finish_reason") == "error") | pl.col("correct").is_null())
    .then(pl.lit("failed"))
    .when(pl.col("finish_reason") == "length")
    .then(pl.lit("cut off"))
    .otherwise(pl.lit("wrong"))
)
_COUNTED = {"problem_id": pl.String, "model": pl.String, "n": pl.UInt32, **dict.fromkeys(KINDS, pl.UInt32)}
_QUESTION = {"id": pl.String, "question": pl.String, "answer": pl.String, "metadata": pl.String}


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """The chosen solutions and their audits.

    Attributes:
        chosen: Solutions in the order in which people label.
        audits: Audits by auditor, then by sample id.
    """

    chosen: tuple[Chosen, ...]
    audits: Mapping[AuditedBy, Mapping[str, Audit]]

    def unsound(self) -> set[str]:
        """Return the ids of the samples that steps or a judge found unsound."""
        return {audit.sample_id for by in self.audits.values() for audit in by.values() if audit.sound is False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """All problems at one moment.

    Attributes:
        problems: One row per problem, in the study's order: place, id, level, n, correct, disagree: true if one model solves the problem
            in more than half of its samples and another in fewer than half.
        by_model: One row per problem and model with samples: problem_id, model, n and a count for each of `KINDS`.
        models: The models with samples, in the order of their first sample.
    """

    problems: pl.DataFrame
    by_model: pl.DataFrame
    models: tuple[str, ...]


class RunData:
    """A reader of a run directory. It needs no lock, and reads files again when a run has changed them."""

    def __init__(self, path: Path) -> None:
        """Check that there is something to show.

        Raises:
            RunDirectoryError: The path is not a run directory, or nothing has been sampled.
        """
        self.path = path
        if not (path / "study.yaml").exists():
            raise no_study(path)
        if not (path / "samples.parquet").exists():
            raise RunDirectoryError(
                f"{path}: nothing to show until sampling has ended",
                advice=f"how far it is: isocost status {shell_word(path)}; if it was stopped: isocost sample {shell_word(path)}",
            )
        self._samples, self._problems = path / "samples.parquet", path / "problems" / "train.parquet"
        self.name = _study_name(path)
        self._one = threading.Lock()  # pages are rendered in several threads
        self._stamp: tuple[object, ...] = ()
        self._counts: Counts | None = None
        self._audited: Audited | None = None
        self._distinct: dict[str, int] = {}
        self._doubts = Doubts(path)

    def counts(self) -> Counts:
        """Return the counts, read again if the run has changed its files.

        Raises:
            RunDirectoryError: A file cannot be read.
        """
        return self._fresh()[0]

    def audited(self) -> Audited:
        """Return the chosen solutions and their audits, read again if the files have changed.

        Raises:
            RunDirectoryError: A file cannot be read.
        """
        return self._fresh()[1]

    def problem(self, problem_id: str) -> dict[str, str] | None:
        """Return id, question, answer, metadata and level of a problem, or None if the id is unknown."""
        with reading(self._problems):
            rows = _questions(self.path).filter(pl.col("id") == problem_id).collect().to_dicts()
        return {**rows[0], "level": _level(rows[0]["metadata"])} if rows else None

    def questions(self, problem_ids: Sequence[str], most: int) -> dict[str, str]:
        """Return the first `most` characters of the questions of some problems."""
        with reading(self._problems):
            found = _questions(self.path).filter(pl.col("id").is_in(list(problem_ids)))
            rows = found.select("id", pl.col("question").str.slice(0, most)).collect()
        return dict(rows.iter_rows())

    def distinct(self, problem_ids: Sequence[str]) -> dict[str, int]:
        """Return the number of distinct correct solutions of some problems, counted once until the run changes its files."""
        known = self._distinct_now()
        if unknown := [each for each in problem_ids if each not in known]:
            self._count_distinct(known, unknown, pl.col("problem_id").is_in(unknown))
        return {each: known[each] for each in problem_ids}

    def count_ahead(self) -> None:
        """Count the distinct correct solutions of all problems, so that no list waits for their texts: 2 s for a million samples.

        Raises:
            RunDirectoryError: A file cannot be read.
        """
        self._count_distinct(self._distinct_now(), self.counts().problems["id"].to_list(), pl.lit(value=True))

    def _distinct_now(self) -> dict[str, int]:
        self._fresh()
        # A count that ends after the files have changed goes into the dict of the old ones, which nobody reads any more.
        return self._distinct

    def _count_distinct(self, known: dict[str, int], problem_ids: Sequence[str], wanted: pl.Expr) -> None:
        with reading(self._samples):
            texts = self._scan().filter(wanted & pl.col("correct")).select("problem_id", pl.col("generation").hash())
            rows = texts.group_by("problem_id").agg(pl.col("generation").n_unique()).collect(engine="streaming")
        known.update({**dict.fromkeys(problem_ids, 0), **dict(rows.iter_rows())})

    def samples(self, problem_id: str) -> pl.DataFrame:
        """Return all samples of a problem, with their texts and a column `kind`."""
        with reading(self._samples):
            return self._scan().filter(pl.col("problem_id") == problem_id).with_columns(kind=KIND).collect(engine="streaming")

    def text(self, *, model: str, problem_id: str, sample_index: int) -> str | None:
        """Return the text of one sample, or None if there is no such sample."""
        found = self._sample(model, problem_id, sample_index)
        return None if found is None else found[1]

    def chosen_text(self, chosen: Chosen) -> str | None:
        """Return the text of a chosen solution, or None if samples.parquet has it not, or another one in its place."""
        found = self._sample(chosen.model, chosen.problem_id, chosen.sample_index)
        return found[1] if found and is_chosen(self.path, chosen, *found) else None

    def doubt(self) -> str:
        """Return which file is not the one that the run wrote, and what to do; "" where none is known to be, or not yet."""
        self._fresh()
        return self._doubts.found((*self._stamp, stamp_of(self.path / "digests.jsonl")))  # a digest may be noted after its file

    def _sample(self, model: str, problem_id: str, sample_index: int) -> tuple[str | None, str] | None:
        """Return the pool and the text of one sample, or None if there is no such sample."""
        this = (pl.col("problem_id") == problem_id) & (pl.col("model") == model) & (pl.col("sample_index") == sample_index)
        with reading(self._samples):
            samples = self._scan()
            # Tables of early versions have no pools.
            pool = pl.col("pool") if "pool" in samples.collect_schema() else pl.lit(None, dtype=pl.String).alias("pool")
            rows = samples.filter(this).select(pool, "generation").collect(engine="streaming").rows()
        return (rows[0][0], rows[0][1] or "") if rows else None

    def _scan(self) -> pl.LazyFrame:
        return scan_parquet(self._samples)

    def _fresh(self) -> tuple[Counts, Audited]:
        with self._one:
            # Names that begin with a dot are of files that a run is writing.
            others = [p for folder in ("problems/*", "audits/**/*.parquet") for p in sorted(self.path.glob(folder)) if p.name[0] != "."]
            stamp = tuple((str(p), *found) for p in (self.path / "samples.parquet", *others) if (found := stamp_of(p)))
            if self._counts is None or self._audited is None or stamp != self._stamp:
                with reading(self._samples):
                    counted = _count_samples(self._scan())
                with reading(self._problems):
                    self._counts = _count(*counted, _questions(self.path))
                self._audited = read_audited(self.path)
                self._distinct = {}
                self._stamp = stamp
            return self._counts, self._audited


@contextlib.contextmanager
def reading(file: Path) -> Iterator[None]:
    """Turn errors of polars and the file system into a RunDirectoryError that names the file."""
    try:
        yield
    except (OSError, PolarsError) as error:
        raise unreadable(file, error) from error


def _count_samples(samples: pl.LazyFrame) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return the counts by problem and model, and the models in the order of their first sample."""
    kinds = [KIND.eq(kind).sum().alias(kind) for kind in KINDS]
    # Only short columns are read, never the texts, so that 10 million samples can be counted.
    by_model = samples.group_by("problem_id", "model").agg(pl.len().alias("n"), *kinds).collect(engine="streaming").cast(_COUNTED)  # type: ignore[arg-type]
    return by_model, tuple(samples.select(pl.col("model").unique(maintain_order=True)).collect()["model"].to_list())


def _count(by_model: pl.DataFrame, models: tuple[str, ...], questions: pl.LazyFrame) -> Counts:
    mostly, seldom = (2 * pl.col("correct") > pl.col("n")).any(), (2 * pl.col("correct") < pl.col("n")).any()
    per_problem = by_model.group_by("problem_id").agg(pl.col("n", "correct").sum(), disagree=mostly & seldom)
    known = questions.select("id", "metadata").collect()
    levels = pl.Series("level", [_level(text) for text in known["metadata"]], dtype=pl.String)
    problems = known.select("id").with_columns(levels).with_row_index("place")
    joined = problems.join(per_problem, left_on="id", right_on="problem_id", how="left", maintain_order="left")
    filled = joined.with_columns(pl.col("n", "correct").fill_null(0), pl.col("disagree").fill_null(value=False))
    return Counts(problems=filled, by_model=by_model, models=models)


def _questions(path: Path) -> pl.LazyFrame:
    """Return the training problems, for which samples are drawn. Before the run has written them, only their ids are known."""
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


def read_audited(path: Path) -> Audited:
    """Read the files under `audits/`. A missing file counts as empty.

    Raises:
        RunDirectoryError: A file lacks a column.
    """
    chosen = [Chosen(**row) for row in _rows(path / "audits" / "chosen.parquet", [field.name for field in fields(Chosen)])]
    steps = _rows(path / "audits" / "steps-chosen.parquet", ["sample_id", "sound", "first_false"])
    judge = _rows(path / "audits" / "judge-chosen.parquet", ["sample_id", "sound"])
    return Audited(
        chosen=tuple(sorted(chosen, key=lambda c: c.place)),
        audits={
            "steps": {row["sample_id"]: Audit(by="steps", **row) for row in steps},
            "judge": {row["sample_id"]: Audit(by="judge", **row) for row in judge},
        },
    )


def _rows(file: Path, columns: list[str]) -> list[dict[str, Any]]:
    if not file.exists():
        return []
    with reading(file):
        frame = read_parquet(file)
    if missing := [name for name in columns if name not in frame.columns]:
        raise RunDirectoryError(f"{file}: has no column {missing[0]}\n  make it again: isocost audit {shell_word(file.parent.parent)}")
    return frame.select(columns).to_dicts()
