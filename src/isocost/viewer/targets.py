"""The number of labels that would tell models apart, from the last `isocost audit`, without the models' names."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A number of labels that would tell some pairs of models apart.

    Attributes:
        labels: Approximate number of labels, sound or unsound, in the order of labelling. Of n labels, a model has on average n times its
            share of the chosen solutions.
        pairs: Pairs of models that they tell apart.
        all_pairs: All pairs of models.
    """

    labels: int
    pairs: int
    all_pairs: int

    def said(self, have: int) -> str:
        """Format `33 of about 310 labels that tell two models apart`."""
        what = "two models" if self.pairs == 1 else "all models" if self.pairs == self.all_pairs else f"{self.pairs} pairs of models"
        if have >= self.labels:
            return f"about {self.labels:,} labels tell {what} apart: reached"
        return f"{have:,} of about {self.labels:,} labels that tell {what} apart"


def target(path: Path, have: int) -> Target | None:
    """Return the next target above the number of labels, else the last one.

    None if no target is known, or if even all chosen solutions tell no two models apart.

    Args:
        path: The run directory; it may have no `audits/rates.json`.
        have: Number of labels that are sound or unsound.
    """
    try:
        found = json.loads((path / "audits" / "rates.json").read_text(encoding="utf-8"))
        chosen = {model: int(own["chosen"]) for model, own in found["models"].items()}
        needed = [_places(pair, chosen) for pair in found["labels_needed"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ZeroDivisionError):
        return None  # the pages work without a target
    within = sorted(labels for labels in needed if labels is not None)
    # Of equal numbers only the last is kept, with all the pairs that it tells apart.
    targets = [
        Target(labels=labels, pairs=i, all_pairs=len(needed)) for i, labels in enumerate(within, start=1) if labels not in within[i:]
    ]
    return next((each for each in targets if each.labels > have), targets[-1] if targets else None)


def _places(pair: Mapping[str, Any], chosen: Mapping[str, int]) -> int | None:
    """Return the number of labels by which both models have enough; None if too few are chosen, or no number is enough."""
    of_each = pair["labels"] if pair["with_judge"] is None else pair["with_judge"]
    fewest = min(chosen[model] for model in pair["models"])
    if of_each is None or of_each > fewest:
        return None
    return math.ceil(int(of_each) * sum(chosen.values()) / fewest)
