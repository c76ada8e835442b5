"""The order of labelling: unlabelled solutions by place, then those that the labeller skipped."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from isocost.records import Chosen


class Queue:
    """The chosen solutions, numbered from 1 in the order of `place`."""

    def __init__(self, chosen: Sequence[Chosen]) -> None:
        self.chosen = chosen
        self._numbers = {one.sample_id: i for i, one in enumerate(chosen, start=1)}

    def __len__(self) -> int:
        return len(self.chosen)

    def at(self, number: int) -> Chosen | None:
        """Return the solution with a number, or None."""
        return self.chosen[number - 1] if 1 <= number <= len(self.chosen) else None

    def number(self, sample_id: str) -> int | None:
        """Return the number of a solution, or None if it is not chosen."""
        return self._numbers.get(sample_id)

    def following(self, number: int, *, labelled: Collection[str], skipped: Collection[str]) -> int | None:
        """Return the next open number after a number, wrapping at the end; else the next skipped one; None if all are labelled."""
        turned = [(number + i) % len(self.chosen) + 1 for i in range(len(self.chosen))]
        left = [n for n in turned if self.chosen[n - 1].sample_id not in labelled]
        return next((n for n in left if self.chosen[n - 1].sample_id not in skipped), left[0] if left else None)

    def other_problem(self, number: int, step: int) -> int | None:
        """Return the nearest solution of another problem, forwards (step 1) or backwards (-1)."""
        here = self.chosen[number - 1].problem_id
        wanted = range(number + step, len(self.chosen) + 1 if step > 0 else 0, step)
        return next((n for n in wanted if self.chosen[n - 1].problem_id != here), None)
