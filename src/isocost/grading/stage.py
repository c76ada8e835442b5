"""A check that the grader accepts the reference answers themselves."""

from __future__ import annotations

from collections.abc import Iterable

from isocost.grading.judging import failed_verdict, two_steps
from isocost.grading.pool import GradingPool
from isocost.records import Outcome, Pair, Problem


def check_gold(problems: Iterable[Problem], pool: GradingPool) -> list[tuple[str, str]]:
    """Return (problem id, reason) of every problem whose own reference answer the grader does not accept.

    The grader's `gold` returns a solution with only the reference answer; without `gold`, the answer is put in a box. If `gold` returns
    None, the reference is accepted if the grader can read it.
    """
    refused: dict[str, str] = {}
    pairs: list[Pair] = []
    problems = list(problems)
    for problem in problems:
        try:
            solution = _solution(pool, problem.answer)
        except Exception as error:  # noqa: BLE001 - a grader may raise anything: the problem is refused with it as the reason
            refused[problem.id] = failed_verdict(error).reason
            continue
        if solution is not None:
            pairs.append(Pair(key=problem.id, reference=problem.answer, generation=solution))
        elif reason := _unreadable(pool, problem.answer):
            refused[problem.id] = reason
    verdicts = pool.submit(pairs).result()
    refused |= {pair.key: verdict.reason for pair, verdict in zip(pairs, verdicts, strict=True) if not verdict.correct}
    return [(problem.id, refused[problem.id]) for problem in problems if problem.id in refused]


def _solution(pool: GradingPool, reference: str) -> str | None:
    gold = getattr(pool.grader, "gold", None)
    found: object = gold(reference) if gold else f"The final answer is \\boxed{{{reference}}}."
    if not isinstance(found, str | None):
        raise TypeError(f"gold returned {type(found).__name__}, not text")
    return found


def _unreadable(pool: GradingPool, reference: str) -> str | None:
    """Return the reason why a reference without a solution cannot be used for grading; None where it can."""
    steps = two_steps(pool.grader)
    try:
        verdict = steps.settle(reference, None) if steps else None
    except Exception as error:  # noqa: BLE001 - as above
        return failed_verdict(error).reason
    return verdict.reason if verdict and verdict.outcome is Outcome.UNGRADED else None
