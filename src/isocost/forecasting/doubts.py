"""Problems that are probably impossible for all models, or whose reference answer is probably wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from isocost.forecasting.joint import Replicates

_PROBABLY = 0.5
_FEWEST = 2  # draws of each model: one draw may be wrong by chance
_SHARE = 0.5  # of each model's draws that the same incorrect answer needs


@dataclass(frozen=True, slots=True, kw_only=True)
class Impossible:
    """A problem that is probably impossible for all models."""

    problem_id: str
    probability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """A problem on which several models give the same incorrect answer.

    Attributes:
        problem_id: Id of the problem.
        answer: The answer.
        reference: The reference answer; None if unknown.
        draws: Draws with this answer and graded draws, by model.
    """

    problem_id: str
    answer: str
    reference: str | None
    draws: Mapping[str, tuple[int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """The incorrect answers of one problem.

    Attributes:
        problem_id: Id of the problem.
        reference: The reference answer; None if unknown.
        drawn: Graded draws, by model.
        counts: Draws by answer, then by model; correct answers are left out.
    """

    problem_id: str
    reference: str | None
    drawn: Mapping[str, int]
    counts: Mapping[str, Mapping[str, int]]


def impossible(drawn: Replicates) -> list[Impossible]:
    """Return the problems that are impossible for all models with a posterior probability of at least one half, most probable first."""
    found = [
        Impossible(problem_id=problem, probability=float(chance))
        for problem, chance in zip(drawn.problem_ids, drawn.impossible, strict=True)
        if chance >= _PROBABLY
    ]
    return sorted(found, key=lambda one: -one.probability)


def agreements(problems: Sequence[Answers]) -> list[Agreement]:
    """Return the problems on which at least two models give the same incorrect answer, each in two draws and in half of its draws.

    Most draws with that answer first. Models that share their errors agree too, so a problem listed here is to be looked at, not left out.
    """
    found = []
    for one in problems:
        for answer, counts in one.counts.items():
            agreeing = {model: (n, one.drawn[model]) for model, n in counts.items() if n >= max(_FEWEST, _SHARE * one.drawn[model])}
            if len(agreeing) > 1:
                found.append(Agreement(problem_id=one.problem_id, answer=answer, reference=one.reference, draws=agreeing))
    return sorted(found, key=lambda one: -sum(n for n, _ in one.draws.values()))
