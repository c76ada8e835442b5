"""Which problems."""

from __future__ import annotations

from isocost.config.sections import OpenSection, Section


class ProblemSource(OpenSection):
    """Where a problem set comes from."""

    source: str


class ProblemSets(Section):
    """The problem sets of a study: sampling uses `train`; the others are for finetuning and evaluation."""

    train: ProblemSource
    validation: ProblemSource | None = None
    test: ProblemSource | None = None
    transfer: ProblemSource | None = None
