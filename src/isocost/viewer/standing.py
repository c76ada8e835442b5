"""How far a labeller is."""

from __future__ import annotations

from dataclasses import dataclass

from isocost.auditing.labels import rate_so_far, verdicts
from isocost.records import Estimate
from isocost.viewer.labelbook import LabelBook
from isocost.viewer.rundata import RunData
from isocost.viewer.targets import Target, target
from isocost.viewer.wording import progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far a labeller is.

    Attributes:
        labelled: Solutions with a label of theirs; unsure is one.
        unsure: Of those.
        total: Solutions that are chosen.
        skipped: Those put off.
        rate: Unsound ones among those found sound or unsound.
        sure: Solutions that somebody found sound or unsound and nobody otherwise.
        target: How many of these tell models apart, where that is known.
    """

    labelled: int
    unsure: int
    total: int
    skipped: int
    rate: Estimate
    sure: int
    target: Target | None

    def parts(self) -> tuple[str, ...]:
        """For the pages and the closing line: each part is kept on one line."""
        return progress(labelled=self.labelled, unsure=self.unsure, total=self.total, rate=self.rate, skipped=self.skipped)

    def aim(self) -> str:
        """How far it is to the target; "" without one."""
        return self.target.said(self.sure) if self.target else ""


def stand(data: RunData, book: LabelBook) -> Standing:
    """How far the labeller of a book is."""
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
