"""The progress of a labeller, and the number of labels that would tell models apart, without the models' names."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isocost.auditing.labels import rate_so_far, verdicts
from isocost.paths import read_bytes
from isocost.records import Estimate
from isocost.reporting.numbers import percent
from isocost.viewer.labelbook import LabelBook
from isocost.viewer.rundata import RunData


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
        found = json.loads(read_bytes(path / "audits" / "rates.json"))
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The progress of a labeller.

    Attributes:
        labelled: Solutions that they labelled, as unsure included.
        unsure: Solutions that they labelled as unsure.
        total: Chosen solutions.
        skipped: Solutions that they skipped and have not labelled since.
        rate: Share of unsound ones among solutions found sound or unsound.
        sure: Solutions that labellers found sound or unsound, without a disagreement.
        target: Number of such labels that tells models apart, if known.
    """

    labelled: int
    unsure: int
    total: int
    skipped: int
    rate: Estimate
    sure: int
    target: Target | None

    def parts(self) -> tuple[str, ...]:
        """Format `labelled 37/200 (3 unsure)`, `false positives 5.4% [1.5, 17.7] of 34 sure` once there is a rate, `2 skipped`.

        The parts are never broken over lines.
        """
        parts = [f"labelled {self.labelled:,}/{self.total:,}{f' ({self.unsure:,} unsure)' if self.unsure else ''}"]
        if self.rate.value is not None:
            parts.append(f"false positives {percent(self.rate)} of {self.rate.n:,}{' sure' if self.unsure else ''}")
        if self.skipped:
            parts.append(f"{self.skipped:,} skipped")
        return tuple(parts)

    def aim(self) -> str:
        """Format the progress towards the target; "" without one."""
        return self.target.said(self.sure) if self.target else ""


def stand(data: RunData, book: LabelBook) -> Standing:
    """Compute the progress of a book's labeller."""
    chosen, own = data.audited().chosen, book.own()
    done = {one.sample_id: own[one.sample_id].verdict for one in chosen if one.sample_id in own}
    skipped = {label.sample_id for label in book.words() if label.verdict == "skip"}
    people = verdicts(book.labels()).sound
    sure = sum(one.sample_id in people for one in chosen)
    return Standing(
        labelled=len(done),
        unsure=sum(verdict == "unsure" for verdict in done.values()),
        total=len(chosen),
        skipped=sum(one.sample_id in skipped and one.sample_id not in done for one in chosen),
        rate=rate_so_far(done, chosen),
        sure=sure,
        target=target(data.path, sure),
    )
