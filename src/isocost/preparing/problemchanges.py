"""Compare the problems with those of the run's last start: a changed question is sampled again, a changed answer graded again.

A question that now has another id would be sampled again too, although it is the same. In a file without ids, one line inserted above
it has this effect. A few such questions are sampled again, with a note; for more the run stops.
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
_FEW = 20  # at most one in 20 questions, or a single one, may move to another id, as for paid batches in reconciliation.FEW
Digests = Mapping[str, Sequence[str]]  # problem id -> digest of its question, digest of its answer


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitChanges:
    """The changes of a split's problems since the last start, by id.

    Attributes:
        new: Problems that the last start did not have.
        changed_questions: Problems with another question.
        changed_answers: Problems with the same question and another answer.
        removed: Problems of the last start that the study does not have any more.
        moved: Questions of the last start that have another id now, as former id -> present id.
        before: Number of problems at the last start.
    """

    new: frozenset[str]
    changed_questions: frozenset[str]
    changed_answers: frozenset[str]
    removed: frozenset[str]
    moved: Mapping[str, str] = field(default_factory=dict)
    before: int = 0

    def __bool__(self) -> bool:
        return bool(self.new or self.changed_questions or self.changed_answers or self.removed)


def compare_problems(directory: RunDirectory, problems: Mapping[str, Sequence[Problem]]) -> dict[str, SplitChanges]:
    """Compare the problems with those of the last start.

    Args:
        directory: The run directory.
        problems: The problems by split, without those left out.

    Returns:
        The changes by split, without splits that did not change or that the last start did not have.
    """
    now = _digests(problems)
    stored = _read_stored(directory)
    before = {split: found for split in now if (found := stored.get(split) if stored else _read_table(directory, split)) is not None}
    compared = {split: _compare(before[split], now[split]) for split in before}
    return {split: changes for split, changes in compared.items() if changes}


def keep_problems(directory: RunDirectory, problems: Mapping[str, Sequence[Problem]]) -> None:
    """Write digests of the problems, for the next start to compare with."""
    directory.write_json(_digests(problems), *FILE)


def _digests(problems: Mapping[str, Sequence[Problem]]) -> dict[str, dict[str, list[str]]]:
    return {split: {p.id: [digest(p.question), digest(p.answer)] for p in of_split} for split, of_split in problems.items()}


def refuse_moved_questions(changes: Mapping[str, SplitChanges], stale: Mapping[str, int], directory: Path) -> None:
    """Stop if stored draws would be bought again because their questions have other ids now.

    Args:
        changes: The changes by split.
        stale: By problem id, the number of stored draws that do not count, because the problem is gone or has another question.
        directory: The run directory.

    Raises:
        RunDirectoryError: more than a few questions have other ids.
    """
    train = changes.get("train")
    # Only questions with stored draws matter: the others are not bought a second time.
    moved = {former: now for former, now in train.moved.items() if stale.get(former)} if train else {}
    if train is None or len(moved) <= max(1, train.before // _FEW):
        return
    (former, now), n = next(iter(moved.items())), sum(stale[id_] for id_ in moved)
    raise RunDirectoryError(
        f"{directory}: {len(moved):,} questions of problems.train have other ids than at the last start, first "
        f'"{former}" as "{now}": their {n:,} stored draws would be bought again\n'
        "  give each problem the id that it had (without ids, its place in the file is its id), or sample them again in another folder: -o"
    )


def _read_stored(directory: RunDirectory) -> dict[str, Digests]:
    """Return the digests of the last start by split, without damaged ones, which count as new splits."""
    found = directory.read_derived(*FILE) or {}
    return {split: digests for split, digests in found.items() if _are_digests(digests)}


def _are_digests(value: object) -> bool:
    """Return whether a value maps ids to pairs of texts."""
    pairs = value.values() if isinstance(value, dict) else [None]
    return all(isinstance(pair, list) and [type(each) for each in pair] == [str, str] for pair in pairs)


def note_changed_problems(changes: Mapping[str, SplitChanges], stale: Mapping[str, int], listener: Listener) -> None:
    """Note, in one line, the changed problems and the consequence for stored draws.

    Args:
        changes: The changes by split.
        stale: By problem id, the number of stored draws that do not count, because the problem is gone or has another question.
        listener: Called with the note.
    """
    if not changes:
        return
    parts = [f"{split}: {_counts(of_split)}" for split, of_split in changes.items()]
    text = f"problems changed since the last start: {'; '.join(parts)}"
    if train := changes.get("train"):
        again, gone = (sum(stale.get(id_, 0) for id_ in ids) for ids in (train.changed_questions, train.removed))
        if train.changed_questions:
            text += f"; a changed question is bought again: {again:,} stored draws of these problems no longer count"
        if gone:
            text += f"; {gone:,} stored draws of problems that are gone no longer count"
        if train.changed_answers:
            text += "; a changed answer is graded again, not bought"
    listener(Note(text=text))


def _counts(changes: SplitChanges) -> str:
    counts = (
        (changes.new, "new"),
        (changes.changed_questions, "with another question"),
        (changes.changed_answers, "with another answer"),
        (changes.removed, "gone"),
    )
    return ", ".join(f"{len(ids):,} {what}" for ids, what in counts if ids)


def _compare(before: Digests, now: Digests) -> SplitChanges:
    both = before.keys() & now.keys()
    changed_questions = frozenset(id_ for id_ in both if before[id_][0] != now[id_][0])
    changed_answers = frozenset(id_ for id_ in both - changed_questions if before[id_][1] != now[id_][1])
    removed = frozenset(before.keys() - now.keys())
    # A question counts as moved only to a problem that is new or has changed: equal questions under kept ids are no move.
    places = {now[id_][0]: id_ for id_ in now if id_ not in both - changed_questions}
    moved = {id_: places[before[id_][0]] for id_ in before if id_ in changed_questions | removed and before[id_][0] in places}
    return SplitChanges(
        new=frozenset(now.keys() - before.keys()),
        changed_questions=changed_questions,
        changed_answers=changed_answers,
        removed=removed,
        moved=moved,
        before=len(before),
    )


def _read_table(directory: RunDirectory, split: str) -> Digests | None:
    """Return the digests of the table that an earlier version wrote at the end of sampling, or None if there is no table."""
    if not directory.path.joinpath("problems", f"{split}.parquet").exists():
        return None
    rows = directory.read_rows("problems", f"{split}.parquet")
    return {row["id"]: [digest(row["question"]), digest(row["answer"])] for row in rows}
