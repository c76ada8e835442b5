"""The outcome of a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from isocost.records import Results
from isocost.students.train import Trainings


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The outcome of a run.

    Attributes:
        directory: The run directory.
        headline: The result in one sentence; "" without a report.
        report: The path of the report; None before it is written.
        largest: The cell with the most solutions in its training set; "" if none has any, or without a report.
        results: What the report shows; None before it is made.
        graded: The counts of graded samples by outcome, with the grader; "" after any stage but `grade`.
        trainings: The trained students; none of a run that stopped before, and none of an iterated study.
    """

    directory: Path
    headline: str = ""
    report: Path | None = None
    largest: str = ""
    results: Results | None = None
    graded: str = ""
    trainings: Trainings = field(default_factory=Trainings)
