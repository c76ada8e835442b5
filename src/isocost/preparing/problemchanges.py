"""Problems that are not those of the run's last start: a changed question is bought again, a changed answer graded again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from isocost.events import Listener, Note
from isocost.ids import digest
from isocost.records import Problem
from isocost.store import RunDirectory

FILE = ("problems", "digests.json")
Digests = Mapping[str, Sequence[str]]  # problem id -> digest of its question, digest of its answer


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitChanges:
    """Changes of the problems of a split since the last start, by id.

    Attributes:
        new: Problems that the last start did not have.
        asked: Those with another question.
        answered: Those with the same question and another answer.
        gone: Problems of the last start that the study has no more.
    """

    new: frozenset[str]
    asked: frozenset[str]
    answered: frozenset[str]
    gone: frozenset[str]

    def __bool__(self) -> bool:
        return bool(self.new or self.asked or self.answered or self.gone)


def changed_problems(directory: RunDirectory, problems: Mapping[str, Sequence[Problem]]) -> dict[str, SplitChanges]:
    """Compare the problems with those of the last start, and write down these for the next.

    Args:
        directory: The run directory.
        problems: The problems that count, by split.

    Returns:
        The splits that changed; a split that the last start did not have is not among them.
    """
    now = {split: {p.id: [digest(p.question), digest(p.answer)] for p in of_split} for split, of_split in problems.items()}
    stored = _stored(directory)
    before = {split: found for split in now if (found := stored.get(split) if stored else _of_table(directory, split)) is not None}
    directory.write_json(now, *FILE)
    compared = {split: _compared(before[split], now[split]) for split in before}
    return {split: changes for split, changes in compared.items() if changes}


def _stored(directory: RunDirectory) -> dict[str, Digests]:
    """The digests of the last start; a split that is damaged counts as one that it did not have."""
    found = directory.read_derived(*FILE) or {}
    return {split: digests for split, digests in found.items() if _are_digests(digests)}


def _are_digests(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(pair, list) and [type(each) for each in pair] == [str, str] for pair in value.values()
    )


def say_changed_problems(changes: Mapping[str, SplitChanges], stale: Mapping[str, int], listener: Listener) -> None:
    """Tell the listener, in one note, what changed and what that means for what was bought.

    Args:
        changes: The splits that changed.
        stale: By problem id, stored draws that do not count, as the problem is gone or had another question.
        listener: Called with the note.
    """
    if not changes:
        return
    parts = [f"{split}: {_counts(of_split)}" for split, of_split in changes.items()]
    text = f"problems changed since the last start: {'; '.join(parts)}"
    if train := changes.get("train"):
        again, gone = (sum(stale.get(id_, 0) for id_ in ids) for ids in (train.asked, train.gone))
        if train.asked:
            text += f"; a changed question is bought again: {again:,} stored draws of these problems no longer count"
        if gone:
            text += f"; {gone:,} stored draws of problems that are gone no longer count"
        if train.answered:
            text += "; a changed answer is graded again, not bought"
    listener(Note(text=text))


def _counts(changes: SplitChanges) -> str:
    counts = (
        (changes.new, "new"),
        (changes.asked, "with another question"),
        (changes.answered, "with another answer"),
        (changes.gone, "gone"),
    )
    return ", ".join(f"{len(ids):,} {what}" for ids, what in counts if ids)


def _compared(before: Digests, now: Digests) -> SplitChanges:
    both = before.keys() & now.keys()
    asked = frozenset(id_ for id_ in both if before[id_][0] != now[id_][0])
    answered = frozenset(id_ for id_ in both - asked if before[id_][1] != now[id_][1])
    return SplitChanges(
        new=frozenset(now.keys() - before.keys()), asked=asked, answered=answered, gone=frozenset(before.keys() - now.keys())
    )


def _of_table(directory: RunDirectory, split: str) -> Digests | None:
    """The problems that an older version stored once all was sampled; None where it did not come so far."""
    if not directory.path.joinpath("problems", f"{split}.parquet").exists():
        return None
    rows = directory.read_rows("problems", f"{split}.parquet")
    return {row["id"]: [digest(row["question"]), digest(row["answer"])] for row in rows}
