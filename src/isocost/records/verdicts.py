"""Verdicts of graders."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """The outcome of grading. A solution that could not be graded is `ungraded`, never `incorrect`."""

    CORRECT = "correct"
    INCORRECT = "incorrect"
    NO_ANSWER = "no_answer"
    UNGRADED = "ungraded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A grader's judgement of one solution.

    Attributes:
        outcome: The outcome.
        predicted_answer: The answer read from the solution, or None.
        reason: Machine-readable reason for the outcome (`equal`, `different`, `timeout`, ...).
    """

    outcome: Outcome
    predicted_answer: str | None
    reason: str

    @property
    def correct(self) -> bool | None:
        """True, False, or None if ungraded."""
        return None if self.outcome is Outcome.UNGRADED else self.outcome is Outcome.CORRECT
