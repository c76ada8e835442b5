"""Problems that are not those of the run's last start: a changed question is bought again, a changed answer graded again.

A question that stands under another id than before would be bought again too, although it is the same: a line above it in a file without
ids is enough. A few are, with a note; for more the run stops.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from isocost.errors import RunDirectoryError
from isocost.events import Listener, Note
from isocost.ids import digest
from isocost.records import Problem
from isocost.store import RunDirectory

FILE = ("problems", "digests.json")
_FEW = 20  # of the questions, one in so many, or one at least, may move to another id: as of paid batches in evidence.FEW
Digests = Mapping[str, Sequence[str]]  # problem id -> digest of its question, digest of its answer


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitChanges:
    """Changes of the problems of a split since the last start, by id.

    Attributes:
        new: Problems that the last start did not have.
        asked: Those with another question.
        answered: Those with the same question and another answer.
        gone: Problems of the last start that the study has no more.
        moved: Questions of the last start that stand under another id now: the former id, and the present one.
        before: How many problems the last start had.
    """

    new: frozenset[str]
    asked: frozenset[str]
    answered: frozenset[str]
    gone: frozenset[str]
    moved: Mapping[str, str] = field(default_factory=dict)
    before: int = 0

    def __bool__(self) -> bool:
        return bool(self.new or self.asked or self.answered or self.gone)


def changed_problems(directory: RunDirectory, problems: Mapping[str, Sequence[Problem]]) -> dict[str, SplitChanges]:
    """Compare the problems with those of the last start.

    Args:
        directory: The run directory.
        problems: The problems that count, by split.

    Returns:
        The splits that changed; a split that the last start did not have is not among them.
    """
    now = _digests(problems)
    stored = _stored(directory)
    before = {split: found for split in now if (found := stored.get(split) if stored else _of_table(directory, split)) is not None}
    compared = {split: _compared(before[split], now[split]) for split in before}
    return {split: changes for split, changes in compared.items() if changes}


def keep_problems(directory: RunDirectory, problems: Mapping[str, Sequence[Problem]]) -> None:
    """Write down the problems, for the next start to compare with."""
    directory.write_json(_digests(problems), *FILE)


def _digests(problems: Mapping[str, Sequence[Problem]]) -> dict[str, dict[str, list[str]]]:
    return {split: {p.id: [digest(p.question), digest(p.answer)] for p in of_split} for split, of_split in problems.items()}


def refuse_moved_questions(changes: Mapping[str, SplitChanges], stale: Mapping[str, int], directory: Path) -> None:
    """Stop where draws that are stored would be bought again because the same questions have other ids.

    Args:
        changes: The splits that changed.
        stale: By problem id, stored draws that do not count, as the problem is gone or had another question.
        directory: The run directory.

    Raises:
        RunDirectoryError: there are more than a few.
    """
    train = changes.get("train")
    moved = {former: now for former, now in train.moved.items() if stale.get(former)} if train else {}
    if train is None or len(moved) <= max(1, train.before // _FEW):
        return
    (former, now), n = next(iter(moved.items())), sum(stale[id_] for id_ in moved)
    raise RunDirectoryError(
        f"{directory}: {len(moved):,} questions of problems.train stand under other ids than at the last start, first "
        f'"{former}" as "{now}": their {n:,} stored draws would be bought again\n'
        "  give each problem the id that it had (without ids, its place in the file is its id), or sample them again in another folder: -o"
    )


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
    gone = frozenset(before.keys() - now.keys())
    places = {now[id_][0]: id_ for id_ in now if id_ not in both - asked}
    moved = {id_: places[before[id_][0]] for id_ in before if id_ in asked | gone and before[id_][0] in places}
    return SplitChanges(
        new=frozenset(now.keys() - before.keys()), asked=asked, answered=answered, gone=gone, moved=moved, before=len(before)
    )


def _of_table(directory: RunDirectory, split: str) -> Digests | None:
    """The problems that an older version stored once all was sampled; None where it did not come so far."""
    if not directory.path.joinpath("problems", f"{split}.parquet").exists():
        return None
    rows = directory.read_rows("problems", f"{split}.parquet")
    return {row["id"]: [digest(row["question"]), digest(row["answer"])] for row in rows}
