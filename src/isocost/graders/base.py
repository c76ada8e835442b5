"""What every grader offers: a verdict on a solution, given the reference answer."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from isocost.records import Verdict


@runtime_checkable
class Grader(Protocol):
    """Judges solutions. A grader must be deterministic: equal inputs are graded once.

    Attributes:
        name: What a study calls it.
        version: Raised whenever a verdict can change; stored with the verdicts.

    A grader may also have
        cheap: bool             True for pure Python in linear time: it is run in-process, not in a worker that can be killed;
        memory_limit: int       bytes that a worker may take beyond what it starts with;
        prepare() -> None       run once in a worker before its first solution, outside the time limit: slow imports go here.
    """

    name: str
    version: str

    def grade(self, reference: str, generation: str) -> Verdict:
        """Judge one solution. Whatever it raises is recorded as an ungraded solution."""
