"""Questions that a problem set has more than once: named, taken once if the study says so, refused where their answers differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from isocost.records import Problem


def merged(problems: Iterable[Problem]) -> Iterator[Problem]:
    """Yield the problems without those whose question and answer were seen before."""
    seen: set[tuple[str, str]] = set()
    for problem in problems:
        key = problem.question.strip(), problem.answer.strip()
        if key not in seen:
            seen.add(key)
            yield problem


def refused_contradictions(problems: Sequence[Problem]) -> list[Problem]:
    """Return the problems; those whose question has another answer elsewhere in the set have that as their flaw."""
    first: dict[str, Problem] = {}
    contradicted: dict[str, str] = {}
    for problem in problems:
        if problem.flaw:
            continue
        earlier = first.setdefault(problem.question.strip(), problem)
        if earlier.answer.strip() != problem.answer.strip():
            contradicted.setdefault(problem.question.strip(), f"contradicted: {earlier.id} and {problem.id} ask the same")
    return [replace(p, flaw=p.flaw or contradicted.get(p.question.strip(), "")) for p in problems] if contradicted else list(problems)


def repeated_ids(problems: Sequence[Problem]) -> list[tuple[str, ...]]:
    """Return the ids of each question that occurs more than once."""
    by_question: dict[str, list[str]] = {}
    for problem in problems:
        by_question.setdefault(problem.question.strip(), []).append(problem.id)
    return [tuple(ids) for ids in by_question.values() if len(ids) > 1]
