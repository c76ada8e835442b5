"""Run the stages of a study in order, each on the results of the stages before it."""

from __future__ import annotations

import contextlib
import json
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from isocost import curating
from isocost.arrays import Ints
from isocost.curating import Curated, NearDuplicate
from isocost.dispatch.batches.terms import WAITING, BatchTerms
from isocost.errors import RunError, StorageError
from isocost.events import Listener, Note, StageWatch
from isocost.executors.base import Executor
from isocost.grading import Grading
from isocost.ledger import Ledger
from isocost.ledger.summary import refresh_summary
from isocost.machine import release_freed
from isocost.measuring.rundirs import PAID, SAMPLES
from isocost.paths import shell_word
from isocost.preparing.prepare import Prepared, auditor_of, judge_of
from isocost.records import Cell, Outcome, Problem, Results
from isocost.reporting import Report, report
from isocost.results import results, rules, trainsets
from isocost.results.audits import Audits, audit
from isocost.results.curves import unit_of_costs
from isocost.results.drawtable import DrawTable, write_samples
from isocost.results.rounds import has_rounds
from isocost.results.spending import counts_solutions
from isocost.results.stored import RESULTS, results_json
from isocost.results.trainsets import Candidates
from isocost.sampling import data
from isocost.sampling.data import Sampling, SamplingOutcome, grader_key
from isocost.sampling.pools import Pool
from isocost.store import SAMPLES_DIGEST, RunDirectory, digest_of_file
from isocost.students import evaluate, train
from isocost.students.evaluate import Evaluated
from isocost.students.train import Training, Trainings
from isocost.summaries import audits as audit_summary

T = TypeVar("T")
STAGES = ("sample", "grade", "audit", "measure", "curate", "finetune", "evaluate", "report")
LAST_STAGES = ("pilot", *STAGES)  # where a run can stop; the pilot is a part of sampling


