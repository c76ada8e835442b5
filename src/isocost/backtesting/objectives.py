"""Progress towards an objective, draw by draw."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from typing import Protocol

from isocost.backtesting.pool import Pool
from isocost.errors import InputError
from isocost.policies.base import Coverage, KeptPerProblem, MixedGroups, Objective


class Progress(Protocol):
    """Count what draws add to the objective, over all problems."""

    def add(self, problem: int, model: int, draw: int) -> int:
        """Take one draw of the pool, and return what it adds: 0 or 1."""

    def is_new(self, problem: int, model: int, draw: int) -> bool:
        """Return False if the draw, which is correct and not yet added, repeats a solution of the problem."""


def progress_of(objective: Objective, pool: Pool) -> Progress:
    """Return the progress towards an objective on a pool, before any draw."""
    match objective:
        case Coverage():
            return _Covered(pool)
        case KeptPerProblem(most=most):
            return _Kept(pool, most)
        case MixedGroups(size=size):
            return _Mixed(pool, size)


def refuse_impossible(objective: Objective, targets: Iterable[float]) -> None:
    """Refuse a target that no draws reach, such as a percentage in the place of a share.

    Raises:
        InputError: A target is not above 0, or above what a problem can add.
    """
    most = objective.most if isinstance(objective, KeptPerProblem) else 1
    for target in targets:
        if not target > 0:
            raise InputError(f"targets: each must be above 0, not {target:g}")
        if target > most:
            what = f"{most} solutions per problem" if isinstance(objective, KeptPerProblem) else "1, the share of all problems"
            advice = f"write {target:g}% as {target / 100:g}" if most == 1 and target <= 100 else ""
            raise InputError(f"targets: {target:g} is above {what}", advice=advice)


def describe(objective: Objective, target: float) -> str:
    """Return a target in words."""
    match objective:
        case Coverage():
            return f"{100 * target:g}% of problems covered"
        case KeptPerProblem(most=most):
            return f"{target:g} distinct correct solutions kept per problem, of {most} at most"
        case MixedGroups(size=size):
            return f"{100 * target:g}% of problems with a mixed group of {size}"


def needed(target: float, problems: int) -> int:
    """Return the sum over problems that reaches a target: ceil(target x problems)."""
    return math.ceil(target * problems * (1.0 - 1e-12))  # .35 x 20 is a little more than 7 in floats


class _Covered:
    def __init__(self, pool: Pool) -> None:
        self._correct = pool.correct.tolist()
        self._done = [False] * len(pool.problems)

    def add(self, problem: int, model: int, draw: int) -> int:
        if self._done[problem] or not self._correct[problem][model][draw]:
            return 0
        self._done[problem] = True
        return 1

    def is_new(self, problem: int, model: int, draw: int) -> bool:
        return True


class _Kept:
    def __init__(self, pool: Pool, most: int) -> None:
        self._correct, self._solution = pool.correct.tolist(), pool.solution.tolist()
        self._most = most
        self._seen: defaultdict[int, set[int]] = defaultdict(set)

    def add(self, problem: int, model: int, draw: int) -> int:
        if not self._correct[problem][model][draw] or not self.is_new(problem, model, draw):
            return 0
        seen = self._seen[problem]
        seen.add(self._solution[problem][model][draw])
        return int(len(seen) <= self._most)

    def is_new(self, problem: int, model: int, draw: int) -> bool:
        solution = self._solution[problem][model][draw]
        return solution >= 0 and solution not in self._seen[problem]


class _Mixed:
    """A group is `size` draws of one model in the order of their indices; it is mixed if it has a correct and an incorrect one."""

    def __init__(self, pool: Pool, size: int) -> None:
        self._outcomes = [
            [[(r, g and not r) for r, g in zip(*pair, strict=True)] for pair in zip(*row, strict=True)]
            for row in zip(pool.correct.tolist(), pool.graded.tolist(), strict=True)
        ]
        self._size = size
        self._done = [False] * len(pool.problems)

    def add(self, problem: int, model: int, draw: int) -> int:
        if self._done[problem] or (draw + 1) % self._size:
            return 0
        group = self._outcomes[problem][model][draw + 1 - self._size : draw + 1]
        self._done[problem] = any(right for right, _ in group) and any(wrong for _, wrong in group)
        return int(self._done[problem])

    def is_new(self, problem: int, model: int, draw: int) -> bool:
        return True
