"""Stored verdicts of one grader on a pool's draws."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import polars as pl

from isocost.executors.jobs import StoredDraw
from isocost.graders.base import TRUNCATED
from isocost.graders.replies import after_delimiters
from isocost.ids import digest, text_hash
from isocost.records import Delimiters, Outcome, Pair, Problem, Verdict
from isocost.store import BatchLog, Row

FAILED = Verdict(outcome=Outcome.UNGRADED, predicted_answer=None, reason="engine_error")
_OUTCOMES = pl.Enum([str(outcome) for outcome in Outcome])
MOST_SHARED = 100_000  # distinct verdicts kept for sharing: a bound on memory where every answer differs


def final_verdict(draw: StoredDraw, verdict: Verdict) -> Verdict:
    """Return the verdict to store: `engine_error` where there is no answer, and `truncated` for a draw cut off before the right one."""
    if draw.finish_reason == "error":
        return FAILED
    if draw.finish_reason == "length" and verdict.outcome in (Outcome.INCORRECT, Outcome.NO_ANSWER):
        return replace(verdict, reason=TRUNCATED)
    return verdict


def verdict_columns(verdicts: Iterable[Verdict | None]) -> list[pl.Series]:
    """Return the columns `outcome`, `predicted_answer` and `correct` of draws; None is the verdict on a failed draw."""
    found = [verdict or FAILED for verdict in verdicts]
    # Verdicts are shared, so a column is made of a few and then of their places. They are told apart by `id`, which hashes no fields.
    distinct = {id(verdict): verdict for verdict in found}
    places = {number: place for place, number in enumerate(distinct)}
    rows = pl.Series([places[id(verdict)] for verdict in found], dtype=pl.UInt32)
    columns = [
        pl.Series("outcome", [verdict.outcome for verdict in distinct.values()], dtype=_OUTCOMES),
        pl.Series("predicted_answer", [verdict.predicted_answer for verdict in distinct.values()], dtype=pl.String),
        pl.Series("correct", [verdict.correct for verdict in distinct.values()], dtype=pl.Boolean),
    ]
    return [column.gather(rows) for column in columns]


def to_pairs(asked: Iterable[Problem], draws: Iterable[StoredDraw], reasoning: Delimiters | None) -> list[Pair]:
    """Return the grader's input for draws, without reasoning in a model's own delimiters; a failed draw has an empty text."""
    return [
        Pair(
            key="",
            reference=problem.answer,
            generation=after_delimiters(draw.generation, reasoning) if reasoning else draw.generation,
            question=problem.question,
            truncated=draw.finish_reason == "length",
        )
        for problem, draw in zip(asked, draws, strict=True)
    ]


def log_name(pool: str, reasoning: Delimiters | None) -> str:
    """Return the name of the log of a pool's verdicts: other delimiters of reasoning give other verdicts."""
    return pool if reasoning is None else f"{pool}-{digest('reasoning', reasoning, length=8)}"


class Verdicts:
    """A log of verdicts, each with its reference answer and the hash of its text.

    A problem whose answer changes is judged again. So is a draw that was lost and bought again: its id is the same, its text another.

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

    def append(self, batches: Sequence[tuple[str, Sequence[tuple[StoredDraw, str, Verdict]]]]) -> None:
        """Commit verdicts, given as (batch key, [(draw, reference, verdict), ...])."""
        entries = []
        for batch, judged in batches:
            rows = [_to_row(draw, reference, verdict) for draw, reference, verdict in judged]
            # References and texts are part of the key: a batch is judged again, under another key, when one of them changes.
            key = digest(batch, [[row["sample_id"], row["reference"], row["text_hash"]] for row in rows])
            entries.append((key, rows))
        self._log.append_all(entries)

    def stored(self) -> Iterator[tuple[pl.DataFrame, list[Verdict]]]:
        """Yield the stored verdicts, part by part, with a frame of `sample_id`, `reference` and, but for earlier versions, `text_hash`."""
        for part in self._log.tables(("sample_id", "reference", "outcome", "predicted_answer", "reason"), ("text_hash",)):
            # Made once per kind: most verdicts of a part equal one of a few.
            made: dict[tuple[str, str | None, str], Verdict] = {}
            verdicts = []
            for kind in zip(part["outcome"].to_list(), part["predicted_answer"].to_list(), part["reason"].to_list(), strict=True):
                if kind not in made:
                    outcome, answer, reason = kind
                    made[kind] = self.share(Verdict(outcome=Outcome(outcome), predicted_answer=answer, reason=reason))
                verdicts.append(made[kind])
            yield part, verdicts

    def seal(self) -> None:
        """Move the stored verdicts into Parquet."""
        self._log.seal()


def _to_row(draw: StoredDraw, reference: str, verdict: Verdict) -> Row:
    return {
        "sample_id": draw.id,
        "text_hash": text_hash(draw.generation),
        "reference": reference,
        "outcome": verdict.outcome,
        "predicted_answer": verdict.predicted_answer,
        "reason": verdict.reason,
    }
