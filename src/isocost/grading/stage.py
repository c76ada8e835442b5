"""Pairs in, verdicts out in their order; and a check that the grader accepts the reference answers themselves."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future
from itertools import islice

from isocost.grading.judging import failed_verdict, two_steps
from isocost.grading.pool import GradingPool, Pair
from isocost.records import Outcome, Problem, Verdict

BATCH = 512  # solutions submitted at a time by `grade`: enough to keep a worker busy while the next batch is read


def grade(
    pairs: Iterable[Pair], grader_name: str, *, workers: int, time_limit: float, options: Mapping[str, object] | None = None
) -> Iterator[tuple[str, Verdict]]:
    """Yield the verdict of every pair, in order, each with its key. Reads ahead only as far as the workers need.

    Args:
        pairs: Solutions with their references.
        grader_name: A grader's name, or `package.module:attribute`.
        workers: The maximum number of worker processes.
        time_limit: Seconds allowed per solution; one that takes longer is `ungraded`.
        options: The grader's own settings.

    Raises:
        InputError: there is no such grader, or an option is wrong.
        RunError: no worker can be started.
    """
    source = iter(pairs)
    under_way: deque[tuple[list[Pair], Future[list[Verdict]]]] = deque()
    with GradingPool(grader_name, workers=workers, time_limit=time_limit, options=options) as pool:
        while True:
            while len(under_way) <= workers and (batch := list(islice(source, BATCH))):
                under_way.append((batch, pool.submit(batch)))
            if not under_way:
                return
            batch, future = under_way.popleft()
            yield from zip((pair.key for pair in batch), future.result(), strict=True)


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
