"""The protocol of graders: a verdict on a solution, given the reference answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Protocol, runtime_checkable

from isocost.records import Outcome, Verdict


@runtime_checkable
class Grader(Protocol):
    """The protocol that a grader implements. It must be deterministic, because equal inputs are graded once.

    Attributes:
        name: The name that a study uses.
        version: Raised whenever a verdict can change. Stored with the verdicts, which are never mixed with those of another version.

    Optional attributes:
        cheap: bool             True for pure Python in linear time: it runs in-process, not in a worker that can be killed;
        memory_limit: int       bytes that a worker may use beyond its memory at start;
        time_limit: float       seconds allowed per solution, where the grader enforces the limit by itself. The pool sets it, and kills
                                the worker only if the grader overruns it;
        overtime: float         seconds that the grader may need beyond that limit; 2 by default;
        prepare() -> None       runs once in a worker before its first solution, outside the time limit: slow imports go here;
        gold(reference) -> str | None     as `AnswerGrader.gold`.
    """

    name: str
    version: str

    def grade(self, reference: str, generation: str) -> Verdict:
        """Judge one solution. Any exception is recorded as an ungraded solution."""


class AnswerGrader(ABC):
    """A grader in two steps: extract the final answer, then compare it with the reference.

    Solutions are long and distinct answers are few, so a pool extracts in-process and compares each distinct (reference, answer) once.
    An answer that `settle` decides never reaches a worker. `compare` may hang, crash or exhaust memory, and runs where it can be killed.
    """

    name: ClassVar[str]
    version: str

    @abstractmethod
    def extract(self, generation: str) -> str | None:
        """Return the final answer of a solution, in canonical spelling where that is cheap; None where it has none.

        Must take time linear in the text and never raise: it runs in-process, on hostile text.
        """

    def is_stated(self, generation: str, answer: str) -> bool:
        """Return True if the answer of a text that was cut off is stated in it, so that nothing after the cut could have changed it.

        The last number of such a text is a step, not an answer. By default True. Has the duties of `extract`.
        """
        return True

    @abstractmethod
    def settle(self, reference: str, answer: str | None) -> Verdict | None:
        """Return the verdict if it can be decided in linear time without risk; None leaves it to `compare`.

        An answer of None must be settled.
        """

    def compare(self, reference: str, answer: str) -> Verdict:
        """Return the verdict on an answer that `settle` left open."""
        raise NotImplementedError(f"{self.name} settles every answer")

    def grade(self, reference: str, generation: str) -> Verdict:
        """Judge one solution in this process."""
        answer = self.extract(generation)
        settled = self.settle(reference, answer)
        if settled is None and answer is not None:
            return self.compare(reference, answer)
        return settled or ungraded("unsettled")  # a grader that breaks the contract of `settle` must not count as wrong answers

    def gold(self, reference: str) -> str | None:
        """Return a solution that contains only the reference answer, which the grader must accept; None where the reference has none."""
        return f"The final answer is \\boxed{{{reference}}}."


TRUNCATED = "truncated"  # reason for a solution that was cut off before its answer, or that has a wrong one


def correct(answer: str, reason: str) -> Verdict:
    """Return the verdict that the answer equals the reference."""
    return Verdict(outcome=Outcome.CORRECT, predicted_answer=answer, reason=reason)


def incorrect(answer: str, reason: str) -> Verdict:
    """Return the verdict that the answer differs from the reference."""
    return Verdict(outcome=Outcome.INCORRECT, predicted_answer=answer, reason=reason)


def no_answer(reason: str) -> Verdict:
    """Return the verdict that the solution states no answer."""
    return Verdict(outcome=Outcome.NO_ANSWER, predicted_answer=None, reason=reason)


def ungraded(reason: str, answer: str | None = None) -> Verdict:
    """Return the verdict that the solution could not be judged."""
    return Verdict(outcome=Outcome.UNGRADED, predicted_answer=answer, reason=reason)