class StudyRun:
    """One start of a study in its run directory.

    Args:
        prepared: The study.
        directory: Its run directory, locked.
        executor: Runs engines and trainings.
        ledger: The ledger of the run.
        grading: Grades training solutions.
        checking: Grades answers that have a reference.
        listener: Called with progress and notes.
        lowered: Whether the limit is lower than at the last start.
        batch_terms: What to do with batches at endpoints.
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
        batch_terms: BatchTerms = WAITING,
    ) -> None:
        self._lowered, self._again, self._batch_terms = lowered, False, batch_terms
        self.prepared, self.directory, self.executor, self.listener = prepared, directory, executor, listener
        self.ledger, self.grading, self.checking = ledger, grading, checking
        self.graded = ""
        self.trainings = Trainings()
        self.results: Results | None = None
        # Measures and report of an iterated study whose rounds are all done stay until they are done again.
        self.keeps_report = prepared.study.rounds > 1 and has_rounds(directory)
        self.solutions: Ints | None = None
        self._near: Sequence[NearDuplicate] = ()  # near-duplicates among the training problems
        self.seconds: dict[str, float] = _read_seconds(directory)

    def run(self, until: str, *, force: bool) -> Report | None:
        """Run the stages up to `until`; return the report if that is the last stage.

        Args:
            until: The last stage, one of `LAST_STAGES`.
            force: Discard the results of that stage first.
        """
        if force:
            self._discard(until)
        if until == "pilot":
            self._timed("sample", self.pilot)
            return None
        # The draws are locals of that function, so that their memory is free when figures need it.
        reporting = self._run_to_results(until, again=force and until == "audit")
        made = None
        if reporting is not None:
            release_freed()
            found, watch = reporting
            made, self.results = report(found) if self.keeps_report else write_report(self.directory, found), found
            watch.advance()
            watch.finish()
        if self.trainings.have_failed:  # told last: what was found of the data stands
            raise self._no_student(None if self.keeps_report else made)
        return made

    def _no_student(self, made: Report | None) -> RunError:
        """Return the error of a run all of whose trainings failed."""
        failed, error = self.trainings.failed, self.trainings.error
        told = [] if made is None else [f"measures of the data, without students: {self.directory.path / 'report.html'}"]
        return RunError(
            f"no student was trained: {'the training' if len(failed) == 1 else f'all {len(failed):,} trainings'} failed, "
            f"the first with: {failed[0].reason}",
            details=[*(error.details if error else ()), *told],
            advice=(error.advice if error else "") or "then run the same command again: data that is there is not bought again",
        )

    def _run_to_results(self, until: str, *, again: bool) -> tuple[Results, StageWatch] | None:
        """Run the stages before the report and write the measures; return the results and the progress of the report if that is next."""
        last = STAGES.index(until)
        bought, table = self._timed("sample", lambda: self.sample(is_last_work=not self._needs_workers(last)))
        self.graded = self._format_graded(table)
        if last < STAGES.index("audit"):
            return None
        audits = self._timed("audit", lambda: self.audit(bought, table, again=again))
        curated = self.curate(bought, table)
        trainings, evaluated = self.trainings, list[Evaluated]()
        if last >= STAGES.index("finetune"):
            if self.prepared.study.finetune is not None:  # cards before students: a start may end in a training
                self._write_cards(curated, self._results(bought, table, curated, audits, trainings, evaluated))
            self.trainings = trainings = self._timed("finetune", lambda: self.finetune(table, curated))
        if last >= STAGES.index("evaluate") and not trainings.have_failed:  # else there is nothing to compare the untrained with
            evaluated = self._timed("evaluate", lambda: self.evaluate(trainings.done))
        watch = StageWatch(stage="report", total=1, unit="report", listener=self.listener) if until == "report" else None
        found = self._results(bought, table, curated, audits, trainings, evaluated)
        self._write_cards(curated, found)
        if not self.keeps_report:
            write_measures(self.directory, found)
        return None if watch is None else (found, watch)

    def _needs_workers(self, last: int) -> bool:
        """Return True if a stage after sampling, up to number `last`, calls a model or trains one."""
        return auditor_of(self.prepared.study) is not None or (
            self.prepared.study.finetune is not None and last >= STAGES.index("finetune")
        )

    def _open_sampling(self) -> AbstractContextManager[Sampling]:
        return data.open_sampling(
            self.prepared,
            self.directory,
            self.executor,
            self.ledger,
            self.grading,
            self.listener,
            lowered=self._lowered,
            again=self._again,
            batch_terms=self._batch_terms,
            stopped=self._keep_paid,
        )

    def pilot(self) -> None:
        """Buy and grade the pilot alone."""
        with self._open_sampling() as sampling:
            data.buy_pilot(sampling)
            for pool in sampling.pools.values():
                pool.seal()
            sampling.progress.watch.finish()
            # A table of a whole run holds more than the pilot; another one may be of a pilot under other settings.
            if (self.directory.read_derived(SAMPLES_DIGEST) or {}).get("sha256") is None:
                self._write_paid(sampling.pools)
            self._write_problems(self.prepared.problems)

    def sample(self, *, is_last_work: bool = False) -> tuple[SamplingOutcome, DrawTable]:
        """Buy and grade samples, and write the table of samples and the problems.

        With `is_last_work`, the workers end before the table is written, because engines would hold memory and accelerators to the end.
        """
        # Clear the digest first: if this start is killed, the table on the disk is that of an earlier one.
        self.directory.write_json({"sha256": None}, SAMPLES_DIGEST)
        with self._open_sampling() as sampling:
            bought, pools = data.sample(sampling, self.grading), sampling.pools
        if is_last_work:
            self.executor.close()
        self.directory.check()
        release_freed()  # of the requests: the table needs as much again
        path = self.directory.path / "samples.parquet"
        table = DrawTable.write(
            (part for pool in pools.values() for part in pool.frames()),
            path,
            unit_of_costs(self.prepared, bought, pools),
            models=pools,
            problem_ids=[p.id for p in bought.problems],
            allocations=bought.allocations,
            extras={name for pool in pools.values() for name in pool.extras()},
        )
        self.directory.write_json({"sha256": digest_of_file(path)}, SAMPLES_DIGEST)
        self._write_problems(self.prepared.problems)
        return bought, table

    def _write_problems(self, splits: Mapping[str, Sequence[Problem]]) -> None:
        for split, problems in splits.items():
            rows = [{"id": p.id, "question": p.question, "answer": p.answer, "metadata": json.dumps(dict(p.metadata))} for p in problems]
            self.directory.write_rows(rows, "problems", f"{split}.parquet")

    def _keep_paid(self, pools: Mapping[str, Pool]) -> str:
        """Write the draws that the limit leaves as a table of samples; return where they are and how to look at them."""
        path = self._write_paid(pools)
        return f" in {path}; what they say: isocost measure {shell_word(self.directory.path)}"

    def _write_paid(self, pools: Mapping[str, Pool]) -> Path:
        """Write all draws of a run that has not finished sampling as its table of samples."""
        path, parts = self.directory.path / SAMPLES, (part for pool in pools.values() for part in pool.frames())
        units = dict.fromkeys(budget.unit for budget in self.prepared.study.budgets.values()) or {"flops": None, "usd": None}
        unit = next((unit for unit in units if all(pool.stored.knows_costs(unit) for pool in pools.values())), None)
        write_samples(parts, path, unit, {name for pool in pools.values() for name in pool.extras()})
        self.directory.write_json({"sha256": None, PAID: digest_of_file(path)}, SAMPLES_DIGEST)
        return path

    def _format_graded(self, table: DrawTable) -> str:
        """Format the counts, such as `240 samples by number-2: 110 correct, 130 incorrect, 0 no answer, 0 ungraded`."""
        counts = dict(table.draws["outcome"].value_counts().iter_rows())
        outcomes = ", ".join(f"{counts.get(outcome, 0):,} {outcome.replace('_', ' ')}" for outcome in Outcome)
        return f"{table.draws.height:,} samples by {name_of(self.grading)}: {outcomes}"

    def audit(self, bought: SamplingOutcome, table: DrawTable, *, again: bool = False) -> Audits:
        """Audit answer-correct solutions for false positives, by cell and by model over all cells.

        With `again`, calls of the judge that failed for good are repeated.
        """
        try:
            found = audit(self.prepared, self.directory, self.executor, bought, table, self.listener, again=again)
        finally:
            if self.prepared.study.audit.by == "judge":  # its calls came after the summary that sampling wrote
                refresh_summary(self.directory, self.ledger)
        audit_summary.write(found, self.directory)
        return found

    def curate(self, bought: SamplingOutcome, table: DrawTable) -> dict[Cell, Curated]:
        """Build every cell's training set."""
        study, found = self.prepared.study, {}
        near = rules.near_duplicates(self.prepared)
        if study.curate.decontaminate:
            self.directory.write_json([asdict(each) for each in near], "trainsets", "contaminated.json")
            self.listener(Note(text=f"{len(near):,} training problems nearly repeat a problem of {', '.join(study.curate.decontaminate)}"))
        try:
            sound = rules.judged(self.prepared, self.directory, self.executor, bought, table, self.listener)
        finally:
            if study.audit.by == "judge":  # its calls came after the summary that sampling wrote
                refresh_summary(self.directory, self.ledger)
        labelled = rules.labelled(self.prepared, self.directory, table, self.listener)
        candidates = Candidates.of(table, rules.asked_of(self.prepared), study.seed, sound, labelled)
        self.solutions = candidates.solutions() if counts_solutions(self.prepared) else None
        release_freed()
        for cell in table.cells:
            own = rules.rules_of(self.prepared, cell.arm, near)
            curated = candidates.curate(cell, own, rules.machines_of(study.curate_of(cell.arm)))
            rows = self._rows(table, curated, study.reader(cell.arm))
            self.directory.write_frames(rows, trainsets.FOLDER, cell.name, trainsets.FILE)
            found[cell] = curated
        self._near = near
        release_freed()
        return found

    def _write_cards(self, found: Mapping[Cell, Curated], measured: Results) -> None:
        """Write the data cards of the training sets, with the measures of their cells."""
        study, measures = self.prepared.study, {each.plan.cell: each for each in measured.cells}
        for cell, curated in found.items():
            models = study.arms[cell.arm].models
            text = curating.card(
                curated,
                cell,
                study=study.name,
                problems=f"source {study.problems.train.source}",
                sampling={m: study.sampling_of(m).params(self.prepared.templates[m].reply_stop) for m in models},
                distinct=study.curate.distinct,
                rules=rules.rules_of(self.prepared, cell.arm, self._near),
                seed=study.seed,
                chat=study.trains_chat(study.reader(cell.arm)),
                judge=judge_of(study),
                terms={m: (study.models[m].license, study.models[m].terms) for m in models},
                near_duplicates=self._near,
                result=measures[cell],
            )
            self.directory.write_text(text, trainsets.FOLDER, cell.name, trainsets.CARD)

    def finetune(self, table: DrawTable, curated: Mapping[Cell, Curated]) -> Trainings:
        """Train the students."""
        cells = train.trained_cells(self.prepared, list(curated))
        rows = {cell: curated[cell] for cell in cells}

        def rows_of(data: Curated, student: str) -> list[dict[str, Any]]:
            return [row for part in self._rows(table, data, student) for row in part.to_dicts()]

        return train.finetune(self.prepared, self.directory, rows, rows_of, self.executor, self.listener)

    def evaluate(self, trainings: Sequence[Training]) -> list[Evaluated]:
        """Evaluate the students."""
        return evaluate.evaluate(self.prepared, self.directory, trainings, self.executor, self.checking, self.listener)

    def _rows(self, table: DrawTable, curated: Curated, student: str) -> Iterator[pl.DataFrame]:
        questions = {p.id: p.question for p in self.prepared.problems["train"]}
        return trainsets.rows(table, curated, questions, trainsets.RowForm.of(self.prepared.study, student))

    def _results(
        self,
        bought: SamplingOutcome,
        table: DrawTable,
        curated: Mapping[Cell, Curated],
        audits: Audits,
        trainings: Trainings,
        evaluated: Sequence[Evaluated],
    ) -> Results:
        graders = {"training samples graded by": name_of(self.grading), "test answers graded by": name_of(self.checking)}
        if self.grading is self.checking:
            graders = {"graded by": name_of(self.grading)}
        found = results.assemble(self.prepared, bought, table, curated, audits, trainings, evaluated, self.seconds, self.solutions)
        return replace(found, environment={**graders, **audit_summary.summary(audits), **found.environment})

    def _timed(self, stage: str, work: Callable[[], T]) -> T:
        """Run a stage and add its wall-clock seconds to those of earlier starts."""
        started = time.monotonic()
        self.directory.check()
        try:
            done = work()
            self.directory.check()  # a run directory that was deleted meanwhile: workers and libraries would create it anew
        except BaseException:
            with contextlib.suppress(StorageError):  # on a full disk, report the data that could not be stored, not this file
                self._add_seconds(stage, started)
            raise
        self._add_seconds(stage, started)
        release_freed()
        return done

    def _add_seconds(self, stage: str, started: float) -> None:
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.monotonic() - started
        self.directory.write_json(self.seconds, "seconds.json")

    def _discard(self, stage: str) -> None:
        """Discard the stored results of a stage. Samples are kept: they were paid for."""
        self._again = stage == "sample"
        kept = {"grade": ("verdicts", grader_key(self.grading)), "finetune": ("models",), "evaluate": ("evaluations",)}.get(stage)
        if kept:
            self.directory.remove(*kept)
        if stage == "finetune":  # evaluations of the old weights do not hold for the new ones
            self.directory.remove("evaluations")


