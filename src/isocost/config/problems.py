"""The problem sets of a study."""

from __future__ import annotations

from isocost.config.sections import OpenSection, Section


class ProblemSource(OpenSection):
    """A problem set: its source, and options of the source."""

    source: str


class ProblemSets(Section):
    """The problem sets of a study. Sampling uses `train`; the others are for finetuning and evaluation."""

    train: ProblemSource
    validation: ProblemSource | None = None
    test: ProblemSource | None = None
    transfer: ProblemSource | None = None
