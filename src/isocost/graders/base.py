"""What every grader offers: a verdict on a solution, given the reference answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Protocol, runtime_checkable

from isocost.records import Outcome, Verdict


@runtime_checkable
class Grader(Protocol):
    """Judges solutions: all that a grader of one's own needs. It must be deterministic, since equal inputs are graded once.

    Attributes:
        name: What a study calls it.
        version: Raised whenever a verdict can change; stored with the verdicts, which are never mixed with those of another version.

    A grader may also have
        cheap: bool             True for pure Python in linear time: it is run in-process, not in a worker that can be killed;
        memory_limit: int       bytes that a worker may take beyond what it starts with;
        time_limit: float       seconds that a solution may take, where the grader stops it by itself: the pool sets it, and kills the
                                worker only if the grader does not keep to it;
        overtime: float         seconds that it may need beyond that, once its limit is set: 2 unless it says so;
        prepare() -> None       run once in a worker before its first solution, outside the time limit: slow imports go here;
        gold(reference) -> str | None     as `AnswerGrader.gold`.
    """

    name: str
    version: str

    def grade(self, reference: str, generation: str) -> Verdict:
        """Judge one solution. Whatever it raises is recorded as an ungraded solution."""


class AnswerGrader(ABC):
    """A grader in two steps: find the final answer, compare it with the reference.

    Solutions are long and answers are few: a pool extracts in-process, and compares each distinct (reference, answer) once. What
    `settle` decides never reaches a worker; `compare` may hang, crash or eat memory, and runs where it can be killed.
    """

    name: ClassVar[str]
    version: str

    @abstractmethod
    def extract(self, generation: str) -> str | None:
        """The final answer of a solution, in one spelling where that is cheap; None where it has none.

        Must take time linear in the text and never raise: it runs in-process, on hostile text.
        """

    @abstractmethod
    def settle(self, reference: str, answer: str | None) -> Verdict | None:
        """The verdict, where it can be had in linear time without risk; None leaves it to `compare`. An answer of None must be settled."""

    def compare(self, reference: str, answer: str) -> Verdict:
        """The verdict on an answer that `settle` left open."""
        raise NotImplementedError(f"{self.name} settles every answer")

    def grade(self, reference: str, generation: str) -> Verdict:
        """Judge one solution, here and now."""
        answer = self.extract(generation)
        settled = self.settle(reference, answer)
        if settled is None and answer is not None:
            return self.compare(reference, answer)
        return settled or ungraded("unsettled")

    def gold(self, reference: str) -> str | None:
        """A solution that says nothing but the reference answer, which must be accepted; None where a reference has none to offer."""
        return f"The final answer is \\boxed{{{reference}}}."


def correct(answer: str, reason: str) -> Verdict:
    """The answer is the reference's."""
    return Verdict(outcome=Outcome.CORRECT, predicted_answer=answer, reason=reason)


def incorrect(answer: str, reason: str) -> Verdict:
    """The answer is another."""
    return Verdict(outcome=Outcome.INCORRECT, predicted_answer=answer, reason=reason)


def no_answer(reason: str) -> Verdict:
    """The solution states none."""
    return Verdict(outcome=Outcome.NO_ANSWER, predicted_answer=None, reason=reason)


def ungraded(reason: str, answer: str | None = None) -> Verdict:
    """It cannot be told."""
    return Verdict(outcome=Outcome.UNGRADED, predicted_answer=answer, reason=reason)
