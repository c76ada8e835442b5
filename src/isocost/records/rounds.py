"""The rounds of an iterated study, as its report shows them."""

from __future__ import annotations

from dataclasses import dataclass

from isocost.records.costs import Cost
from isocost.records.estimates import Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundResult:
    """The data that a round bought for one arm, and the student that was trained on it.

    Attributes:
        number: The round, from 1; 0 for the untrained student.
        cell: The cell, which has the same name in every round.
        student: The student; None of a round whose trainings of it all failed.
        covered: Share of problems with a correct sample; None for round 0.
        kept_per_problem: Distinct correct solutions per problem in the training set; None for round 0 and for unfiltered sets.
        cost: Realised cost of the round's draws; None for round 0.
        solved: Share of test problems that the student solves greedily, averaged over training seeds.
        difference: `solved` minus that of the round before, on the same problems; None for round 0.
        since_first: `solved` minus that of round 1; None before round 2.
        detectable: The smallest true difference to round 1 that as many problems detect with 80% power at the 5% level.
    """

    number: int
    cell: str
    student: str
    covered: Estimate | None = None
    kept_per_problem: Estimate | None = None
    cost: Cost | None = None
    solved: Estimate | None = None
    difference: Estimate | None = None
    since_first: Estimate | None = None
    detectable: float | None = None
