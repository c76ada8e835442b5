"""One verdict, whatever a grader does: what it raises is the verdict's reason, so that the rest go on."""

from __future__ import annotations

from collections.abc import Callable

from isocost.graders.base import AnswerGrader, Grader, ungraded
from isocost.records import Outcome, Verdict

LONGEST_MESSAGE = 200  # characters of what was raised

OUT_OF_MEMORY = ungraded("memory")

Judge = Callable[[str, str], Verdict]


def two_steps(grader: Grader) -> AnswerGrader | None:
    """The grader, if it finds the answer first and compares it then; not if it has a `grade` of its own, which then decides."""
    own: object = type(grader).grade
    return grader if isinstance(grader, AnswerGrader) and own is AnswerGrader.grade else None


def last_step(grader: Grader) -> Judge:
    """What is to run where it can be killed: of two steps the second, else all of it."""
    steps = two_steps(grader)
    return steps.compare if steps else grader.grade


def judged(judge: Judge, reference: str, text: str) -> Verdict:
    """The verdict, or `ungraded` with the reason `memory` or `error: ...`."""
    try:
        return checked(judge(reference, text))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a grader may raise anything; recorded as the solution's verdict
        return failed(error)


def checked(verdict: object) -> Verdict:
    """The verdict, if it is one that can be stored.

    Raises:
        TypeError: it is not.
    """
    if type(verdict) is Verdict and type(verdict.outcome) is Outcome and type(verdict.reason) is str:
        answer: object = verdict.predicted_answer
        if answer is None or type(answer) is str:
            return verdict  # nearly always, and every verdict comes by here
    if not isinstance(verdict, Verdict):
        raise TypeError(f"the grader returned {type(verdict).__name__}, not a Verdict")
    if not isinstance(verdict.outcome, Outcome) or not isinstance(verdict.reason, str):
        raise TypeError(f"the grader returned a Verdict with outcome {verdict.outcome!r} and reason {verdict.reason!r}")
    if not isinstance(verdict.predicted_answer, str | None):
        raise TypeError(f"the grader returned a Verdict with predicted_answer of type {type(verdict.predicted_answer).__name__}, not str")
    return verdict


def failed(error: BaseException) -> Verdict:
    """The verdict on a solution that the grader could not judge."""
    if isinstance(error, MemoryError):
        return OUT_OF_MEMORY
    try:
        message = f": {error}" if str(error) else ""
    except Exception:  # noqa: BLE001 - a message may be too large to be made, such as that of an integer of a million digits
        message = ""
    return ungraded(f"error: {type(error).__name__}{message}"[: len("error: ") + LONGEST_MESSAGE])
