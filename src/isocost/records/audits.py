"""What is said of the reasoning of answer-correct solutions: by machines, and by people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

AuditedBy = Literal["steps", "judge", "human"]
LabelVerdict = Literal["sound", "unsound", "unsure", "skip", "undo"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """Whether the reasoning of an answer-correct solution holds.

    Attributes:
        sample_id: The solution.
        by: Who looked.
        sound: True, False, or None where there was nothing to check.
        first_false: The first false equation, where one was found.
    """

    sample_id: str
    by: AuditedBy
    sound: bool | None
    first_false: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """An answer-correct solution that was chosen to be audited.

    Attributes:
        sample_id: The solution.
        model: Who wrote it.
        problem_id: What it solves.
        sample_index: Its number in the model's pool.
        stratum: What it stands for: the problem's level, "" where problems have none.
        weight: How many solved problems of its model it stands for, on average over the choice; weighted means over a model's chosen
            solutions are means over the problems that the model solved.
        place: Its place in the order in which people label: the first n are a random subset of all that were chosen, whatever n is.
    """

    sample_id: str
    model: str
    problem_id: str
    sample_index: int
    stratum: str
    weight: float
    place: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What a person said of a solution.

    Attributes:
        at: When, in UTC, ISO 8601.
        labeller: Who, by the name they gave.
        sample_id: Of what.
        verdict: `sound`, `unsound`, `unsure`, or `skip` (not now); `undo` takes their last word on it back.
        reason: Why it is unsound, where they said: wrong step, lucky, wrong question, copied answer, cut off, grader error.
        note: Anything else they wrote.
    """

    at: str
    labeller: str
    sample_id: str
    verdict: LabelVerdict
    reason: str | None = None
    note: str | None = None
