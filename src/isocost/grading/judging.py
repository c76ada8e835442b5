"""One verdict, whatever a grader does: an exception becomes the verdict's reason, so that the other solutions are graded."""

from __future__ import annotations

from collections.abc import Callable

from isocost.graders.base import AnswerGrader, Grader, ungraded
from isocost.records import Outcome, Verdict

LONGEST_MESSAGE = 200  # characters of what was raised

OUT_OF_MEMORY = ungraded("memory")

Judge = Callable[[str, str], Verdict]


def two_steps(grader: Grader) -> AnswerGrader | None:
    """Return the grader if it extracts and compares in two steps; None if its own `grade` decides."""
    own: object = type(grader).grade
    return grader if isinstance(grader, AnswerGrader) and own is AnswerGrader.grade else None


def last_step(grader: Grader) -> Judge:
    """Return the function to run in a killable process: the second of two steps, else all of `grade`."""
    steps = two_steps(grader)
    return steps.compare if steps else grader.grade


def judge_pair(judge: Judge, reference: str, text: str) -> Verdict:
    """Return the verdict, or `ungraded` with the reason `memory` or `error: ...`."""
    try:
        return check_verdict(judge(reference, text))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a grader may raise anything; recorded as the solution's verdict
        return failed_verdict(error)


def check_verdict(verdict: object) -> Verdict:
    """Return the verdict, if it can be stored.

    Raises:
        TypeError: it cannot.
    """
    if type(verdict) is Verdict and type(verdict.outcome) is Outcome and type(verdict.reason) is str:
        answer: object = verdict.predicted_answer
        if answer is None or type(answer) is str:
            return verdict  # the fast path of nearly every verdict; isinstance below costs more
    if not isinstance(verdict, Verdict):
        raise TypeError(f"the grader returned {type(verdict).__name__}, not a Verdict")
    if not isinstance(verdict.outcome, Outcome) or not isinstance(verdict.reason, str):
        raise TypeError(f"the grader returned a Verdict with outcome {verdict.outcome!r} and reason {verdict.reason!r}")
    if not isinstance(verdict.predicted_answer, str | None):
        raise TypeError(f"the grader returned a Verdict with predicted_answer of type {type(verdict.predicted_answer).__name__}, not str")
    return verdict


def failed_verdict(error: BaseException) -> Verdict:
    """Return the verdict on a solution that the grader could not judge."""
    if isinstance(error, MemoryError):
        return OUT_OF_MEMORY
    try:
        message = f": {error}" if str(error) else ""
    except Exception:  # noqa: BLE001 - formatting may fail, as for an integer of a million digits
        message = ""
    return ungraded(f"error: {type(error).__name__}{message}"[: len("error: ") + LONGEST_MESSAGE])
