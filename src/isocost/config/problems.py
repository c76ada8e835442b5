"""The problem sets."""

from __future__ import annotations

from isocost.config.sections import OpenSection, Section


class ProblemSource(OpenSection):
    """A problem source and its options. Every source also takes `skip` and `limit`.

    Attributes:
        source: A problem source by name, or `package.module:attribute`.
    """

    source: str


class ProblemSets(Section):
    """The problem sets of a study. No question of `train` may occur in another set.

    Attributes:
        train: Problems that generators are sampled on, and students trained on.
        validation: Problems on which a student's best checkpoint is chosen.
        test: Problems on which students are evaluated.
        transfer: A second test set, for problems of another kind.
    """

    train: ProblemSource
    validation: ProblemSource | None = None
    test: ProblemSource | None = None
    transfer: ProblemSource | None = None