def write_measures(directory: RunDirectory, found: Results) -> None:
    """Write `measures.json`."""
    directory.write_json(results.to_json(found), "measures.json")


def write_report(directory: RunDirectory, found: Results) -> Report:
    """Write the report, its figures and tables, and everything that it was made from."""
    made = rewrite_report(directory, found)
    directory.write_json(results_json(found), RESULTS)
    return made


def rewrite_report(directory: RunDirectory, found: Results) -> Report:
    """Write the report, its figures and tables."""
    made = report(found)
    for name, figure in made.figures.items():
        directory.write_text(figure, "figures", f"{name}.svg")
    for name, table in made.tables.items():
        directory.write_text(table, "tables", f"{name}.csv")
    directory.write_text(made.markdown, "report.md")
    directory.write_text(made.html, "report.html")
    return made


def _read_seconds(directory: RunDirectory) -> dict[str, float]:
    """Return the seconds of earlier starts by stage; damaged entries are ignored."""
    found = directory.read_derived("seconds.json") or {}
    return {stage: float(seconds) for stage, seconds in found.items() if type(seconds) in (int, float) and 0 <= seconds < math.inf}


def name_of(grading: Grading) -> str:
    """Return the grader's name and version; a version fixes the grader's conventions."""
    return f"{grading.grader.name}-{grading.grader.version}"
