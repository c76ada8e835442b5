"""The progress of a labeller."""

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
        """Format the progress for the pages and the closing line, in parts that are never broken over lines."""
        return progress(labelled=self.labelled, unsure=self.unsure, total=self.total, rate=self.rate, skipped=self.skipped)

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
