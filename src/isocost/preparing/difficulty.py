"""Difficulty of problems as a field of the problems tells it, for the policies that use it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

from isocost.config import Study
from isocost.events import Listener, Note
from isocost.nearest import did_you_mean
from isocost.records import Problem

_NUMBER = re.compile(r"(?:(?<!\w)[-+])?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d+)?")  # a dash inside a word is no sign: Level-3


def difficulty_labels(field: str | None, problems: Sequence[Problem]) -> dict[str, float]:
    """Return the number in a field of each problem, by problem id. A problem without one has no entry.

    The number may go up or down with difficulty: policies learn which.
    """
    if field is None:
        return {}
    found = {problem.id: _number(problem.metadata.get(field)) for problem in problems}
    return {id_: number for id_, number in found.items() if number is not None}


def _number(value: str | int | float | None) -> float | None:
    """Return a number, or the only number in a text; None for anything else."""
    if isinstance(value, str):
        numbers = _NUMBER.findall(value)
        value = numbers[0] if len(numbers) == 1 else None
    if value is None:
        return None
    number = float(value)
    return number if math.isfinite(number) else None


def difficulty_mistakes(study: Study, problems: Sequence[Problem]) -> Iterator[str]:
    """Yield the arms whose field of difficulty has a number for no problem."""
    for name, arm in study.arms.items():
        if arm.difficulty is not None and problems and not difficulty_labels(arm.difficulty, problems):
            fields = list(dict.fromkeys(field for problem in problems for field in problem.metadata))
            near = did_you_mean(arm.difficulty, [field for field in fields if field != arm.difficulty])
            yield (
                f'arms.{name}.difficulty: no training problem has a number in a field "{arm.difficulty[:80]}"\n'
                f"  {near or 'their fields: ' + (', '.join(fields) or 'none')}"
            )


def note_unlabelled(study: Study, problems: Sequence[Problem], listener: Listener) -> None:
    """Note, for each arm, the problems without a number in its field of difficulty."""
    for name, arm in study.arms.items():
        labels = difficulty_labels(arm.difficulty, problems)
        lacking = [problem.id for problem in problems if problem.id not in labels]
        if arm.difficulty is not None and lacking:
            listener(
                Note(
                    text=f'arms.{name}.difficulty: {len(lacking):,} of {len(problems):,} problems have no number in "{arm.difficulty}" '
                    f"(first: {lacking[0]}); they count as of unknown difficulty"
                )
            )
