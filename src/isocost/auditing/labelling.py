"""How many labels are worth giving: asked before anyone labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from isocost.auditing.rates import ModelRates
from isocost.metrics.labels import labels_needed, smallest_difference

MOST = 100_000  # labels a model above which the number is not worth saying


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """What it takes to tell two models' rates apart, if they are as they seem.

    Attributes:
        models: The two.
        guesses: Their rates as steps or judge have them.
        labels: Human labels of each; None where the guesses are alike, or more than `MOST` are needed.
        apart: How far apart rates must lie for all that was chosen of each to tell them; None where nothing would.
    """

    models: tuple[str, str]
    guesses: tuple[float, float]
    labels: int | None
    apart: float | None


def needed(rates: Sequence[ModelRates]) -> list[Needed]:
    """Labels needed for each two models with a rate, by people alone, four times in five.

    A judge that is right often makes fewer do; how often it is, only labels tell.
    """
    known = [(each, each.rate.value) for each in rates if each.rate.value is not None]
    found = []
    for (left, a), (right, b) in combinations(known, 2):
        found.append(
            Needed(
                models=(left.model, right.model),
                guesses=(a, b),
                labels=_labels(a, b),
                apart=smallest_difference(min(a, b), min(left.chosen, right.chosen)) if min(a, b) < 1 else None,
            )
        )
    return found


def _labels(a: float, b: float) -> int | None:
    if abs(a - b) < 1e-3:  # tenths of a point
        return None
    labels = labels_needed(a, b)
    return labels if labels <= MOST else None
