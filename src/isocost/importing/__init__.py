"""`isocost import`: samples of other tools as one table of samples, graded if wanted, with an account of every record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from isocost.errors import InputError, escape_controls
from isocost.grading import GradingPool
from isocost.importing.summary import Outcomes, summary_lines
from isocost.records import Pair
from isocost.tables import scan_table
from isocost.tables.imports import Account, Importer, Row, Wishes
from isocost.tables.inputs import expand
from isocost.tables.remote import local, uploaded, with_urls
from isocost.tables.scores import settled
from isocost.tables.writing import write_table

_AT_ONCE = 1_000  # rows that are graded together
_SUFFIXES = (".parquet", ".jsonl", ".ndjson")


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A table that was written.

    Attributes:
        account: What became of the records.
        outcomes: Verdicts of the table's samples.
        left_out: Files that were not read, a sentence each.
        graded: True if samples without a verdict were graded.
    """

    account: Account
    outcomes: Outcomes
    left_out: tuple[str, ...]
    graded: bool


def import_samples(
    sources: Sequence[str],
    out: str,
    wishes: Wishes,
    *,
    grading: GradingPool | None = None,
    references: Mapping[str, str] | None = None,
) -> Imported:
    """Import files of samples into a table.

    Args:
        sources: Files, patterns, folders, or URLs that fsspec opens.
        out: The table, or its URL. It must not exist.
        wishes: What the user says about the files.
        grading: Grades the samples that have no verdict; None leaves them ungraded.
        references: Reference answers by problem id; None where the files have their own.

    Raises:
        InputError: A source cannot be read, or the table exists.
        StorageError: The table cannot be written.
        MissingExtraError: A URL is given and fsspec is not installed.
    """
    if not out.lower().endswith(_SUFFIXES):
        raise InputError(f"{out}: a table ends in .parquet or .jsonl", advice="write it as -o table.parquet")
    with local(sources) as paths, uploaded(out) as path:
        files, left_out = expand(paths, wanted=wishes.format)

        def attempt(unsettled: frozenset[str]) -> tuple[Account, Outcomes]:
            importer, outcomes = Importer(wishes, unsettled=unsettled), Outcomes()
            rows = importer.rows(files)
            if grading is not None:
                rows = _graded(rows, grading, references, outcomes)
            write_table(outcomes.counted(rows), path, wishes.columns)
            return importer.account, outcomes

        account, outcomes = settled(attempt)
        # The check that every reader makes: what was written must open.
        scan_table(str(path), ())
    return Imported(account=account, outcomes=outcomes, left_out=tuple(left_out), graded=grading is not None)


def summary(found: Imported) -> list[str]:
    """Return the lines that say what became of every record."""
    lines = summary_lines(found.account, found.outcomes, found.left_out, graded=found.graded)
    return [escape_controls(with_urls(line)) for line in lines]  # the name of a file may hold a line break


def _graded(rows: Iterable[Row], grading: GradingPool, references: Mapping[str, str] | None, outcomes: Outcomes) -> Iterator[Row]:
    """Grade rows without a verdict that have a text and a reference, and keep the order."""
    left = iter(rows)
    while part := list(islice(left, _AT_ONCE)):
        open_rows = [row for row in part if row["correct"] is None and row["generation"] is not None]
        pairs = []
        for row in open_rows:
            reference = row["expected_answer"] if references is None else references.get(row["problem_id"])
            cut = row["finish_reason"] == "length"
            pairs.append(None if reference is None else Pair(key="", reference=reference, generation=row["generation"], truncated=cut))
        outcomes.unreferenced += pairs.count(None)
        verdicts = iter(grading.submit([pair for pair in pairs if pair]).result())
        for row, pair in zip(open_rows, pairs, strict=True):
            if pair:
                verdict = next(verdicts)
                row |= {"correct": verdict.correct, "predicted_answer": verdict.predicted_answer, "expected_answer": pair.reference}
        yield from part
