"""Audits of the reasoning of answer-correct solutions, by machines and by people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

AuditedBy = Literal["steps", "judge", "human"]
LabelVerdict = Literal["sound", "unsound", "unsure", "skip", "undo"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """The soundness of the reasoning of an answer-correct solution.

    Attributes:
        sample_id: The solution.
        by: The auditor.
        sound: True, False, or None if there was nothing to check.
        first_false: The first false equation, if one was found.
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
        model: The model that wrote it.
        problem_id: The problem that it solves.
        sample_index: Its number in the model's pool.
        stratum: The stratum that it represents: the problem's level, "" if problems have none.
        weight: The number of its model's solved problems that it represents, on average over the choice. Weighted means over a model's
            chosen solutions are means over the problems that the model solved.
        place: Its rank in the labelling order. The first n are a random subset of all chosen solutions, for every n.
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
    """A person's judgement of a solution.

    Attributes:
        at: The time, in UTC, ISO 8601.
        labeller: The name that the person gave.
        sample_id: The solution.
        verdict: `sound`, `unsound`, `unsure`, or `skip` (not now). `undo` withdraws the person's last verdict on it.
        reason: The reason for `unsound`, if given: wrong step, lucky, wrong question, copied answer, cut off, grader error.
        note: Any other text.
        text_hash: `ids.text_hash` of the solution that the person read; None in labels of earlier versions.
    """

    at: str
    labeller: str
    sample_id: str
    verdict: LabelVerdict
    reason: str | None = None
    note: str | None = None
    text_hash: int | None = None
