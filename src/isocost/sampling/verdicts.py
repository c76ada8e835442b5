"""Stored verdicts of one grader on a pool's draws."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from isocost.ids import digest
from isocost.records import Outcome, Verdict
from isocost.store import BatchLog, Row

FAILED = Verdict(outcome=Outcome.UNGRADED, predicted_answer=None, reason="engine_error")
MOST_SHARED = 100_000  # distinct verdicts kept for sharing: a bound on memory where every answer differs


class Verdicts:
    """A log of verdicts, each with its reference answer, so that a problem whose answer changes is judged again.

    Equal verdicts share one object, because most verdicts of a pool equal one of a few.
    """

    def __init__(self, log: BatchLog) -> None:
        self._log = log
        self._shared: dict[Verdict, Verdict] = {}

    def share(self, verdict: Verdict) -> Verdict:
        """Return an equal verdict that was seen before, or else this one."""
        if len(self._shared) >= MOST_SHARED:
            self._shared.clear()  # only sharing is lost
        return self._shared.setdefault(verdict, verdict)

    def append(self, batches: Sequence[tuple[str, Sequence[tuple[str, str, Verdict]]]]) -> None:
        """Commit verdicts, given as (batch key, [(sample id, reference, verdict), ...])."""
        entries = []
        for batch, judged in batches:
            # The references are part of the key: a batch is judged again, under another key, when an answer changes.
            key = digest(batch, [[sample_id, reference] for sample_id, reference, _ in judged])
            entries.append((key, [_to_row(sample_id, reference, verdict) for sample_id, reference, verdict in judged]))
        self._log.append_all(entries)

    def stored(self) -> Iterator[tuple[str, str, Verdict]]:
        """Yield (sample id, reference, verdict) of every stored verdict."""
        for row in self._log.rows():
            verdict = Verdict(outcome=Outcome(row["outcome"]), predicted_answer=row["predicted_answer"], reason=row["reason"])
            yield row["sample_id"], row["reference"], self.share(verdict)

    def seal(self) -> None:
        """Move the stored verdicts into Parquet."""
        self._log.seal()


def _to_row(sample_id: str, reference: str, verdict: Verdict) -> Row:
    return {
        "sample_id": sample_id,
        "reference": reference,
        "outcome": verdict.outcome,
        "predicted_answer": verdict.predicted_answer,
        "reason": verdict.reason,
    }
