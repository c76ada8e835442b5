"""The solutions on which a labeller and others disagree, as a walk through the blind pages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from isocost.auditing.labels import current_labels
from isocost.records import Label
from isocost.viewer.queue import Queue

_SURE = ("sound", "unsound")
AGREEMENT = "/agreement"


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
