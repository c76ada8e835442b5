"""What graders say."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What a grader found. A solution that could not be graded is `ungraded`, never `incorrect`."""

    CORRECT = "correct"
    INCORRECT = "incorrect"
    NO_ANSWER = "no_answer"
    UNGRADED = "ungraded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A grader's judgement of one solution.

    Attributes:
        outcome: What it found.
        predicted_answer: The answer read from the solution, or None.
        reason: Machine-readable: how it was decided, or why it could not be (`equal`, `different`, `timeout`, ...).
    """

    outcome: Outcome
    predicted_answer: str | None
    reason: str

    @property
    def correct(self) -> bool | None:
        """True, False, or None for not graded."""
        return None if self.outcome is Outcome.UNGRADED else self.outcome is Outcome.CORRECT
