"""The stages of a study in their order, each fed with what the ones before it left."""

from __future__ import annotations

import contextlib
import json
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import TypeVar

import polars as pl

from isocost import curating
from isocost.curating import Curated
from isocost.errors import StorageError
from isocost.events import Listener
from isocost.executors.base import Executor
from isocost.grading import Grading
from isocost.ledger import Ledger
from isocost.ledger.summary import refresh_summary
from isocost.preparing.prepare import Prepared
from isocost.records import Cell, Outcome, Results
from isocost.reporting import Report, report
from isocost.results import results, trainsets
from isocost.results.audits import Audits, audit
from isocost.results.curves import unit_of_costs
from isocost.results.drawtable import DrawTable
from isocost.results.trainsets import Candidates
from isocost.sampling import data
from isocost.sampling.data import SamplingOutcome, grader_key
from isocost.store import SAMPLES_DIGEST, RunDirectory, digest_of_file
from isocost.students import evaluate, train
from isocost.students.evaluate import Evaluated
from isocost.students.train import Training
from isocost.summaries import audits as audit_summary

T = TypeVar("T")
STAGES = ("sample", "grade", "audit", "measure", "curate", "finetune", "evaluate", "report")


class StudyRun:
    """One start of a study in its run directory: `grading` grades training solutions, `checking` answers that have a reference.

    `lowered` says that the limit is lower than at the last start.
    """

    def __init__(
        self,
        prepared: Prepared,
        directory: RunDirectory,
        executor: Executor,
        ledger: Ledger,
        grading: Grading,
        checking: Grading,
        listener: Listener,
        *,
        lowered: bool = False,
    ) -> None:
        self._lowered, self._again = lowered, False
        self.prepared, self.directory, self.executor, self.listener = prepared, directory, executor, listener
        self.ledger, self.grading, self.checking = ledger, grading, checking
        self.graded = ""
        self.seconds: dict[str, float] = _seconds(directory)

    def run(self, until: str, *, force: bool) -> Report | None:
        """Run the stages up to one; the report, if that is among them."""
        if force:
            self._forget(until)
        last = STAGES.index(until)
        bought, table = self._timed("sample", self.sample)
        self.graded = self._say_graded(table)
        if last < STAGES.index("audit"):
            return None
        audits = self._timed("audit", lambda: self.audit(bought, table, again=force and until == "audit"))
        curated = self.curate(table)
        if last < STAGES.index("finetune"):
            self._write_measures(self._results(bought, table, curated, audits, [], []))
            return None
        trainings = self._timed("finetune", lambda: self.finetune(table, curated))
        evaluated = self._timed("evaluate", lambda: self.evaluate(trainings)) if last >= STAGES.index("evaluate") else []
        found = self._results(bought, table, curated, audits, trainings, evaluated)
        self._write_measures(found)
        return self.report(found) if until == "report" else None

    def sample(self) -> tuple[SamplingOutcome, DrawTable]:
        """Buy and grade."""
        self.directory.write_json({"sha256": None}, SAMPLES_DIGEST)  # until the table is that of this start
        bought, pools = data.sample(
            self.prepared,
            self.directory,
            self.executor,
            self.ledger,
            self.grading,
            self.listener,
            lowered=self._lowered,
            again=self._again,
        )
        self.directory.check()
        path = self.directory.path / "samples.parquet"
        table = DrawTable.write(
            (part for pool in pools.values() for part in pool.frames()),
            path,
            unit_of_costs(self.prepared, bought, pools),
            models=pools,
            problem_ids=[p.id for p in bought.problems],
            allocations=bought.allocations,
        )
        self.directory.write_json({"sha256": digest_of_file(path)}, SAMPLES_DIGEST)
        for split, problems in self.prepared.problems.items():
            rows = [{**asdict(p), "metadata": json.dumps(dict(p.metadata))} for p in problems]
            self.directory.write_rows(rows, "problems", f"{split}.parquet")
        return bought, table

    def _say_graded(self, table: DrawTable) -> str:
        """`240 samples by number-2: 110 correct, 130 incorrect, 0 no answer, 0 ungraded`."""
        counts = dict(table.draws["outcome"].value_counts().iter_rows())
        outcomes = ", ".join(f"{counts.get(outcome, 0):,} {outcome.replace('_', ' ')}" for outcome in Outcome)
        return f"{table.draws.height:,} samples by {named(self.grading)}: {outcomes}"

    def audit(self, bought: SamplingOutcome, table: DrawTable, *, again: bool = False) -> Audits:
        """Look for false positives among the answer-correct solutions: of every cell, and of every model over all cells.

        With `again`, a judge is asked once more where its call failed for good.
        """
        try:
            found = audit(self.prepared, self.directory, self.executor, bought, table, self.listener, again=again)
        finally:
            if self.prepared.study.audit.by == "judge":  # it was paid since sampling was summed up
                refresh_summary(self.directory, self.ledger)
        audit_summary.write(found, self.directory)
        return found

    def curate(self, table: DrawTable) -> dict[Cell, Curated]:
        """Build every cell's training set, with its data card."""
        study, found = self.prepared.study, {}
        candidates = Candidates.of(table, study.curate.distinct, study.seed)
        for cell in table.cells:
            curated = candidates.curate(cell, study.curate.per_problem)
            models = study.arms[cell.arm].models
            card = curating.card(
                curated,
                cell,
                study=study.name,
                problems=f"source {study.problems.train.source}",
                sampling={m: study.sampling_of(m).params(self.prepared.templates[m].reply_stop) for m in models},
                distinct=study.curate.distinct,
                per_problem=study.curate.per_problem,
                seed=study.seed,
            )
            self.directory.write_frames(self._rows(table, curated, models[0]), "trainsets", f"{cell.name}.parquet")
            self.directory.write_text(card, "trainsets", f"{cell.name}.md")
            found[cell] = curated
        return found

    def finetune(self, table: DrawTable, curated: Mapping[Cell, Curated]) -> list[Training]:
        """Train the students."""
        cells = train.trained_cells(self.prepared, list(curated))
        rows = {cell: curated[cell] for cell in cells}

        def rows_of(data: Curated, student: str) -> list[dict[str, str]]:
            return [row for part in self._rows(table, data, student) for row in part.to_dicts()]

        return train.finetune(self.prepared, self.directory, rows, rows_of, self.executor, self.listener)

    def evaluate(self, trainings: Sequence[Training]) -> list[Evaluated]:
        """Evaluate the students."""
        return evaluate.evaluate(self.prepared, self.directory, trainings, self.executor, self.checking, self.listener)

    def report(self, found: Results) -> Report:
        """Write the report, its figures and tables."""
        made = report(found)
        for name, figure in made.figures.items():
            self.directory.write_text(figure, "figures", f"{name}.svg")
        for name, table in made.tables.items():
            self.directory.write_text(table, "tables", f"{name}.csv")
        self.directory.write_text(made.markdown, "report.md")
        self.directory.write_text(made.html, "report.html")
        return made

    def _rows(self, table: DrawTable, curated: Curated, student: str) -> Iterator[pl.DataFrame]:
        questions = {p.id: p.question for p in self.prepared.problems["train"]}
        return trainsets.rows(table, curated, questions, self.prepared.templates[student].plain)

    def _results(
        self,
        bought: SamplingOutcome,
        table: DrawTable,
        curated: Mapping[Cell, Curated],
        audits: Audits,
        trainings: Sequence[Training],
        evaluated: Sequence[Evaluated],
    ) -> Results:
        graders = {"training samples graded by": named(self.grading), "test answers graded by": named(self.checking)}
        if self.grading is self.checking:
            graders = {"graded by": named(self.grading)}
        found = results.assemble(self.prepared, bought, table, curated, audits, trainings, evaluated, self.seconds)
        return replace(found, environment={**graders, **audit_summary.summary(audits), **found.environment})

    def _write_measures(self, found: Results) -> None:
        self.directory.write_json(results.to_json(found), "measures.json")

    def _timed(self, stage: str, work: Callable[[], T]) -> T:
        """Run a stage and add its wall-clock seconds to those of earlier starts."""
        started = time.monotonic()
        self.directory.check()
        try:
            done = work()
            self.directory.check()  # workers write models, and libraries make folders that are not there
        except BaseException:
            with contextlib.suppress(StorageError):  # on a full disk it is told of what could not be stored, not of this
                self._add_seconds(stage, started)
            raise
        self._add_seconds(stage, started)
        return done

    def _add_seconds(self, stage: str, started: float) -> None:
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.monotonic() - started
        self.directory.write_json(self.seconds, "seconds.json")

    def _forget(self, stage: str) -> None:
        self._again = stage == "sample"
        kept = {"grade": ("verdicts", grader_key(self.grading)), "finetune": ("models",), "evaluate": ("evaluations",)}.get(stage)
        if kept:
            self.directory.remove(*kept)
        if stage == "finetune":  # answers of the former weights are not answers of the new ones
            self.directory.remove("evaluations")


def _seconds(directory: RunDirectory) -> dict[str, float]:
    """The seconds of earlier starts, by stage; what is damaged counts as none."""
    found = directory.read_derived("seconds.json") or {}
    return {stage: float(seconds) for stage, seconds in found.items() if type(seconds) in (int, float) and 0 <= seconds < math.inf}


def named(grading: Grading) -> str:
    """The grader's name and version, which holds its conventions."""
    return f"{grading.grader.name}-{grading.grader.version}"
