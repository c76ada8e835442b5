"""The order of labelling, and the walk over the solutions on which a labeller and others disagree."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from isocost.auditing.labels import current_labels
from isocost.records import Chosen, Label

_SURE = ("sound", "unsound")
AGREEMENT = "/agreement"


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


class Differing:
    """Verdicts of others on solutions that this labeller found sound and they unsound, or the reverse.

    Verdicts of others are shown nowhere else: they must not influence a labeller who has no verdict yet.
    """

    def __init__(self, labels: Iterable[Label], labeller: str, queue: Queue) -> None:
        words = current_labels(labels)
        self._others: dict[str, list[Label]] = defaultdict(list)
        for (other, sample_id), label in words.items():
            own = words.get((labeller, sample_id))
            sure = own is not None and own.verdict in _SURE and label.verdict in _SURE
            if other != labeller and sure and own is not None and own.verdict != label.verdict:
                self._others[sample_id].append(label)
        self.numbers: Sequence[int] = sorted(n for n in map(queue.number, self._others) if n)

    def others(self, sample_id: str) -> Sequence[Label]:
        """Return the labels of those who disagree on a solution."""
        return self._others.get(sample_id, ())

    def following(self, number: int) -> str:
        """Return the address of the next disagreement after a number; after the last, that of the agreement page."""
        after = next((n for n in self.numbers if n > number), None)
        return address(after, differing=True) if after else AGREEMENT

    def places(self, number: int) -> Mapping[str, int | None]:
        """Return the numbers before and after, by the keys that lead there."""
        before = next((n for n in reversed(self.numbers) if n < number), None)
        after = next((n for n in self.numbers if n > number), None)
        return {"k": before, "j": after, "p": None, "n": None}

    def place(self, number: int) -> str:
        """Format `disagreement 2 of 5`; "" if the labellers agree by now."""
        return f"disagreement {self.numbers.index(number) + 1} of {len(self.numbers)}" if number in self.numbers else ""


def address(number: int, *, differing: bool = False) -> str:
    """Return the address of a solution's blind page, in the walk through disagreements or in the order of all."""
    return f"/label/{number}{'?among=differing' if differing else ''}"
